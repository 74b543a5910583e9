using System.ComponentModel.DataAnnotations;

namespace Gateway.Host.Telemetry;

/// <summary>Ours in the section <c>Logging</c>, beside the framework's <c>LogLevel</c>.</summary>
public sealed class LogOptions
{
    public const string Section = "Logging";

    /// <summary>One line of text, or one JSON object per line with the event's id and each value by its name.</summary>
    [AllowedValues("text", "json")]
    public string Format { get; init; } = "text";
}

public static class LogFormat
{
    private const string Instant = "yyyy-MM-ddTHH:mm:ss.fffZ ";

    public static void AddLog(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<LogOptions>().BindConfiguration(LogOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Logging.ClearProviders();
        // Scopes stay out: the framework's own hold request paths, and those hold serials.
        if (builder.Configuration[$"{LogOptions.Section}:{nameof(LogOptions.Format)}"] == "json")
        {
            builder.Logging.AddJsonConsole(o => { o.UseUtcTimestamp = true; o.TimestampFormat = Instant.TrimEnd(); o.IncludeScopes = false; });
        }
        else
        {
            builder.Logging.AddSimpleConsole(o => { o.SingleLine = true; o.UseUtcTimestamp = true; o.TimestampFormat = Instant; o.IncludeScopes = false; });
        }
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("System.Net.Http", LogLevel.Warning).AddFilter("Quartz", LogLevel.Warning);
    }
}
