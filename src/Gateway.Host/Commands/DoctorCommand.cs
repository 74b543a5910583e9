using System.CommandLine;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Gateway.Capture;
using Gateway.Database;
using Microsoft.Extensions.Options;

namespace Gateway.Host.Commands;

/// <summary><c>gateway doctor</c>: looks whether what the gateway stands on is well.</summary>
public static class DoctorCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object per line." };
        var command = new Command("doctor", "Look whether database, settings and durability are well.") { json };
        command.SetAction(async (parsed, ct) =>
        {
            var checks = new List<HealthCheck>();
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            checks.AddRange(await new Installation(database.Gateway).CheckAsync(ct));
            var login = await database.ScalarOfGatewayAsync("select session_user || case when rolsuper then ' is a superuser' when rolbypassrls then ' passes row security' else '' end from pg_roles where rolname = session_user", ct);
            checks.Add(new("login", !login.Contains(' ', StringComparison.Ordinal), login.Contains(' ', StringComparison.Ordinal) ? $"{login}: let ConnectionStrings:Gateway log in as a member of gateway_app only, and ConnectionStrings:Owner as the owner" : login));
            checks.Add(KeyRingCheck());
            checks.Add(RulesCheck(GatewayHost.Configuration()));
            foreach (var check in checks)
            {
                await Console.Out.WriteLineAsync(parsed.GetValue(json)
                    ? JsonSerializer.Serialize(check, JsonSerializerOptions.Web)
                    : $"{(check.Ok ? "ok  " : "FAIL")} {check.Name}: {check.Detail}");
            }
            return checks.TrueForAll(c => c.Ok) ? 0 : 1;
        });
        return command;
    }

    internal static HealthCheck RulesCheck(IConfiguration configuration)
    {
        var options = configuration.GetSection(RuleOptions.Section).Get<RuleOptions>() ?? new RuleOptions();
        var wrong = options.Validate(new ValidationContext(options)).Select(r => r.ErrorMessage).ToList();
        return wrong.Count > 0
            ? new("rules", false, string.Join(" ", wrong))
            : new("rules", true, $"captures are held to {new CaptureRules(Options.Create(options)).HeldTo}");
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
