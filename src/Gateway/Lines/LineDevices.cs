using Dapper;
using Gateway.Database;

namespace Gateway.Lines;

/// <summary>Whether the devices of a line may be trusted for a run.</summary>
/// <param name="Count">How many are on the line.</param>
/// <param name="Unqualified">Those of which nobody says that they are as they were qualified, each as a sentence.</param>
/// <param name="WrongClocks">Those whose clocks are too far off, or not known, each as a sentence.</param>
public sealed record LineDevices(int Count, IReadOnlyList<string> Unqualified, IReadOnlyList<string> WrongClocks)
{
    /// <summary>What is known of the devices of a line: that they are there. Of their qualification and clocks nothing is known yet, which is not the same as good.</summary>
    internal static async Task<LineDevices> OfAsync(Work work, int line)
    {
        var names = (await work.Connection.QueryAsync<string>("select name from device where line_id = @line and not withdrawn order by name", new { line }, work.Transaction)).AsList();
        return new LineDevices(names.Count, [.. names.Select(n => $"{n} is not known to be qualified.")], [.. names.Select(n => $"The clock of {n} is not known.")]);
    }
}
