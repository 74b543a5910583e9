namespace Gateway.Lines;

/// <summary>A lot on a line.</summary>
/// <param name="RunId">As other rows name it.</param>
/// <param name="Id">As its address names it.</param>
/// <param name="State">planned, ready, running, paused, ended, reconciled, closed or cancelled.</param>
/// <param name="Cause">Of a paused one: quality, starved or blocked.</param>
/// <param name="Why">Of a paused one: as whoever paused it said.</param>
public sealed record RunItem(
    long RunId, Guid Id, string Party, int LineId, string Line, string OrderNumber, string Gtin, string Lot, DateOnly Expiry, int Quantity, string State,
    DateTime PlannedAt, DateTime? StartedAt, DateTime? EndedAt, DateTime? ClosedAt, int Version, string? Cause, string? Why)
{
    /// <summary>As it is named in texts.</summary>
    public string Name => $"lot {Lot} on {Line}";

    /// <summary>Whether somebody waits for it: neither closed nor cancelled.</summary>
    public bool IsOpen => State is not ("closed" or "cancelled");
}

/// <summary>A step that was taken: who, when and why.</summary>
/// <param name="From">Null: it was planned with this.</param>
/// <param name="Cause">Of a pause: quality, starved or blocked.</param>
/// <param name="SignatureId">Of a step that was taken by signing.</param>
public sealed record RunStepItem(string Step, string? From, string To, string? Cause, string? Why, string Actor, string ActorName, string ActorRole, DateTime At, long? SignatureId);

/// <summary>One thing that was looked at before the line was cleared.</summary>
public sealed record ClearanceItem(string What, bool IsInOrder);

/// <param name="Items">What was looked at.</param>
public sealed record ClearanceRecord(IReadOnlyList<ClearanceItem> Items, string ClearedBy, DateTime ClearedAt, long SignatureId);

/// <summary>A difference somebody answers for.</summary>
/// <param name="Subject">See <see cref="RunDifference.Subject"/>.</param>
public sealed record AcceptedDifference(string Subject, long Amount, string Why, string AcceptedBy, DateTime AcceptedAt, long SignatureId);

/// <summary>Two numbers that should be one.</summary>
/// <param name="Subject">Level and equation (<c>09521234001010 printed</c>), a counter (<c>counter CAM1 good</c>) or a count (<c>count warehouse</c>).</param>
/// <param name="Says">As a sentence.</param>
/// <param name="Accepted">Who answers for just this amount; null: nobody does.</param>
public sealed record RunDifference(string Subject, string Says, long Amount, AcceptedDifference? Accepted);

/// <summary>What a machine counted, beside what the ledger says of the same.</summary>
/// <param name="Tolerance">0, or for mechanical counters 3 and at least a thousandth (LINES.md section 5).</param>
public sealed record CounterItem(string Device, string Counter, long Reported, long Derived, long Tolerance, string ReportedBy, DateTime ReportedAt)
{
    /// <summary>Within tolerance it is none.</summary>
    public long Difference => Math.Abs(Reported - Derived) > Tolerance ? Reported - Derived : 0;
}

/// <summary>What people counted, beside what the ledger says of the same.</summary>
/// <param name="Kind">warehouse (packs) or pallets.</param>
public sealed record CountItem(string Kind, long Counted, long Derived, string Note, string CountedBy, DateTime CountedAt)
{
    public long Difference => Counted - Derived;
}

/// <summary>What must be so before a run is ready, and whether it is, as a sentence.</summary>
/// <param name="Name">clearance, devices, clocks, numbers or line.</param>
public sealed record ReadinessCheck(string Name, bool IsMet, string Says);

/// <summary>An exception about a run that nobody has settled.</summary>
/// <param name="Message">Of its first occurrence.</param>
public sealed record OpenException(Guid Id, string Code, string Message);

/// <summary>A run with everything that is to be known before its next step.</summary>
/// <param name="Warnings">Of a run that is running or paused: what keeps its line from telling everything, a sentence each.</param>
public sealed record RunDetails(
    RunItem Run, IReadOnlyList<RunStepItem> Steps, IReadOnlyList<ReadinessCheck> Readiness, IReadOnlyList<ClearanceRecord> Clearances, RunBalance Balance,
    IReadOnlyList<CounterItem> Counters, IReadOnlyList<CountItem> Counts, IReadOnlyList<RunDifference> Differences, IReadOnlyList<AcceptedDifference> Accepted, IReadOnlyList<string> Blockers, IReadOnlyList<string> Warnings, IReadOnlyList<OpenException> Exceptions);
