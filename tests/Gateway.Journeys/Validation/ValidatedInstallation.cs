using System.Globalization;
using System.Text.Json;
using Dapper;
using Gateway.TestSupport;
using Gateway.Validation;
using Npgsql;

namespace Gateway.Journeys.Validation;

/// <summary>A copy of the host's directory, started as a process, and a baseline of it that is effective.</summary>
public sealed class ValidatedInstallation : IAsyncDisposable
{
    private static readonly (string, string) Often = ("Validation__Every", "00:00:00.3");
    private readonly string _home = Directory.CreateTempSubdirectory("gateway-validated-").FullName;
    private ChildHost? _host;

    private ValidatedInstallation(TestDatabase database) => Database = database;

    public TestDatabase Database { get; }

    public ChildHost Host => _host!;

    /// <summary>Where the copy of the program is.</summary>
    public string Program => Path.Combine(_home, "program");

    public static async Task<ValidatedInstallation> StartAsync()
    {
        var installation = new ValidatedInstallation(await TestDatabase.CreateAsync());
        var host = Repository.File("src", "Gateway.Host", "bin", "Release", "net10.0");
        foreach (var file in Directory.EnumerateFiles(host, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(installation.Program, Path.GetRelativePath(host, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        try
        {
            await installation.StartHostAsync();
            await TakeEffectAsync(installation.Database);
            await installation.BecomesAsync(ValidationStates.Validated);
            return installation;
        }
        catch
        {
            await installation.DisposeAsync(); // its process would go on for ever
            throw;
        }
    }

    /// <summary>The host anew, with other settings.</summary>
    public async Task StartHostAsync(IReadOnlyList<string>? arguments = null, params (string Name, string Value)[] settings)
    {
        if (_host is not null)
        {
            await _host.StopAsync();
            await _host.DisposeAsync();
        }
        _host = await ChildHost.StartAsync(Program, Database.AdministratorConnectionString, Path.Combine(_home, "data"), arguments ?? [], [Often, .. settings]);
        await Eventually.TrueAsync(async () => await Database.ScalarAsync<long>("select count(*) from validation_live()") > 0);
    }

    /// <summary>What runs now is the effective baseline, past every rule: tests of the rules are elsewhere.</summary>
    public static async Task TakeEffectAsync(TestDatabase database)
    {
        await using var connection = new NpgsqlConnection(database.AdministratorConnectionString);
        await connection.OpenAsync();
        await connection.ExecuteAsync("""
            set session_replication_role = replica;
            update validation_baseline set state = 'superseded' where state = 'effective';
            insert into validation_baseline (title, reason, fingerprint, state, drafted_by, drafted_by_name, drafted_at, reviewed_by, reviewed_by_name, reviewed_at, approved_by, approved_by_name, approved_at, effective_by_name, effective_at)
            select 'What is tested', 'a test', fingerprint, 'effective', 'test:a', 'A', now(), 'test:b', 'B', now(), 'test:c', 'C', now(), 'A', now() from validation_live() limit 1;
            notify changed, 'validation test'
            """);
    }

    /// <summary>Waits for what an API answer says.</summary>
    public async Task BecomesAsync(string state)
    {
        using var http = new HttpClient { BaseAddress = Host.Url };
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await http.GetAsync("health/live");
            return answer.Headers.GetValues(ValidationSetup.Header).Single() == state;
        });
    }

    /// <summary>What the node says of itself: each name with what happened to it.</summary>
    public async Task<IReadOnlyList<string>> DifferencesAsync() =>
        [.. JsonSerializer.Deserialize<List<Difference>>(await Database.ScalarAsync<string>("select coalesce((select differences::text from validation_live() order by started_at desc limit 1), '[]')"), JsonSerializerOptions.Web)!.Select(d => d.ToString())];

    /// <summary>Does something that was not validated, sees it named, undoes it, and sees the installation validated again.</summary>
    public async Task NamesAsync(Func<Task> act, Func<Task> undo, params string[] differences)
    {
        await act();
        await BecomesAsync(ValidationStates.NotValidated);
        await Eventually.TrueAsync(async () => differences.Order(StringComparer.Ordinal).SequenceEqual(await DifferencesAsync()));
        await undo();
        await BecomesAsync(ValidationStates.Validated);
    }

    /// <summary>A whole comparison has been made since now.</summary>
    public async Task ComparedAsync()
    {
        var at = await Database.ScalarAsync<DateTime>("select clock_timestamp() + interval '700 ms'");
        await Eventually.TrueAsync(async () => await Database.ScalarAsync<bool>(string.Create(CultureInfo.InvariantCulture, $"select bool_and(seen_at > timestamptz '{at:O}') from validation_live()")));
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
        await Database.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }
}
