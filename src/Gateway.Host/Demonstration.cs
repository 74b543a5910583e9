using System.Text.Json;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Host.Simulate;
using Gateway.Host.Simulate.Hub;
using Npgsql;

namespace Gateway.Host;

/// <summary>The demonstration plant. Refuses a live database.</summary>
public static class Demonstration
{
    private static readonly Dictionary<string, string?> Settings = new() { ["Delivery:AllowPrivateAddresses"] = "true", ["Alarms:AllowPrivateAddresses"] = "true", ["SignIn:Idle"] = "08:00:00" };

    /// <summary>The settings that hold for a demonstration's database, for verbs that act on it beside the running host; none for any other.</summary>
    public static async Task<IReadOnlyDictionary<string, string?>> SettingsAsync(RunningDatabase database, CancellationToken ct)
    {
        await using var work = await database.Gateway.BeginAsync(Actor.System("command line"), ct);
        await using var kind = new NpgsqlCommand("select kind = 'demonstration' from installation", work.Connection, work.Transaction);
        return await kind.ExecuteScalarAsync(ct) is true ? Settings.Concat(Folders.Settings).ToDictionary() : new Dictionary<string, string?>();
    }

    private static DemonstrationFolders Folders => new(Path.Combine(DataDirectory.Path, "partners"));

    public static async Task<int> RunAsync(CancellationToken ct)
    {
        await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
        await ClaimAsync(database, ct);
        var (keys, senders) = await MakeKeysAsync(database, ct);
        await MakeSendersAsync(database, ct);
        var folders = Folders;
        await using var app = GatewayHost.Build(database, Settings.Concat(folders.Settings).ToDictionary());
        await app.StartAsync(ct);
        var url = app.Urls.First();
        await using var partners = await PartnerSimulator.StartAsync(TimeProvider.System, ct);
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions { ResultAfter = TimeSpan.FromSeconds(2), MarketAfter = TimeSpan.FromSeconds(1) }, ct);
        var logins = await DemonstrationPeople.MakeAsync(database, ct);
        await DemonstrationValidation.SignAsync(app.Services, logins, ct);
        var plant = new DemonstrationPlant(database.Gateway, new Uri(url), keys["admin"], keys["cmo"]);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(ct, app.Lifetime.ApplicationStopping);
        await plant.PreparePartnersAsync(partners, folders, stopping.Token);
        await DemonstrationMasterData.SeedAsync(database.Gateway, TimeSpan.FromDays(HistorySize.Full.Days), stopping.Token);
        await DemonstrationSerials.SeedAsync(database.Gateway, "Demonstration CMO One", stopping.Token);
        await DemonstrationSignatures.MakeAsync(app.Services, logins, DemonstrationPlant.ShownPartner, stopping.Token);
        var alarms = new DemonstrationAlarms(database.Gateway, app.Services, logins);
        await alarms.PrepareAsync(stopping.Token);
        await using var devices = await DemonstrationDevices.StartAsync(app.Services, logins, new Uri(url), keys["line"], stopping.Token);
        (keys["partner"], _) = await MakeKeyAsync(database, "partner", "partner", "partner", "Demonstration partner", DemonstrationPlant.ShownPartner, stopping.Token);
        await WriteAsync(url, logins, keys, stopping.Token);
        var history = new DemonstrationHistory(database.Gateway, app.Services.GetRequiredService<CaptureHistory>(), senders, partners.BaseAddress, HistorySize.Full, DemonstrationPlant.Seed);
        var lines = new DemonstrationLines(app.Services, logins, new Uri(url), keys["line"]);
        var live = new DemonstrationLiveLine(app.Services, logins, devices, new Uri(url), keys["line"], app.Services.GetRequiredService<ILogger<DemonstrationLiveLine>>());
        var life = LiveAsync(stopping.Token);
        // A plant that breaks down ends the demonstration: it would look alive, and nothing would come.
        await Task.WhenAny(life, app.WaitForShutdownAsync(ct));
        await stopping.CancelAsync();
        await app.StopAsync(CancellationToken.None);
        await life;
        return GatewayHost.ExitCode(app);

        async Task LiveAsync(CancellationToken end)
        {
            try
            {
                await await Task.WhenAny(WorkAsync(), ShipAsync());
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                // Being stopped is how the plant ends.
            }

            async Task WorkAsync()
            {
                await lines.MakeAsync(end);
                await live.RunAsync(end);
            }

            async Task ShipAsync()
            {
                await history.WriteAsync(end);
                await plant.SendForeignAsync(end);
                await await Task.WhenAny([plant.ShipAsync(end), TellAsync(), .. from p in DemonstrationCast.Partners where p.Channel == DemonstrationCast.Folder
                    select new FolderPartner(p.Party, folders.Outgoing(p), folders.Incoming(p), TimeProvider.System).RunAsync(end)]);
            }

            async Task TellAsync()
            {
                await alarms.TellAsync(partners, end);
                await new DemonstrationHub(app.Services).TellAsync(hub, end);
                await Task.Delay(Timeout.InfiniteTimeSpan, end);
            }
        }
    }

    private static async Task ClaimAsync(RunningDatabase database, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(database.AdministratorConnectionString);
        await connection.OpenAsync(ct);
        await using var claim = new NpgsqlCommand("update installation set kind = 'demonstration', clock_offset = '0' where kind = 'demonstration' or not exists (select from party)", connection);
        if (await claim.ExecuteNonQueryAsync(ct) == 0)
        {
            throw new Commands.WrongUseException("This database is in use by a live installation: the demonstration refuses it. Choose another GATEWAY_DATA.");
        }
    }

    // New keys at every start: the old ones of the demonstration are revoked, because their secrets exist nowhere.
    private static async Task<(Dictionary<string, string> Keys, IReadOnlyList<HistorySender> Senders)> MakeKeysAsync(RunningDatabase database, CancellationToken ct)
    {
        await using var work = await database.Gateway.BeginAsync(Actor.System("demonstration"), ct);
        await using (var revoke = new NpgsqlCommand("update api_key set revoked_at = gateway_now() where name like 'Demonstration %' and revoked_at is null", work.Connection, work.Transaction))
        {
            await revoke.ExecuteNonQueryAsync(ct);
        }
        await work.CommitAsync();
        var keys = new Dictionary<string, string>();
        var parties = new Dictionary<string, int>();
        foreach (var (member, role, kind, party) in (IEnumerable<(string, string, string, string)>)
            [
                ("admin", "demonstration", "organisation", "Demonstration Pharma"), ("officer", "officer", "organisation", "Demonstration Pharma"),
                ("cmo", "cmo", "cmo", "Demonstration CMO One"), ("cmoTwo", "cmo", "cmo", "Demonstration CMO Two"), ("line", "operator", "organisation", "Demonstration Pharma"),
            ])
        {
            (keys[member], parties[member]) = await MakeKeyAsync(database, member, role, kind, party, null, ct, member == "cmo" ? DemonstrationPlant.CmoScope : null);
        }
        return (keys, [.. ((string[])["cmo", "cmoTwo", "line"]).Select(member => new HistorySender(parties[member], keys[member].Split('_', '.')[1]))]);
    }

    // Whose folders are looked at is known before anybody looks.
    private static async Task MakeSendersAsync(RunningDatabase database, CancellationToken ct)
    {
        await using var work = await database.Gateway.BeginAsync(Actor.System("demonstration"), ct);
        foreach (var owner in DemonstrationCast.Partners.Where(p => p.Channel == DemonstrationCast.Folder).Select(p => p.Party.Owner))
        {
            await Parties.EnsureAsync(work, "partner", owner.Name, owner.Gln);
        }
        await work.CommitAsync();
    }

    private static async Task<(string Token, int PartyId)> MakeKeyAsync(RunningDatabase database, string member, string role, string kind, string party, string? gln, CancellationToken ct, KeyScope? scope = null)
    {
        await using var work = await database.Gateway.BeginAsync(Actor.System("demonstration"), ct);
        var partyId = await Parties.EnsureAsync(work, kind, party, gln);
        var token = await ApiKeys.CreateAsync(work, partyId, role, $"Demonstration {member}", "gwt", scope: scope);
        await work.CommitAsync();
        return (token, partyId);
    }

    private static async Task WriteAsync(string url, IReadOnlyList<DemonstrationLogin> logins, Dictionary<string, string> keys, CancellationToken ct)
    {
        var path = Path.Combine(DataDirectory.Path, "demo.json");
        Directory.CreateDirectory(DataDirectory.Path);
        var text = JsonSerializer.Serialize(new { url, logins, keys }, JsonSerializerOptions.Web);
        await using (var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        await using (var writer = new StreamWriter(file))
        {
            await writer.WriteAsync(text.AsMemory(), ct);
        }
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await Console.Out.WriteLineAsync($"The demonstration runs at {url}. Sign in as one of these people (also in {path}):");
        foreach (var login in logins)
        {
            await Console.Out.WriteLineAsync($"  {login.User,-14} {login.Password}");
        }
        await Console.Out.WriteLineAsync("Keys for programs:");
        foreach (var (member, token) in keys)
        {
            await Console.Out.WriteLineAsync($"  {member,-8} {token}");
        }
    }
}
