using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;

namespace Gateway.Validation;

/// <summary>An options class and the section of the configuration that it is bound to.</summary>
public sealed record OptionsSection(string Section, Type Type)
{
    /// <summary>Those of an assembly, by their constant <c>Section</c>: a class added tomorrow is compared tomorrow.</summary>
    public static IEnumerable<OptionsSection> In(System.Reflection.Assembly assembly) =>
        from type in assembly.GetTypes()
        where type.Name.EndsWith("Options", StringComparison.Ordinal) && type.GetField(nameof(Section))?.IsLiteral == true
        select new OptionsSection((string)type.GetField(nameof(Section))!.GetRawConstantValue()!, type);
}

/// <summary>
/// The settings that decide how the gateway works, as they take effect: whatever their source, and whether somebody gave them or they are
/// the program's own. All are compared but those that are named here.
/// </summary>
public sealed class GxpSettings(IConfiguration configuration, IEnumerable<OptionsSection> sections)
{
    /// <summary>What belongs to a node or is secret, and why it decides nothing about documents.</summary>
    public static IReadOnlyDictionary<string, string> LeftOut { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["ConnectionStrings"] = "The way to the database, with its password: nodes may have their own. What is in the database is compared.",
        ["Http:Address"] = "Where this node listens.",
        ["Http:Port"] = "Where this node listens.",
        ["Access:KeyRingCertificate"] = "A path of this node. A wrong certificate ends the start.",
        ["Access:KeyRingCertificatePassword"] = "Secret.",
        ["Audit:SealKey"] = "A path of this node. A wrong key stops sealing.",
        ["Audit:AnchorFile"] = "A path of this node. A missing checkpoint stops sealing.",
        ["Alarms:DashboardUrl"] = "Where people reach the dashboard: it stands in messages only.",
        ["Alarms:SmtpHost"] = "The way to the mail server. Mail that cannot be sent is an alarm.",
        ["Alarms:SmtpPort"] = "The way to the mail server.",
        ["Alarms:SmtpUser"] = "The way to the mail server.",
        ["Alarms:SmtpPassword"] = "Secret.",
        ["Telemetry:OtlpEndpoint"] = "Where this node sends figures about itself; no document depends on it.",
        ["Validation:ChangeReference"] = "Says why the others were changed.",
    };

    // What the framework reads by itself.
    private static readonly string[] Framework = ["Kestrel", "Logging", "AllowedHosts", "HostingStartupAssemblies", "Environment"];

    // Read by the runtime before any setting: with them another program can be put into this one.
    private static readonly string[] Injecting =
        ["DOTNET_STARTUP_HOOKS", "DOTNET_ADDITIONAL_DEPS", "DOTNET_SHARED_STORE", "CORECLR_ENABLE_PROFILING", "CORECLR_PROFILER", "CORECLR_PROFILER_PATH", "CORECLR_PROFILER_PATH_64", "ASPNETCORE_HOSTINGSTARTUPASSEMBLIES", "LD_PRELOAD", "LD_AUDIT"];

    private static readonly JsonSerializerOptions s_json = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Values by name, as JSON.</summary>
    public IEnumerable<KeyValuePair<string, string>> Read()
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var section in sections)
        {
            var options = configuration.GetSection(section.Section).Get(section.Type) ?? Activator.CreateInstance(section.Type)!;
            foreach (var property in section.Type.GetProperties().Where(p => p.CanWrite))
            {
                values[$"setting {section.Section}:{property.Name}"] = Sorted(JsonSerializer.SerializeToNode(property.GetValue(options), property.PropertyType, s_json))?.ToJsonString(s_json) ?? "null";
            }
        }
        foreach (var (name, value) in Framework.SelectMany(name => configuration.GetSection(name).AsEnumerable()))
        {
            if (value is not null)
            {
                values.TryAdd($"setting {name}", JsonSerializer.Serialize(value, s_json));
            }
        }
        foreach (var name in Injecting)
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
            {
                values[$"environment {name}"] = value;
            }
        }
        return values.Where(v => !LeftOut.Keys.Any(name => IsOf(v.Key, $"setting {name}")));
    }

    private static bool IsOf(string setting, string name) =>
        setting.StartsWith(name, StringComparison.OrdinalIgnoreCase) && (setting.Length == name.Length || setting[name.Length] == ':');

    // The order in which sources tell members says nothing.
    private static JsonNode? Sorted(JsonNode? node) => node is JsonObject members
        ? new JsonObject(members.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => KeyValuePair.Create(m.Key, Sorted(m.Value?.DeepClone()))))
        : node?.DeepClone();
}
