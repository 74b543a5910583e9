using System.Text.Json;

namespace Gateway.Delivery;

/// <summary>Why a document cannot be composed yet.</summary>
/// <param name="Code">Explained at <c>/help</c>: compose.path, compose.masterdata, compose.held, compose.statement, compose.invalid or compose.limit.</param>
/// <param name="Subject">What it is about: a unit, a product, a party or place.</param>
/// <param name="Sentence">For people.</param>
public sealed record ComposeFinding(string Code, string Subject, string Sentence);

/// <summary>What was left out of a document for one reason.</summary>
/// <param name="Reason">In words.</param>
/// <param name="Samples">Some of them: EPCs or eventIDs.</param>
public sealed record LeftOut(string Reason, int Count, IReadOnlyList<string> Samples);

/// <summary>What a composed document tells.</summary>
/// <param name="Units">The EPCs that it tells of, at every level.</param>
/// <param name="CutEvents">Events that are told with less than was captured, under eventIDs of their own.</param>
/// <param name="Statement">It has the transaction statement.</param>
public sealed record ComposedContent(string Format, int Events, int Units, long Bytes, int CutEvents, bool Statement, IReadOnlyList<LeftOut> LeftOut);

/// <summary>How both stand in the delivery's row.</summary>
internal static class ComposeJson
{
    private static readonly JsonSerializerOptions s_web = new(JsonSerializerDefaults.Web);

    public static string Of<T>(T value) => JsonSerializer.Serialize(value, s_web);

    public static IReadOnlyList<ComposeFinding> Findings(string json) => JsonSerializer.Deserialize<List<ComposeFinding>>(json, s_web)!;

    public static ComposedContent Content(string json) => JsonSerializer.Deserialize<ComposedContent>(json, s_web)!;
}
