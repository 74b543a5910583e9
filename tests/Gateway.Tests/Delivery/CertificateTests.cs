using System.Security.Cryptography;
using Gateway.Access;
using Gateway.Partners;
using Gateway.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Delivery;

/// <summary>The certificate that a partner's server shows is kept, and its end told before it comes, once at each of the days.</summary>
[Requirement("P11-39")]
public sealed class CertificateTests
{
    private const string Open = "select coalesce(string_agg(severity || ': ' || message, '; '), '') from exception where code = 'partner.certificate' and state = 'open'";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly Actor Reader = Actor.System("test");

    [Fact]
    public async Task The_end_of_a_certificate_is_told_sixty_thirty_fourteen_seven_days_and_one_day_before_and_when_it_came()
    {
        await using var outbox = await Outbox.CreateAsync();
        var partner = await outbox.AddPartnerAsync("https://example.org:8443/in");
        var node = outbox.Node();
        var certificates = node.GetRequiredService<Certificates>();
        var end = (await outbox.Database.ScalarAsync<DateTime>("select gateway_now()")).AddDays(90).AddHours(1);
        await certificates.SeenAsync(partner, Served("example.org:8443", 1, end));
        await TellAsync();
        Assert.Equal("", await outbox.Database.ScalarAsync<string>(Open));
        Assert.False(Assert.Single(await certificates.OfAsync(Reader, [partner], Ct)).Ends);

        foreach (var (days, advance, severity) in new[] { (60, 31, "warning"), (30, 30, "warning"), (14, 16, "warning"), (7, 7, "error"), (1, 6, "error") })
        {
            await outbox.Database.AdvanceAsync(TimeSpan.FromDays(advance));
            await TellAsync();
            await TellAsync();
            Assert.StartsWith($"{severity}: The certificate of Partner 1 ends on {end:yyyy-MM-dd}, within {days} day", await outbox.Database.ScalarAsync<string>(Open), StringComparison.Ordinal);
        }
        await outbox.Database.AdvanceAsync(TimeSpan.FromDays(1));
        await TellAsync();
        Assert.StartsWith($"error: The certificate of Partner 1 expired on {end:yyyy-MM-dd}", await outbox.Database.ScalarAsync<string>(Open), StringComparison.Ordinal);
        Assert.Equal($"certificate expired on {end:yyyy-MM-dd}", Assert.Single(await certificates.OfAsync(Reader, [partner], Ct)).Words);
        Assert.Equal(6, await outbox.Database.ScalarAsync<int>("select count(*)::int from exception"));

        // Another certificate ends it; the old one is in the trail. What is seen again is not written again.
        await certificates.SeenAsync(partner, Served("example.org:8443", 2, end.AddYears(1)));
        await certificates.SeenAsync(partner, Served("example.org:8443", 2, end.AddYears(1)));
        await TellAsync();
        Assert.Equal("", await outbox.Database.ScalarAsync<string>(Open));
        Assert.Equal(1, await outbox.Database.ScalarAsync<int>("select count(*)::int from audit_entry where entity = 'partner_certificate' and action = 'update' and old ->> 'sha256' <> new ->> 'sha256'"));

        async Task TellAsync()
        {
            await using var work = await outbox.Database.Gateway.BeginAsync(Reader, Ct);
            await Certificates.TellAsync(work);
            await work.CommitAsync();
        }
    }

    [Theory]
    [InlineData("https://example.org/in", 1)]
    [InlineData("https://example.org", 1)]
    [InlineData("https://example.org:8443/in", 0)]
    [InlineData("https://example.org.evil.example/in", 0)]
    [InlineData("https://example.net/in", 0)]
    public async Task What_another_address_showed_says_nothing_of_this_one(string url, int known)
    {
        await using var outbox = await Outbox.CreateAsync();
        var partner = await outbox.AddPartnerAsync(url);
        var certificates = outbox.Node().GetRequiredService<Certificates>();
        await certificates.SeenAsync(partner, Served("example.org", 1, DateTime.UtcNow.AddDays(3)));
        Assert.Equal(known, (await certificates.OfAsync(Reader, [partner], Ct)).Count);
    }

    private static ServedCertificate Served(string host, byte number, DateTime end) => new(host, SHA256.HashData([number]), "CN=example.org", "CN=An issuer", end.AddYears(-1), end);
}
