using System.Text.Json;
using Gateway.Capture;
using Gateway.Delivery;
using Gateway.Host.Telemetry;
using Gateway.Http;

namespace Gateway.Journeys;

public sealed class ConfigurationTests
{
    [Theory]
    [InlineData("Capture", typeof(CaptureOptions))]
    [InlineData("Delivery", typeof(DeliveryOptions))]
    [InlineData("Telemetry", typeof(TelemetryOptions))]
    [InlineData("Logging", typeof(LogOptions))]
    [InlineData("RateLimits", typeof(RateLimitOptions))]
    public void Every_option_stands_in_the_sample_and_the_sample_names_no_other(string section, Type options)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Gateway.sln")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        }
        using var sample = JsonDocument.Parse(File.ReadAllText(Path.Combine(directory.FullName, "appsettings.sample.json")));

        Assert.Equal(
            options.GetProperties().Where(p => p.CanWrite).Select(p => p.Name).Order(StringComparer.Ordinal),
            sample.RootElement.GetProperty(section).EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
    }
}
