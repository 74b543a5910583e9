using System.Xml;
using System.Xml.Schema;
using Gateway.Hub;
using Gateway.Tests.Units;

namespace Gateway.Tests.Hub;

using static Said;

/// <summary>EU-FMD.md sections 3 and 9: what is reported of a lot, in which messages, and what is not.</summary>
public sealed class ReleaseLotTests
{
    [Fact]
    public async Task Only_good_packs_are_reported_and_the_others_are_counted_by_why()
    {
        await using var story = await HubStory.StartAsync();
        await story.ProductKnownAsync("DE", "FR");
        await story.Ledger.CaptureAsync(At(0, Commissioned([.. Packs(1, 20), Case(1), Case(2)])), At(0, Commissioned("L2", Packs(101, 3))),
            At(1, Packed(Case(1), Packs(1, 5))), At(1, Packed(Case(2), Packs(6, 5))), At(2, Held(Pack(3))), At(3, Unpacked(Plant, Case(2), Pack(6), Pack(7), Pack(8))),
            At(4, Ended(Plant, "destroying", "destroyed", Pack(7))), At(4, Object(Epcis.Events.EventAction.Observe, "sampling", "non_sellable_other", Plant, Pack(8))));
        var released = await story.ReleaseAsync();
        Assert.Null(released.Refusal);
        Assert.Equal("destroyed 1, held 1, loose 11, sampled 1", string.Join(", ", released.LeftOut!.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key} {l.Value}")));
        Assert.Equal("U000001 U000002 U000004 U000005 U000009 U000010", await story.TextAsync("select string_agg(serial, ' ' order by serial) from hub_pack"));
        Assert.Equal(1, await story.ComposeAsync());
        var bytes = await story.BytesAsync(await story.MessageAsync());
        Assert.Equal(await story.TextAsync("select string_agg(serial, ' ' order by serial) from hub_pack"), string.Join(' ', Validated(bytes)));
        Assert.Contains("id=\"L1\" expiry=\"280831\"", System.Text.Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_pack_specification_demands_it_loose_packs_are_reported_too()
    {
        await using var story = await HubStory.StartAsync(knowsProducts: false);
        await story.ProductKnownAsync("DE");
        await story.Ledger.CaptureAsync(At(0, Commissioned(Packs(1, 3))));
        Assert.Equal((null, 3), await story.ReleaseAsync() is var r ? (r.Refusal, r.Units) : default);
    }

    [Fact]
    public async Task Nothing_is_reported_before_its_product_is_in_every_market()
    {
        await using var story = await HubStory.StartAsync(knowsProducts: false);
        await story.Ledger.CaptureAsync(At(0, Commissioned(Packs(1, 3))));
        Assert.Contains("knows nothing of the product", (await story.ReleaseAsync()).Refusal, StringComparison.Ordinal);
        await story.Get<ProductVersions>().AddAsync(HubStory.Person, story.Hub, HubStory.Product("DE", "FR"), "first", CancellationToken.None);
        Assert.Contains("of version 1, the newest", (await story.ReleaseAsync()).Refusal, StringComparison.Ordinal);
        var message = await story.MessageAsync();
        await story.AnswerAsync(message, HubStatus.Accepted, [("DE", "distributed"), ("FR", "pending")]);
        Assert.Contains("of version 1, the newest", (await story.ReleaseAsync()).Refusal, StringComparison.Ordinal);
        Assert.Equal("0 0", await story.TextAsync("select concat_ws(' ', (select count(*) from hub_lot), (select count(*) from hub_pack))"));
        await story.AnswerAsync(message, HubStatus.Accepted, [("DE", "distributed"), ("FR", "distributed")]);
        Assert.Null((await story.ReleaseAsync()).Refusal);
    }

    [Fact]
    public async Task A_lot_stays_with_its_version_and_a_further_release_reports_only_what_is_new()
    {
        await using var story = await HubStory.StartAsync(maxSerials: 3, knowsProducts: false);
        await story.ProductKnownAsync("DE");
        await story.Ledger.CaptureAsync(At(0, Commissioned(Packs(1, 7))), At(1, Held(Pack(7))));
        Assert.Equal(6, (await story.ReleaseAsync()).Units);
        await story.ProductKnownAsync("DE", "FR");
        Assert.Contains("1 held", (await story.ReleaseAsync()).Refusal, StringComparison.Ordinal);
        await story.Ledger.CaptureAsync(At(2, Released(Pack(7))));
        Assert.Equal((2, 1), await story.ReleaseAsync() is var r ? (r.Round, r.Units) : default);
        Assert.Equal("All of the lot is reported already.", (await story.ReleaseAsync()).Refusal);
        Assert.Equal(3, await story.ComposeAsync());
        var told = new List<string>();
        foreach (var message in await story.MessagesAsync())
        {
            var serials = Validated(await story.BytesAsync(message));
            Assert.InRange(serials.Count, 1, 3);
            told.AddRange(serials);
            Assert.Contains("version=\"1\"", System.Text.Encoding.UTF8.GetString(await story.BytesAsync(message)), StringComparison.Ordinal);
        }
        Assert.Equal(Packs(1, 7).Select(p => p.Split('.')[^1]), told.Order(StringComparer.Ordinal));
        Assert.Equal("1", await story.TextAsync("select count(distinct ordering) from delivery where ordering like 'hub % L1'"));
    }

    [Fact]
    public async Task Two_who_release_the_same_lot_at_once_report_each_pack_once()
    {
        await using var story = await HubStory.StartAsync(knowsProducts: false);
        await story.ProductKnownAsync("DE");
        await story.Ledger.CaptureAsync(At(0, Commissioned(Packs(1, 50))));
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => story.ReleaseAsync())));
        Assert.Single(outcomes, o => o.Refusal is null);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(story.ComposeAsync)));
        Assert.Equal("1 50", await story.TextAsync("select concat_ws(' ', (select count(*) from hub_message where kind = 'pack data'), (select count(*) from hub_pack))"));
    }

    [Fact]
    public async Task What_contradicts_itself_is_not_reported()
    {
        await using var story = await HubStory.StartAsync(knowsProducts: false);
        await story.ProductKnownAsync("DE");
        await story.Ledger.CaptureAsync(At(0, Commissioned("L1", Packs(1, 2))), At(0, Commissioned("L1", [Pack(3)], "2028-09-30")));
        Assert.Contains("2028-08-31, 2028-09-30", (await story.ReleaseAsync()).Refusal, StringComparison.Ordinal);
        Assert.Contains("Nothing is known", (await story.ReleaseAsync("l1")).Refusal, StringComparison.Ordinal); // case counts
        Assert.Contains("container", (await story.ReleaseAsync(gtin: "59521234001015")).Refusal, StringComparison.Ordinal);
    }

    /// <returns>The serial numbers of a message that the schema accepts.</returns>
    private static List<string> Validated(byte[] message)
    {
        var schemas = new XmlSchemaSet();
        using (var schema = XmlReader.Create(Path.Combine(Repository.Root, "schemas/hub/hub.xsd")))
        {
            schemas.Add(null, schema);
        }
        var settings = new XmlReaderSettings { ValidationType = ValidationType.Schema, Schemas = schemas };
        settings.ValidationEventHandler += (_, e) => Assert.Fail(e.Message);
        using var xml = XmlReader.Create(new MemoryStream(message), settings);
        var (serials, count) = (new List<string>(), 0);
        while (xml.Read())
        {
            if (xml is { NodeType: XmlNodeType.Element, LocalName: "Packs" })
            {
                count = int.Parse(xml.GetAttribute("count")!, System.Globalization.CultureInfo.InvariantCulture);
            }
            else if (xml is { NodeType: XmlNodeType.Text } && serials.Count < count)
            {
                serials.Add(xml.Value);
            }
        }
        Assert.Equal(count, serials.Count);
        return serials;
    }
}
