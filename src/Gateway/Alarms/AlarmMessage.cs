using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Gateway.Alarms;

/// <summary>What a target is told. It is the same in every attempt.</summary>
/// <param name="Id">Of the notice, by which a repeat can be told.</param>
/// <param name="Turn">raised, worse (what was a warning is an error now), cleared or test.</param>
public sealed record AlarmMessage(Guid Id, string Turn, string? Kind, string? Subject, string? Severity, string? Sentence, string? Link, DateTime? Since, DateTime? RaisedAt, DateTime? ClearedAt, DateTime MadeAt)
{
    private const int MaxSubject = 150;

    /// <summary>One line of text that a header, a terminal and a list can hold.</summary>
    internal static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c)).Trim();

    /// <summary>The body of a webhook: type, timestamp and data, as Standard Webhooks recommends.</summary>
    public byte[] ToJson(string dashboard) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        type = $"alarm.{Turn}",
        timestamp = MadeAt,
        data = new { Kind, Subject, Severity, sentence = Said, Since, RaisedAt, ClearedAt, link = LinkFrom(dashboard) },
    }, JsonSerializerOptions.Web);

    public string MailSubject()
    {
        var line = OneLine(Turn switch
        {
            "raised" or "worse" => $"[gateway] {(Severity == AlarmSeverity.Error ? "Error" : "Warning")}: {Sentence}",
            "cleared" => $"[gateway] Over: {Sentence}",
            _ => $"[gateway] {Said}",
        });
        return line.Length <= MaxSubject ? line : line[..(char.IsHighSurrogate(line[MaxSubject - 1]) ? MaxSubject - 1 : MaxSubject)] + "…";
    }

    public string MailText(string dashboard)
    {
        var text = new StringBuilder(OneLine(Said)).Append("\n\n");
        if (Turn == "cleared")
        {
            text.Append(CultureInfo.InvariantCulture, $"This is over since {At(ClearedAt)}.\n");
        }
        if (Kind is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"Kind: {Kind}\nAbout: {OneLine(Subject!)}\nSince: {At(Since)}\nRaised: {At(RaisedAt)}\n");
        }
        if (LinkFrom(dashboard) is { } link)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{link}\n");
        }
        return text.Append(CultureInfo.InvariantCulture, $"\nMessage {Id}\n").ToString();
    }

    private string Said => Turn == "test" ? "This is a test: nothing is wrong. Whoever reads it is told of alarms." : Sentence!;

    private string? LinkFrom(string dashboard) => Link is null || dashboard.Length == 0 ? null : $"{dashboard.TrimEnd('/')}/{Link.TrimStart('/')}";

    private static string At(DateTime? at) => at?.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture) ?? "";
}
