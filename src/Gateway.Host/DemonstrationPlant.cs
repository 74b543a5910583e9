using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Host.Simulate;

namespace Gateway.Host;

/// <summary>The machines around the demonstration: a contract manufacturer that ships, and the partners.</summary>
public sealed class DemonstrationPlant(GatewayDatabase database, Uri gateway, string adminKey, string cmoKey)
{
    public const int Seed = 20261120;

    /// <summary>The GLN of the partner whose key the demonstration shows.</summary>
    public static string ShownPartner => DemonstrationCast.Partners[0].Party.Owner.Gln;

    /// <summary>Registers the partners, or tells them where this run's simulator listens.</summary>
    public async Task PreparePartnersAsync(PartnerSimulator simulator, CancellationToken ct)
    {
        using var http = new HttpClient { BaseAddress = gateway };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", adminKey);
        foreach (var partner in DemonstrationCast.Partners)
        {
            var (gln, name) = (partner.Party.Owner.Gln, partner.Party.Owner.Name);
            var url = new Uri(partner.Past == PastManner.Expired ? simulator.ExpiredAddress : simulator.BaseAddress, partner.Path);
            using var answer = await http.PostAsJsonAsync("api/partners", new { gln, name, format = "1.2-xml", channel = new { kind = partner.Channel, url } }, ct);
            if (answer.StatusCode == HttpStatusCode.Conflict)
            {
                await MoveAsync(gln, url, ct);
            }
            else
            {
                answer.EnsureSuccessStatusCode();
            }
        }
    }

    // The jobs it has not answered yet are asked for at its new address too.
    private async Task MoveAsync(string gln, Uri url, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("demonstration") with { Reason = "the simulator listens on another port" }, ct);
        await work.Connection.ExecuteAsync("""
            update partner set url = @url from partner_gln g where g.partner_id = partner.partner_id and g.gln = @gln and url <> @url;
            update delivery d set receipt_ref = @url || substring(receipt_ref from '/[^/]*$') from partner_gln g
            where g.partner_id = d.partner_id and g.gln = @gln and d.state = 'delivered' and d.receipt = 'pending'
            """, new { url = url.AbsoluteUri, gln }, work.Transaction);
        await work.CommitAsync();
    }

    /// <summary>A document about every two seconds, until cancelled.</summary>
    public async Task ShipAsync(CancellationToken ct)
    {
        var options = new CmoSimulatorOptions(gateway, cmoKey, Seed, DemonstrationCast.Shippers[0])
        {
            Partners = [.. DemonstrationCast.Partners.Where(p => p.IsShippedTo).Select(p => p.Party)],
            FirstSequence = await NextSequenceAsync(ct),
        };
        using var http = new HttpClient();
        await new CmoSimulator(http, options, TimeProvider.System).RunAsync(ct);
    }

    // Identifiers follow from the sequence, so it goes on where the history or the last run ended.
    private async Task<long> NextSequenceAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("demonstration"), ct);
        return await work.Connection.ExecuteScalarAsync<long>(
            "select coalesce(max(split_part(key, '-', 3)::bigint), 0) + 1 from idempotency where key ~ @ours", new { ours = $"^(cmo|history)-{Seed}-[0-9]{{1,18}}$" }, work.Transaction);
    }
}
