using System.Globalization;
using Gateway.Http;

namespace Gateway.Delivery;

/// <summary>Which deliveries; what is null does not narrow. The same words narrow the list of the API, the command line and the page.</summary>
/// <param name="State">One of <see cref="DeliveryOverview.Shown"/>, or <c>open</c> for all that is yet to be sent, <c>late</c> for what its partner should have by now, <c>overdue</c> for what the partner took and has said nothing about for too long, or <c>taken</c> for what the partner has, processed or not.</param>
/// <param name="Code">Of the last failure; <see cref="WithoutCode"/> for those without one.</param>
/// <param name="DeadReason">Why they need, or needed, a decision.</param>
/// <param name="Day">Their document was received on this day of UTC.</param>
/// <param name="Text">A delivery's number, a message's identifier, or how the ordering key begins.</param>
/// <param name="From">Finished at this moment or later.</param>
/// <param name="To">Finished before this moment.</param>
/// <param name="Before">The number of the last row already known.</param>
/// <param name="Why">One of the words of <see cref="DeliveryReason"/>.</param>
public sealed record DeliveryFilter(
    string? State = null, int? PartnerId = null, string? PartnerGln = null, string? Code = null, string? DeadReason = null, DateTime? Day = null, string? Text = null,
    DateTime? From = null, DateTime? To = null, long? Before = null, string? Why = null)
{
    public const string WithoutCode = "-";
    public const int MaxText = 200;

    public static IReadOnlyList<string> States { get; } = [.. DeliveryOverview.Shown, "open", "late", "overdue", "taken"];

    public static IReadOnlyList<string> DeadReasons { get; } = ["exhausted", "refused", "crashed"];

    /// <summary>Reads what an address or a command line says. A partner is its number or its GLN.</summary>
    /// <param name="value">What was given for a name; null or empty does not narrow.</param>
    /// <param name="wrong">A sentence when a value cannot be; then nothing is narrowed by it.</param>
    public static DeliveryFilter Read(Func<string, string?> value, out string? wrong)
    {
        var given = new GivenValues(value);
        var filter = new DeliveryFilter(
            given.Of("state", States.Contains, $"state is one of {string.Join(", ", States)}."),
            Code: given.Of("code", v => v.Length <= MaxText, "code is shorter."),
            DeadReason: given.Of("reason", DeadReasons.Contains, $"reason is one of {string.Join(", ", DeadReasons)}."),
            Day: given.Moment("day", "yyyy-MM-dd", "day is a day such as 2026-11-21."),
            Text: given.Of("text", v => v.Length <= MaxText, "text is shorter."),
            From: given.Moment("from", null, "from is a moment such as 2026-11-21T08:00:00Z."),
            To: given.Moment("to", null, "to is a moment such as 2026-11-21T08:00:00Z."));
        if (given.Of("partner", v => v.All(char.IsAsciiDigit) && v.Length is < 10 or 13, "partner is a GLN.") is { } partner)
        {
            filter = partner.Length == 13 ? filter with { PartnerGln = partner } : filter with { PartnerId = int.Parse(partner, CultureInfo.InvariantCulture) };
        }
        filter = filter with { Why = given.Of("why", v => DeliveryReason.Named(v) is not null, $"why is one of {string.Join(", ", DeliveryReason.All.Select(r => r.Code))}.") };
        filter = filter with { Before = given.Number("before", "cursor is not one of ours.") };
        wrong = given.Wrong;
        return filter;
    }

    /// <summary>The names and values by which <see cref="Read"/> finds the same filter again.</summary>
    public IEnumerable<KeyValuePair<string, string>> Query() =>
        from pair in ((string Name, string? Value)[])
        [
            ("state", State), ("partner", PartnerGln ?? PartnerId?.ToString(CultureInfo.InvariantCulture)), ("why", Why), ("code", Code), ("reason", DeadReason),
            ("day", Day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)), ("text", Text), ("from", Exact(From)), ("to", Exact(To)),
        ]
        where pair.Value is not null
        select KeyValuePair.Create(pair.Name, pair.Value);

    /// <summary>As it stands in addresses; empty when nothing narrows.</summary>
    public string ToQueryString() => string.Join('&', Query().Select(q => $"{q.Key}={Uri.EscapeDataString(q.Value)}"));

    /// <summary>As people read it, the partner apart.</summary>
    public string ToWords() => string.Join(", ", Query().Where(q => q.Key != "partner").Select(q => q.Key switch
    {
        "state" when q.Value == "dead" => "needs decision",
        "state" when q.Value == "overdue" => "owes its result",
        "state" => q.Value,
        "code" when q.Value == WithoutCode => "without a code",
        "why" => q.Value,
        "reason" => $"because {q.Value}",
        "day" => $"received on {q.Value}",
        "from" => $"finished from {q.Value}",
        "to" => $"finished before {q.Value}",
        _ => $"{q.Key} {q.Value}",
    }));

    private static string? Exact(DateTime? at) => at?.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
