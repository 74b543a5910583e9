using Epcis.Formats;
using Gateway.Host.Simulate;

namespace Gateway.Journeys.Demonstration;

/// <summary>The demonstration's partner that takes documents from a folder and tells through another what it has received.</summary>
public sealed class FolderPartnerTests
{
    private static readonly SimulatedParty Owner = SimulatedParty.AtOneAddress("9521234000105", 7, "Owner"), Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    [Fact]
    public async Task What_was_shipped_is_told_as_received_and_what_else_lies_there_is_taken_away()
    {
        var (from, into) = (Directory.CreateTempSubdirectory("gateway-from-"), Directory.CreateTempSubdirectory("gateway-into-"));
        var partner = new FolderPartner(Buyer, from.FullName, into.FullName, TimeProvider.System);
        var document = new ShipmentGenerator(31).Xml(new ShipmentPlan(1, Owner, Buyer, new DateTimeOffset(2026, 3, 1, 10, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2028, 1, 31)));
        var later = DateTimeOffset.UtcNow.AddMinutes(5);

        foreach (var rubbish in (string[])["", "no XML", "<half"])
        {
            await File.WriteAllTextAsync(Path.Combine(from.FullName, $"{rubbish.Length}.xml"), rubbish, TestContext.Current.CancellationToken);
        }
        await partner.ReceiveAsync(later, TestContext.Current.CancellationToken);
        Assert.Empty(into.GetFiles());
        Assert.Empty(from.GetFiles());

        await File.WriteAllBytesAsync(Path.Combine(from.FullName, "shipped.xml"), document, TestContext.Current.CancellationToken);
        await partner.ReceiveAsync(later, TestContext.Current.CancellationToken);
        Assert.Empty(from.GetFiles());
        await using var told = Assert.Single(into.GetFiles()).OpenRead();
        using var reader = EpcisDocument.Open(told, ReaderLimits.Default);
        Assert.True(reader.Read());
        Assert.EndsWith(":receiving", reader.Current.BizStep, StringComparison.Ordinal);
        Assert.Equal(Shipped(document), reader.Current.Epcs.Select(e => e.Epc));
        Assert.False(reader.Read() || reader.Findings.HasErrors);
        from.Delete(recursive: true);
        told.Close();
        into.Delete(recursive: true);
    }

    private static List<string> Shipped(byte[] document)
    {
        using var stream = new MemoryStream(document);
        using var reader = EpcisDocument.Open(stream, ReaderLimits.Default);
        var epcs = new List<string>();
        while (reader.Read())
        {
            epcs = [.. reader.Current.Epcs.Select(e => e.Epc)]; // the last event is the shipment
        }
        return epcs;
    }
}
