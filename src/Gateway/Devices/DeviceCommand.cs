using System.Text.Json;

namespace Gateway.Devices;

/// <summary>The words of commands and of machines.</summary>
public static class CommandWords
{
    public static IReadOnlyList<string> Types { get; } = ["loadBatch", "start", "pause", "resume", "end", "allocate", "returnUnused", "quarantine", "release", "clearBuffer", "identify"];
    public static IReadOnlyList<string> Classes { get; } = ["quality", "starved", "blocked", "operator", "system"];
    public static IReadOnlyList<string> Outcomes { get; } = ["done", "failed", "rejected"];

    /// <summary>PackML (ISA-TR88.00.02).</summary>
    public static IReadOnlyList<string> MachineStates { get; } =
        ["Clearing", "Stopped", "Starting", "Idle", "Suspended", "Execute", "Stopping", "Aborting", "Aborted", "Holding", "Held", "Unholding", "Suspending", "Unsuspending", "Resetting", "Completing", "Complete"];

    /// <summary>What moves the machine: of these a newer one takes the place of an older.</summary>
    internal static readonly string[] Moving = ["start", "pause", "resume", "end"];

    /// <summary>The states that prove a pause: a machine that lacks material may be held instead, one that is to be held for quality may not be merely suspended.</summary>
    public static IReadOnlyList<string> ProofOf(string reasonClass) => reasonClass is "starved" or "blocked" ? ["Suspended", "Held"] : ["Held"];
}

/// <summary>What a device is asked, as it is told on every channel.</summary>
/// <param name="Number">Its place in the order of telling: <c>id</c> of a server-sent event, <c>after</c> of the next look.</param>
/// <param name="Fence">Rises with each command of the line; a device refuses a command whose fence is lower than one it has seen.</param>
public sealed record CommandMessage(
    long Number, Guid CmdId, string Device, string Line, string Type, JsonElement Params, string Reason, string ReasonClass, string IssuedBy, DateTime IssuedAt, DateTime Deadline, long Fence);

/// <summary>A command with what became of it.</summary>
/// <param name="State">queued, sent, acked, done, failed, rejected, expired or superseded.</param>
/// <param name="TriggerAt">Of a pause: since when what was made is in doubt.</param>
/// <param name="Proof">Of a pause, whatever became of the command: whether the machine itself said that it stands (awaited, proved, unproved), or was to go on before that (moot).</param>
/// <param name="MachineState">That the device answered with.</param>
/// <param name="SupersededBy">The command that took its place.</param>
public sealed record CommandRow(
    long CommandId, Guid CmdId, string Line, string Device, string Type, string Params, string Reason, string ReasonClass, string State, long Fence, int Tries, string IssuedBy, string IssuedByName,
    DateTime IssuedAt, DateTime Deadline, DateTime? TriggerAt, DateTime? SentAt, DateTime? AckedAt, DateTime? EndedAt, string MachineState, string Detail, string? Proof, bool IsSigned, Guid? SupersededBy);

/// <summary>A command as the API tells it.</summary>
public sealed record CommandItem(
    Guid CmdId, string Line, string Device, string Type, JsonElement Params, string Reason, string ReasonClass, string State, long Fence, int Tries, string IssuedBy, string IssuedByName,
    DateTime IssuedAt, DateTime Deadline, DateTime? TriggerAt, DateTime? SentAt, DateTime? AckedAt, DateTime? EndedAt, string MachineState, string Detail, string? Proof, bool Signed, Guid? SupersededBy)
{
    public static CommandItem Of(CommandRow c) => new(
        c.CmdId, c.Line, c.Device, c.Type, JsonSerializer.Deserialize<JsonElement>(c.Params), c.Reason, c.ReasonClass, c.State, c.Fence, c.Tries, c.IssuedBy, c.IssuedByName,
        c.IssuedAt, c.Deadline, c.TriggerAt, c.SentAt, c.AckedAt, c.EndedAt, c.MachineState, c.Detail, c.Proof, c.IsSigned, c.SupersededBy);
}

/// <summary>What a machine last said of itself.</summary>
/// <param name="At">By the device's clock.</param>
/// <param name="Since">When it first said so, by the device's clock less its offset.</param>
public sealed record MachineState(string State, DateTime At, DateTime Since, DateTime ReceivedAt);

/// <summary>What is asked of a device.</summary>
/// <param name="Device">Its name.</param>
/// <param name="Params">An object that the type has members for.</param>
/// <param name="ReasonClass">Why: quality, starved, blocked, operator or system.</param>
/// <param name="TriggerAt">Of a pause: since when what was made is in doubt; null: since now.</param>
public sealed record CommandRequest(string? Device, string? Type, JsonElement? Params, string? Reason, string? ReasonClass, DateTimeOffset? TriggerAt);
