namespace Gateway.Exceptions;

/// <summary>An exception as the API and the command line tell it.</summary>
/// <param name="State">open, resolved or dismissed.</param>
/// <param name="Severity">info, warning or error.</param>
/// <param name="Units">How many units it is about; 0 when they are not known.</param>
/// <param name="Document">The number of the document it was found in.</param>
public sealed record ExceptionItem(
    Guid Id, string State, string Code, string Severity, string Message, string Party, ExceptionItemSource Source, long? Document, string? EventId, string? Gtin, string? Lot,
    int Units, int Occurrences, DateTime OpenedAt, DateTime LastAt, string? AssignedTo, DateTime? DecidedAt, string? DecidedBy, string? DecidedWhy, int Version)
{
    public static ExceptionItem Of(ExceptionRow e) => new(
        e.ExceptionId, e.State, e.Code, e.Severity, e.Message, e.Party, new ExceptionItemSource(e.SourceKind, e.SourceId), e.DocumentId, e.EventUri, e.Gtin, e.Lot,
        e.UnitCount, e.Occurrences, e.OpenedAt, e.LastAt, e.AssignedTo, e.DecidedAt, e.DecidedBy, e.DecidedWhy, e.Version);
}

/// <param name="Kind">capture or delivery.</param>
/// <param name="Id">A captureID, or a delivery's number.</param>
public sealed record ExceptionItemSource(string Kind, string Id);

/// <summary>What a person said or decided, as the API and the command line tell it.</summary>
public sealed record ExceptionNoteItem(string Action, string Text, string? AssignedTo, string Actor, string Name, string Role, DateTime At)
{
    public static ExceptionNoteItem Of(ExceptionNote n) => new(n.Action, n.Text, n.AssignedTo, n.Actor, n.ActorName, n.ActorRole, n.NotedAt);
}

/// <summary>One exception whole: itself, the first of its units, and everything people said about it, newest first.</summary>
/// <param name="Next">Names the last of <paramref name="Epcs"/> when there are more: <c>after</c> of the next request.</param>
public sealed record ExceptionDetails(ExceptionItem Exception, IReadOnlyList<string> Epcs, string? Next, IReadOnlyList<ExceptionNoteItem> Notes);
