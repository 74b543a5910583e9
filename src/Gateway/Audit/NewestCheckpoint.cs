using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gateway.Audit;

/// <summary>The checkpoint that this node knows as the newest, for answers to the outside: who keeps one can ask later whether the trail only grew.</summary>
public sealed class NewestCheckpoint
{
    /// <summary>The header of answers: epoch, leaves and root.</summary>
    public const string Header = "Gateway-Audit-Checkpoint";

    private volatile Checkpoint? _checkpoint;

    /// <summary>Null until the first was signed.</summary>
    public Checkpoint? Value => _checkpoint;

    internal void Tell(string note) => _checkpoint = Checkpoint.Parse(note);

    internal string? HeaderValue => _checkpoint is { } known ? string.Create(CultureInfo.InvariantCulture, $"epoch={known.Epoch}; size={known.Size}; root=:{Convert.ToBase64String(known.Root)}:") : null;
}

public static class CheckpointHeader
{
    /// <summary>Each answer to a program tells the newest checkpoint; pages have one of their own for it.</summary>
    public static void UseCheckpointHeader(this IApplicationBuilder app, NewestCheckpoint newest) => app.Use((context, next) =>
    {
        context.Response.OnStarting(() =>
        {
            if (context.Response.ContentType?.StartsWith("text/html", StringComparison.OrdinalIgnoreCase) != true && newest.HeaderValue is { } value)
            {
                context.Response.Headers[NewestCheckpoint.Header] = value;
            }
            return Task.CompletedTask;
        });
        return next(context);
    });
}
