using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Delivery;

/// <summary>EPCIS 2.0 capture at the partner: taken is not yet processed.</summary>
public sealed class EpcisChannelTests
{
    private const string Running = """{"running":true,"success":true,"errors":[]}""";
    private const string Succeeded = """{"running":false,"success":true,"errors":[]}""";
    private const string Failed = """{"running":false,"success":false,"errors":[{"type":"epcisException:ValidationException","title":"GTIN 12345 is unknown"}]}""";
    private const string Shown = "select concat_ws(' ', state, dead_reason, receipt) from delivery";

    [Fact]
    public async Task A_job_of_the_partner_is_asked_for_until_it_has_succeeded()
    {
        await using var outbox = await Outbox.CreateAsync();
        var jobs = new Queue<string>([Running, "not JSON", Succeeded]);
        await using var partner = await StartAsync(() => jobs.Dequeue());
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url + "/capture", "epcis"), 1, 1);
        await Outbox.TurnAsync(node);
        var states = new List<string> { await outbox.Database.ScalarAsync<string>(Shown) };
        while (jobs.Count > 0)
        {
            await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(6));
            await Outbox.TurnAsync(node);
            states.Add(await outbox.Database.ScalarAsync<string>(Shown));
        }
        Assert.Equal(["delivered pending", "delivered pending", "delivered pending", "delivered received"], states);
        Assert.Equal(["POST", "GET", "GET", "GET"], partner.Arrivals.Select(a => a.Key.Length > 0 ? "POST" : "GET"));
    }

    [Fact]
    public async Task A_job_that_failed_needs_a_decision_and_keeps_the_partners_errors()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var partner = await StartAsync(() => Failed);
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url + "/capture", "epcis"), 1, 1);
        await Outbox.TurnAsync(node);
        await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(6));
        await Outbox.TurnAsync(node);
        Assert.Equal("dead refused negative", await outbox.Database.ScalarAsync<string>(Shown));
        Assert.Contains("GTIN 12345 is unknown", await outbox.Database.ScalarAsync<string>("select response from attempt"), StringComparison.Ordinal);
        Assert.Equal("negative ours", await outbox.Database.ScalarAsync<string>("select code || ' ' || verdict from attempt"));
    }

    [Fact]
    public async Task A_job_that_never_ends_is_shown_as_owed_and_reported_once_it_is_overdue()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var partner = await StartAsync(() => Running);
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url + "/capture", "epcis"), 1, 1);
        await Outbox.TurnAsync(node);
        await outbox.Database.AdvanceAsync(TimeSpan.FromHours(3));
        await Outbox.TurnAsync(node);
        Assert.Equal("delivered pending false", await outbox.Database.ScalarAsync<string>("select concat_ws(' ', state, receipt, receipt_overdue::text) from delivery"));
        await outbox.Database.AdvanceAsync(TimeSpan.FromHours(2));
        await Outbox.TurnAsync(node);
        Assert.Equal("delivered pending true", await outbox.Database.ScalarAsync<string>("select concat_ws(' ', state, receipt, receipt_overdue::text) from delivery"));
        Assert.True(await outbox.Database.ScalarAsync<bool>("select due_at - gateway_now() between interval '4 min' and interval '5 min' from delivery"));
    }

    [Fact]
    public async Task A_job_at_another_host_is_never_asked_for_with_our_credential()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var partner = await ScriptedPartner.StartAsync((context, _) =>
        {
            context.Response.Headers.Location = "http://127.0.0.2:9/job";
            return Task.FromResult(202);
        });
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url + "/capture", "epcis"), 1, 1);
        await Outbox.TurnAsync(node);
        Assert.Equal("due foreign-location", await outbox.Database.ScalarAsync<string>("select concat_ws(' ', state, code, receipt_ref) from delivery"));
    }

    [Fact]
    public async Task A_document_that_was_taken_is_not_sent_again_because_the_address_of_its_job_cannot_be_read()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var partner = await ScriptedPartner.StartAsync((context, _) =>
        {
            context.Response.Headers.Location = "http://[";
            return Task.FromResult(202);
        });
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url + "/capture", "epcis"), 1, 1);
        await Outbox.TurnAsync(node);
        Assert.Equal("delivered ok", await outbox.Database.ScalarAsync<string>("select concat_ws(' ', d.state, a.code) from delivery d join attempt a using (delivery_id)"));
    }

    [Fact]
    public async Task Receipts_that_time_out_open_the_breaker_too()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var partner = await ScriptedPartner.StartAsync((context, _) =>
        {
            context.Response.Headers.Location = "/job";
            return Task.FromResult(context.Request.Method == "POST" ? 202 : 503);
        });
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url + "/capture", "epcis"), 5, 1);
        await Outbox.TurnAsync(node);
        await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(6));
        await Outbox.TurnAsync(node);
        Assert.Equal(1, await outbox.Database.ScalarAsync<int>("select opened from breaker"));
        await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(6));
        Assert.Equal(1, await Outbox.TurnAsync(node)); // nothing is due, so a question is the probe
        Assert.Equal(11, partner.Arrivals.Count);
    }

    private static Task<ScriptedPartner> StartAsync(Func<string> job) => ScriptedPartner.StartAsync(async (context, _) =>
    {
        if (context.Request.Method == "POST")
        {
            context.Response.Headers.Location = "/capture/1";
            return 202;
        }
        await context.Response.WriteAsync(job());
        return 200;
    });
}
