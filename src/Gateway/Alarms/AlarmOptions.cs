using System.ComponentModel.DataAnnotations;
using Gateway.Http;

namespace Gateway.Alarms;

/// <summary>Section <c>Alarms</c> of the configuration.</summary>
public sealed class AlarmOptions : IValidatableObject
{
    public const string Section = "Alarms";

    /// <summary>What is not found any more clears after this; found again within it, it is the same alarm and nobody is told anew.</summary>
    [Range(typeof(TimeSpan), "00:00:30", "1.00:00:00")] public TimeSpan ClearAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Where people reach the dashboard, for links in messages: such as <c>https://gateway.example.com</c>. Empty: messages hold no link.</summary>
    public string DashboardUrl { get; init; } = "";

    /// <summary>Lets webhooks have private addresses, any port and <c>http://</c>, and mail go without TLS.</summary>
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>The ports that webhooks may name; none listed means 443.</summary>
    [MaxLength(100)] public int[] AllowedPorts { get; init; } = [];

    /// <summary>The server that takes mail; empty: no mail is sent.</summary>
    public string SmtpHost { get; init; } = "";

    [Range(1, 65535)] public int SmtpPort { get; init; } = 587;

    /// <summary>Mail goes over TLS, begun by STARTTLS.</summary>
    public bool SmtpTls { get; init; } = true;

    public string SmtpUser { get; init; } = "";

    public string SmtpPassword { get; init; } = "";

    /// <summary>The sender of mail.</summary>
    public string SmtpFrom { get; init; } = "";

    /// <summary>One attempt to tell a target, as a whole.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")] public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>First wait after a failed attempt; it doubles with jitter up to <see cref="RetryCap"/>.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")] public TimeSpan RetryBase { get; init; } = TimeSpan.FromSeconds(5);

    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")] public TimeSpan RetryCap { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>After this a message that could not be sent is given up.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")] public TimeSpan RetryLifetime { get; init; } = TimeSpan.FromDays(1);

    internal OutgoingRules Outgoing => new(AllowPrivateAddresses, AllowedPorts);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!SmtpTls && !AllowPrivateAddresses)
        {
            yield return new ValidationResult("Alarms:SmtpTls is true unless Alarms:AllowPrivateAddresses is.", [nameof(SmtpTls)]);
        }
        if (SmtpHost.Length > 0 && EmailAddress.Refuse(SmtpFrom) is not null)
        {
            yield return new ValidationResult("Alarms:SmtpFrom is the address that mail comes from, such as gateway@example.com.", [nameof(SmtpFrom)]);
        }
        if (DashboardUrl.Length > 0 && !(Uri.TryCreate(DashboardUrl, UriKind.Absolute, out var url) && url.Scheme is "https" or "http"))
        {
            yield return new ValidationResult("Alarms:DashboardUrl is an address such as https://gateway.example.com.", [nameof(DashboardUrl)]);
        }
    }
}
