using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using Epcis.Cbv;
using Epcis.Events;
using Epcis.Formats;
using Gateway.Host.Simulate;
using Gateway.Journeys.Composing;
using Gateway.TestSupport;
using static Gateway.Journeys.Composing.ShipmentStory;

namespace Gateway.Journeys.Faults;

/// <summary>
/// A lot that is more than its partner takes in a document goes in parts: in order, each within the limits and whole in itself, each serial once, and
/// in the memory that a lot of a tenth or less takes.
/// </summary>
[Collection(nameof(Alone))]
public sealed class HugeShipmentTests(ITestOutputHelper output)
{
    private const long Mebibyte = 1 << 20;
    private const int Cases = 20, UnitsOfCase = 100, UnitsOfPallet = Cases * UnitsOfCase, MaxBytes = 8 << 20;
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    // Of the large lot; the small one has as many as a part or two.
    private static readonly int s_pallets = FaultScale.Of(20, 1_000), s_few = FaultScale.Of(4, 64), s_maxEvents = FaultScale.Of(100, 600);

    [Fact]
    public async Task Two_million_serials_of_a_lot_go_in_parts_within_the_partners_limits_in_order_in_flat_memory()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var partner = await PartnerSimulator.StartAsync(TimeProvider.System, Ct);
        var keys = await TestGateway.MakeKeysAsync(database);
        var data = Directory.CreateTempSubdirectory("gateway-child-");
        await using (var host = await ChildHost.StartAsync(database, data.FullName))
        {
            using var cmo = Client(host.Url, keys["cmo"]);
            using var officer = Client(host.Url, keys["officer"]);
            await PrepareAsync(officer, partner);
            var few = await ShipAsync(database, host, cmo, "FEW", 0, s_few);
            var (smaller, started) = (host.PeakBytes(), TimeProvider.System.GetTimestamp());
            var many = await ShipAsync(database, host, cmo, "MANY", s_few, s_pallets);
            var peak = host.PeakBytes();
            output.WriteLine($"{s_few * UnitsOfPallet:N0} units in {few.Count} parts: {smaller / Mebibyte} MiB; {s_pallets * UnitsOfPallet:N0} units in {many.Count} parts: {peak / Mebibyte} MiB, in {TimeProvider.System.GetElapsedTime(started).TotalSeconds:N0} s.");

            Assert.InRange(many.Count, 2, 999);
            Assert.Equal(few.Concat(many).Select(p => p.Sha256), partner.Received.Select(r => r.Sha256), StringComparer.OrdinalIgnoreCase);
            Assert.Equal(Enumerable.Range(0, s_few + s_pallets).Select(Pallet), few.Concat(many).SelectMany(p => p.Pallets));
            Assert.Equal((long)(s_few + s_pallets) * UnitsOfPallet, few.Concat(many).Sum(p => p.Units));
            // Each is captured in the same memory, and each part composed; what is left to differ is when memory is collected.
            Assert.True(peak <= 384 * Mebibyte && peak <= 1.4 * smaller, $"The host's memory rose to {peak / Mebibyte} MiB, from {smaller / Mebibyte} MiB with {s_few * UnitsOfPallet:N0} units.");
        }
        data.Delete(recursive: true);
    }

    private sealed record Part(string Sha256, IReadOnlyList<string> Pallets, int Units);

    /// <summary>Captures production and shipment of some pallets of a lot, and reads what the partner got of it.</summary>
    private async Task<IReadOnlyList<Part>> ShipAsync(TestDatabase database, ChildHost host, HttpClient cmo, string lot, int first, int count)
    {
        var before = await database.ScalarAsync<long>("select coalesce(max(delivery_id), 0) from delivery");
        for (var p = first; p < first + count; p++)
        {
            await CaptureAsync(database, cmo, Produced(lot, p));
        }
        output.WriteLine($"{TimeProvider.System.GetLocalNow():HH:mm:ss} {lot} is captured, {host.PeakBytes() / Mebibyte} MiB.");
        await CaptureAsync(database, cmo, Document(Shipped(lot, Enumerable.Range(first, count).Select(Pallet))));
        var parts = new List<Part>();
        await Eventually.TrueAsync(async () => await database.ScalarAsync<long>($"select count(*) from delivery where delivery_id > {before} and state <> 'delivered'") == 0, seconds: FaultScale.Of(300, 1_800));
        output.WriteLine($"{TimeProvider.System.GetLocalNow():HH:mm:ss} {lot} is delivered, {host.PeakBytes() / Mebibyte} MiB.");
        output.WriteLine(await database.ScalarAsync<string>("select coalesce(string_agg(concat_ws(' ', delivery_id, number, started_at, ended_at, status, code, verdict, left(response, 200)), chr(10)), 'all at once') from attempt a where exists (select from attempt o where o.delivery_id = a.delivery_id and o.number > 1)"));
        foreach (var document in await database.ScalarAsync<long[]>($"select array_agg(document_id order by delivery_id) from delivery where delivery_id > {before}"))
        {
            parts.Add(Read(await database.ScalarAsync<byte[]>($"select string_agg(bytes, ''::bytea order by ordinal) from document_chunk where document_id = {document}"), lot));
        }
        return parts;
    }

    // As its receiver reads it: each unit is commissioned and packed once, and every container is on a pallet that is shipped.
    private static Part Read(byte[] bytes, string lot)
    {
        Assert.InRange(bytes.Length, 1, MaxBytes);
        var (made, parents, shipped, events) = (new HashSet<string>(StringComparer.Ordinal), new Dictionary<string, string>(StringComparer.Ordinal), new List<string>(), 0);
        using var reader = EpcisDocument.Open(new MemoryStream(bytes), ReaderLimits.Default);
        while (reader.Read())
        {
            events++;
            switch (reader.Current)
            {
                case ObjectEvent { Action: EventAction.Add } e:
                    Assert.All(e.EpcList, epc => Assert.True(made.Add(epc), $"{epc} is commissioned twice."));
                    Assert.All(e.Ilmd.Where(i => i.Name == "lotNumber"), i => Assert.Equal(lot, i.Text));
                    break;
                case AggregationEvent e:
                    Assert.All(e.ChildEpcs, epc => Assert.True(parents.TryAdd(epc, e.ParentId!), $"{epc} is packed twice."));
                    break;
                case ObjectEvent e:
                    Assert.Equal("shipping", CbvTerms.ToBare(CbvVocabulary.BizStep, e.BizStep!));
                    shipped.AddRange(e.EpcList);
                    break;
            }
        }
        Assert.False(reader.Findings.HasErrors);
        Assert.InRange(events, 1, s_maxEvents);
        Assert.Equal(made.Count, parents.Count + shipped.Count);
        Assert.All(parents, p => Assert.Contains(p.Value, made));
        Assert.Equal(shipped.Order(StringComparer.Ordinal), parents.Values.Where(p => !parents.ContainsKey(p)).Distinct().Order(StringComparer.Ordinal));
        return new Part(Convert.ToHexStringLower(SHA256.HashData(bytes)), shipped, made.Count(epc => epc.Contains(".0012345.", StringComparison.Ordinal)));
    }

    private static async Task PrepareAsync(HttpClient officer, PartnerSimulator partner)
    {
        var glns = string.Join('\n', ((string[])[Mah, Plant, Warehouse]).Select(p => $"{GlnOf(p)},Party {GlnOf(p)},both,1 Road,Springfield,IL,62701,US,6"));
        foreach (var file in (string[])
            ["gln,name,kind,street,city,state,postalCode,country,companyPrefixLength\n" + glns, $"""
            gtin,name,ndc,manufacturer,dosageForm,strength,netContent,level,holds,quantity,companyPrefixLength
            00300010123455,Demozolam 10 mg,0001-0123-45,Example Pharma,TABLET,10 mg,30 tablets,unit,,,6
            10300010123452,Demozolam 10 mg case,0001-0123-45,Example Pharma,TABLET,10 mg,100 x 30 tablets,case,00300010123455,{UnitsOfCase},6

            """])
        {
            using var imported = await officer.PostAsync("api/masterdata/import?reason=test", new StringContent(file), Ct);
            Assert.True(imported.IsSuccessStatusCode, await imported.Content.ReadAsStringAsync(Ct));
        }
        using var added = await officer.PostAsJsonAsync("api/partners", new { gln = GlnOf(Warehouse), name = "A warehouse", format = "1.2-xml", channel = new { kind = "https", url = new Uri(partner.BaseAddress, "well/warehouse") } }, Ct);
        Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync(Ct));
        using var set = await officer.PutAsJsonAsync($"api/partners/{GlnOf(Warehouse)}/profile", new { profile = new { regulation = "us-dscsa", maxEvents = s_maxEvents, maxBytes = MaxBytes }, reason = "Agreed" }, Ct);
        Assert.True(set.IsSuccessStatusCode, await set.Content.ReadAsStringAsync(Ct));
    }

    private static async Task CaptureAsync(TestDatabase database, HttpClient client, byte[] document)
    {
        using var content = new ByteArrayContent(document);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/ld+json");
        using var answer = await client.PostAsync("capture", content, Ct);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Ct));
        var capture = answer.Headers.Location!.ToString().Split('/')[^1];
        Task<string> StateAsync() => database.ScalarAsync<string>($"select state from capture where public_id = '{capture}'");
        await Eventually.TrueAsync(async () => await StateAsync() != "processing", seconds: 300);
        Assert.Equal("accepted", await StateAsync());
    }

    private static byte[] Produced(string lot, int pallet)
    {
        string C(int c) => Case($"P{pallet}C{c}");
        string[] UnitsOf(int c) => [.. Enumerable.Range(0, UnitsOfCase).Select(u => Unit($"P{pallet}C{c}U{u}"))];
        var cases = Enumerable.Range(0, Cases).ToList();
        return Document([
            .. cases.Chunk(10).Select(some => Made(lot, some.SelectMany(UnitsOf), 0)), Made(lot, cases.Select(C), 0), Made(null, [Pallet(pallet)], 0),
            .. cases.Select(c => Packed(C(c), UnitsOf(c), 1)), Packed(Pallet(pallet), cases.Select(C), 2)]);
    }

    private static string Made(string? lot, IEnumerable<string> epcs, int minute) => Event("ObjectEvent", "ADD", "commissioning", "active", minute,
        $"\"epcList\":{List(epcs)}{(lot is null ? "" : $",\"ilmd\":{{\"cbvmda:lotNumber\":\"{lot}\",\"cbvmda:itemExpirationDate\":\"2028-03-27\"}}")}", Plant);

    private static string Packed(string parent, IEnumerable<string> children, int minute) =>
        Event("AggregationEvent", "ADD", "packing", "in_progress", minute, $"\"parentID\":\"{parent}\",\"childEPCs\":{List(children)}", Plant);

    private static string Shipped(string number, IEnumerable<string> epcs) => Event("ObjectEvent", "OBSERVE", "shipping", "in_transit", 3, $$"""
        "epcList":{{List(epcs)}},"bizTransactionList":[{"type":"po","bizTransaction":"urn:epcglobal:cbv:bt:{{GlnOf(Mah)}}:PO{{number}}"},{"type":"desadv","bizTransaction":"urn:epcglobal:cbv:bt:{{GlnOf(Plant)}}:DA{{number}}"}],
        "sourceList":[{"type":"owning_party","source":"{{Mah}}"},{"type":"location","source":"{{Plant}}"}],"destinationList":[{"type":"owning_party","destination":"{{Mah}}"},{"type":"location","destination":"{{Warehouse}}"}]
        """, Plant);

    private static string Event(string type, string action, string step, string disposition, int minute, string what, string place) => $$"""
        {"type":"{{type}}","eventID":"urn:uuid:{{Guid.NewGuid()}}","eventTime":"{{Start.AddMinutes(minute).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}}","eventTimeZoneOffset":"+00:00",
        "action":"{{action}}","bizStep":"{{step}}","disposition":"{{disposition}}","readPoint":{"id":"{{place}}"},"bizLocation":{"id":"{{place}}"},{{what}}}
        """;

    private static string List(IEnumerable<string> epcs) => $"[{string.Join(',', epcs.Select(e => $"\"{e}\""))}]";

    private static byte[] Document(params string[] events) => Encoding.UTF8.GetBytes($$"""
        {"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-16T08:00:00Z","epcisBody":{"eventList":[{{string.Join(',', events)}}] } }
        """);

    private static HttpClient Client(Uri url, string key)
    {
        var client = new HttpClient { BaseAddress = url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }
}
