using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Gateway.Capture;

/// <summary>What became of a file: one of the three.</summary>
/// <param name="CaptureId">It is kept, as this capture.</param>
/// <param name="Refusal">Why it never will be.</param>
internal sealed record FileOutcome(Guid? CaptureId, string? Refusal)
{
    /// <summary>There is no room, or it is being taken in elsewhere.</summary>
    public static FileOutcome Later { get; } = new(null, null);
}

/// <summary>A party's file from a folder, taken as POST /capture would take it from that party: same limits, same acceptance, same answer to the same bytes.</summary>
internal sealed class TakeFile(GatewayDatabase database, AcceptCapture accept, UploadLimit uploads, IOptions<CaptureOptions> options)
{
    /// <param name="by">What takes it, as the audit trail names it.</param>
    public async Task<FileOutcome> TakeAsync(Stream file, int partyId, string by, CancellationToken ct)
    {
        var actor = await ActorAsync(partyId, by, ct);
        try
        {
            await using var body = await ReceivedBody.ReceiveFileAsync(file, uploads, options.Value, ct);
            var (answer, problem) = await accept.AcceptAsync(body, null, "rollback", actor, ct);
            return answer switch
            {
                { Status: < 400 } => new FileOutcome(answer.PublicId, null),
                not null => new FileOutcome(null, Detail(answer.Body)),
                null => Of(problem as ProblemHttpResult),
            };
        }
        catch (BodyRefusedException refused)
        {
            return Of(refused.Answer);
        }
    }

    private static FileOutcome Of(ProblemHttpResult? problem) =>
        problem is { StatusCode: 400 or 413 or 415 or 422 } ? new FileOutcome(null, problem.ProblemDetails.Detail ?? "It is refused.") : FileOutcome.Later;

    private static string Detail(string problem)
    {
        using var json = JsonDocument.Parse(problem);
        return json.RootElement.TryGetProperty("detail", out var detail) && detail.GetString() is { } text ? text : "It is refused.";
    }

    // As a key of that party's would act.
    private async Task<Actor> ActorAsync(int partyId, string by, CancellationToken ct)
    {
        var gateway = Actor.System(by);
        await using var work = await database.BeginAsync(gateway, ct);
        var kind = await work.Connection.ExecuteScalarAsync<string>("select kind from party where party_id = @partyId", new { partyId }, work.Transaction);
        return gateway with { PartyId = partyId, Sees = kind == "organisation" ? "*" : partyId.ToString(System.Globalization.CultureInfo.InvariantCulture) };
    }
}
