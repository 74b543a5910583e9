using System.Globalization;
using Gateway.TestSupport;
using Gateway.Validation;

namespace Gateway.Journeys.Validation;

/// <summary>P11-1: whatever is not as it was validated is seen and named, without a restart; and is validated again when it is put back.</summary>
[Requirement("P11-1")]
public sealed class ValidatedStateTests
{
    private const int Flips = 20;

    [Fact]
    public async Task Flipped_added_and_removed_files_are_named()
    {
        await using var installed = await ValidatedInstallation.StartAsync();
        var random = new Random(20261122);
        var files = Directory.GetFiles(installed.Program, "*", SearchOption.AllDirectories).Where(f => new FileInfo(f).Length > 0).OrderBy(f => f, StringComparer.Ordinal).ToArray();
        random.Shuffle(files);
        var (flipped, removed, added) = (files[..Flips], files[Flips], Path.Combine(installed.Program, "samples", "added.js"));

        await installed.NamesAsync(() => Flip(installed, flipped, random), () => PutBack(installed, flipped), [.. flipped.Select(f => $"program {Name(f)} changed")]);
        await installed.NamesAsync(() => File.WriteAllTextAsync(added, ""), () => Delete(added), "program samples/added.js added");
        await installed.NamesAsync(() => Move(removed, $"{removed}.kept"), () => Move($"{removed}.kept", removed), [$"program {Name(removed)} removed", $"program {Name(removed)}.kept added"]);

        // One entry for each change of state; one more where a comparison fell between two of the files, and none that says nothing new.
        Assert.Equal(7, await installed.Database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'validation_state' and old -> 'state' is distinct from new -> 'state'"));
        Assert.Equal(0, await installed.Database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'validation_state' and old - 'since' = new - 'since'"));

        string Name(string file) => Path.GetRelativePath(installed.Program, file);
    }

    [Fact]
    public async Task Functions_triggers_rights_and_settings_are_named_and_partitions_of_years_are_not()
    {
        await using var installed = await ValidatedInstallation.StartAsync();
        var database = installed.Database;
        var function = await database.ScalarAsync<string>("select pg_get_functiondef('sees_party'::regproc)");

        await installed.NamesAsync(() => database.ExecuteAsync("create or replace function sees_party(p int) returns boolean language sql stable as 'select true'"), () => database.ExecuteAsync(function), "function public.sees_party(integer) changed");
        await installed.NamesAsync(() => database.ExecuteAsync("alter table delivery disable trigger delivery_notify"), () => database.ExecuteAsync("alter table delivery enable trigger delivery_notify"), "trigger delivery_notify on public.delivery changed");
        await installed.NamesAsync(() => database.ExecuteAsync("grant delete on document to gateway_app"), () => database.ExecuteAsync("revoke delete on document from gateway_app"), "table public.document changed");
        await installed.NamesAsync(() => database.ExecuteAsync("grant update (title) on validation_baseline to gateway_app"), () => database.ExecuteAsync("revoke update (title) on validation_baseline from gateway_app"), "column public.validation_baseline.title changed");
        var year = DateTime.UtcNow.Year.ToString(CultureInfo.InvariantCulture);
        await installed.NamesAsync(() => database.ExecuteAsync($"grant delete on event_y{year} to gateway_app"), () => database.ExecuteAsync($"revoke delete on event_y{year} from gateway_app"), "partitions of public.event changed");
        await database.ExecuteAsync("select make_event_partitions(6)");
        await installed.ComparedAsync();
        Assert.Empty(await installed.DifferencesAsync());

        await installed.StartHostAsync(settings: ("Capture__MaxEvents", "1000"));
        await installed.BecomesAsync(ValidationStates.NotValidated);
        Assert.Equal(["setting Capture:MaxEvents changed"], await installed.DifferencesAsync());
        await installed.StartHostAsync(["--set", "Delivery:BatchSize=99"]);
        await installed.BecomesAsync(ValidationStates.NotValidated);
        Assert.Equal(["setting Delivery:BatchSize changed"], await installed.DifferencesAsync());
        var file = Path.Combine(installed.Program, "appsettings.json");
        await File.WriteAllTextAsync(file, """{ "Rules": { "Profile": "dscsa-1.3" } }""", TestContext.Current.CancellationToken);
        await installed.StartHostAsync();
        await installed.BecomesAsync(ValidationStates.NotValidated);
        Assert.Equal(["setting Rules:Profile changed"], await installed.DifferencesAsync());
        // What is the program's own value anyway is no change, and neither is where a node listens.
        await File.WriteAllTextAsync(file, """{ "Rules": { "Profile": "none" }, "Http": { "Address": "127.0.0.1" } }""", TestContext.Current.CancellationToken);
        await installed.StartHostAsync();
        await installed.BecomesAsync(ValidationStates.Validated);
    }

    private static async Task Flip(ValidatedInstallation installed, IEnumerable<string> files, Random random)
    {
        foreach (var file in files)
        {
            var bytes = await File.ReadAllBytesAsync(file);
            bytes[random.Next(bytes.Length)] ^= 1;
            var (size, time) = (new FileInfo(file).Length, File.GetLastWriteTimeUtc(file));
            File.Move(file, Kept(installed, file)); // the process goes on with the file that it has opened
            await File.WriteAllBytesAsync(file, bytes);
            // Neither its size nor its time tells.
            File.SetLastWriteTimeUtc(file, time);
            Assert.Equal(size, new FileInfo(file).Length);
        }
    }

    private static Task PutBack(ValidatedInstallation installed, IEnumerable<string> files)
    {
        foreach (var file in files)
        {
            File.Move(Kept(installed, file), file, overwrite: true);
        }
        return Task.CompletedTask;
    }

    private static string Kept(ValidatedInstallation installed, string file) =>
        Path.Combine(Directory.CreateDirectory($"{installed.Program}-right").FullName, Path.GetRelativePath(installed.Program, file).Replace('/', '_'));

    private static Task Move(string from, string to)
    {
        File.Move(from, to);
        return Task.CompletedTask;
    }

    private static Task Delete(string file)
    {
        File.Delete(file);
        return Task.CompletedTask;
    }
}
