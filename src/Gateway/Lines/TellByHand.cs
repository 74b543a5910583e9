using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Intake;
using Gateway.Units;

namespace Gateway.Lines;

/// <param name="Unit">Any spelling that <see cref="UnitIdentifier"/> reads.</param>
/// <param name="What">One of <see cref="TellByHand.What"/>.</param>
/// <param name="Into">Of pack: the container.</param>
/// <param name="Reason">Why, or how it came about.</param>
/// <param name="Party">Whose line it is, where several have one of that code.</param>
public sealed record HandRequest(string? Unit, string? What, string? Into, string? Reason, string? Party);

/// <summary>
/// What a person at a line says of one unit, where no device says it: a pack that was found, taken out, sampled or put in its place. It is a document as any
/// other, captured by the mapping for device messages, with the method <c>manual</c>, the person and the reason in its event.
/// </summary>
public sealed class TellByHand(GatewayDatabase database, Mappings mappings, UnitQueries units)
{
    /// <summary>What can be said, as the devices of a line say it (docs/devices.md).</summary>
    public static IReadOnlyList<string> What { get; } = ["decommission", "sample", "destroy", "reject", "rework_ok", "unpack", "pack"];

    /// <returns>The document's id, or the refusal as a sentence; then nothing was changed. What the rules find of it is an exception of the document.</returns>
    public async Task<(Guid? Capture, string? Refusal)> RunAsync(Actor actor, LineItem line, HandRequest request, CancellationToken ct)
    {
        if (request.What is null || !What.Contains(request.What))
        {
            return (null, $"what is one of {string.Join(", ", What)}.");
        }
        if (string.IsNullOrWhiteSpace(request.Reason))
        {
            return (null, "reason is missing.");
        }
        if (Texts.Refusal("reason", request.Reason, Texts.MaxReason) is { } unfit)
        {
            return (null, unfit);
        }
        var (unit, refusal) = await KnownAsync(actor, "unit", request.Unit, ct);
        if (unit is null)
        {
            return (null, refusal);
        }
        string? parent = null;
        if (request.What == "unpack")
        {
            if (unit.Containers.Count == 0)
            {
                return (null, "It is in no container.");
            }
            parent = UnitKey.Of(unit.Containers[0].Epc);
        }
        else if (request.What == "pack")
        {
            if (unit.Containers.Count > 0)
            {
                return (null, $"It is in {unit.Containers[0].Epc}: take it out first.");
            }
            (var container, refusal) = await KnownAsync(actor, "into", request.Into, ct);
            if (container is null)
            {
                return (null, refusal);
            }
            parent = container.Key;
        }
        if (await mappings.ApprovedIdAsync(ApplyMessages.Mapping, ct) is not { } mapping)
        {
            return (null, $"Nobody has approved the mapping {ApplyMessages.Mapping}, by which this is read.");
        }
        await using var work = await database.BeginAsync(actor with { Reason = request.Reason }, ct);
        var now = await work.Connection.ExecuteScalarAsync<DateTime>(new CommandDefinition("select gateway_now()", transaction: work.Transaction, cancellationToken: ct));
        // The unit's own run, if it is open: another lot may be on the line by now. It is not closed between this look and the commit.
        var run = await work.Connection.QueryFirstOrDefaultAsync<RunOf>(new CommandDefinition("""
            select r.run_id as RunId, r.public_id as PublicId from capture c join run r using (run_id) where c.public_id = @told and r.line_id = @LineId and r.state in ('running', 'paused', 'ended', 'reconciled') for share of r
            """, new { told = unit.First.CaptureId, line.LineId }, work.Transaction, cancellationToken: ct));
        var document = Document(line, run, request, unit, parent, actor, now);
        var publicId = Guid.NewGuid();
        using var bytes = new MemoryStream(document);
        var partyId = await work.Connection.ExecuteScalarAsync<int>(new CommandDefinition("select party_id from line where line_id = @LineId", line, work.Transaction, cancellationToken: ct));
        _ = await CaptureRecords.InsertAsync(work, new NewCapture(publicId, partyId, actor.Id, SHA256.HashData(document), document.Length, "application/jsonl", null, null, "proceed", now, 202, CaptureJob.FirstAnswer(publicId, now, "proceed"))
        {
            Scope = actor.Scope, Mapping = mapping, Method = "manual", RunId = run?.RunId,
        }, bytes, ct) ?? throw new InvalidOperationException("One sentence was stored twice.");
        await work.CommitAsync();
        return (publicId, null);
    }

    private async Task<(UnitFacts? Unit, string? Refusal)> KnownAsync(Actor actor, string name, string? text, CancellationToken ct) =>
        string.IsNullOrWhiteSpace(text) ? (null, $"{name} is missing.")
        : UnitIdentifier.Read(text, out var wrong) is not { } key ? (null, wrong)
        : await units.FindAsync(actor, key, ct) is { } unit ? (unit, null) : (null, $"No unit is known of this number: {text.Trim()}.");

    private static byte[] Document(LineItem line, RunOf? run, HandRequest request, UnitFacts unit, string? parent, Actor actor, DateTime now)
    {
        var said = new Dictionary<string, object>
        {
            ["typ"] = request.What!, ["dev"] = "by hand", ["ep"] = 1, ["seq"] = 1, ["ts"] = now.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture), ["person"] = actor.Id, ["reason"] = request.Reason!, ["said"] = Guid.NewGuid(),
        };
        if (parent is null)
        {
            said["id"] = unit.Key;
        }
        else
        {
            (said["parent"], said["children"]) = (parent, new[] { unit.Key });
        }
        return Encoding.UTF8.GetBytes($"{ApplyMessages.Batch(line.Code, run?.PublicId, unit.Gtin, unit.Lot, unit.Expiry)}\n{JsonSerializer.Serialize(said)}\n");
    }

    private sealed record RunOf(long RunId, Guid PublicId);
}
