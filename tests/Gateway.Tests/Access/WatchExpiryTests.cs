using Gateway.Access;
using Gateway.Database;
using Gateway.Scheduling;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Access;

/// <summary>What expires is told in time, in the log once for each of 60, 30, 7 and 1 days, and as a fault of the node until it is renewed.</summary>
[Requirement("P11-39")]
public sealed class WatchExpiryTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keys_and_certificates_warn_at_60_30_7_and_1_days_once_each_and_no_more_when_renewed()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using (var work = await database.Gateway.BeginAsync(AccountsOf.Admin, Ct))
        {
            await ApiKeys.CreateAsync(work, await Parties.EnsureAsync(work, "organisation", "Test Pharma", null), "operator", "line 2", "gwl", TimeSpan.FromDays(61));
            await ApiKeys.CreateAsync(work, 1, "operator", "for ever", "gwl");
            await work.CommitAsync();
        }
        var now = await database.ScalarAsync<DateTime>("select gateway_now()");
        var (faults, log) = (new NodeFaults(), new Lines());
        var watch = new WatchExpiry(database.Gateway, faults, [new ExpiringCertificate("The certificate of the key ring", now.AddDays(30.5))], log);
        var told = new List<string>();
        foreach (var days in (double[])[0, 1.5, 1, 29.5, 1, 22, 0.5, 4.6, 1])
        {
            await database.AdvanceAsync(TimeSpan.FromDays(days));
            await watch.RunAsync(Ct);
            told.Add(string.Join(" | ", faults.All.Select(f => System.Text.RegularExpressions.Regex.Replace(f.Detail, " or less.*|[0-9a-f]{16} ", ""))));
        }
        Assert.Equal(
        [
            "The certificate of the key ring expires in 60 days",
            "The certificate of the key ring expires in 30 days | The key (line 2) expires in 60 days",
            "The certificate of the key ring expires in 30 days | The key (line 2) expires in 60 days",
            "The certificate of the key ring has expired: renew it. | The key (line 2) expires in 30 days",
            "The certificate of the key ring has expired: renew it. | The key (line 2) expires in 30 days",
            "The certificate of the key ring has expired: renew it. | The key (line 2) expires in 7 days",
            "The certificate of the key ring has expired: renew it. | The key (line 2) expires in 7 days",
            "The certificate of the key ring has expired: renew it. | The key (line 2) expires in 1 day",
            "The certificate of the key ring has expired: renew it.",
        ], told);
        Assert.All(faults.All, f => Assert.False(f.IsFatal));
        Assert.Equal(7, log.Told.Count);
    }

    private sealed class Lines : ILogger<WatchExpiry>
    {
        public List<string> Told { get; } = [];
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Told.Add(formatter(state, exception));
    }
}
