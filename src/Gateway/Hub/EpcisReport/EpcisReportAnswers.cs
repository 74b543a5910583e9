using System.Text.Json;
using Gateway.Units;

namespace Gateway.Hub.EpcisReport;

/// <summary>What such a repository answers: what became of the document, and of each EPC that it did not store.</summary>
internal static class EpcisReportAnswers
{
    private const int MaxFailed = 10_000, MaxCode = 40, MaxText = 1_000;

    /// <summary>Of packs that it has had from us before: they are stored.</summary>
    private const string Known = "known";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { MaxDepth = 8 };

    /// <exception cref="HubAnswerException">It is none.</exception>
    public static HubResult Read(byte[] bytes, Guid correlationId)
    {
        Answer answer;
        try
        {
            answer = JsonSerializer.Deserialize<Answer>(bytes, s_json) ?? throw new JsonException("It is empty.");
        }
        catch (JsonException e)
        {
            throw new HubAnswerException($"The hub's answer cannot be read: {e.Message}");
        }
        var status = answer.Status switch
        {
            "accepted" => HubStatus.Accepted,
            "partial" => HubStatus.Partial,
            "refused" => HubStatus.Refused,
            var other => throw new HubAnswerException($"The hub's answer cannot be understood: status is {other}."),
        };
        if (answer.Failed is { Count: > MaxFailed })
        {
            throw new HubAnswerException($"The hub's answer cannot be understood: more than {MaxFailed} packs failed.");
        }
        return new HubResult(correlationId, status, Cut(answer.Code, MaxCode), Cut(answer.Text, MaxText), [], [.. (answer.Failed ?? []).Where(f => f.Code != Known).Select(Failure)], bytes) { HoldsEverywhere = true };
    }

    private static FailedPack Failure(FailedEpc failed) =>
        failed.Epc is { } epc && UnitKey.Of(epc) is { } key && UnitKey.SerialOf(key) is { Length: > 0 } serial && failed.Code is { Length: > 0 and <= MaxCode } code
            ? new FailedPack(serial.ToString(), code, failed.Temporary)
            : throw new HubAnswerException("The hub's answer cannot be understood: what failed has an EPC of a pack and a code.");

    private static string? Cut(string? text, int most) => text?.Length > most ? text[..most] : text;

    private sealed record Answer(string? Status, string? Code, string? Text, IReadOnlyList<FailedEpc>? Failed);

    private sealed record FailedEpc(string? Epc, string? Code, bool Temporary);
}
