using Gateway.Access;
using Gateway.Host.Dashboard.Settings;
using Gateway.Host.Dashboard.Sign;
using Gateway.Lines;
using Microsoft.AspNetCore.Components;
using Radzen;

namespace Gateway.Host.Dashboard.Lines;

/// <summary>The verbs of a run, from the page of its line and from its own.</summary>
public abstract class RunPageBase : CommandPage
{
    [Inject]
    protected RunSteps Steps { get; set; } = default!;

    [Inject]
    protected RunRecords Runs { get; set; } = default!;

    [Inject]
    private RunCounts Compared { get; set; } = default!;

    [Inject]
    private SignDialog Sign { get; set; } = default!;

    [Inject]
    private DialogService Dialogs { get; set; } = default!;

    /// <summary>The run that the page is about; null when there is none.</summary>
    protected abstract RunItem? Run { get; }

    protected bool MayRun { get; private set; }

    protected bool MayDecide { get; private set; }

    /// <summary>A key signs nothing.</summary>
    protected bool IsPerson { get; private set; }

    protected async Task ReadRightsAsync() =>
        (MayRun, MayDecide, IsPerson) = (await MayAsync(Permissions.RunLines), await MayAsync(Permissions.DecideLines), await ClaimAsync(Holder.UserNameClaim) is not null);

    /// <summary>A step that needs no reason is taken at once; the others ask.</summary>
    protected Task TakeAsync(string step)
    {
        var run = Run!;
        return step == "cancel"
            ? AskAsync(Permissions.RunLines, "Cancel the run", run.Name, "It never runs. Plan it again if it should.", (actor, why) => Steps.CancelAsync(actor, run.Id, run.Version, why, CancellationToken.None))
            : RunAsync(step == "close" ? Permissions.DecideLines : Permissions.RunLines, actor => step switch
            {
                "ready" => Steps.ReadyAsync(actor, run.Id, run.Version, null, CancellationToken.None),
                "start" => Steps.StartAsync(actor, run.Id, run.Version, null, CancellationToken.None),
                "resume" => Steps.ResumeAsync(actor, run.Id, run.Version, null, CancellationToken.None),
                "end" => Steps.EndAsync(actor, run.Id, run.Version, null, CancellationToken.None),
                "reconcile" => Steps.ReconcileAsync(actor, run.Id, run.Version, null, CancellationToken.None),
                _ => Steps.CloseAsync(actor, run.Id, run.Version, null, CancellationToken.None),
            });
    }

    protected Task PauseAsync(string cause) =>
        AskAsync(Permissions.RunLines, "Stop", Run!.Name, cause == "quality" ? "After this only somebody who may decide lets the line run again, and signs for it." : "Whoever runs the line lets it run again.",
            (actor, why) => Steps.PauseAsync(actor, Run!.Id, Run.Version, why, cause, CancellationToken.None));

    /// <summary>What was looked at, then the signature.</summary>
    protected Task ClearAsync() => OnceAsync(async () =>
    {
        if (await Dialogs.OpenAsync<ClearanceForm>($"Line clearance: {Run!.Name}", null, new DialogOptions { Width = "560px", CloseDialogOnEsc = true }) is IReadOnlyList<ClearanceItem> items)
        {
            await SignAsync(RunSteps.Clearance, actor => Steps.ClearanceAsync(actor, Run!.Id, items, CancellationToken.None), RunSteps.Cleared(items));
        }
    });

    /// <summary>The reason, then the signature.</summary>
    protected Task ResumeAsync() => WithReasonAsync("Resume after a quality stop", "Sign to resume", "Say what the cause was, and how it was removed.",
        why => SignAsync(RunSteps.QualityResume, actor => Steps.QualityResumeAsync(actor, Run!.Id, why, CancellationToken.None), RunSteps.QualityResumed(why)));

    protected Task AcceptAsync(RunDifference difference) => WithReasonAsync("Accept a difference", "Sign to accept", $"{difference.Says} It stays visible, with your name.",
        async why =>
        {
            await SignAsync(RunSteps.Acceptance, actor => Steps.AcceptanceAsync(actor, Run!.Id, difference, why, CancellationToken.None), RunSteps.Accepted(difference, why));
            // What is answered for needs nobody any more.
            await Compared.CompareAsync(Run!.Id, CancellationToken.None);
        });

    private Task WithReasonAsync(string title, string verb, string what, Func<string, Task> sign) => OnceAsync(async () =>
    {
        if (await Dialogs.OpenAsync<Deliveries.ReasonForm>(title, new Dictionary<string, object?> { ["Verb"] = verb, ["What"] = what }, new DialogOptions { Width = "440px", CloseDialogOnEsc = true }) is string why)
        {
            await sign(why);
        }
    });

    private async Task SignAsync(string meaning, Func<Actor, Task<SignableRecord?>> read, Func<Gateway.Database.Work, Signature, Task<string?>> effect)
    {
        (Refusal, Done) = (null, await Sign.AskAsync(meaning, read, effect) is not null);
        await ReadAsync(again: true);
    }
}
