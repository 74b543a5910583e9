using System.Net.Http.Headers;
using System.Text;
using Gateway.TestSupport;

namespace Gateway.Journeys.Faults;

/// <summary>A host is killed while it decides a document that leaves something for a person: decision and exception stay both, or neither.</summary>
public sealed class ExceptionKillTests
{
    private const int Gate = 4711;

    [Theory]
    [InlineData("before the exception is written", "before insert on exception for each row", "refused", "EPCIS-AGG-01")]
    [InlineData("when all is written and nothing is committed", "after insert on exception deferrable initially deferred for each row", "refused", "EPCIS-AGG-01")]
    [InlineData("when all is written and nothing is committed", "after insert on exception deferrable initially deferred for each row", "accepted", "GW-EVT-02")]
    public async Task Killed_while_it_decides_a_host_leaves_neither_and_the_next_writes_both(string when, string timing, string decided, string code)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await TestDatabase.CreateAsync();
        var keys = await TestGateway.MakeKeysAsync(database);
        var data = Directory.CreateTempSubdirectory("gateway-child-");
        // In two steps: decided at once, a killed document was never acknowledged, and its sender repeats it.
        await using var host = await ChildHost.StartAsync(database.AdministratorConnectionString, data.FullName, ("Capture__MaxBytesAtOnce", "0"), ("Capture__Lease", "00:00:03"), ("Capture__MaxAttempts", "10"));
        using var cmo = new HttpClient { BaseAddress = host.Url };
        cmo.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", keys["cmo"]);
        await PostAsync(cmo, Event("urn:x:1", 1), ct);
        await Eventually.TrueAsync(async () => await database.ScalarAsync<long>("select count(*) from capture where state = 'accepted'") == 1);

        // Whoever writes an exception waits at a gate that the test holds.
        await database.ExecuteAsync($"""
            create function wait_at_gate() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock({Gate}); return new; end $$;
            create {(timing.StartsWith("after", StringComparison.Ordinal) ? "constraint " : "")}trigger gate {timing} execute function wait_at_gate()
            """);
        await using var holder = new Npgsql.NpgsqlConnection(database.AdministratorConnectionString);
        await holder.OpenAsync(ct);
        await using (var hold = new Npgsql.NpgsqlCommand($"select pg_advisory_lock({Gate})", holder))
        {
            await hold.ExecuteNonQueryAsync(ct);
        }
        await PostAsync(cmo, code == "GW-EVT-02" ? Event("urn:x:1", 2) : Parentless, ct);
        await Eventually.TrueAsync(async () => await database.ScalarAsync<long>("select count(*) from pg_locks where locktype = 'advisory' and not granted") == 1);
        await host.KillAsync();
        // What the dead host asked for last must not be done for it.
        await database.ExecuteAsync("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and not granted");
        await Eventually.TrueAsync(async () => await database.ScalarAsync<long>("select count(*) from pg_locks where locktype = 'advisory' and not granted") == 0);
        Assert.Equal((when, 0L), (when, await database.ScalarAsync<long>("select count(*) from exception")));
        Assert.Equal("processing", await LastAsync(database));
        Assert.Equal(0L, await database.ScalarAsync<long>("select count(*) from finding where code <> 'unit.waiting'"));

        await holder.CloseAsync();
        await database.ExecuteAsync("drop trigger gate on exception; update capture set lease_until = now() where state = 'processing'");
        await host.StartAgainAsync();
        await Eventually.TrueAsync(async () => await LastAsync(database) == decided);
        Assert.Equal($"{code} 1", await database.ScalarAsync<string>("select string_agg(code || ' ' || occurrences, ', ') from exception"));
        Assert.Equal(1L, await database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'exception'"));
        data.Delete(recursive: true);
    }

    private const string Parentless = """
        {"type":"AggregationEvent","eventTime":"2026-03-01T10:00:00Z","eventTimeZoneOffset":"+00:00","childEPCs":["urn:epc:id:sgtin:4012345.011111.77"],"action":"ADD","bizStep":"packing"}
        """;

    private static string Event(string id, int serial) => $$"""
        {"type":"ObjectEvent","eventID":"{{id}}","eventTime":"2026-03-01T10:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["urn:epc:id:sgtin:4012345.011111.{{serial}}"],"action":"OBSERVE","bizStep":"shipping"}
        """;

    private static async Task PostAsync(HttpClient http, string e, CancellationToken ct)
    {
        using var content = new StringContent($$"""
            {"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-01T10:00:00Z","epcisBody":{"eventList":[{{e}}] } }
            """, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync("capture", content, ct);
        Assert.Equal(System.Net.HttpStatusCode.Accepted, answer.StatusCode);
    }

    private static Task<string> LastAsync(TestDatabase database) => database.ScalarAsync<string>("select state from capture order by capture_id desc limit 1");
}
