using System.Text.Json;
using Epcis;
using Epcis.Formats;
using Epcis.Rules;
using Gateway.Capture;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Capture;

/// <summary>What a capture is held to is said by settings, and kept with it.</summary>
public sealed class RuleSettingsTests
{
    private const string Decided = "select state || ' ' || event_count || ' ' || held_to from capture";

    [Fact]
    public async Task A_capture_and_a_check_are_held_to_the_profile_of_the_settings()
    {
        await using var gateway = await CaptureGateway.StartAsync(("Rules:Profile", "dscsa-1.3"));
        var document = Documents.Json(Documents.Event(1));
        var wanted = ErrorsOf(document, RuleProfile.Dscsa13);
        Assert.Contains("DSCSA-SBDH-01", wanted);

        using var accepted = await gateway.PostAsync(document);
        Assert.True(await gateway.ProcessAsync());

        Assert.Equal("refused 0 dscsa-1.3", await gateway.Database.ScalarAsync<string>(Decided));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
        var job = await gateway.GetAsync(accepted.Headers.Location!.ToString());
        Assert.Equal(wanted, job.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("code").GetString()));
        Assert.Equal("dscsa-1.3", await gateway.Database.ScalarAsync<string>("select new ->> 'heldTo' from audit_entry where entity = 'capture' and action = 'refuse'"));
        Assert.Equal("dscsa-1.3", (await gateway.GetAsync("/api/captures/" + job.GetProperty("captureID").GetString())).GetProperty("heldTo").GetString());
        using var check = await gateway.Client.PostAsync("/api/check", new StringContent(document, null, "application/ld+json"));
        var verdict = JsonDocument.Parse(await check.Content.ReadAsStringAsync()).RootElement;
        Assert.False(verdict.GetProperty("valid").GetBoolean());
        Assert.Equal(wanted, verdict.GetProperty("findings").EnumerateArray().Where(f => f.GetProperty("severity").GetString() == "error").Select(f => f.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_document_that_keeps_the_profile_is_stored()
    {
        await using var gateway = await CaptureGateway.StartAsync(("Rules:Profile", "dscsa-1.3"));
        using var accepted = await gateway.PostAsync(await File.ReadAllBytesAsync(Repository.File("samples/dscsa-shipment.xml")), "application/xml");
        Assert.True(await gateway.ProcessAsync());
        Assert.Matches("^accepted [1-9][0-9]* dscsa-1\\.3$", await gateway.Database.ScalarAsync<string>(Decided));
    }

    [Theory]
    [InlineData("warning", "accepted 1 none, EPCIS-AGG-01 warning", 1L)]
    [InlineData("off", "accepted 1 none, EPCIS-AGG-01 off", 0L)]
    [InlineData("error", "refused 0 none", 1L)]
    public async Task A_rule_is_as_grave_as_the_settings_say(string severity, string decided, long told)
    {
        await using var gateway = await CaptureGateway.StartAsync(("Rules:Severities:epcis-agg-01", severity));
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.BadEvent));
        Assert.True(await gateway.ProcessAsync());
        Assert.Equal(decided, await gateway.Database.ScalarAsync<string>(Decided));
        Assert.Equal(told, await gateway.Database.ScalarAsync<long>("select count(*) from finding where code = 'EPCIS-AGG-01'"));
    }

    [Theory]
    [InlineData("rollback", "refused 0 none, DSCSA-SBDH-01 error", 0L)]
    [InlineData("proceed", "accepted 1 none, DSCSA-SBDH-01 error", 1L)]
    public async Task What_is_seen_only_at_the_end_of_a_document_takes_its_events_back_unless_the_sender_proceeds(string behaviour, string decided, long events)
    {
        await using var gateway = await CaptureGateway.StartAsync(("Rules:Severities:DSCSA-SBDH-01", "error"));
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1)), headers: ("GS1-Capture-Error-Behaviour", behaviour));
        Assert.True(await gateway.ProcessAsync());
        Assert.Equal(decided, await gateway.Database.ScalarAsync<string>(Decided));
        Assert.Equal(events, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from finding where code = 'DSCSA-SBDH-01' and severity = 'error'"));
    }

    [Theory]
    [InlineData("Rules:Profile", "dscsa-1.4", "Rules:Profile is dscsa-1.4, and must be one of: none, dscsa-1.2, dscsa-1.3, cbv-compliant, cbv-compatible.")]
    [InlineData("Rules:Severities:EPCIS-AGG-99", "off", "Rules:Severities names EPCIS-AGG-99, and there is no such rule: docs/rules.md lists them.")]
    [InlineData("Rules:Severities:EPCIS-AGG-01", "fatal", "Rules:Severities:EPCIS-AGG-01 is fatal, and must be one of: error, warning, info, off.")]
    public async Task Settings_that_name_no_profile_rule_or_severity_stop_the_start(string name, string value, string sentence)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => CaptureGateway.StartAsync((name, value)));
        Assert.Contains(sentence, refused.Message, StringComparison.Ordinal);
    }

    private static string[] ErrorsOf(string document, RuleProfile profile)
    {
        using var reader = EpcisDocument.Open(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(document)), ReaderLimits.Default);
        var run = new RuleSet(RuleSeverities.Of(profile)).Begin(reader.Findings);
        while (reader.Read())
        {
            run.See(reader.Current);
        }
        run.End(reader.Header);
        return [.. reader.Findings.All.Where(f => f.Severity == Severity.Error).Select(f => f.Code)];
    }
}
