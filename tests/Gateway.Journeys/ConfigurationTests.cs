using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Delivery;
using Gateway.Host;
using Gateway.Host.Commands;
using Gateway.Host.Telemetry;
using Gateway.Http;
using Gateway.Scheduling;
using Gateway.TestSupport;
using Gateway.Validation;
using Microsoft.Extensions.Configuration;

namespace Gateway.Journeys;

public sealed class ConfigurationTests
{
    [Theory]
    [InlineData("Http", typeof(HttpOptions))]
    [InlineData("Capture", typeof(CaptureOptions))]
    [InlineData("Rules", typeof(RuleOptions))]
    [InlineData("Delivery", typeof(DeliveryOptions))]
    [InlineData("Alarms", typeof(Gateway.Alarms.AlarmOptions))]
    [InlineData("Partners", typeof(Gateway.Partners.GoLiveOptions))]
    [InlineData("HubAlerts", typeof(Gateway.Hub.AlertOptions))]
    [InlineData("HubReconciliation", typeof(Gateway.Hub.ReconciliationOptions))]
    [InlineData("Operations", typeof(Gateway.Operations.OperationOptions))]
    [InlineData("Commands", typeof(Gateway.Devices.CommandOptions))]
    [InlineData("Scheduling", typeof(SchedulingOptions))]
    [InlineData("Telemetry", typeof(TelemetryOptions))]
    [InlineData("Logging", typeof(LogOptions))]
    [InlineData("Access", typeof(AccessOptions))]
    [InlineData("RateLimits", typeof(RateLimitOptions))]
    [InlineData("Audit", typeof(Gateway.Audit.AuditOptions))]
    [InlineData("Validation", typeof(Gateway.Validation.ValidationOptions))]
    [InlineData("SignIn", typeof(SignInOptions))]
    [InlineData("Devices", typeof(Gateway.Devices.DeviceOptions))]
    public void Every_option_stands_in_the_sample_and_the_sample_names_no_other(string section, Type options)
    {
        using var sample = JsonDocument.Parse(File.ReadAllText(Repository.File("appsettings.sample.json")));

        Assert.Equal(
            options.GetProperties().Where(p => p.CanWrite).Select(p => p.Name).Order(StringComparer.Ordinal),
            sample.RootElement.GetProperty(section).EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    [Requirement("P11-3")]
    public void Every_setting_of_the_sample_is_compared_with_what_was_validated_or_left_out_for_a_reason()
    {
        using var sample = JsonDocument.Parse(File.ReadAllText(Repository.File("appsettings.sample.json")));
        var sections = OptionsSection.In(typeof(ValidationOptions).Assembly).Concat(OptionsSection.In(typeof(HttpOptions).Assembly));
        var compared = new GxpSettings(new ConfigurationBuilder().Build(), sections).Read().Select(s => s.Key).ToHashSet();
        var wrong = from section in sample.RootElement.EnumerateObject()
                    from setting in section.Value.EnumerateObject()
                    let name = $"{section.Name}:{setting.Name}"
                    let isLeftOut = GxpSettings.LeftOut.ContainsKey(name) || GxpSettings.LeftOut.ContainsKey(section.Name)
                    where compared.Contains($"setting {name}") == isLeftOut
                    select name;
        Assert.Equal("", string.Join("\n", wrong));
        Assert.DoesNotContain(compared, c => c.Contains("Password", StringComparison.Ordinal) && !c.Contains("TemporaryPasswordLifetime", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("dscsa-1.3", true, "captures are held to dscsa-1.3, DSCSA-DOC-01 warning")]
    [InlineData("dscsa", false, "Rules:Profile is dscsa, and must be one of: none")]
    public void The_doctor_says_what_captures_are_held_to(string profile, bool ok, string detail)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Rules:Profile"] = profile, ["Rules:Severities:DSCSA-DOC-01"] = "warning" }).Build();
        var check = DoctorCommand.RulesCheck(configuration);
        Assert.Equal(ok, check.Ok);
        Assert.StartsWith(detail, check.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Http:HeadersTimeout", "00:00:00")]
    [InlineData("Http:MaxConnections", "0")]
    [InlineData("Capture:MaxUploads", "0")]
    [InlineData("Capture:MaxLargeUploads", "300")]
    [InlineData("Capture:MaxLargeUploadBytes", "1000")]
    public void A_limit_that_would_let_nothing_in_is_refused(string name, string value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [name] = value }).Build();
        var refused = Assert.Throws<ValidationException>(() =>
        {
            HttpOptions.Read(configuration);
            var capture = configuration.GetSection("Capture").Get<CaptureOptions>() ?? new CaptureOptions();
            Validator.ValidateObject(capture, new ValidationContext(capture), validateAllProperties: true);
        });
        Assert.Contains(name.Split(':')[1], refused.Message, StringComparison.Ordinal);
    }
}
