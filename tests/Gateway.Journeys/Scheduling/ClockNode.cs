using Gateway.Scheduling;
using Gateway.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gateway.Journeys.Scheduling;

/// <summary>A node that has nothing but the clock and one chore of the test.</summary>
public sealed class ClockNode : IAsyncDisposable
{
    private readonly IHost _host;

    private ClockNode(IHost host) => _host = host;

    public static async Task<ClockNode> StartAsync<T>(TestDatabase database, T chore, TimeSpan every)
        where T : class, IChore
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration["Scheduling:StartDelay"] = "00:00:00";
        builder.Configuration["Scheduling:CheckinInterval"] = "00:00:01";
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddSimpleConsole();
        builder.Services.AddSingleton(database.Gateway);
        builder.Services.AddSingleton(chore);
        builder.Services.AddScheduling();
        builder.Services.AddChore<T>("test", every);
        var host = builder.Build();
        await host.StartAsync();
        return new ClockNode(host);
    }

    /// <summary>Fires the chore here and now, as a clock that fires twice would.</summary>
    public Task<bool> RunAsync(string chore) => _host.Services.GetRequiredService<RunChore>().RunAsync(chore, CancellationToken.None);

    public Task StopAsync() => _host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}

/// <summary>Counts how often it ran.</summary>
public sealed class CountedChore : IChore
{
    private int _runs;

    public int Runs => _runs;

    public Task RunAsync(CancellationToken ct)
    {
        Interlocked.Increment(ref _runs);
        return Task.CompletedTask;
    }
}

/// <summary>Works until it is told to stop, and then tidies up for a moment.</summary>
public sealed class LongChore : IChore
{
    public TaskCompletionSource Began { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    public bool HasEnded { get; private set; }

    public async Task RunAsync(CancellationToken ct)
    {
        Began.TrySetResult();
        await Task.Delay(Timeout.Infinite, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.Delay(200, CancellationToken.None);
        HasEnded = true;
    }
}
