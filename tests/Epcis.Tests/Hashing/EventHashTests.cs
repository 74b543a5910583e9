using System.Text.Json;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Hashing;
using Epcis.Tests.Events;
using Epcis.Tests.Formats;
using FsCheck;
using FsCheck.Fluent;

namespace Epcis.Tests.Hashing;

/// <summary>The public vectors, and what a hash promises of itself.</summary>
public sealed class EventHashTests
{
    private const string Folder = "standards/examples/event-hash/";
    private static readonly IReadOnlyDictionary<string, string> NoNamespaces = new Dictionary<string, string>();

    [Fact]
    public void Every_vector_is_reproduced_by_its_profile()
    {
        var wrong = new List<string>();
        var compared = 0;
        foreach (var vector in Vectors())
        {
            foreach (var document in vector.GetProperty("documents").EnumerateArray())
            {
                var (events, namespaces) = Read(Folder + "documents/" + document.GetString());
                foreach (var expected in vector.GetProperty("events").EnumerateArray())
                {
                    var e = events[expected.GetProperty("index").GetInt32()];
                    // The one feature of the reference generator that is its own: a document that names extensions to be left out.
                    e = vector.GetProperty("name").GetString() == "epcisDocHavingEventWithIgnoreFields" ? e with { Extensions = [] } : e;
                    foreach (var profile in expected.GetProperty("orderSensitive").GetBoolean() ? [EventHashProfile.Reference] : Enum.GetValues<EventHashProfile>())
                    {
                        compared++;
                        var (text, hash) = (EventHash.PreHash(e, namespaces, profile), EventHash.Of(e, namespaces, profile));
                        if (text != expected.GetProperty("prehash").GetString() || hash != expected.GetProperty("hash").GetString())
                        {
                            wrong.Add($"{document} {profile}\n  wanted {expected.GetProperty("prehash")}\n  got    {text}\n  {hash}");
                        }
                    }
                }
            }
        }
        Assert.True(compared > 40, $"Only {compared} values were compared.");
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    /// <summary>Lists of one product are sorted another way than lists of several; both must be sorted by code unit.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Lists_are_sorted_by_code_unit_whatever_their_serial_numbers(int products)
    {
        const string alphabet = "-_0123456789AZaz";
        var random = new Random(20261121 + products);
        for (var round = 0; round < 200; round++)
        {
            // Short alphabets and common beginnings: many serial numbers are the beginning of another.
            var begins = new string('A', random.Next(12));
            var epcs = Enumerable.Range(0, random.Next(1, 120)).Select(_ => $"urn:epc:id:sgtin:952123{random.Next(products)}.012345.{begins}{new string(random.GetItems<char>(alphabet, random.Next(1, 9)))}").ToList();
            var expected = epcs.Select(epc => "epc=" + Epcis.Identifiers.EpcUri.Parse(epc).Value!.ToDigitalLink()).Order(StringComparer.Ordinal);

            var text = EventHash.PreHash(new ObjectEvent { EpcList = epcs }, NoNamespaces);

            Assert.Equal("epcList" + string.Concat(expected), text[text.IndexOf("epcList", StringComparison.Ordinal)..]);
        }
    }

    /// <summary>The text is hashed in pieces; a character of two halves may be cut by their ends.</summary>
    [Fact]
    public void A_text_of_any_length_has_the_hash_of_the_whole()
    {
        for (var length = 4000; length < 4200; length++)
        {
            var e = new ObjectEvent { EpcList = [new string('x', length) + string.Concat(Enumerable.Repeat("😀é", 3000))] };
            var whole = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(EventHash.PreHash(e, NoNamespaces)));
            Assert.Equal($"ni:///sha-256;{Convert.ToHexStringLower(whole)}?ver=CBV2.0", EventHash.Of(e, NoNamespaces));
        }
    }

    [Fact]
    public void Documents_whose_events_say_the_same_have_one_hash()
    {
        var compared = 0;
        foreach (var file in Directory.EnumerateFiles(SharedFiles.Require(Folder + "expected_equal")))
        {
            var (events, namespaces) = Read(file);
            Assert.True(events.Count > 1, file);
            Assert.All(Enum.GetValues<EventHashProfile>(), profile => Assert.Single(events.Select(e => EventHash.PreHash(e, namespaces, profile)).Distinct()));
            compared += events.Count;
        }
        Assert.True(compared > 10);
    }

    [Fact]
    public void Any_event_has_one_hash_as_2_0_xml_1_2_xml_and_json() =>
        Prop.ForAll(ArbitraryEvent.OfAllForms, e =>
        {
            foreach (var profile in Enum.GetValues<EventHashProfile>())
            {
                var text = EventHash.PreHash(e, ArbitraryEvent.Namespaces, profile);
                foreach (var (read, namespaces) in new[]
                {
                    Written.AsXml(e, DocumentForm.Xml20, new Findings(), ArbitraryEvent.Namespaces), Written.AsXml(e, DocumentForm.Xml12, new Findings(), ArbitraryEvent.Namespaces),
                    Written.AsJson(e, ArbitraryEvent.Namespaces),
                })
                {
                    Assert.Equal(text, EventHash.PreHash(read, namespaces, profile));
                }
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void The_table_of_the_cbv_has_values_before_types_and_lists_after_the_locations()
    {
        var e = Full();
        Assert.Equal(
            "eventType=TransactionEventeventTime=2026-03-02T10:00:00.000ZeventTimeZoneOffset=+00:00"
            + "epcListepc=https://id.gs1.org/00/095211410000000014parentID=https://id.gs1.org/00/095211410000000021action=ADDbizStep=https://ref.gs1.org/cbv/BizStep-shipping"
            + "bizLocationid=urn:x:placebizTransactionListbizTransaction=urn:x:potype=https://ref.gs1.org/cbv/BTT-po"
            + "sourceListsource=urn:x:atype=https://ref.gs1.org/cbv/SDT-owning_party{urn:x}note=a",
            EventHash.PreHash(e, NoNamespaces, EventHashProfile.Cbv));
        Assert.Equal(
            "eventType=TransactionEventeventTime=2026-03-02T10:00:00.000ZeventTimeZoneOffset=+00:00certificationInfo=urn:x:cert"
            + "parentID=https://id.gs1.org/00/095211410000000021epcListepc=https://id.gs1.org/00/095211410000000014action=ADDbizStep=https://ref.gs1.org/cbv/BizStep-shipping"
            + "bizLocationid=urn:x:placebizTransactionListtype=https://ref.gs1.org/cbv/BTT-pobizTransaction=urn:x:po"
            + "sourceListtype=https://ref.gs1.org/cbv/SDT-owning_partysource=urn:x:a{urn:x}note=a",
            EventHash.PreHash(e, NoNamespaces, EventHashProfile.Reference));
    }

    [Fact]
    public void A_retraction_has_the_hash_of_the_event_it_retracts()
    {
        var e = Full();
        var retracted = e with { EventId = "urn:uuid:0d2b7d5c-6a3e-4c5b-8b52-4f7a6a3d2c11", RecordTimeText = "2026-03-03T00:00:00Z", ErrorDeclaration = new ErrorDeclaration { DeclarationTimeText = "2026-03-03T00:00:00Z" } };
        Assert.Equal(EventHash.Of(e, NoNamespaces), EventHash.Of(retracted, NoNamespaces));
        Assert.NotEqual(EventHash.Of(e, NoNamespaces), EventHash.Of(e with { Action = EventAction.Delete }, NoNamespaces));
    }

    [Theory]
    [InlineData("2026-03-02T10:00:00.0004Z", "2026-03-02T10:00:00.000Z")]
    [InlineData("2026-03-02T10:00:00.0005Z", "2026-03-02T10:00:00.001Z")]
    [InlineData("2026-12-31T23:59:59.9995+00:00", "2027-01-01T00:00:00.000Z")]
    [InlineData("2026-03-02T10:00:00+14:00", "2026-03-01T20:00:00.000Z")]
    [InlineData("9999-12-31T23:59:59.9999Z", "9999-12-31T23:59:59.999Z")]
    [InlineData("yesterday", "yesterday")]
    public void Times_are_rounded_to_milliseconds_of_UTC(string text, string hashed) =>
        Assert.StartsWith($"eventType=TransactionEventeventTime={hashed}eventTimeZoneOffset", EventHash.PreHash(Full() with { EventTimeText = text }, NoNamespaces), StringComparison.Ordinal);

    [Fact]
    public void A_prefix_that_looks_like_a_scheme_changes_no_address()
    {
        var trap = new Dictionary<string, string> { ["https"] = "urn:trap:", ["urn"] = "urn:trap:", ["ex"] = "https://ns.example.com/" };
        var e = Full() with { BizLocation = new Location("https://place.example.com/1"), BizTransactions = [new BizTransaction("po", "ex:4711")] };
        var text = EventHash.PreHash(e, trap);
        Assert.Contains("bizLocationid=https://place.example.com/1", text, StringComparison.Ordinal);
        Assert.Contains("bizTransaction=https://ns.example.com/4711", text, StringComparison.Ordinal);
        Assert.DoesNotContain("trap", text, StringComparison.Ordinal);
    }

    private static TransactionEvent Full() => new()
    {
        EventTimeText = "2026-03-02T10:00:00Z",
        EventTimeZoneOffset = "+00:00",
        Action = EventAction.Add,
        CertificationInfo = ["urn:x:cert"],
        ParentId = "urn:epc:id:sscc:9521141.0000000002",
        EpcList = ["urn:epc:id:sscc:9521141.0000000001"],
        BizStep = "shipping",
        BizLocation = new Location("urn:x:place"),
        BizTransactions = [new BizTransaction("urn:epcglobal:cbv:btt:po", "urn:x:po")],
        Sources = [new SourceOrDestination("owning_party", "urn:x:a")],
        Extensions = [new Extension("urn:x", "x", "note") { Text = " a " }, new Extension("urn:x", "x", "empty"), new Extension("http://www.w3.org/2000/01/rdf-schema#", "rdfs", "comment") { Text = "not hashed" }],
    };

    private static IEnumerable<JsonElement> Vectors() =>
        JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Require(Folder + "vectors.json"))).RootElement.GetProperty("vectors").EnumerateArray();

    private static (IReadOnlyList<EpcisEvent> Events, IReadOnlyDictionary<string, string> Namespaces) Read(string path)
    {
        using var file = File.OpenRead(Path.IsPathRooted(path) ? path : SharedFiles.Require(path));
        // Some vectors are no valid documents; their events are read all the same.
        using var reader = EpcisDocument.OpenUnvalidated(file, ReaderLimits.Default);
        var events = new List<EpcisEvent>();
        while (reader.Read())
        {
            events.Add(reader.Current);
        }
        Assert.False(reader.IsBroken, path);
        return (events, reader.Header.Namespaces);
    }
}
