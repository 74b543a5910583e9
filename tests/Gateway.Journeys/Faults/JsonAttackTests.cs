using System.Text;

namespace Gateway.Journeys.Faults;

/// <summary>FT-33: hostile JSON gets the same verdict at every entry point, and no context is ever fetched.</summary>
public sealed class JsonAttackTests(AttackedGateway gateway) : IClassFixture<AttackedGateway>
{
    public static TheoryData<string, string, string> Hostile => new()
    {
        { "EPCIS-JSON-03", "\"type\":\"EPCISDocument\"", "\"type\":\"EPCISDocument\",\"type\":\"EPCISDocument\"" },
        { "EPCIS-JSON-03", "\"type\":\"EPCISDocument\"", "\"type\":\"EPCISDocument\",\"\\u0074ype\":\"EPCISDocument\"" },
        { "EPCIS-JSON-03", "\"eventList\":", "\"eventList\":[],\"eventList\":" },
        { "EPCIS-JSON-03", "\"eventList\":", "\"event\\u004cist\":[],\"eventList\":" },
        { "EPCIS-JSON-03", "\"action\":\"OBSERVE\"", "\"action\":\"ADD\",\"action\":\"OBSERVE\"" },
        { "EPCIS-JSON-03", "\"ex:b\":1", "\"ex:b\":1,\"ex:\\u0062\":2" },
        { "EPCIS-JSON-03", "\"ex\":\"https", "\"ex\":\"TRAP\",\"ex\":\"https" },
        { "EPCIS-JSON-02", "\"ex:b\":1", "\"ex:b\":1e999" },
        { "EPCIS-JSON-02", "\"ex:b\":1", "\"ex:b\":-1E+99999999999999999999" },
        { "EPCIS-JSON-01", "\"ex:b\":1", "\"ex:b\":NaN" },
        { "EPCIS-JSON-01", "\"ex:b\":1", "\"ex:b\":01" },
        { "EPCIS-JSON-01", "\"ex:b\":1", "\"ex:b\":1,}" },
        { "EPCIS-JSON-01", "\"ex:b\":1", "\"ex:b\":/**/1" },
        { "EPCIS-JSON-04", "\"ex:b\":1", "\"ex:b\":\"\\u0000\"" },
        { "EPCIS-JSON-04", "\"ex:b\":1", "\"ex:b\":\"\\ud800\"" },
        { "EPCIS-JSON-04", "\"ex:b\":1", "\"ex:\\udc00\":1" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public Task A_hostile_document_is_refused_everywhere(string code, string sound, string attack)
    {
        Assert.Contains(sound, Sound, StringComparison.Ordinal);
        return gateway.IsRefusedAsync(Encoding.UTF8.GetBytes(gateway.Arm(Sound.Replace(sound, attack, StringComparison.Ordinal))), "application/json", code);
    }

    [Fact]
    public async Task What_is_too_deep_too_wide_or_no_text_is_refused_everywhere()
    {
        Task RefusedAsync(string value, string code) =>
            gateway.IsRefusedAsync(Encoding.UTF8.GetBytes(gateway.Arm(Sound.Replace("\"ex:b\":1", "\"ex:b\":" + value, StringComparison.Ordinal))), "application/ld+json", code);
        await RefusedAsync(new string('[', 1_000_000), "EPCIS-JSON-02");
        await RefusedAsync("{" + string.Join(',', Enumerable.Range(0, 100_000).Select(n => $"\"ex:{n}\":0")) + "}", "EPCIS-JSON-02");
        await RefusedAsync('"' + new string('x', FaultScale.Of(8, 50) << 20) + '"', "EPCIS-JSON-02");
        await gateway.IsRefusedAsync([.. Encoding.UTF8.GetBytes(gateway.Arm(Sound)[..^30]), 0xC3, 0x28], "application/json", "EPCIS-JSON-01");
        await gateway.IsRefusedAsync(Encoding.UTF8.GetBytes(gateway.Arm(Sound) + "{}"), "application/json", "EPCIS-JSON-01");
    }

    public static TheoryData<string, string> LookAlikes => new()
    {
        { "\"ex:b\":1", "\"ex:b\":1,\"ex:B\":2" },
        { "\"ex:b\":1", "\"ex:b\":\"\\ud83d\\ude00 \\u0041\"" },
        { "\"ex:b\":1", "\"ex:b\":1e300" },
        { "\"ex:b\":1", "\"ex:b\":\"<!DOCTYPE a SYSTEM 'TRAP'>\"" },
        { "\"ex:b\":1", "\"ex:b\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]" },
        // A context that others publish is told in a finding and never fetched: what we know of it is what the document says.
        { "{\"ex\"", "\"TRAP\",{\"ex\"" },
    };

    [Theory]
    [MemberData(nameof(LookAlikes))]
    public Task A_look_alike_is_captured_and_nothing_is_fetched(string sound, string alike)
    {
        Assert.Contains(sound, Sound, StringComparison.Ordinal);
        return gateway.IsAcceptedAsync(Encoding.UTF8.GetBytes(gateway.Arm(Sound.Replace(sound, alike, StringComparison.Ordinal))), "application/ld+json");
    }

    private const string Sound = """
        {"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"ex":"https://ex.example.com/"}],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-01T10:00:00Z",
        "epcisBody":{"eventList":[{"type":"ObjectEvent","eventTime":"2026-03-01T10:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["urn:epc:id:sgtin:4012345.011111.SERIAL"],"action":"OBSERVE","bizStep":"shipping","ex:a":{"ex:b":1}}]}}
        """;
}
