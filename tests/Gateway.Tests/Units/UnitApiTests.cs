using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Epcis.Events;
using static Gateway.Tests.Units.Said;

namespace Gateway.Tests.Units;

/// <summary>What is asked of units over REST, of documents that were captured.</summary>
public sealed class UnitApiTests(ShippedPallet shipped) : IClassFixture<ShippedPallet>
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static EpcisEvent At(int minutes, EpcisEvent e) => Story.At(minutes, e).Event;

    [Theory]
    [InlineData("urn:epc:id:sgtin:9521234.000101.U000007")]
    [InlineData("urn:epc:id:sgtin:95212340.00101.U000007")] // cut at another length
    [InlineData("https://id.gs1.org/01/09521234001010/21/U000007")]
    [InlineData("https://example.org/p/01/09521234001010/10/L1/21/U000007?17=280831")]
    [InlineData("(01)09521234001010(17)280831(10)L1(21)U000007")]
    [InlineData("]d2010952123400101021U000007")]
    [InlineData("09521234001010 U000007")]
    public async Task Any_form_of_identifier_finds_the_unit_with_its_way_up(string asked)
    {
        var ledger = shipped.Ledger;
        var unit = await GetAsync(ledger, $"/api/units?epc={Uri.EscapeDataString(asked)}");
        Assert.Equal((Pack(7), "unit", "09521234001010", "U000007", "L1", "2028-08-31", "SHIPPED", Case(2)), (
            Text(unit, "epc"), Text(unit, "level"), Text(unit, "gtin"), Text(unit, "serial"), Text(unit, "lot"), Text(unit, "expiry"), Text(unit, "state"), Text(unit, "parent")));
        Assert.Equal([Case(2), Pallet(1)], unit.GetProperty("ancestors").EnumerateArray().Select(a => a.GetString()));
        Assert.Equal("[]", unit.GetProperty("holds").GetRawText());
        Assert.Equal(Plant, Text(unit, "location"));
        Assert.Equal("2026-09-14T08:00:00Z", unit.GetProperty("firstEvent").GetProperty("time").GetString());
        Assert.Equal(JsonValueKind.String, unit.GetProperty("lastEvent").GetProperty("capture").ValueKind);
    }

    [Fact]
    public async Task A_bare_SSCC_finds_the_pallet_and_its_contents_are_answered_whole_or_in_pages()
    {
        var ledger = shipped.Ledger;
        var sscc = Gateway.Units.UnitKey.Of(Pallet(1))![2..];
        var pallet = await GetAsync(ledger, $"/api/units?epc={sscc}");
        Assert.Equal((Pallet(1), "pallet", "SHIPPED", 4), (Text(pallet, "epc"), Text(pallet, "level"), Text(pallet, "state"), pallet.GetProperty("children").GetInt32()));
        Assert.Equal(JsonValueKind.Null, pallet.GetProperty("parent").ValueKind);

        var contents = await GetAsync(ledger, $"/api/units/contents?epc={sscc}");
        var items = contents.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal((Pallet(1), 24, 24), (Text(contents, "epc"), contents.GetProperty("count").GetInt32(), items.Count));
        Assert.Equal(JsonValueKind.Null, contents.GetProperty("next").ValueKind);
        Assert.Equal([(Case(1), Pallet(1), 1, "SHIPPED"), (Pack(1), Case(1), 2, "SHIPPED")], items.Take(2).Select(i => (Text(i, "epc")!, Text(i, "parent")!, i.GetProperty("depth").GetInt32(), Text(i, "state")!)));

        var paged = new List<string?>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await GetAsync(ledger, $"/api/units/contents?epc={sscc}&limit=7{(cursor.Length == 0 ? "" : $"&cursor={cursor}")}");
            paged.AddRange(page.GetProperty("items").EnumerateArray().Select(i => Text(i, "epc")));
            cursor = Text(page, "next");
        }
        Assert.Equal(items.Select(i => Text(i, "epc")), paged);
    }

    [Fact]
    public async Task A_hold_is_told_of_the_unit_and_of_what_is_around_it_apart()
    {
        await using var ledger = await ShippedPallet.TellAsync();
        await ledger.CaptureAsync(At(9, Received(Wholesaler, Pallet(1))), At(10, Held(Pallet(1))));
        await ledger.CaptureAsync(At(11, Held(Pack(7))));
        var unit = await GetAsync(ledger, $"/api/units?epc={Pack(7)}");
        Assert.Equal(("[\"non_sellable_other\"]", "COMMISSIONED", Wholesaler), (unit.GetProperty("holds").GetRawText(), Text(unit, "state"), Text(unit, "location")));
        Assert.Equal($$"""[{"epc":"{{Pallet(1)}}","reason":"non_sellable_other"}]""", unit.GetProperty("containerHolds").GetRawText());
        Assert.Equal(1, (await GetAsync(ledger, $"/api/units?epc={Pallet(1)}")).GetProperty("heldBelow").GetInt32());
    }

    [Fact]
    public async Task The_history_of_a_pack_has_what_was_told_of_its_containers_while_it_was_in_them_and_no_more()
    {
        await using var ledger = await ShippedPallet.TellAsync();
        await ledger.CaptureAsync(At(9, Received(Wholesaler, Pallet(1))), At(10, Unpacked(Wholesaler, Pallet(1))), At(11, Seen(Wholesaler, Case(2))));
        await ledger.CaptureAsync(At(12, Unpacked(Wholesaler, Case(2), Pack(7))), At(13, Seen(Wholesaler, Pallet(1))), At(14, Seen(Wholesaler, Case(2))), At(15, Seen(Wholesaler, Pack(7))));
        Assert.Equal("0 commissioning U000007, 4 packing U000007, 7 packing 500101.00000002, 8 shipping 3000000001, 9 receiving 3000000001, 10 unpacking 3000000001, 11 storing 500101.00000002, 12 unpacking U000007, 15 storing U000007"
            .Replace("500101.", "", StringComparison.Ordinal), await StoryAsync(ledger, Pack(7)));
        // Of itself a pallet knows what was put into it, and nothing of what is told of that.
        Assert.Equal("2 commissioning 3000000001, 7 packing 3000000001, 8 shipping 3000000001, 9 receiving 3000000001, 10 unpacking 3000000001, 13 storing 3000000001", await StoryAsync(ledger, Pallet(1)));

        var first = await GetAsync(ledger, $"/api/units/history?epc={Pack(7)}&limit=4");
        var rest = await GetAsync(ledger, $"/api/units/history?epc={Pack(7)}&limit=200&cursor={Text(first, "next")}");
        Assert.Equal((4, 5), (first.GetProperty("items").GetArrayLength(), rest.GetProperty("items").GetArrayLength()));
        Assert.Equal("shipping", Text(first.GetProperty("items")[3], "bizStep"));
        Assert.Equal("receiving", Text(rest.GetProperty("items")[0], "bizStep"));
    }

    [Fact]
    public async Task History_tells_of_other_spellings_of_findings_of_exceptions_and_of_what_was_declared_in_error()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        var seen = At(1, Seen(Plant, "https://id.gs1.org/01/09521234001010/21/U000001"));
        await ledger.CaptureAsync(At(0, Commissioned(Pack(1))), seen);
        Assert.Equal("unit.duplicate_commission", await ledger.CaptureAsync(At(2, Commissioned("urn:epc:id:sgtin:95212340.00101.U000001"))));
        await ledger.CaptureAsync(seen with { ErrorDeclaration = new ErrorDeclaration { DeclarationTime = Start.AddDays(1), Reason = "did_not_occur" } });
        var history = await GetAsync(ledger, $"/api/units/history?epc={Pack(1)}");
        var items = history.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(["commissioning", "storing", "storing", "commissioning"], items.Select(i => Text(i, "bizStep")));
        Assert.Equal(["False False", "True False", "False True", "False False"], items.Select(i => $"{i.GetProperty("retracted").GetBoolean()} {i.GetProperty("declaration").GetBoolean()}"));
        Assert.Equal("unit.duplicate_commission", Text(Assert.Single(items[3].GetProperty("findings").EnumerateArray()), "code"));
        Assert.Equal("unit.duplicate_commission", Text(Assert.Single(history.GetProperty("exceptions").EnumerateArray()), "code"));
    }

    [Theory]
    [InlineData("U00", 20, 0, "serial number")]
    [InlineData("U000007", 1, 0, "serial number")]
    [InlineData("u000007", 0, 0, "")] // case counts
    [InlineData("U", 0, 0, "")]
    [InlineData("39521234", 1, 0, "SSCC")]
    [InlineData("395212340000000014", 1, 0, "identifier")]
    [InlineData("09521234001010 U000007", 1, 0, "identifier")]
    [InlineData("L1", 20, 1, "lot")]
    [InlineData("09521234001010", 0, 1, "")]
    [InlineData("9521234001010", 0, 1, "")]
    [InlineData("PO4711", 1, 0, "document number")]
    [InlineData("PO4712", 0, 0, "")]
    [InlineData("U00000%", 0, 0, "")]
    public async Task A_search_finds_units_and_lots_by_what_is_at_hand(string asked, int units, int lots, string why)
    {
        var ledger = shipped.Ledger;
        var found = await GetAsync(ledger, $"/api/units/search?q={Uri.EscapeDataString(asked)}");
        Assert.Equal((units, lots, false), (found.GetProperty("items").GetArrayLength(), found.GetProperty("lots").GetArrayLength(), found.GetProperty("more").GetBoolean()));
        Assert.All(found.GetProperty("items").EnumerateArray(), i => Assert.Equal((why, "SHIPPED"), (Text(i, "why"), Text(i, "state"))));
        Assert.All(found.GetProperty("lots").EnumerateArray(), l => Assert.Equal(("09521234001010", "L1", "2028-08-31"), (Text(l, "gtin"), Text(l, "lot"), Text(l, "expiry"))));
        if (units > 5)
        {
            Assert.True((await GetAsync(ledger, $"/api/units/search?q={Uri.EscapeDataString(asked)}&limit=5")) is var few && few.GetProperty("more").GetBoolean() && few.GetProperty("items").GetArrayLength() == 5);
        }
    }

    [Fact]
    public async Task Another_party_finds_nothing()
    {
        var ledger = shipped.Ledger;
        using var second = await ledger.Gateway.SignInAsync("Second CMO");
        foreach (var path in (string[])["/api/units?epc=", "/api/units/contents?epc=", "/api/units/history?epc="])
        {
            using var answer = await second.GetAsync(path + Pack(7), Ct);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
        var found = await second.GetFromJsonAsync<JsonElement>("/api/units/search?q=L1", Ct);
        Assert.Equal((0, 0), (found.GetProperty("items").GetArrayLength(), found.GetProperty("lots").GetArrayLength()));
    }

    [Theory]
    [InlineData("/api/units", 400, "GW-UNI-01")]
    [InlineData("/api/units?epc=urn:epc:id:sgln:9521234.00001.0", 400, "GW-UNI-01")]
    [InlineData("/api/units?epc=09521234001011%20A1", 400, "GW-UNI-01")]
    [InlineData("/api/units?epc=09521234001010%20A1", 404, "GW-HTTP-01")]
    [InlineData("/api/units/contents?epc=09521234001010%20A1", 404, "GW-HTTP-01")]
    [InlineData("/api/units/contents?epc=09521234001010%20A1&limit=0", 400, "GW-HTTP-02")]
    [InlineData("/api/units/contents?epc=09521234001010%20A1&cursor=x", 400, "GW-HTTP-02")]
    [InlineData("/api/units/history?epc=09521234001010%20A1&limit=201", 400, "GW-HTTP-02")]
    [InlineData("/api/units/history?epc=09521234001010%20A1&cursor=1.2", 400, "GW-HTTP-02")]
    [InlineData("/api/units/search?q=%20", 400, "GW-HTTP-02")]
    [InlineData("/api/units/search?q=A1&limit=x", 400, null)]
    public async Task What_cannot_be_answered_is_told_with_its_code(string path, int status, string? code)
    {
        var ledger = shipped.Ledger;
        using var answer = await ledger.Gateway.Client.GetAsync(path, Ct);
        Assert.Equal(status, (int)answer.StatusCode);
        if (code is not null)
        {
            Assert.Equal(code, Text(await answer.Content.ReadFromJsonAsync<JsonElement>(Ct), "code"));
        }
    }

    private static async Task<string> StoryAsync(LedgerGateway ledger, string epc)
    {
        var history = await GetAsync(ledger, $"/api/units/history?epc={epc}&limit=200");
        return string.Join(", ", history.GetProperty("items").EnumerateArray().Select(e => string.Create(CultureInfo.InvariantCulture,
            $"{(e.GetProperty("eventTime").GetDateTime() - Start.UtcDateTime).TotalMinutes} {Text(e, "bizStep")} {Text(e, "unit")!.Split('.')[^1]}")));
    }

    private static async Task<JsonElement> GetAsync(LedgerGateway ledger, string path) => await ledger.Gateway.Client.GetFromJsonAsync<JsonElement>(path, Ct);

    private static string? Text(JsonElement element, string member) => element.GetProperty(member).GetString();
}

/// <summary>Twenty packs in four cases on a pallet, which was shipped on a purchase order.</summary>
public sealed class ShippedPallet : IAsyncLifetime
{
    internal LedgerGateway Ledger { get; private set; } = default!;

    public async ValueTask InitializeAsync() => Ledger = await TellAsync();

    public ValueTask DisposeAsync() => Ledger.DisposeAsync();

    internal static async Task<LedgerGateway> TellAsync()
    {
        var ledger = await LedgerGateway.StartAsync();
        Assert.Equal("", await ledger.CaptureAsync(
            At(0, Commissioned(Packs(1, 20))), At(1, Commissioned(null, [Case(1), Case(2), Case(3), Case(4)])), At(2, Commissioned(null, [Pallet(1)])),
            At(3, Packed(Case(1), Packs(1, 5))), At(4, Packed(Case(2), Packs(6, 5))), At(5, Packed(Case(3), Packs(11, 5))), At(6, Packed(Case(4), Packs(16, 5)))));
        Assert.Equal("", await ledger.CaptureAsync(At(7, Packed(Pallet(1), Case(1), Case(2), Case(3), Case(4)))));
        Assert.Equal("", await ledger.CaptureAsync(At(8, Shipped(Pallet(1)) with { BizTransactions = [new BizTransaction(null, "urn:epcglobal:cbv:bt:0614141073468:PO4711")] })));
        return ledger;
    }

    private static EpcisEvent At(int minutes, EpcisEvent e) => Story.At(minutes, e).Event;
}
