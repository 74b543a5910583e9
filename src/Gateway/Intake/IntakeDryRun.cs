using System.Security.Cryptography;
using Gateway.Units;

namespace Gateway.Intake;

/// <summary>Reads a file by a mapping on an empty ledger, without a database: what the file says by itself.</summary>
public static class IntakeDryRun
{
    /// <param name="yaml">The mapping's file.</param>
    /// <param name="file">The bytes, which are read twice.</param>
    /// <returns>The result, or what is wrong with the mapping.</returns>
    public static (IntakeResult? Result, IReadOnlyList<MappingError> Errors) Run(string yaml, Stream file, string name, LineMasterData known, DateTimeOffset receivedAt)
    {
        if (MappingFile.Read(yaml, out var errors) is not { } mapping)
        {
            return (null, errors);
        }
        var hash = SHA256.HashData(file);
        file.Position = 0;
        var context = new IntakeContext(known.Products, receivedAt, hash) { Lines = known.Lines, SiteZone = known.SiteZone, FutureTolerance = known.FutureTolerance };
        return (Run(mapping, context, file, name, known.AllocationCheck), []);
    }

    internal static IntakeResult Run(Mapping mapping, IntakeContext context, Stream file, string name, bool allocationCheck)
    {
        using var reader = new IntakeReader(file, mapping, context);
        var events = new List<LedgerEvent>();
        while (reader.Read())
        {
            events.Add(new LedgerEvent(reader.Current, events.Count + 1));
        }
        var specifications = new PackSpecifications(context.Known.ProductVersions);
        return new IntakeReplay(reader, mapping, name, context.ReceivedAt).Run(events, _ => true, new UnitBook(specifications.Find, allocationCheck));
    }
}
