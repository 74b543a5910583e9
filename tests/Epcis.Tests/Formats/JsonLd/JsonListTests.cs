using System.Text;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.JsonLd;

namespace Epcis.Tests.Formats.JsonLd;

/// <summary>Lists of EPCs are most of a document: they are kept without a node for each item, and nothing of their findings is lost.</summary>
public class JsonListTests
{
    [Theory]
    [InlineData("[\"urn:x:a\",\n \"urn:x:b\", \"none\",\n\"urn:x:\\u0061\",\"urn:x:ö\"]", "EPCIS-JSON-09 \"none\"", "EPCIS-JSON-12 \"urn:x:\\u0061\"", "EPCIS-JSON-09 \"urn:x:ö\"")]
    [InlineData("[\"urn:x:a\",\n\"none\", 7,\n\"urn:x:b\", [\"urn:x:c\"], {\"x:y\": [\"urn:x:c\"]},\"urn:x:a\"]", "EPCIS-JSON-09 \"none\"", "EPCIS-JSON-07 7", "EPCIS-JSON-07 [\"urn:x:c\"], {", "EPCIS-JSON-07 {\"x:y", "EPCIS-JSON-12 \"urn:x:a\"]}")]
    [InlineData("[[], \"urn:x:a\", \"urn:x:a\"]", "EPCIS-JSON-07 []", "EPCIS-JSON-12 \"urn:x:a\"]}")]
    public void Each_item_of_a_list_is_told_with_its_place(string list, params string[] findings)
    {
        var json = AJson.Document(AJson.Object(), AJson.Event("ObjectEvent", "\"action\":\"OBSERVE\",\"epcList\":" + list));
        var bytes = Encoding.UTF8.GetBytes(json);
        var from = json.LastIndexOf(list, StringComparison.Ordinal);
        var want = findings.Select(f => (f[..13], PlaceIn(json, json.IndexOf(f[14..], from, StringComparison.Ordinal))));
        foreach (var stream in (Stream[])[new MemoryStream(bytes), new DrippingStream(bytes)])
        {
            var told = JsonSamples.Read(stream, isBare: false).Findings.All;
            Assert.Equal(want.Order(), told.Select(f => (f.Code, (f.Where.Line, f.Where.Column))).Order());
            Assert.All(told, f => Assert.StartsWith("/epcisBody/eventList/1/epcList/", f.Where.Pointer, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Strings_in_an_extension_are_kept_as_written()
    {
        var e = (ObjectEvent)JsonSamples.Read(AJson.Document(AJson.Object("\"ex:list\":[ \"a\\u0062\", \"c\", [\"d\"], 1 ]"))).Events.Single();
        var list = Assert.Single(e.Extensions);
        Assert.Equal("[ \"a\\u0062\", \"c\", [\"d\"], 1 ]", list.Json);
        Assert.Equal([("ab", "\"a\\u0062\""), ("c", "\"c\""), ("d", "\"d\""), ("1", "1")], list.Children.Select(c => (c.Text, c.Json)));
    }

    [Theory]
    [InlineData("ObjectEvent", "epcList")]
    [InlineData("AggregationEvent", "childEPCs")]
    public void An_epc_costs_little_more_than_its_string(string type, string list)
    {
        const string first = "urn:epc:id:sgtin:0614141.812345.100000";
        // The first makes the arrays that the pool lends to those after it; a collection may take them away again.
        var more = Enumerable.Range(0, 4).Min(_ => Costs(type, list, 21_000, first) - Costs(type, list, 1_000, first));
        // The string, its place in the list, and in the set that tells items apart.
        var perEpc = (22 + 2 * first.Length + 7) / 8 * 8 + 40;
        Assert.True(more < 20_000 * perEpc, $"{more / 20_000} bytes for each EPC.");
    }

    [Fact]
    public void Fields_of_an_event_have_no_place_of_their_own_once_the_reader_is_disposed()
    {
        EpcisEvent e;
        using (var reader = new JsonEpcisReader(new MemoryStream(Encoding.UTF8.GetBytes(AJson.Document(AJson.Object()))), ReaderLimits.Default))
        {
            Assert.True(reader.Read());
            e = reader.Current;
            Assert.NotEqual(e.Place, e.PlaceOf("epcList/0"));
        }
        Assert.Equal(e.Place, e.PlaceOf("epcList/0"));
    }

    private static long Costs(string type, string list, int epcs, string first)
    {
        var number = first.LastIndexOf('.') + 1;
        var items = Enumerable.Range(int.Parse(first[number..], System.Globalization.CultureInfo.InvariantCulture), epcs).Select(n => FormattableString.Invariant($"\"{first[..number]}{n}\""));
        var stream = new MemoryStream(Encoding.UTF8.GetBytes(AJson.Document(AJson.Event(type, $"\"action\":\"ADD\",\"{list}\":[{string.Join(',', items)}]"))));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(epcs, JsonSamples.Read(stream, isBare: false).Events.Single().Epcs.Count());
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static (int Line, int Column) PlaceIn(string json, int at)
    {
        var before = json[..at];
        return (before.Count(c => c == '\n') + 1, Encoding.UTF8.GetByteCount(before[(before.LastIndexOf('\n') + 1)..]) + 1);
    }
}
