using Gateway.Access;
using Gateway.Database;
using Microsoft.AspNetCore.Components;
using Radzen;

namespace Gateway.Host.Dashboard.Settings;

/// <summary>A page whose commands ask for a reason, run one at a time, and tell what came of them.</summary>
public abstract class CommandPage : LivePage
{
    [Inject]
    private DialogService Dialogs { get; set; } = default!;

    /// <summary>What the last command answered: a refusal, or nothing.</summary>
    protected string? Refusal { get; set; }

    protected bool Done { get; set; }

    /// <summary>What is shown this once. It stays until the page is left or another takes its place: the second click of a double click, which may come late, must not take it away.</summary>
    protected string? Secret { get; set; }

    protected override bool Concerns(Change change) => false; // what administrators do is rare, and each sees his own at once

    /// <param name="command">Returns null, or the refusal as a sentence.</param>
    protected Task RunAsync(string? permission, Func<Actor, Task<string?>> command) => OnceAsync(() => RunNowAsync(permission, command));

    /// <summary>Asks for the reason first; without one nothing happens.</summary>
    protected Task AskAsync(string permission, string verb, string title, string what, Func<Actor, string, Task<string?>> command) => OnceAsync(async () =>
    {
        var answer = await Dialogs.OpenAsync<Deliveries.ReasonForm>(title, new Dictionary<string, object?> { ["Verb"] = verb, ["What"] = what }, new DialogOptions { Width = "440px", CloseDialogOnEsc = true });
        if (answer is string reason)
        {
            await RunNowAsync(permission, actor => command(actor, reason));
        }
    });

    private async Task RunNowAsync(string? permission, Func<Actor, Task<string?>> command)
    {
        (Refusal, Done) = (null, false);
        try
        {
            if (!await CommandAsync(permission, async actor => Refusal = await command(actor)))
            {
                Refusal = "You may not do this any more: nothing was changed.";
            }
            Done = Refusal is null;
            await ReadAsync(again: true);
        }
        catch (CommitUnknownException)
        {
            Refusal = "It is not known whether this took effect: look again before you repeat it.";
        }
    }
}
