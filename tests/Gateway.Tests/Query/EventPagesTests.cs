using System.Net;
using System.Text.Json;
using Gateway.Http;
using Gateway.Tests.Capture;
using Npgsql;

namespace Gateway.Tests.Query;

public sealed class EventPagesTests
{
    [Fact]
    public async Task A_reader_paging_while_writers_commit_out_of_order_misses_nothing()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        await InsertAsync(gateway, 10, 11);
        await using var early = await BeginAsync(gateway);
        await InsertAsync(gateway, early, 20, 21); // the lower ids, committed last
        await using var late = await BeginAsync(gateway);
        await InsertAsync(gateway, late, 30, 31, 32);
        await late.Transaction.CommitAsync(TestContext.Current.CancellationToken);

        var (seen, next) = await PageAsync(gateway, "/events?perPage=3");
        Assert.Equal([10, 11, 30], seen);
        await early.Transaction.CommitAsync(TestContext.Current.CancellationToken);
        while (next is not null)
        {
            (var more, next) = await PageAsync(gateway, next);
            seen.AddRange(more);
        }
        Assert.Equal([10, 11, 30, 31, 32, 20, 21], seen);
    }

    [Fact]
    public async Task What_is_committed_at_once_is_seen_though_an_older_writer_is_still_busy()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        await using var early = await BeginAsync(gateway);
        await InsertAsync(gateway, early, 20);
        await InsertAsync(gateway, 30);
        Assert.Equal([30], (await PageAsync(gateway, "/events")).Seen);
    }

    [Fact]
    public async Task A_token_keeps_its_filters_and_expires()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        await InsertAsync(gateway, 1, 2, 3, 4);
        await gateway.Database.ExecuteAsync("update event set event_type = 'AggregationEvent' where event_id in (2, 3)");
        using var first = await gateway.Client.GetAsync("/events?perPage=1&eventType=AggregationEvent", TestContext.Current.CancellationToken);
        var link = first.Headers.GetValues("Link").Single().Split('<', '>')[1];
        var token = link[(link.IndexOf("nextPageToken=", StringComparison.Ordinal) + 14)..];
        Assert.True(DateTimeOffset.Parse(first.Headers.GetValues("GS1-Next-Page-Token-Expires").Single(), System.Globalization.CultureInfo.InvariantCulture) > DateTimeOffset.UtcNow.AddHours(23));

        Assert.Equal([3], (await PageAsync(gateway, link)).Seen);
        Assert.Equal([3], (await PageAsync(gateway, "/events?nextPageToken=" + token)).Seen);
        await RefusedAsync(gateway, "/events?eventType=ObjectEvent&nextPageToken=" + token);
        await gateway.Database.AdvanceAsync(TimeSpan.FromHours(25));
        await RefusedAsync(gateway, link);
    }

    [Fact]
    public async Task A_token_of_somebody_elses_making_is_refused()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        foreach (var token in new[] { "17", "!", "AAAA", PageToken.Seal("17"), PageToken.Seal("{}"), PageToken.Seal("null"), Sealed("1"), Sealed("5:4:"), Sealed("1:9:8,7"), Sealed("0:0:"), Sealed("1:9:x"), PageToken.Seal(JsonSerializer.Serialize(new { Query = "?EQ_colour=red", After = 0, Expires = long.MaxValue })) })
        {
            using var answer = await gateway.Client.GetAsync("/events?nextPageToken=" + Uri.EscapeDataString(token), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        }
        await RefusedAsync(gateway, "/events?nextPageToken=" + Sealed("5:4:"));

        static string Sealed(string snapshot) => PageToken.Seal(JsonSerializer.Serialize(new { Query = "", Seen = snapshot, Current = (string?)null, After = 0, Expires = long.MaxValue }));
    }

    private static async Task RefusedAsync(CaptureGateway gateway, string path)
    {
        using var answer = await gateway.Client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("GW-QRY-01", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static async Task<(List<long> Seen, string? Next)> PageAsync(CaptureGateway gateway, string path)
    {
        using var answer = await gateway.Client.GetAsync(path, TestContext.Current.CancellationToken);
        var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
        var events = body.GetProperty("epcisBody").GetProperty("queryResults").GetProperty("resultsBody").GetProperty("eventList");
        return ([.. events.EnumerateArray().Select(e => e.GetProperty("n").GetInt64())], answer.Headers.TryGetValues("Link", out var links) ? links.Single().Split('<', '>')[1] : null);
    }

    private static async Task<Writer> BeginAsync(CaptureGateway gateway)
    {
        var connection = new NpgsqlConnection(gateway.Database.AdministratorConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return new Writer(connection, await connection.BeginTransactionAsync(TestContext.Current.CancellationToken));
    }

    private static async Task InsertAsync(CaptureGateway gateway, params long[] ids)
    {
        await using var writer = await BeginAsync(gateway);
        await InsertAsync(gateway, writer, ids);
        await writer.Transaction.CommitAsync(TestContext.Current.CancellationToken);
    }

    private static async Task InsertAsync(CaptureGateway gateway, Writer writer, params long[] ids)
    {
        gateway.Database.HasEventsOrUnitsByHand = true;
        var party = await gateway.Database.ScalarAsync<int>("select party_id from party where name = 'First CMO'");
        await using var insert = new NpgsqlCommand("""
            insert into event_y2026 (event_id, period, party_id, event_type, event_time, record_time, body)
            select n, 2026, $2, 'ObjectEvent', now(), now(), format('{"n":%s}', n) from unnest($1) n
            """, writer.Connection, writer.Transaction) { Parameters = { new() { Value = ids }, new() { Value = party } } };
        await insert.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private sealed record Writer(NpgsqlConnection Connection, NpgsqlTransaction Transaction) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Transaction.DisposeAsync();
            await Connection.DisposeAsync();
        }
    }
}
