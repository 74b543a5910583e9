using System.Globalization;
using System.Net.Http.Headers;
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

    /// <summary>What the contract manufacturer's key may send: the owner's goods. From which of the owner's sites is left open, so that the samples can be tried.</summary>
    public static KeyScope CmoScope { get; } = KeyScope.Of([SimulatedProduct.Default.CompanyPrefix], [])!;

    /// <summary>Registers the partners, or tells them where this run's simulator listens.</summary>
    /// <param name="folders">Below which those stand that take files.</param>
    public async Task PreparePartnersAsync(PartnerSimulator simulator, DemonstrationFolders folders, CancellationToken ct)
    {
        using var http = new HttpClient { BaseAddress = gateway };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", adminKey);
        foreach (var partner in DemonstrationCast.Partners)
        {
            var url = partner.Channel == DemonstrationCast.Folder ? new Uri(folders.Outgoing(partner)) : new Uri(partner.Past == PastManner.Expired ? simulator.ExpiredAddress : simulator.BaseAddress, partner.Path);
            if (!await DemonstrationPartners.AddAsync(http, partner, url, ct))
            {
                await MoveAsync(partner.Party.Owner.Gln, url, ct);
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

    /// <summary>A document about every two seconds, until cancelled. What is refused is corrected, and then settled as a person would.</summary>
    public async Task ShipAsync(CancellationToken ct)
    {
        var options = new CmoSimulatorOptions(gateway, cmoKey, Seed, DemonstrationCast.Shippers[0])
        {
            Partners = [.. DemonstrationCast.Partners.Where(p => p.IsShippedTo).Select(p => p.Party)],
            FirstSequence = await NextSequenceAsync(ct),
            RefusedEvery = 150,
            CorrectAfter = 15,
            Corrected = SettleAsync,
        };
        using var http = new HttpClient();
        await new CmoSimulator(http, options, TimeProvider.System).RunAsync(ct);
    }

    private async Task SettleAsync(string key, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("demonstration") with { Reason = "the sender has corrected its document" }, ct);
        await DemonstrationHistory.SettleAsync(work, key);
        await work.CommitAsync();
    }

    /// <summary>
    /// Once, a document with goods of somebody else for whom the manufacturer packs too: it is refused, and a person has to look. At
    /// the next start its key names the first one, and nothing is stored.
    /// </summary>
    public async Task SendForeignAsync(CancellationToken ct)
    {
        var plan = new ShipmentPlan(1, DemonstrationCast.Shippers[0], DemonstrationCast.Partners[0].Party, DateTimeOffset.UtcNow, "FOREIGN1", new DateOnly(2029, 1, 31))
        {
            Product = SimulatedProduct.Default with { CompanyPrefix = "9526543", Name = "Goods of another owner" },
        };
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway, "/capture")) { Content = new ByteArrayContent(new ShipmentGenerator(Seed + 1).Xml(plan)) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", cmoKey);
        request.Headers.Add("Idempotency-Key", string.Create(CultureInfo.InvariantCulture, $"foreign-{Seed}"));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
        using var answer = await http.SendAsync(request, ct);
    }

    // Identifiers follow from the sequence, so it goes on where the history or the last run ended.
    private async Task<long> NextSequenceAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("demonstration"), ct);
        return await work.Connection.ExecuteScalarAsync<long>(
            "select coalesce(max(split_part(key, '-', 3)::bigint), 0) + 1 from idempotency where key ~ @ours", new { ours = $"^(cmo|history)-{Seed}-[0-9]{{1,18}}$" }, work.Transaction);
    }
}
