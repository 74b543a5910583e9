using Epcis.Formats;
using Epcis.Tests.Formats.JsonLd;

namespace Epcis.Tests.Formats;

/// <summary>Memory is one for the whole process: these run when no other test does.</summary>
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
[Collection(nameof(MemoryTests))]
public class MemoryTests
{
    [Theory]
    [InlineData("<e:EPCISDocument xmlns:e='urn:epcglobal:epcis:xsd:1' xmlns:x='urn:x' schemaVersion='1.2' creationDate='2026-01-01T00:00:00Z'><EPCISBody><EventList>", "<x:Event/>", "</EventList></EPCISBody></e:EPCISDocument>")]
    [InlineData("<e:EPCISDocument xmlns:e='urn:epcglobal:epcis:xsd:2' schemaVersion='2.0' creationDate='2026-01-01T00:00:00Z'><EPCISBody><EventList>", "<ObjectEvent/>", "</EventList></EPCISBody></e:EPCISDocument>")]
    [InlineData("{\"type\":\"EPCISDocument\",\"epcisBody\":{\"eventList\":[{}", ",{}", "]}}")]
    [InlineData("{\"type\":\"EPCISDocument\",\"epcisBody\":{\"eventList\":[0", ",0", "]}}")]
    public void A_million_siblings_are_read_in_the_memory_of_one(string before, string sibling, string after)
    {
        const int million = 1_000_000;
        var thousand = string.Concat(Enumerable.Repeat(sibling, 1000));
        using var stream = new TextStream([before, .. Enumerable.Repeat(thousand, million / 1000), after]);
        var bound = GC.GetTotalMemory(forceFullCollection: true) + (16L << 20);
        using var reader = EpcisDocument.Open(stream, ReaderLimits.Default);
        for (var i = 0; reader.Read(); i++)
        {
            if (i % (million / 4) == 0)
            {
                Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, bound);
            }
        }
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, bound);
        Assert.InRange(reader.Findings.All.Count, 1, 1000);
        Assert.True(reader.Findings.All.Count + reader.Findings.Dropped >= million);
    }
}
