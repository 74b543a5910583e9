using Dapper;
using Gateway.Access;
using Gateway.Alarms;
using Gateway.Database;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Alarms;

/// <summary>Alarms over a fresh database, with one condition that finds what the test says; nodes that look and send when they are told.</summary>
public sealed class AlarmPlant : IAsyncDisposable
{
    public const string Kind = "alarm.of_the_test";

    public static readonly Actor Anna = Actor.System("test") with { Id = "person:anna", Name = "Anna" };

    private readonly List<ServiceProvider> _nodes = [];
    private readonly string _keys = Path.Combine(Path.GetTempPath(), $"gateway-alarm-keys-{Guid.NewGuid():N}");

    private AlarmPlant(TestDatabase database) => Database = database;

    public TestDatabase Database { get; }

    /// <summary>What is wrong now, by subject.</summary>
    public Dictionary<string, string> Wrong { get; } = [];

    /// <summary>What a node finds with itself.</summary>
    public string[] OfNode { get; set; } = [];

    /// <summary>Thrown by the condition instead of an answer.</summary>
    public Exception? Fails { get; set; }

    public static async Task<AlarmPlant> CreateAsync() => new(await TestDatabase.CreateAsync());

    public ServiceProvider Node(params (string Name, string Value)[] settings)
    {
        var node = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create($"Alarms:{s.Name}", (string?)s.Value))).Build())
            .AddSingleton(GatewayDatabase.Open(Database.AdministratorConnectionString))
            .AddLogging().AddAlarms().AddDataProtection().PersistKeysToFileSystem(Directory.CreateDirectory(_keys)).SetApplicationName("test").Services
            .AddAlarm(new AlarmCondition(Kind, AlarmSeverity.Error, "what the test says", (_, _, _) => Fails is { } failure ? Task.FromException<IEnumerable<AlarmFinding>>(failure)
                : Task.FromResult<IEnumerable<AlarmFinding>>([.. Wrong.Select(w => new AlarmFinding(w.Key, w.Value, "partners/1", null))])))
            .AddAlarm(new AlarmCondition("alarm.of_a_node", AlarmSeverity.Error, "what a node finds with itself", (_, _, _) => Task.FromResult(OfNode.Select(what => new AlarmFinding(what, "It is wrong.", "", null)))) { IsOfNode = true })
            .BuildServiceProvider();
        _nodes.Add(node);
        return node;
    }

    public static Task LookAsync(ServiceProvider node) => node.GetRequiredService<JudgeAlarms>().RunAsync(CancellationToken.None);

    public static Task SendAsync(ServiceProvider node) => node.GetRequiredService<SendNotices>().RunAsync(CancellationToken.None);

    /// <summary>A look, and a while before the next.</summary>
    public async Task LookAsync(ServiceProvider node, TimeSpan then)
    {
        await LookAsync(node);
        await Database.AdvanceAsync(then);
    }

    public async Task<IReadOnlyList<AlarmRow>> AlarmsAsync(ServiceProvider node) => await node.GetRequiredService<AlarmList>().ListAsync(Anna, new AlarmFilter(), 100, CancellationToken.None);

    /// <summary>Turn and state of each notice, in order.</summary>
    public async Task<string> NoticesAsync() => await Database.ScalarAsync<string>("select coalesce(string_agg(turn || ' ' || state, ', ' order by made_at, turn desc), '') from alarm_notice");

    public static async Task<(Guid TargetId, string? Secret)> TargetAsync(ServiceProvider node, string channel, string address, string least = AlarmSeverity.Warning)
    {
        var (targetId, secret, refusal) = await node.GetRequiredService<AlarmTargets>().AddAsync(Anna, new AlarmTargetRequest("Quality", channel, address, least, "test"), CancellationToken.None);
        Assert.Null(refusal);
        return (targetId!.Value, secret);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.GetRequiredService<GatewayDatabase>().Source.DisposeAsync();
            await node.DisposeAsync();
        }
        await Database.DisposeAsync();
        if (Directory.Exists(_keys))
        {
            Directory.Delete(_keys, recursive: true);
        }
    }
}
