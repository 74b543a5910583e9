using System.Globalization;
using Epcis.Identifiers;
using Gateway.Http;

namespace Gateway.Exceptions;

/// <summary>Which exceptions; what is null does not narrow. The same words narrow the list of the API, the command line and the page.</summary>
/// <param name="State">open, resolved or dismissed.</param>
/// <param name="Gtin">GTIN-14 of all its units.</param>
/// <param name="Lot">Of all its units.</param>
/// <param name="Epc">One of its units, as events are stored.</param>
/// <param name="DocumentId">Found in the document of this number.</param>
/// <param name="Source">The captureID or delivery number of what found it.</param>
/// <param name="Before">The cursor of the last row already known.</param>
public sealed record ExceptionFilter(
    string? State = null, string? Code = null, string? Gtin = null, string? Lot = null, string? Epc = null, long? DocumentId = null, string? Source = null, long? Before = null)
{
    public const int MaxText = 1_000;

    public static IReadOnlyList<string> States { get; } = ["open", "resolved", "dismissed"];

    /// <summary>The names of <see cref="Read"/>, in the order of <see cref="Query"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = ["state", "code", "gtin", "lot", "epc", "document", "source"];

    /// <summary>Reads what an address or a command line says. An EPC may be an EPC URI or a GS1 Digital Link, a GTIN of 8 to 14 digits.</summary>
    /// <param name="value">What was given for a name; null or empty does not narrow.</param>
    /// <param name="wrong">A sentence when a value cannot be; then nothing is narrowed by it.</param>
    public static ExceptionFilter Read(Func<string, string?> value, out string? wrong)
    {
        var given = new GivenValues(value);
        var filter = new ExceptionFilter(
            given.Of("state", States.Contains, $"state is one of {string.Join(", ", States)}."),
            given.Of("code", IsShort, "code is shorter."),
            given.Of("gtin", v => Epcis.Identifiers.Gtin.Parse(v).Value is not null, "gtin is a GTIN with its check digit.") is { } gtin ? Epcis.Identifiers.Gtin.Parse(gtin).Value!.Value : null,
            given.Of("lot", IsShort, "lot is shorter."),
            given.Of("epc", IsShort, "epc is shorter.") is { } epc ? EpcKey.Normalise(epc) : null,
            given.Number("document", "document is a document's number."),
            given.Of("source", IsShort, "source is shorter."),
            given.Number("before", "cursor is not one of ours."));
        wrong = given.Wrong;
        return filter;

        static bool IsShort(string v) => v.Length <= MaxText;
    }

    /// <summary>The names and values by which <see cref="Read"/> finds the same filter again.</summary>
    public IEnumerable<KeyValuePair<string, string>> Query() =>
        Names.Zip((string?[])[State, Code, Gtin, Lot, Epc, DocumentId?.ToString(CultureInfo.InvariantCulture), Source])
            .Where(q => q.Second is not null).Select(q => KeyValuePair.Create(q.First, q.Second!));

    /// <summary>As it stands in addresses; empty when nothing narrows.</summary>
    public string ToQueryString() => string.Join('&', Query().Select(q => $"{q.Key}={Uri.EscapeDataString(q.Value)}"));
}
