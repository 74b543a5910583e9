using Gateway.Hub;

namespace Gateway.Tests.Hub;

/// <summary>EU-FMD.md section 3.1: what a hub of version 1.16 would refuse is refused here, with its place.</summary>
public sealed class ProductDataTests
{
    [Fact]
    public void What_is_whole_is_taken() => Assert.Empty(HubStory.Product("DE", "FR").Refuse());

    [Theory]
    [InlineData("commonName: missing")]
    [InlineData("manufacturer.street: at most 1000")]
    [InlineData("markets[1].holder: missing")]
    [InlineData("markets[0].country: two capital")]
    [InlineData("gtin: a GTIN")]
    [InlineData("packSize: a whole")]
    [InlineData("atc: at most")]
    [InlineData("markets: at least one")]
    [InlineData("markets: at most 60, each country once")]
    [InlineData("name: at most 255")]
    public void What_is_wrong_is_said_with_its_place(string wanted)
    {
        var p = HubStory.Product("DE", "FR");
        var wrong = wanted[..wanted.IndexOf(':', StringComparison.Ordinal)] switch
        {
            "commonName" => p with { CommonName = "  " },
            "manufacturer.street" => p with { Manufacturer = p.Manufacturer! with { Street = new string('x', 1001) } },
            "markets[1].holder" => p with { Markets = [p.Markets![0], p.Markets[1] with { Holder = null }] },
            "markets[0].country" => p with { Markets = [p.Markets![0] with { Country = "Germany" }] },
            "gtin" => p with { Gtin = "09521234001011" },
            "packSize" => p with { PackSize = 0 },
            "atc" => p with { Atc = ["N02"] },
            "name" => p with { Name = new string('x', 256) },
            _ => p with { Markets = wanted.Contains("least", StringComparison.Ordinal) ? [] : [p.Markets![0], p.Markets[0]] },
        };
        Assert.Contains(wrong.Refuse(), w => w.StartsWith(wanted, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_version_is_never_overwritten()
    {
        await using var story = await HubStory.StartAsync(knowsProducts: false);
        await story.ProductKnownAsync("DE");
        await story.ProductKnownAsync("DE", "FR");
        var versions = await story.Get<ProductVersions>().ListAsync(HubStory.Person, story.Hub.PartnerId, null, null, 10, CancellationToken.None);
        Assert.Equal([(2, 2), (1, 1)], versions.Select(v => (v.Version, v.Markets.Count)));
        Assert.All(versions, v => Assert.True(v.Distributed));
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => story.Ledger.Gateway.Database.ExecuteAsync("update hub_product set markets = '{AT}' where version = 1"));
    }
}
