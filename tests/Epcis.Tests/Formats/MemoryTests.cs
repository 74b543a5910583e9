using Epcis.Conversion;
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

    [Theory]
    [InlineData(DocumentForm.Xml20)]
    [InlineData(DocumentForm.JsonLd20)]
    public async Task Many_events_are_converted_in_the_memory_of_one(DocumentForm to)
    {
        const int events = 20_000;
        const string one = "<ObjectEvent><eventTime>2026-01-01T00:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sgtin:4012345.011111.1</epc></epcList><action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep></ObjectEvent>";
        var hundred = string.Concat(Enumerable.Repeat(one, 100));
        EpcisReader Open() => EpcisDocument.Open(new TextStream(
            ["<e:EPCISDocument xmlns:e='urn:epcglobal:epcis:xsd:1' schemaVersion='1.2' creationDate='2026-01-01T00:00:00Z'><EPCISBody><EventList>", .. Enumerable.Repeat(hundred, events / 100), "</EventList></EPCISBody></e:EPCISDocument>"]), ReaderLimits.Default);
        using (var schemasAreLoaded = Open())
        {
            Assert.True(schemasAreLoaded.Read());
        }
        using var output = new Measured(GC.GetTotalMemory(forceFullCollection: true) + (3L << 20));
        var findings = await EpcisConverter.ConvertAsync(Open, output, new ConversionOptions(to), TestContext.Current.CancellationToken);
        Assert.Empty(findings.All);
        Assert.True(output.Length > events * 100, $"Only {output.Length} bytes were written.");
    }

    /// <summary>Keeps nothing, and looks at the memory now and then.</summary>
    private sealed class Measured(long bound) : MemoryStream
    {
        private long _length;
        private int _writes;

        public override long Length => _length;

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _length += buffer.Length;
            if (_writes++ % 16 == 0)
            {
                Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, bound);
            }
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            Write(buffer.AsSpan(offset, count));
            return Task.CompletedTask;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return ValueTask.CompletedTask;
        }
    }
}
