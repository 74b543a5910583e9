using System.Text.Json;
using System.Text.Json.Serialization;
using Epcis;
using Gateway.Http;

namespace Gateway.Capture;

/// <summary>
/// The capture job of EPCIS 2.0. <c>success</c> is true while running without errors; the final state is <c>running = false</c>.
/// </summary>
public sealed record CaptureJob(
    [property: JsonPropertyName("captureID")] string CaptureId,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FinishedAt,
    bool Running,
    bool Success,
    string CaptureErrorBehaviour,
    IReadOnlyList<FindingView> Errors)
{
    /// <summary>Absent members are left out, in stored answers as in live ones.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>What the sender of a document that was taken in is told, with 202.</summary>
    public static string FirstAnswer(Guid publicId, DateTime now, string errorBehaviour) =>
        JsonSerializer.Serialize(new CaptureJob(publicId.ToString(), now, null, true, true, errorBehaviour, []), Json);

    /// <summary>The same when the document is decided at once: the job is finished.</summary>
    internal static string LastAnswer(Guid publicId, DateTime now, string errorBehaviour, ParsedDocument document)
    {
        var errors = document.Reader.Findings.All.Where(f => f.Severity == Severity.Error).Select(FindingView.Of).ToList();
        return JsonSerializer.Serialize(new CaptureJob(publicId.ToString(), now, now, false, !document.Reader.Findings.HasErrors, errorBehaviour, errors), Json);
    }
}

/// <summary>A capture with all its findings, for people and our own tools.</summary>
/// <param name="HeldTo">The rules that decided it: a profile, and each rule that was judged otherwise.</param>
public sealed record CaptureDetails(
    Guid Id, string State, string ErrorBehaviour, string? Form, string Sha256, long Length, string MediaType, string? ContentEncoding, string SubmittedBy,
    int PartyId, int Events, int Errors, DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt, int Attempts, string? HeldTo, IReadOnlyList<FindingView> Findings);
