using System.Net.Http.Headers;
using Gateway.Devices;
using Gateway.Host.Simulate;
using Gateway.Host.Simulate.Plant;
using Gateway.TestSupport;

namespace Gateway.Journeys.Devices;

/// <summary>The check of devices: a device that keeps to the contract passes, and each that breaks one rule of it fails in that case and in no other.</summary>
public sealed class GatewayCheckTests(GatewayCheckTests.Runs runs) : IClassFixture<GatewayCheckTests.Runs>
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly string[] s_all = [.. GatewayCase.All.Select(c => c.Name)];

    /// <summary>Flaw, the case that it fails, and the cases that cannot be seen because of it.</summary>
    public static TheoryData<DeviceFlaw, string, string[]> Flaws { get; } = new()
    {
        { DeviceFlaw.NeverRegisters, "registers first", [.. s_all.Where(c => c != "registers first")] },
        { DeviceFlaw.WrongToken, "own token", [] },
        { DeviceFlaw.CriesLoss, "registers again", [] },
        { DeviceFlaw.TimeWithoutZone, "form of messages", ["own token", "registers again", "numbers", "same bytes", "size of posts", "new members", "answer lost", "unavailable", "told to wait", "too large", "missing", "keeps until acknowledged", "rejected", "epoch", "lost for good", "monotonic clock", "own clock"] },
        { DeviceFlaw.SkipsNumber, "numbers", [] },
        { DeviceFlaw.RendersAnew, "same bytes", [] },
        { DeviceFlaw.NoLimit, "size of posts", [] },
        { DeviceFlaw.ReadsStrictly, "new members", [] },
        { DeviceFlaw.ForgetsWithoutAnswer, "answer lost", [] },
        { DeviceFlaw.ForgetsAtUnavailable, "unavailable", [] },
        { DeviceFlaw.DoesNotWait, "told to wait", [] },
        { DeviceFlaw.SameAfterTooLarge, "too large", [] },
        { DeviceFlaw.IgnoresMissing, "missing", ["keeps until acknowledged"] },
        { DeviceFlaw.DeletesWhenAnswered, "keeps until acknowledged", [] },
        { DeviceFlaw.RepeatsRejected, "rejected", [] },
        { DeviceFlaw.StaysInEpoch, "epoch", [] },
        { DeviceFlaw.IgnoresLoss, "lost for good", [] },
        { DeviceFlaw.BeatsSlowly, "heartbeat", [] },
        { DeviceFlaw.WrongExchange, "exchange of clocks", [] },
        { DeviceFlaw.OtherFirmware, "firmware", [] },
        { DeviceFlaw.MonoGoesBack, "monotonic clock", [] },
        { DeviceFlaw.CorrectsTime, "own clock", [] },
        { DeviceFlaw.AcknowledgesLate, "acknowledges", [] },
        { DeviceFlaw.NeverCompletes, "completes", [] },
        { DeviceFlaw.ForgetsWhatItHeard, "goes on hearing", [] },
        { DeviceFlaw.ClaimsToStand, "pause", ["does it once", "older fence", "resume", "reports its state"] },
        { DeviceFlaw.DoesItTwice, "does it once", [] },
        { DeviceFlaw.IgnoresFence, "older fence", [] },
        { DeviceFlaw.ResumesByItself, "resume", ["older fence"] },
        { DeviceFlaw.HidesItsState, "reports its state", [] },
    };

    [Theory]
    [InlineData("stream")]
    [InlineData("poll")]
    [InlineData("socket")]
    public async Task A_device_that_keeps_to_the_contract_passes_every_case(string way)
    {
        var outcomes = await runs.OfAsync(DeviceFlaw.None, way);
        Assert.True(outcomes.TrueForAll(o => o.Verdict == "passed"), string.Join("\n", outcomes.Where(o => o.Verdict != "passed")));
        Assert.Equal(s_all.Order(), outcomes.Select(o => o.Case).Order());
    }

    [Theory]
    [MemberData(nameof(Flaws))]
    public async Task A_device_with_one_flaw_fails_in_its_case_and_in_no_other(DeviceFlaw flaw, string failed, string[] unseen)
    {
        var outcomes = await runs.OfAsync(flaw, "stream");
        Assert.Equal(failed, string.Join("\n", outcomes.Where(o => o.Verdict == "failed").Select(o => o.Case == failed ? o.Case : o.ToString())));
        Assert.Equal(unseen.Order(), outcomes.Where(o => o.Verdict == "not seen").Select(o => o.Case).Order());
    }

    [Fact]
    public void Each_flaw_is_tested_and_each_case_has_a_flaw()
    {
        Assert.Equal(Enum.GetValues<DeviceFlaw>().Where(f => f != DeviceFlaw.None), Flaws.Select(f => f.Data.Item1));
        Assert.Equal(s_all.Order(), Flaws.Select(f => f.Data.Item2).Order());
    }

    [Fact]
    public async Task A_device_of_the_simulated_plant_fails_in_no_case_and_takes_no_commands()
    {
        await using var check = await GatewayCheck.StartAsync("http://127.0.0.1:0", Runs.Fast, Ct);
        using var http = new HttpClient { BaseAddress = check.Addresses[0], DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", "the-key") } };
        var story = LineStory.Tell(new PlantOptions(7, 400, 600, new Dictionary<string, double>()), new PlantLot(0, "PL01", "A1"));
        var device = new PlantDevice(new PlantGateway(http), story, PlantStation.All.Single(s => s.Kind == "camera"), DateTimeOffset.UtcNow.AddHours(-1));
        using var off = new CancellationTokenSource();
        var playing = PlayAsync();
        var outcomes = await check.RunAsync(TimeSpan.FromSeconds(40), Ct).ToListAsync(Ct);
        await off.CancelAsync();
        await playing;
        Assert.True(!outcomes.Exists(o => o.Verdict == "failed"), string.Join("\n", outcomes.Where(o => o.Verdict == "failed")));
        Assert.Equal(GatewayCase.All.Where(c => c.Section == "Commands").Select(c => c.Name).Order(), outcomes.Where(o => o.Verdict == "not seen").Select(o => o.Case).Order());

        // Five times as fast as it happened, so that it beats each second.
        async Task PlayAsync()
        {
            try
            {
                await device.RegisterAsync(off.Token);
                for (var second = 0; ; second++)
                {
                    await device.TickAsync(second, off.Token);
                    await Task.Delay(TimeSpan.FromMilliseconds(200), off.Token);
                }
            }
            catch (OperationCanceledException) when (off.IsCancellationRequested)
            {
                // It is switched off.
            }
        }
    }

    [Fact]
    public void The_table_of_the_contract_has_each_case_as_it_is_told()
    {
        var rows = File.ReadAllLines(Repository.File("docs", "devices.md")).SkipWhile(l => l != "|case|what the check does|what is asked|").Skip(2).TakeWhile(l => l.StartsWith('|')).Select(l => l.Split('|'));
        Assert.Equal(GatewayCase.All.Select(c => $"{c.Name}: {c.Asked}"), rows.Select(r => $"{r[1]}: {r[3]}"));
    }

    /// <summary>All devices of these tests, some at the same time: they mostly wait.</summary>
    public sealed class Runs : IDisposable
    {
        internal static readonly GatewayCheckOptions Fast = new()
        {
            Key = "the-key", HeartbeatSeconds = 1, RetryAfterSeconds = 1, Patience = TimeSpan.FromSeconds(4), Standing = TimeSpan.FromSeconds(1.2),
            Commands = new CommandOptions { AckWithin = TimeSpan.FromMilliseconds(500), Other = TimeSpan.FromSeconds(2), Pause = TimeSpan.FromSeconds(2), Start = TimeSpan.FromSeconds(3), Resume = TimeSpan.FromSeconds(2) },
        };

        private readonly SemaphoreSlim _atOnce = new(12);
        private readonly Dictionary<(DeviceFlaw, string), Task<List<GatewayCaseOutcome>>> _runs = [];

        public Runs()
        {
            foreach (var run in (IEnumerable<(DeviceFlaw, string)>)[(DeviceFlaw.None, "stream"), (DeviceFlaw.None, "poll"), (DeviceFlaw.None, "socket"), .. Flaws.Select(f => (f.Data.Item1, "stream"))])
            {
                _runs.Add(run, Task.Run(() => RunAsync(run.Item1, run.Item2)));
            }
        }

        internal Task<List<GatewayCaseOutcome>> OfAsync(DeviceFlaw flaw, string way) => _runs[(flaw, way)];

        public void Dispose() => _atOnce.Dispose();

        private async Task<List<GatewayCaseOutcome>> RunAsync(DeviceFlaw flaw, string way)
        {
            await _atOnce.WaitAsync();
            try
            {
                await using var check = await GatewayCheck.StartAsync("http://127.0.0.1:0", Fast, CancellationToken.None);
                using var device = new TestedDevice(check.Addresses[0], "the-key", "L1", flaw, way);
                using var off = new CancellationTokenSource();
                var running = device.RunAsync(off.Token);
                var outcomes = new List<GatewayCaseOutcome>();
                await foreach (var outcome in check.RunAsync(TimeSpan.FromSeconds(flaw == DeviceFlaw.NeverRegisters ? 3 : 40), CancellationToken.None))
                {
                    outcomes.Add(outcome);
                }
                await off.CancelAsync();
                await running;
                return outcomes;
            }
            finally
            {
                _atOnce.Release();
            }
        }
    }
}
