using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Dapper;
using Gateway.Access;
using Gateway.Host.Simulate;
using Npgsql;

namespace Gateway.Host;

/// <summary>The people and machines around the demonstration: a contract manufacturer that ships and five partners with their manners.</summary>
public sealed class DemonstrationPlant(RunningDatabase database, Uri gateway, string adminKey, string cmoKey)
{
    private const int Seed = 20261120;
    private const int DocumentsPerHour = 6;

    private static readonly SimulatedParty Manufacturer = SimulatedParty.AtOneAddress("9521234000105", 7, "Demonstration Pharma");

    // The manner is the path of the simulated endpoint.
    private static readonly (string Manner, string Kind, SimulatedParty Party)[] Partners =
    [
        ("well/north", "https", SimulatedParty.AtOneAddress("9521234000204", 7, "Northern Wholesale (always well)")),
        ("fails-twice", "https", SimulatedParty.AtOneAddress("9521234000303", 7, "Eastern Wholesale (fails twice)")),
        ("slow", "https", SimulatedParty.AtOneAddress("9521234000402", 7, "Southern Wholesale (slow)")),
        ("refuses", "https", SimulatedParty.AtOneAddress("9521234000501", 7, "Western Wholesale (refuses)")),
        ("silent", "https", SimulatedParty.AtOneAddress("9521234000600", 7, "Island Pharmacies (silent)")),
        ("epcis/capture", "epcis", SimulatedParty.AtOneAddress("9521234000617", 7, "City Hospitals (EPCIS capture)")),
    ];

    /// <summary>The GLN of the partner whose key the demonstration shows.</summary>
    public static string ShownPartner => Partners[0].Party.Owner.Gln;

    /// <summary>Registers the partners, or tells them where this run's simulator listens.</summary>
    public async Task PreparePartnersAsync(PartnerSimulator simulator, CancellationToken ct)
    {
        using var http = new HttpClient { BaseAddress = gateway };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", adminKey);
        foreach (var (manner, kind, party) in Partners)
        {
            var url = new Uri(simulator.BaseAddress, manner);
            using var answer = await http.PostAsJsonAsync("api/partners", new { gln = party.Owner.Gln, name = party.Owner.Name, format = "1.2-xml", channel = new { kind, url } }, ct);
            if (answer.StatusCode == HttpStatusCode.Conflict)
            {
                await using var work = await database.Gateway.BeginAsync(Actor.System("demonstration") with { Reason = "the simulator listens on another port" }, ct);
                await work.Connection.ExecuteAsync(
                    "update partner set url = @url from partner_gln g where g.partner_id = partner.partner_id and g.gln = @gln and url <> @url",
                    new { url = url.ToString(), gln = party.Owner.Gln }, work.Transaction);
                await work.CommitAsync();
            }
            else
            {
                answer.EnsureSuccessStatusCode();
            }
        }
    }

    /// <summary>
    /// Gives a fresh demonstration its day of history by the ordinary way in: the database's clock starts a day back and moves
    /// on hour by hour. A run that was stopped meanwhile goes on where it was.
    /// </summary>
    public async Task LiveThroughYesterdayAsync(CancellationToken ct)
    {
        if (await database.ScalarAsync<bool>("select not exists (select from capture) and clock_offset = '0' from installation", ct))
        {
            await MoveClockAsync("interval '-24 hours'", ct);
        }
        while (await database.ScalarAsync<TimeSpan>("select clock_offset from installation", ct) is var offset && offset < TimeSpan.Zero)
        {
            var simulator = await CmoAsync(new FixedTime(DateTimeOffset.UtcNow + offset), ct);
            var first = await NextSequenceAsync(ct);
            for (var n = 0; n < DocumentsPerHour; n++)
            {
                // The slow and the silent partner are left out: an hour's leap would look like a crash in the middle of sending.
                var sequence = first + n;
                if (Partners[(int)(sequence % Partners.Length)].Manner is not ("slow" or "silent"))
                {
                    await simulator.SendAsync(sequence, ct);
                }
            }
            await SettleAsync(ct);
            await MoveClockAsync("least(clock_offset + interval '1 hour', '0')", ct);
        }
    }

    /// <summary>A document about every two seconds, until cancelled.</summary>
    public async Task ShipAsync(CancellationToken ct) => await (await CmoAsync(TimeProvider.System, ct)).RunAsync(ct);

    private async Task<CmoSimulator> CmoAsync(TimeProvider time, CancellationToken ct) => new(
        new HttpClient(),
        new CmoSimulatorOptions(gateway, cmoKey, Seed, Manufacturer) { Partners = [.. Partners.Select(p => p.Party)], FirstSequence = await NextSequenceAsync(ct) },
        time);

    // Identifiers follow from the sequence, so it goes on where the last run ended.
    private async Task<long> NextSequenceAsync(CancellationToken ct) =>
        await database.ScalarAsync<long>("select coalesce(max(split_part(key, '-', 3)::bigint), 0) + 1 from idempotency where key like 'cmo-%'", ct);

    // Nothing in flight: a leap of the clock would let leases expire.
    private async Task SettleAsync(CancellationToken ct)
    {
        for (var tries = 0; tries < 60; tries++)
        {
            if (await database.ScalarAsync<bool>("select not exists (select from delivery where state = 'due' and (attempts = 0 or lease_token is not null)) and not exists (select from capture where state = 'processing')", ct))
            {
                return;
            }
            await Task.Delay(50, ct);
        }
    }

    private async Task MoveClockAsync(string to, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(database.AdministratorConnectionString);
        await connection.OpenAsync(ct);
        await connection.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"update installation set clock_offset = {to}"));
    }

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
