using Npgsql;

namespace Gateway.Database;

/// <summary>Tells faults of the database, which pass, from faults of what was asked of it, which do not.</summary>
public static class DatabaseFault
{
    /// <summary>Lost connections (class 08), missing disk, memory or connections (53), shutdown and cancellation (57), input and output (58), an unknown commit.</summary>
    public static bool IsOutage(Exception e) => e switch
    {
        PostgresException { SqlState: var state } => state.StartsWith("08", StringComparison.Ordinal) || state.StartsWith("53", StringComparison.Ordinal)
            || state.StartsWith("57", StringComparison.Ordinal) || state.StartsWith("58", StringComparison.Ordinal),
        NpgsqlException or CommitUnknownException => true,
        _ => false,
    };
}
