using System.Text.Json;

namespace Gateway.Host.Commands;

/// <summary>What a running demonstration wrote down for the other verbs: its address and keys.</summary>
public static class Demo
{
    /// <summary>Address and key of a verb that speaks to a running gateway: as given, else the environment's, else the demonstration's.</summary>
    public static (string Url, string Key) Target(string? url, string? key, string role)
    {
        key ??= Environment.GetEnvironmentVariable("GATEWAY_KEY");
        if (url is not null && key is not null)
        {
            return (url, key);
        }
        var path = Path.Combine(DataDirectory.Path, "demo.json");
        if (!File.Exists(path))
        {
            throw new WrongUseException($"There is no {path}: start the demonstration with ./run.sh, or give --url and --key.");
        }
        using var demo = JsonDocument.Parse(File.ReadAllText(path));
        return (url ?? demo.RootElement.GetProperty("url").GetString()!, key ?? demo.RootElement.GetProperty("keys").GetProperty(role).GetString()!);
    }
}
