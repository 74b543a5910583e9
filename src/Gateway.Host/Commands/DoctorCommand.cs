using System.CommandLine;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Gateway.Audit;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Validation;
using Microsoft.Extensions.Options;

namespace Gateway.Host.Commands;

/// <summary><c>gateway doctor</c>: the installation check. Looks whether what is installed is what was validated, and whether what it stands on is well.</summary>
public static class DoctorCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object per line." };
        var report = new Option<FileInfo>("--report") { Description = "Write what was found as a report that is signed with the sealing key." };
        var verify = new Option<FileInfo>("--verify") { Description = "Look at nothing but such a report: whether it is as it was signed." };
        var key = new Option<FileInfo>("--key") { Description = "With --verify: the public key (PEM) that is trusted; without it this installation's own." };
        var command = new Command("doctor", "Look whether program, database, settings and durability are as validated and well.") { json, report, verify, key };
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(verify) is { } signed)
            {
                return await VerifyAsync(signed, parsed.GetValue(key), ct);
            }
            var checks = new List<HealthCheck>();
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            checks.AddRange(await new Installation(database.Gateway).CheckAsync(ct));
            var login = await database.ScalarOfGatewayAsync("select session_user || case when rolsuper then ' is a superuser' when rolbypassrls then ' passes row security' else '' end from pg_roles where rolname = session_user", ct);
            checks.Add(new("login", !login.Contains(' ', StringComparison.Ordinal), login.Contains(' ', StringComparison.Ordinal) ? $"{login}: let ConnectionStrings:Gateway log in as a member of gateway_app only, and ConnectionStrings:Owner as the owner" : login));
            var configuration = GatewayHost.Configuration();
            var fingerprint = ValidationSetup.FingerprintOf(database.Gateway, configuration, typeof(GatewayHost).Assembly, DataDirectory.Path);
            var (found, hash, baseline) = await new InstallationCheck(database.Gateway, fingerprint, new ReadValidation(database.Gateway)).RunAsync(ct);
            checks.AddRange(found);
            checks.Add(ListenCheck(configuration));
            checks.Add(KeyRingCheck());
            checks.Add(SealKeyCheck(configuration));
            checks.Add(RulesCheck(configuration));
            checks.Add(SftpCheck(await database.ScalarAsync<long>("select count(*) from partner where channel = 'sftp'", ct)));
            foreach (var check in checks)
            {
                await Console.Out.WriteLineAsync(parsed.GetValue(json)
                    ? JsonSerializer.Serialize(check, JsonSerializerOptions.Web)
                    : $"{(check.Ok ? "ok  " : "FAIL")} {check.Name}: {check.Detail}");
            }
            if (parsed.GetValue(report) is { } file)
            {
                using var sealing = SealingFiles.Open(configuration, DataDirectory.Path, make: false);
                var installation = await database.ScalarAsync<Guid>("select id from installation", ct);
                await File.WriteAllTextAsync(file.FullName, new InstallationReport(installation, Installation.Build, Environment.MachineName, DateTime.UtcNow, hash, baseline, checks).Sign(sealing.Key), ct);
                await Console.Error.WriteLineAsync($"The report {file.FullName} is signed with the key {sealing.Key.Id}.");
            }
            return checks.TrueForAll(c => c.Ok) ? 0 : 1;
        });
        return command;
    }

    // OpenSSH's own program speaks with partners' servers.
    internal static HealthCheck SftpCheck(long partners)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Where(folder => folder.Length > 0).Select(folder => Path.Combine(folder, "sftp")).FirstOrDefault(File.Exists);
        return partners == 0
            ? new("sftp", true, "no partner needs it")
            : new("sftp", found is not null, found ?? string.Create(CultureInfo.InvariantCulture, $"{partners} partners need it, and it is not on the PATH: install Debian's package openssh-client"));
    }

    internal static HealthCheck RulesCheck(IConfiguration configuration)
    {
        var options = configuration.GetSection(RuleOptions.Section).Get<RuleOptions>() ?? new RuleOptions();
        var wrong = options.Validate(new ValidationContext(options)).Select(r => r.ErrorMessage).ToList();
        return wrong.Count > 0
            ? new("rules", false, string.Join(" ", wrong))
            : new("rules", true, $"captures are held to {new CaptureRules(Options.Create(options)).HeldTo}");
    }

    private static async Task<int> VerifyAsync(FileInfo report, FileInfo? trusted, CancellationToken ct)
    {
        if (!report.Exists || trusted is { Exists: false })
        {
            throw new WrongUseException($"There is no file {(report.Exists ? trusted : report)}.");
        }
        var pem = trusted is not null ? await File.ReadAllTextAsync(trusted.FullName, ct) : OwnKey();
        using var key = SealKey.ReadPublic(pem) ?? throw new WrongUseException($"{trusted} is no public key on the curve P-256.");
        var refusal = InstallationReport.Refusal(await File.ReadAllTextAsync(report.FullName, ct), key);
        await Console.Out.WriteLineAsync(refusal ?? $"The report is as the key {SealKey.IdOf(key)} has signed it.");
        return refusal is null ? 0 : 1;
    }

    private static string OwnKey()
    {
        using var sealing = SealingFiles.Open(GatewayHost.Configuration(), DataDirectory.Path, make: false);
        return sealing.Key.PublicPem;
    }

    // The gateway has no TLS of its own: a proxy before it does, and nothing else may reach it.
    private static HealthCheck ListenCheck(IConfiguration configuration)
    {
        var options = HttpOptions.Read(configuration);
        return IPAddress.TryParse(options.Address, out var address) && IPAddress.IsLoopback(address)
            ? new("listening", true, $"on {options.Address}, which only this machine reaches: the proxy before it does TLS")
            : new("listening", true, $"on {options.Address} without TLS: let nothing but the proxy that does TLS reach it");
    }

    private static HealthCheck SealKeyCheck(IConfiguration configuration)
    {
        try
        {
            using var sealing = SealingFiles.Open(configuration, DataDirectory.Path, make: false);
            return new("sealing key", true, string.Create(CultureInfo.InvariantCulture, $"{sealing.Key.Id}; anchor file {(File.Exists(sealing.Anchor.Path) ? "found" : "not yet written")}"));
        }
        catch (SealKeyException e)
        {
            return new("sealing key", false, e.Message);
        }
    }

    private static HealthCheck KeyRingCheck()
    {
        try
        {
            using var certificate = KeyRing.Open(GatewayHost.Configuration(), DataDirectory.Path);
            return new("key ring", true, $"encrypted with {certificate.Subject}");
        }
        catch (KeyRingException e)
        {
            return new("key ring", false, e.Message);
        }
    }
}
