using System.Net;
using Dapper;
using Gateway.Access;
using Gateway.Query;
using Gateway.Tests.Capture;
using Microsoft.Extensions.Primitives;

namespace Gateway.Tests.Query;

public sealed class EpcMatchTests
{
    private const string Sgtin = "urn:epc:id:sgtin:4012345.011111.";
    private const string Link = "https://id.gs1.org/01/04012345111118/21/";

    /// <summary>What an event names, by its letter.</summary>
    private static readonly string[] s_objects =
    [
        $"\"epcList\":[\"{Sgtin}1\"]", // a
        "\"epcList\":[\"https://example.com/x/01/04012345111118/21/2\"]", // b: stored as a link, its prefix length unknown
        "\"epcList\":[\"urn:epc:id:sgtin:4012345.011112.1\"]", // c: another reference
        "\"epcList\":[\"urn:epc:id:sgtin:40123450.01111.1\"]", // d: the digits of a, another prefix
        "\"epcList\":[\"urn:epc:id:sscc:4012345.0000000001\"]", // e
        "\"quantityList\":[{\"epcClass\":\"urn:epc:idpat:sgtin:4012345.011111.*\",\"quantity\":3}]", // f
        "\"quantityList\":[{\"epcClass\":\"urn:epc:class:lgtin:4012345.011111.L1\",\"quantity\":3}]", // g
        $"\"epcList\":[\"{Sgtin}1%2F2\"]", // h
        $"\"parentID\":\"urn:epc:id:sscc:4012345.0000000002\",\"childEPCs\":[\"{Sgtin}3\"]", // i
        $"\"epcList\":[\"{Sgtin}7.8\",\"{Sgtin}7.9\"]", // j: serial numbers with a dot
        "\"epcList\":[\"urn:epc:id:itip:4012345.011111.01.02.7.8\"]", // k
        "\"epcList\":[\"https://id.gs1.org/8003/04012345011111ABC\",\"urn:epc:id:sscc:4012345.0000000003\"]", // l: the serial number follows the key at once
    ];

    [Fact]
    public async Task Values_and_patterns_find_what_they_name_in_whichever_spelling_it_is_stored()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        var events = s_objects.Select((o, i) => $$"""
            {"type":"{{(o.Contains("parentID", StringComparison.Ordinal) ? "Aggregation" : "Object")}}Event","eventID":"urn:uuid:{{(char)('a' + i)}}","eventTime":"2026-03-01T10:00:00Z","eventTimeZoneOffset":"+00:00",{{o}},"action":"OBSERVE","bizStep":"shipping"}
            """);
        using var accepted = await gateway.PostAsync(Documents.Json([.. events]));
        await gateway.ProcessAsync();

        // What is read in the renderings is what is looked up, in the same spellings.
        Assert.Equal(1, await gateway.Database.ScalarAsync<long>("select count(*) from event where keys is not null"));
        Assert.Equal("15 and 15 alike", await gateway.Database.ScalarAsync<string>("""
            select (select count(*) from event_epc) || ' and ' || count(*) || case when bool_and(x.epc is not null) then ' alike' end
            from event e cross join lateral event_things(e.body, e.keys) t left join event_epc x on x.event_id = e.event_id and x.role = t.role and x.epc = t.epc
            """));

        var wrong = new List<string>();
        foreach (var (query, expected) in new (string, string)[]
        {
            ($"MATCH_epc={Sgtin}1", "a"),
            ($"MATCH_epc={Link}1", "a"),
            ("MATCH_epc=(01)04012345111118(21)1", "a"),
            ("MATCH_epc=010401234511111821" + "1", "a"),
            ($"MATCH_epc={Sgtin}2", "b"),
            ($"MATCH_epc={Link}2|{Sgtin}3", "bi"),
            ("MATCH_epc=urn:epc:idpat:sgtin:4012345.011111.*", "abhij"),
            ("MATCH_epc=urn:epc:idpat:sgtin:4012345.*.*", "achij"),
            ("MATCH_epc=urn:epc:idpat:sgtin:*.*.*", "acdhij"),
            ("MATCH_epc=urn:epc:idpat:sscc:4012345.*", "el"),
            ("MATCH_anyEPC=urn:epc:idpat:sscc:4012345.*", "eil"),
            ("MATCH_parentID=urn:epc:idpat:sscc:4012345.*", "i"),
            ("MATCH_anyEPC=urn:epc:idpat:sscc:4012345.*|urn:epc:idpat:sgtin:4012345.011112.*", "ceil"),
            ($"MATCH_epc={Sgtin}1%252F2", "h"),
            ($"MATCH_epc={Sgtin}7.9", "j"),
            ("MATCH_epc=urn:epc:idpat:itip:4012345.011111.01.02.*", "k"),
            ("MATCH_epc=urn:epc:idpat:itip:4012345.011111.01.*.*", "k"),
            ("MATCH_epc=urn:epc:idpat:itip:4012345.011111.02.*.*", ""),
            ("MATCH_epc=urn:epc:idpat:itip:*.*.*.*.*", "k"),
            ("MATCH_epc=urn:epc:idpat:grai:4012345.01111.*", "l"),
            ("MATCH_epc=urn:epc:idpat:grai:4012345.01112.*", ""),
            ("MATCH_epcClass=urn:epc:idpat:sgtin:4012345.011111.*", "f"),
            ("MATCH_epcClass=urn:epc:idpat:sgtin:4012345.*.*", "f"),
            ("MATCH_epcClass=urn:epc:class:lgtin:4012345.011111.L1", "g"),
            ("MATCH_epcClass=https://id.gs1.org/01/04012345111118/10/L1", "g"),
            ("MATCH_anyEPCClass=urn:epc:idpat:sgtin:4012345.011111.*|urn:epc:class:lgtin:4012345.011111.L1", "fg"),
            ("MATCH_epc=urn:epc:idpat:sgtin:4012345.011111.*&MATCH_parentID=urn:epc:id:sscc:4012345.0000000002", "i"),
        })
        {
            var found = string.Concat((await gateway.GetAsync("/events?" + query)).GetProperty("epcisBody").GetProperty("queryResults").GetProperty("resultsBody").GetProperty("eventList")
                .EnumerateArray().Select(e => e.GetProperty("eventID").GetString()![^1]));
            if (found != expected)
            {
                wrong.Add($"{query}: {found} instead of {expected}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));

        foreach (var pattern in new[] { "urn:epc:idpat:sgtin:*.011111.*", "urn:epc:idpat:sgtin:4012345.011111.[1-5]", "urn:epc:idpat:nothing:1.*", "" + Sgtin + "1||x" })
        {
            using var answer = await gateway.Client.GetAsync("/events?MATCH_epc=" + pattern, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Epcs_are_found_by_index()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        gateway.Database.HasEventsOrUnitsByHand = true;
        // Fifty products, of which the one asked for is one; the partitions of other years are empty.
        await gateway.Database.ExecuteAsync("""
            insert into event_y2026 (event_id, period, party_id, event_type, event_time, record_time, body)
            select n, 2026, 1, 'ObjectEvent', now(), now(), '{}' from generate_series(1, 40000) n;
            insert into event_epc_y2026 (event_id, party_id, period, role, epc)
            select n, 1, 2026, 1, case when n % 50 = 0 then 'urn:epc:id:sgtin:4012345.011111.' || n else 'urn:epc:id:sgtin:' || 5000000 + n % 50 || '.011111.' || n end from generate_series(1, 40000) n;
            insert into event_class_y2026 (event_id, party_id, period, role, class)
            select n, 1, 2026, 1, case when n % 50 = 0 then 'urn:epc:id:sgtin:4012345.011111' else 'urn:epc:id:sgtin:' || 5000000 + n % 50 || '.011111' end from generate_series(1, 40000) n;
            analyze event_y2026; analyze event_epc_y2026; analyze event_class_y2026;
            """);
        foreach (var (name, value) in new[]
        {
            ("MATCH_epc", Sgtin + "17"),
            ("MATCH_anyEPC", Link + "17"),
            ("MATCH_anyEPC", "urn:epc:idpat:sgtin:4012345.011111.*"),
            ("MATCH_epc", "urn:epc:idpat:sgtin:4012345.*.*"),
            ("MATCH_epc", "urn:epc:idpat:sscc:*.*"),
        })
        {
            Assert.Null(EventFilter.Read([KeyValuePair.Create(name, new StringValues(value))], out var filter));
            await using var work = await gateway.Database.Gateway.BeginAsync(Actor.System("test") with { PartyId = 1, Sees = "1" }, TestContext.Current.CancellationToken);
            filter.Values.Add("after", 0L);
            filter.Values.Add("current", await work.Connection.ExecuteScalarAsync<string>("select pg_current_snapshot()::text", transaction: work.Transaction));
            filter.Values.Add("limit", 31);
            var plan = string.Join("\n", await work.Connection.QueryAsync<string>("explain " + EventPages.PageSql(filter.Where, isSince: false), filter.Values, work.Transaction));
            Assert.Contains(value.Contains("idpat", StringComparison.Ordinal) ? "event_class_y2026" : "event_epc_y2026", plan, StringComparison.Ordinal);
            Assert.False(System.Text.RegularExpressions.Regex.IsMatch(plan, "Seq Scan on event_(epc_|class_)?y2026"), $"{value}\n{plan}");
        }
    }
}
