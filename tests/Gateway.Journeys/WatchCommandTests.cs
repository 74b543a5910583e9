using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Gateway.Host.Simulate;

namespace Gateway.Journeys;

/// <summary>Deliveries followed on the command line.</summary>
public sealed class WatchCommandTests
{
    private static readonly SimulatedParty Owner = SimulatedParty.AtOneAddress("9521234000105", 7, "Owner"), Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_line_is_written_for_what_is_new_and_for_nothing_that_stood_before_until_it_is_interrupted()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "well/buyer");
        await ShipAsync(gateway, 1);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'delivered'") == 1);

        using var watch = Start("--url", gateway.Url.AbsoluteUri, "--key", gateway.Keys["officer"], "--json");
        Assert.Contains("Following", await watch.StandardError.ReadLineAsync(Ct), StringComparison.Ordinal);
        await ShipAsync(gateway, 2);
        JsonElement told;
        do
        {
            using var line = JsonDocument.Parse((await watch.StandardOutput.ReadLineAsync(Ct))!);
            told = line.RootElement.Clone();
            Assert.Equal(2, told.GetProperty("id").GetInt64());
        }
        while (told.GetProperty("shown").GetString() != "delivered");
        await InterruptAsync(watch);
    }

    [Fact]
    public async Task More_than_a_page_is_followed_and_what_a_partner_tells_late()
    {
        const int Many = 450;
        await using var gateway = await TestGateway.StartAsync();
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "well/buyer");
        await gateway.AddPartnerAsync(Owner.Owner.Gln, "well/owner");
        var asTest = "do $$ begin perform set_config('app.actor', 'test', false); end $$; ";
        await gateway.Database.ExecuteAsync($"""
            {asTest} update partner set state = 'paused', pause_reason = 'test';
            with d as (insert into document (party_id, sha256, length, media_type, received_at) select 1, sha256(convert_to('watched ' || n, 'UTF8')), length('watched ' || n), 'application/xml', gateway_now() from generate_series(1, {Many}) n returning document_id),
                 c as (insert into document_chunk select document_id, 1, 0, convert_to('watched ' || row_number() over (order by document_id), 'UTF8') from d)
            insert into delivery (party_id, document_id, partner_id, message_id, ordering, state, due_at, created_at, give_up_at)
            select p.party_id, d.document_id, p.partner_id, gen_random_uuid(), 'lane ' || d.document_id, 'due', gateway_now(), gateway_now(), gateway_now() + interval '7 days' from d cross join partner p where p.partner_id = 1;
            update delivery set state = 'delivered', finished_at = gateway_now() - interval '2 days', accepted_at = gateway_now() - interval '2 days', receipt = 'pending', due_at = gateway_now() + interval '90 days' where delivery_id = 1
            """);
        using var watch = Start("--url", gateway.Url.AbsoluteUri, "--key", gateway.Keys["officer"], "--json");
        Assert.Contains("Following", await watch.StandardError.ReadLineAsync(Ct), StringComparison.Ordinal);

        // The oldest that wait, with more than two pages after them.
        await gateway.Database.ExecuteAsync("update delivery set receipt = 'received' where delivery_id = 1; update delivery set attempts = 1 where delivery_id = 2");
        Assert.Equal([(1, "delivered"), (2, "held")], [await NextAsync(watch), await NextAsync(watch)]);

        // And as many that end between two looks.
        await gateway.Database.ExecuteAsync("update delivery set state = 'delivered', finished_at = gateway_now(), accepted_at = gateway_now() where state = 'due'");
        var told = new List<(long, string)>();
        while (told.Count < Many - 1)
        {
            told.Add(await NextAsync(watch));
        }
        Assert.Equal(Enumerable.Range(2, Many - 1).Select(n => ((long)n, "delivered")), told);
        await InterruptAsync(watch);
    }

    private static async Task<(long Id, string Shown)> NextAsync(Process watch)
    {
        using var line = JsonDocument.Parse((await watch.StandardOutput.ReadLineAsync(Ct).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Ct))!);
        return (line.RootElement.GetProperty("id").GetInt64(), line.RootElement.GetProperty("shown").GetString()!);
    }

    private static async Task InterruptAsync(Process watch)
    {
        using var signal = Process.Start("kill", ["-INT", watch.Id.ToString(CultureInfo.InvariantCulture)]);
        await signal.WaitForExitAsync(Ct);
        await watch.WaitForExitAsync(Ct).WaitAsync(TimeSpan.FromSeconds(60), Ct); // never, where whoever started us ignores the signal
        Assert.Equal(0, watch.ExitCode);
    }

    [Theory]
    [InlineData("does not know this key", "--key", "gwt_none.none")]
    [InlineData("may not read deliveries", "--key", "cmo")]
    [InlineData("no partner with the GLN", "--key", "officer", "--partner", "9521234000303")]
    [InlineData("is an address", "--key", "officer", "--url", "here")]
    public async Task What_cannot_be_followed_is_said_in_a_sentence(string sentence, params string[] options)
    {
        await using var gateway = await TestGateway.StartAsync();
        string[] given = [.. options.Select(o => gateway.Keys.GetValueOrDefault(o, o)), .. options.Contains("--url") ? Array.Empty<string>() : ["--url", gateway.Url.AbsoluteUri]];
        using var watch = Start(given);
        var errors = await watch.StandardError.ReadToEndAsync(Ct);
        await watch.WaitForExitAsync(Ct);
        Assert.Contains(sentence, errors, StringComparison.Ordinal);
        Assert.Equal(2, watch.ExitCode);
    }

    private static async Task ShipAsync(TestGateway gateway, int sequence)
    {
        using var answer = await gateway.CaptureAsync(new ShipmentGenerator(31).Xml(new ShipmentPlan(sequence, Owner, Buyer, new DateTimeOffset(2026, 3, 1, 10, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2028, 1, 31))));
        answer.EnsureSuccessStatusCode();
    }

    private static Process Start(params string[] options)
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (IEnumerable<string>)[Path.Combine(AppContext.BaseDirectory, "Gateway.Host.dll"), "watch", .. options])
        {
            info.ArgumentList.Add(argument);
        }
        return Process.Start(info)!;
    }
}
