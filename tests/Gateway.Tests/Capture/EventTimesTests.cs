using System.Globalization;
using System.Text.Json;

namespace Gateway.Tests.Capture;

/// <summary>When an event happened as its sender says, when its document came, and when it was stored: three times, none of which replaces another.</summary>
[Requirement("P11-49")]
public sealed class EventTimesTests
{
    private const string Found = "select coalesce(string_agg(concat_ws(' ', code, severity, event, substring(message from ': [0-9]+,'), got), ' | ' order by ordinal), '') from finding where code like 'GW-%'";

    [Theory]
    [InlineData("0")]      // decided by the worker
    [InlineData("262144")] // decided as it comes
    public async Task The_three_times_stand_side_by_side_and_what_came_late_or_ahead_is_told_once(string maxBytesAtOnce)
    {
        await using var gateway = await CaptureGateway.StartAsync(("Capture:MaxBytesAtOnce", maxBytesAtOnce), ("Capture:LateAfter", "1.00:00:00"));
        var now = await gateway.Database.ScalarAsync<DateTime>("select gateway_now()");
        // The place is two hours ahead of UTC, and the sender has recorded it at some time of his own.
        var sent = now.AddHours(2).AddHours(-23).ToString("yyyy-MM-dd'T'HH:mm:ss.f", CultureInfo.InvariantCulture) + "+02:00";
        string late = At(now.AddHours(-25)), later = At(now.AddDays(-400)), ahead = At(now.AddMinutes(7)), soon = At(now.AddMinutes(3));
        using var answer = await gateway.PostAsync(Documents.Json(Event(1, sent), Event(2, later), Event(3, late), Event(4, soon), Event(5, ahead)));
        await gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(10));
        var waited = await gateway.ProcessAsync();
        Assert.Equal(maxBytesAtOnce == "0", waited);

        Assert.Equal($"GW-CAP-18 warning 1 : 2, {later} | GW-CAP-19 warning 4 : 1, {ahead}", await gateway.Database.ScalarAsync<string>(Found));
        Assert.Equal("accepted 5", await gateway.Database.ScalarAsync<string>("select state || ' ' || event_count from capture"));

        var (received, recorded) = (await gateway.Database.ScalarAsync<DateTime>("select received_at from document"), await gateway.Database.ScalarAsync<DateTime>("select distinct record_time from event"));
        Assert.Equal(waited, recorded - received > TimeSpan.FromMinutes(9));
        var told = await HistoryAsync(gateway, 1);
        Assert.Equal((sent, "+02:00", false), (told.GetProperty("eventTimeSent").GetString(), told.GetProperty("eventTimeZoneOffset").GetString(), told.GetProperty("late").GetBoolean()));
        Assert.Equal(DateTimeOffset.Parse(sent, CultureInfo.InvariantCulture).UtcDateTime, told.GetProperty("eventTime").GetDateTime());
        Assert.Equal((received, recorded), (told.GetProperty("receivedTime").GetDateTime(), told.GetProperty("recordTime").GetDateTime()));
        Assert.Equal([true, true, false, false], new[] { await HistoryAsync(gateway, 2), await HistoryAsync(gateway, 3), await HistoryAsync(gateway, 4), await HistoryAsync(gateway, 5) }.Select(e => e.GetProperty("late").GetBoolean()));
    }

    private static string At(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.f'Z'", CultureInfo.InvariantCulture);

    private static string Event(int n, string time) => $$"""
        {"type":"ObjectEvent","eventTime":"{{time}}","recordTime":"2020-01-01T00:00:00Z","eventTimeZoneOffset":"+02:00","epcList":["urn:epc:id:sgtin:4012345.011111.{{n}}"],"action":"OBSERVE","bizStep":"inspecting"}
        """;

    private static async Task<JsonElement> HistoryAsync(CaptureGateway gateway, int n) =>
        Assert.Single((await gateway.GetAsync($"/api/units/history?epc=urn:epc:id:sgtin:4012345.011111.{n}")).GetProperty("items").EnumerateArray());
}
