using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Epcis;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.JsonLd;
using Epcis.Formats.Xml;
using Epcis.Identifiers;
using Epcis.Rules;

namespace Gateway.Journeys.Composing;

/// <summary>The goods and parties of EXCHANGES.md, told event by event to a gateway; and what its partners get of them.</summary>
internal sealed class ShipmentStory(TestGateway gateway)
{
    public const string Lot = "A123", Notice = "The seller has complied with FD&C Act Sec. 581(27)(A)-(G).";
    public static readonly DateTimeOffset Start = new(2026, 3, 16, 8, 0, 0, TimeSpan.Zero);

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    // Company prefix 030001 with the NDC 0001-0123-45; the others have prefixes of their own.
    public static readonly string Mah = Sgln("030001", "000000"), Plant = Sgln("030001", "000001"), Warehouse = Sgln("030001", "000002"), Wholesaler = Sgln("0399999", "00000"), Dispenser = Sgln("0388888", "00000");

    private int _minutes;

    public static string Unit(string serial) => $"urn:epc:id:sgtin:030001.0012345.{serial}";
    public static string Case(string serial) => $"urn:epc:id:sgtin:030001.1012345.{serial}";
    public static string Pallet(int number) => string.Create(CultureInfo.InvariantCulture, $"urn:epc:id:sscc:030001.0{number:D10}");
    public static string Tote(int number) => string.Create(CultureInfo.InvariantCulture, $"urn:epc:id:sscc:0399999.0{number:D9}");
    public static string GlnOf(string sgln) => Gln.FromAny(sgln).Value!.Value;

    private static string Sgln(string prefix, string reference) => $"urn:epc:id:sgln:{prefix}.{reference}.0";

    /// <summary>What a partner is to be told of needs all of this.</summary>
    public async Task KnowAsync(int perCase = 4)
    {
        var glns = string.Join('\n', (((string, int)[])[(Mah, 6), (Plant, 6), (Warehouse, 6), (Wholesaler, 7), (Dispenser, 7)]).Select(p => $"{GlnOf(p.Item1)},Party {GlnOf(p.Item1)},both,1 Road,Springfield,IL,62701,US,{p.Item2}"));
        await ImportAsync("gln,name,kind,street,city,state,postalCode,country,companyPrefixLength\n" + glns);
        await ImportAsync($"""
            gtin,name,ndc,manufacturer,dosageForm,strength,netContent,level,holds,quantity,companyPrefixLength
            00300010123455,Demozolam 10 mg,0001-0123-45,Example Pharma,TABLET,10 mg,30 tablets,unit,,,6
            10300010123452,Demozolam 10 mg case,0001-0123-45,Example Pharma,TABLET,10 mg,4 x 30 tablets,case,00300010123455,{perCase},6

            """);
    }

    private async Task ImportAsync(string file)
    {
        using var officer = gateway.Client("officer");
        using var imported = await officer.PostAsync("api/masterdata/import?reason=test", new StringContent(file), Ct);
        Assert.True(imported.IsSuccessStatusCode, await imported.Content.ReadAsStringAsync(Ct));
    }

    public async Task AuthoriseAsync(string owner)
    {
        using var officer = gateway.Client("officer");
        using var added = await officer.PostAsJsonAsync("api/statement-authorisations", new { gln = GlnOf(owner), legalNotice = Notice, validFrom = Start.AddYears(-1), reason = "Agreed" }, Ct);
        Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync(Ct));
    }

    public async Task PartnerAsync(string place, object? profile = null, string format = "1.2-xml")
    {
        await gateway.AddPartnerAsync(GlnOf(place), $"well/{GlnOf(place)}");
        await gateway.Database.ExecuteAsync($"select set_config('app.actor', 'test', false); update partner set format = '{format}' where partner_id = (select partner_id from partner_gln where gln = '{GlnOf(place)}')");
        using var officer = gateway.Client("officer");
        using var set = await officer.PutAsJsonAsync($"api/partners/{GlnOf(place)}/profile", new { profile = profile ?? new { regulation = "us-dscsa" }, reason = "Agreed" }, Ct);
        Assert.True(set.IsSuccessStatusCode, await set.Content.ReadAsStringAsync(Ct));
    }

    // Each event a minute after the one before.
    private DateTimeOffset Next() => Start.AddMinutes(_minutes++);

    private ObjectEvent Object(EventAction action, string step, string disposition, string place, params string[] epcs) => At(new ObjectEvent
    {
        Action = action, BizStep = $"urn:epcglobal:cbv:bizstep:{step}", Disposition = $"urn:epcglobal:cbv:disp:{disposition}", EpcList = epcs, ReadPoint = new Location(place), BizLocation = new Location(place),
    });

    private T At<T>(T e) where T : EpcisEvent
    {
        var at = Next();
        return e with { EventTime = at, EventTimeText = at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), EventTimeZoneOffset = "+00:00", EventId = $"urn:uuid:{Guid.NewGuid()}" };
    }

    public ObjectEvent Commission(string place, params string[] epcs) => Object(EventAction.Add, "commissioning", "active", place, epcs) with
    {
        Ilmd = epcs[0].Contains(":sscc:", StringComparison.Ordinal) ? [] : [Ilmd("lotNumber", Lot), Ilmd("itemExpirationDate", "2028-03-27")],
    };

    private static Extension Ilmd(string name, string text) => new("urn:epcglobal:cbv:mda", "cbvmda", name) { Text = text };

    public AggregationEvent Pack(string place, string parent, params string[] children) => At(new AggregationEvent
    {
        Action = EventAction.Add, BizStep = "urn:epcglobal:cbv:bizstep:packing", Disposition = "urn:epcglobal:cbv:disp:in_progress", ParentId = parent, ChildEpcs = children, ReadPoint = new Location(place), BizLocation = new Location(place),
    });

    public AggregationEvent Unpack(string place, string parent, params string[] children) => Pack(place, parent, children) with { Action = EventAction.Delete, BizStep = "urn:epcglobal:cbv:bizstep:unpacking" };

    public ObjectEvent Receive(string place, params string[] epcs) => Object(EventAction.Observe, "receiving", "in_progress", place, epcs);

    /// <summary>The receipt of a shipment: of what it names, or only of some.</summary>
    public ObjectEvent ReceiptOf(ObjectEvent shipped, string place, params string[] epcs) => At(shipped with
    {
        BizStep = "urn:epcglobal:cbv:bizstep:receiving", Disposition = "urn:epcglobal:cbv:disp:in_progress", EpcList = epcs.Length > 0 ? epcs : shipped.EpcList, ReadPoint = new Location(place), BizLocation = new Location(place),
    });

    public ObjectEvent Ship(string number, string fromOwner, string from, string toOwner, string to, params string[] epcs) => Object(EventAction.Observe, "shipping", "in_transit", from, epcs) with
    {
        BizTransactions = [new("urn:epcglobal:cbv:btt:po", $"urn:epcglobal:cbv:bt:{GlnOf(toOwner)}:PO{number}"), new("urn:epcglobal:cbv:btt:desadv", $"urn:epcglobal:cbv:bt:{GlnOf(from)}:DA{number}")],
        Sources = [new("urn:epcglobal:cbv:sdt:owning_party", fromOwner), new("urn:epcglobal:cbv:sdt:location", from)],
        Destinations = [new("urn:epcglobal:cbv:sdt:owning_party", toOwner), new("urn:epcglobal:cbv:sdt:location", to)],
    };

    public ObjectEvent Void(ObjectEvent shipped, params string[] epcs) => At(shipped with { BizStep = "urn:epcglobal:cbv:bizstep:void_shipping", Disposition = "urn:epcglobal:cbv:disp:in_progress", EpcList = epcs });

    /// <summary>A file of the line's: three cases of four on a pallet; two more units that are packed into nothing, and a fourth case.</summary>
    public IReadOnlyList<EpcisEvent> Production(int pallet = 1, string series = "") =>
    [
        Commission(Plant, [.. Enumerable.Range(1, 18).Select(n => Unit($"{series}U{n}"))]), Commission(Plant, [.. Enumerable.Range(1, 4).Select(n => Case($"{series}C{n}"))]),
        .. Enumerable.Range(1, 4).Select(c => Pack(Plant, Case($"{series}C{c}"), [.. Enumerable.Range(4 * c - 3, 4).Select(n => Unit($"{series}U{n}"))])),
        Commission(Plant, Pallet(pallet)), Pack(Plant, Pallet(pallet), Case($"{series}C1"), Case($"{series}C2"), Case($"{series}C3")),
    ];

    /// <summary>What of a production is on its pallet: everything there is to be told of.</summary>
    public static IReadOnlyList<string> OnPallet(int pallet = 1, string series = "") =>
        [.. Enumerable.Range(1, 12).Select(n => Unit($"{series}U{n}")), .. Enumerable.Range(1, 3).Select(n => Case($"{series}C{n}")), Pallet(pallet)];

    public Task<Guid> CaptureAsync(params EpcisEvent[] events) => CaptureAsync("cmo", events);

    /// <summary>As a partner tells it: with a key of its own, by which it may send.</summary>
    public async Task<Guid> TellAsync(string place, params EpcisEvent[] events)
    {
        if (!gateway.Keys.ContainsKey(place))
        {
            await using var work = await gateway.Database.Gateway.BeginAsync(global::Gateway.Access.Actor.System("test"), Ct);
            var party = await gateway.Database.ScalarAsync<int>($"select party_id from partner join partner_gln using (partner_id) where gln = '{GlnOf(place)}'");
            ((Dictionary<string, string>)gateway.Keys)[place] = await global::Gateway.Access.ApiKeys.CreateAsync(work, party, "cmo", place, "gwl");
            await work.CommitAsync();
        }
        return await CaptureAsync(place, events);
    }

    private async Task<Guid> CaptureAsync(string role, EpcisEvent[] events)
    {
        using var bytes = new MemoryStream();
        var told = new Findings();
        await using (var xml = new XmlDocumentWriter(bytes, DocumentForm.Xml12, told))
        {
            xml.Begin(new DocumentHeader { CreationDate = "2026-03-17T08:00:00Z", Namespaces = new Dictionary<string, string> { ["cbvmda"] = "urn:epcglobal:cbv:mda", ["gs1ushc"] = "http://epcis.gs1us.org/hc/ns" } });
            foreach (var e in events)
            {
                await xml.CopyAsync(e, null, Ct);
            }
            await xml.EndAsync(Ct);
        }
        Assert.False(told.HasErrors);
        using var answer = await gateway.CaptureAsync(bytes.ToArray(), role: role);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Ct));
        var job = await gateway.JobAsync(answer.Headers.Location!);
        Assert.True(job.GetProperty("success").GetBoolean(), job.GetRawText());
        return Guid.Parse(answer.Headers.Location!.ToString().Split('/')[^1]);
    }

    /// <summary>The documents that a partner has got, in their order, when there are so many.</summary>
    public async Task<IReadOnlyList<ComposedDocument>> ReceivedAsync(string place, int count)
    {
        var which = $"partner_id = (select partner_id from partner_gln where gln = '{GlnOf(place)}')";
        try
        {
            await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>($"select count(*) from delivery where state = 'delivered' and {which}") >= count, seconds: 60);
        }
        catch (TimeoutException)
        {
            Assert.Fail(await gateway.Database.ScalarAsync<string>($"select coalesce(string_agg(concat_ws(' ', delivery_id, state, held_why, compose_findings, code), chr(10)), 'no delivery') from delivery where {which}"));
        }
        var bytes = await gateway.Database.ScalarAsync<byte[][]>($"select array_agg(bytes order by delivery_id) from delivery join document_chunk using (document_id) where state = 'delivered' and {which}");
        return [.. bytes.Select(b => new ComposedDocument(b))];
    }

    /// <summary>Waits until a delivery is held, and tells for what.</summary>
    public async Task<string> HeldAsync(string code)
    {
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>($"select count(*) from delivery where held_by = 'gateway' and state = 'due' and compose_findings @> '[{{\"code\": \"{code}\"}}]'") > 0);
        return await gateway.Database.ScalarAsync<string>("select compose_findings::text from delivery where held_by = 'gateway' and state = 'due'");
    }

    public async Task<JsonElement> DeliveryAsync(string place, int index = 0)
    {
        using var officer = gateway.Client("officer");
        var list = await officer.GetFromJsonAsync<JsonElement>($"api/deliveries?partner={GlnOf(place)}", Ct);
        var ids = list.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("id").GetInt64()).Order().ToList();
        return await officer.GetFromJsonAsync<JsonElement>($"api/deliveries/{ids[index]}", Ct);
    }
}

/// <summary>A document as its receiver reads it.</summary>
internal sealed class ComposedDocument
{
    public ComposedDocument(byte[] bytes, RuleProfile profile = RuleProfile.Dscsa13)
    {
        Text = Encoding.UTF8.GetString(bytes);
        using var reader = EpcisDocument.Open(new MemoryStream(bytes), ReaderLimits.Default);
        var rules = new RuleSet(RuleSeverities.Of(profile)).Begin(reader.Findings);
        var events = new List<EpcisEvent>();
        while (reader.Read())
        {
            events.Add(reader.Current);
            rules.See(reader.Current);
        }
        rules.End(reader.Header);
        (Header, Events, Errors) = (reader.Header, events, [.. reader.Findings.All.Where(f => f.Severity == Severity.Error).Select(f => $"{f.Code} {f.Message}")]);
    }

    public string Text { get; }
    public DocumentHeader Header { get; }
    public IReadOnlyList<EpcisEvent> Events { get; }

    /// <summary>What its receiver has against it.</summary>
    public IReadOnlyList<string> Errors { get; }

    /// <summary>Every EPC that it names anywhere, each once.</summary>
    public IEnumerable<string> Epcs => Events.SelectMany(e => e.Epcs).Select(x => x.Epc).Distinct().Order(StringComparer.Ordinal);

    public IEnumerable<string> Steps => Events.Select(e => e.BizStep!.Split(':', '/')[^1].Replace("BizStep-", "", StringComparison.Ordinal));

    public string? Statement => Header.Extensions.FirstOrDefault(x => x.Name == "dscsaTransactionStatement")?.Children.First(c => c.Name == "legalNotice").Text;
}
