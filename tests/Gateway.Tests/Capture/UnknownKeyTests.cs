using System.Text;
using Gateway.Access;
using Gateway.MasterData;

namespace Gateway.Tests.Capture;

/// <summary>A document that names what master data do not know is stored, and told of it.</summary>
public sealed class UnknownKeyTests
{
    // Of the products of Documents.Event, and of a place.
    private const string Gtin = "04012345111118", Gln = "4012345000009";
    private const string Told = "select coalesce(string_agg(code || ' ' || got || ' ' || severity || ' ' || event, ', ' order by ordinal), '') from finding";
    [Theory]
    [InlineData("", "")] // where nobody keeps master data, nothing is missing
    [InlineData("gln,name\n4012345000009,Plant\n", "")] // nor products, where nobody keeps those
    [InlineData("gtin,name\n09521234001010,A\n", $"masterdata.gtin_unknown {Gtin} warning 0")]
    public async Task Nothing_is_missing_where_nobody_keeps_it(string file, string told)
    {
        await using var gateway = await CaptureGateway.StartAsync();
        await ImportAsync(gateway, file);
        Assert.Equal(told, await CapturedAsync(gateway, Documents.Event(1), Documents.Event(2)));
    }

    [Fact]
    public async Task An_unknown_product_and_place_are_told_once_each_however_they_are_spelled()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        await ImportAsync(gateway, "gtin,name\n09521234001010,A\n");
        await ImportAsync(gateway, "gln,name\n9521234000013,Plant\n");
        const string known = """{"type":"ObjectEvent","eventTime":"2026-03-01T10:00:00Z","eventTimeZoneOffset":"+00:00","action":"OBSERVE","epcList":["urn:epc:id:sgtin:9521234.000101.1","https://id.gs1.org/01/09521234001010/21/2","urn:epc:id:sscc:9521234.0123456789"],"readPoint":{"id":"urn:epc:id:sgln:9521234.00001.PL04"}}""";
        const string unknown = """{"type":"ObjectEvent","eventTime":"2026-03-01T10:00:00Z","eventTimeZoneOffset":"+00:00","action":"OBSERVE","epcList":["https://id.gs1.org/01/04012345111118/21/2","urn:epc:id:sgtin:4012345.011111.1"],"quantityList":[{"epcClass":"urn:epc:class:lgtin:4012345.111111.L1","quantity":2}],"readPoint":{"id":"https://id.gs1.org/414/4012345000009"},"bizLocation":{"id":"urn:epc:id:sgln:4012345.00000.0"}}""";
        Assert.Equal(
            $"masterdata.gtin_unknown {Gtin} warning 1, masterdata.gtin_unknown 14012345111115 warning 1, masterdata.gln_unknown {Gln} warning 1",
            await CapturedAsync(gateway, known, unknown, unknown));
        Assert.Equal("accepted", await gateway.Database.ScalarAsync<string>("select state from capture"));
        Assert.Equal(3L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
    }

    [Fact]
    public async Task What_is_known_is_not_told_of_and_what_is_withdrawn_is_unknown_again()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        await ImportAsync(gateway, $"gtin,name\n{Gtin},A\n09521234001010,B\n");
        Assert.Equal("", await CapturedAsync(gateway, Documents.Event(1)));
        await ImportAsync(gateway, $"gtin,withdrawn\n{Gtin},true\n");
        Assert.Equal($"masterdata.gtin_unknown {Gtin} warning 0", await CapturedAsync(gateway, Documents.Event(2)));
    }

    private static async Task<string> CapturedAsync(CaptureGateway gateway, params string[] events)
    {
        using var accepted = await gateway.PostAsync(Documents.Json(events));
        Assert.True(await gateway.ProcessAsync());
        return await gateway.Database.ScalarAsync<string>(Told);
    }

    private static async Task ImportAsync(CaptureGateway gateway, string file)
    {
        if (file.Length > 0)
        {
            var outcome = await new ChangeMasterData(gateway.Database.Gateway).ImportAsync(Actor.System("test") with { Reason = "test" }, new MemoryStream(Encoding.UTF8.GetBytes(file)), dryRun: false, CancellationToken.None);
            Assert.Empty(outcome.Findings.All);
        }
    }
}
