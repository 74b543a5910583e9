using Gateway.Delivery;
using Gateway.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Delivery;

/// <summary>The bounds of one request to a partner: where it may go, how long it lasts, how much is read.</summary>
public sealed class OutgoingTests
{
    private const string Last = "select concat_ws(' ', code, verdict) from attempt order by number desc limit 1";

    [Fact]
    public async Task A_port_that_is_not_allowed_is_not_called()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(200));
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 1, 1);
        await Outbox.TurnAsync(outbox.Node(("AllowPrivateAddresses", "false")));
        Assert.Equal("port-not-allowed ours", await outbox.Database.ScalarAsync<string>(Last));
        Assert.Empty(partner.Arrivals);
    }

    [Fact]
    public async Task A_private_network_opened_for_one_partner_stays_closed_to_another_at_the_same_address()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var listener = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(200));
        var node = outbox.Node(("AllowPrivateAddresses", "false"), ("AllowedPorts:0", new Uri(listener.Url).Port.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        var (trusted, other) = (await outbox.AddPartnerAsync(listener.Url), await outbox.AddPartnerAsync(listener.Url));
        await outbox.Database.ExecuteAsync($"select set_config('app.actor', 'test', false); update partner set private_ranges = '10.0.0.0/8 127.0.0.0/8' where partner_id = {trusted}");
        await outbox.AddAsync(trusted, 1, 1);
        await Outbox.TurnAsync(node, trusted);
        Assert.Equal("ok ok", await outbox.Database.ScalarAsync<string>(Last));
        await outbox.AddAsync(other, 1, 1);
        await Outbox.TurnAsync(node, other); // the connection is still open, and not this partner's
        Assert.Equal("private-address ours", await outbox.Database.ScalarAsync<string>("select concat_ws(' ', code, verdict) from attempt where delivery_id = 2"));
        Assert.Single(listener.Arrivals);
    }

    [Theory]
    [InlineData("10.1.0.0/16", true)]
    [InlineData("192.168.7.0/24", true)]
    [InlineData("fd00:1::/32", true)]
    [InlineData("0.0.0.0/0", false)]
    [InlineData("10.0.0.0/7", false)]
    [InlineData("127.0.0.0/8", false)]
    [InlineData("169.254.0.0/16", false)]
    [InlineData("8.8.8.0/24", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("everywhere", false)]
    public void Only_a_network_of_the_organisation_can_be_opened_for_a_partner(string range, bool allowed) => Assert.Equal(allowed, PublicAddress.RefuseRange(range) is null);

    [Theory]
    [InlineData("https://example.org/in", true)]
    [InlineData("https://example.org:8443/in", false)]
    [InlineData("https://10.1.2.3/in", true)]
    [InlineData("https://10.2.2.3/in", false)]
    [InlineData("https://user@example.org/in", false)]
    [InlineData("http://example.org/in", false)]
    public void A_partners_address_is_checked_when_it_is_set(string url, bool allowed) => Assert.Equal(allowed, PublicAddress.Refuse(url, allowPrivate: false, [], ["10.1.0.0/16"]) is null);

    [Fact]
    public async Task An_answer_whose_body_never_ends_is_cut_off_as_a_whole()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var partner = await ScriptedPartner.StartAsync(async (context, _) =>
        {
            await context.Response.WriteAsync("begun");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return 200;
        });
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 1, 1);
        await Outbox.TurnAsync(outbox.Node(("AttemptTimeout", "00:00:00.5")));
        Assert.Equal("timeout network", await outbox.Database.ScalarAsync<string>(Last));
    }

    [Fact]
    public async Task An_answer_that_is_cut_within_a_character_is_recorded_like_any_other()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var partner = await ScriptedPartner.StartAsync(async (context, _) =>
        {
            await context.Response.WriteAsync(new string('a', 4095) + "\U0001F48A");
            return 200;
        });
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 1, 1);
        await Outbox.TurnAsync(outbox.Node());
        Assert.Equal("ok ok", await outbox.Database.ScalarAsync<string>(Last));
        Assert.Equal(4095, await outbox.Database.ScalarAsync<int>("select length(response) from attempt"));
    }

    [Fact]
    public async Task Of_a_huge_answer_no_more_is_read_than_the_bound()
    {
        await using var outbox = await Outbox.CreateAsync();
        var written = 0L;
        await using var partner = await ScriptedPartner.StartAsync(async (context, _) =>
        {
            var block = new byte[64 * 1024];
            try
            {
                for (; written < 1L << 30; written += block.Length)
                {
                    await context.Response.Body.WriteAsync(block, context.RequestAborted);
                    await Task.Delay(1, context.RequestAborted); // what is written after the gateway has gone counts for nothing
                }
            }
            catch (OperationCanceledException)
            {
                // The gateway has read enough.
            }
            return 200;
        });
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 1, 1);
        await Outbox.TurnAsync(outbox.Node());
        Assert.Equal("ok ok", await outbox.Database.ScalarAsync<string>(Last));
        Assert.True(written < 1L << 28, $"{written} bytes were taken."); // the bound, and what sockets hold between
        Assert.True(await outbox.Database.ScalarAsync<int>("select length(response) from attempt") <= 4096);
    }

    [Theory]
    [InlineData("MaxInFlightPerPartner", "9")]
    [InlineData("AllowedPorts:0", "0")]
    [InlineData("LeaseTime", "00:00:01")]
    [InlineData("ReceiptOverdueAfter", "00:00:10")]
    public async Task A_setting_out_of_its_bounds_is_refused_at_start(string name, string value)
    {
        await using var outbox = await Outbox.CreateAsync();
        var node = outbox.Node((name, value));
        Assert.Throws<OptionsValidationException>(() => node.GetRequiredService<IOptions<DeliveryOptions>>().Value);
    }
}
