using Dapper;
using Epcis.Formats;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Http;
using Gateway.MasterData;
using Gateway.Units;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Gateway.Intake;

/// <summary>A line's file on its way in.</summary>
/// <param name="Mapping">By name.</param>
/// <param name="Method"><c>device</c>, <c>file</c> or <c>manual</c>.</param>
/// <param name="RunId">The run that it tells of; null when nobody says.</param>
internal sealed record IntakeRequest(string Mapping, string Method, long? RunId = null);

/// <summary>
/// Takes files of lines in: as captures, whose bytes are kept, whose second coming gets the first answer, and whose reading is done by
/// the mapping that was approved when they came (docs/decisions/0027).
/// </summary>
public sealed class TakeIn
{
    private static readonly Actor Gateway = Actor.System("intake");
    private readonly GatewayDatabase _database;
    private readonly Mappings _mappings;
    private readonly AcceptCapture _accept;
    private readonly KnownMasterData _masterData;
    private readonly IntakeOptions _options;

    internal TakeIn(GatewayDatabase database, Mappings mappings, AcceptCapture accept, KnownMasterData masterData, IOptions<IntakeOptions> options) =>
        (_database, _mappings, _accept, _masterData, _options) = (database, mappings, accept, masterData, options.Value);

    /// <summary>As <see cref="AcceptCapture.AcceptAsync"/>.</summary>
    internal async Task<(CaptureAnswer? Answer, IResult? Problem)> AcceptAsync(IntakeRequest request, ReceivedBody body, string? key, Actor actor, CancellationToken ct)
    {
        var (mapping, refusal) = await _mappings.CurrentAsync(request.Mapping, ct);
        if (mapping is null)
        {
            return (null, refusal is null ? Problems.NotFound("mapping with this name") : Problems.MappingNotApproved(refusal));
        }
        return await _accept.AcceptAsync(body, key, "proceed", actor, ct, new AcceptedMapping(mapping.Id, request.Method, request.RunId));
    }

    /// <summary>The run that a file is said to tell of: of the sender's own party, and not closed.</summary>
    /// <returns>The run, or the refusal as a sentence.</returns>
    internal async Task<(long? RunId, string? Refusal)> RunAsync(Actor actor, Guid run, CancellationToken ct)
    {
        await using var work = await _database.BeginAsync(actor, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<(long RunId, int PartyId, string State)?>(new CommandDefinition("select run_id, party_id, state from run where public_id = @run", new { run }, work.Transaction, cancellationToken: ct)) switch
        {
            null => (null, "There is no run with this id."),
            { PartyId: var party } when party != actor.PartyId => (null, "The run is another party's: only its own files tell of it."),
            { State: "closed" or "cancelled" } found => (null, $"The run is {found.State}: no file tells of it any more."),
            { } found => (found.RunId, null),
        };
    }

    /// <summary>Takes in the files of a form that a person sent.</summary>
    /// <param name="run">That they tell of; null when nobody says.</param>
    public async Task<(IReadOnlyList<UploadedFile> Files, ProblemHttpResult? Problem)> UploadAsync(HttpContext context, UploadFiles upload, string mapping, Guid? run, CancellationToken ct)
    {
        long? runId = null;
        if (run is { } named)
        {
            (runId, var refusal) = await RunAsync(context.Actor(), named, ct);
            if (refusal is not null)
            {
                return ([], (ProblemHttpResult)Problems.BadParameter(refusal));
            }
        }
        return await TakeEachAsync(context, upload, mapping, runId, ct);
    }

    private Task<(IReadOnlyList<UploadedFile> Files, ProblemHttpResult? Problem)> TakeEachAsync(HttpContext context, UploadFiles upload, string mapping, long? runId, CancellationToken ct) => upload.EachAsync(context, async (name, body) =>
    {
        try
        {
            var (answer, problem) = await AcceptAsync(new IntakeRequest(mapping, "file", runId), body, null, context.Actor(), ct);
            return answer is null ? new UploadedFile(name, ((ProblemHttpResult)problem!).ProblemDetails) : new UploadedFile(name) { CaptureId = answer.PublicId, IsRepeat = answer.IsReplay };
        }
        catch (CommitUnknownException)
        {
            return new UploadedFile(name, Problems.FileOutcomeUnknown().ProblemDetails);
        }
    }, ofAnyType: true, ct);

    /// <summary>How documents that came by a mapping are read: registered with Capture.</summary>
    public async Task<Func<Stream, EpcisReader>> OpenerAsync(MappedDocument document, CancellationToken ct)
    {
        var mapping = await _mappings.OfAsync(document.Mapping, ct);
        var context = await ContextAsync(document, ct);
        return stream =>
        {
            var reader = new IntakeReader(stream, mapping, context);
            reader.Prepare();
            return reader;
        };
    }

    // Asked by the thread that reads the file, as its bytes are.
    private IReadOnlySet<string> EverCommissioned(IReadOnlyList<string> epcs) => epcs.Count == 0 ? new HashSet<string>() : EverCommissionedAsync(epcs).GetAwaiter().GetResult();

    private async Task<HashSet<string>> EverCommissionedAsync(IReadOnlyList<string> epcs)
    {
        var named = epcs.Select(epc => (Epc: epc, Key: UnitKey.Of(epc)!)).Where(n => n.Key is not null).ToList();
        await using var work = await _database.BeginAsync(Gateway, CancellationToken.None);
        return (await work.Connection.QueryAsync<string>("""
            select n.epc from unnest(@epcs, @keys, @heads, @hashes) n (epc, key, head, hash)
            cross join lateral (select 1 from unit u where u.head = n.head and u.hash = n.hash and u.key = n.key and u.flags & 1 <> 0 limit 1) u
            """, new
        {
            epcs = named.Select(n => n.Epc).ToArray(), keys = named.Select(n => n.Key).ToArray(), heads = named.Select(n => UnitKey.Head(n.Key)).ToArray(), hashes = named.Select(n => UnitKey.Hash(n.Key)).ToArray(),
        }, work.Transaction)).ToHashSet(StringComparer.Ordinal);
    }

    internal async Task<IntakeContext> ContextAsync(MappedDocument document, CancellationToken ct)
    {
        await using var work = await _database.BeginAsync(Gateway, ct);
        var lines = (await work.Connection.QueryAsync<(string Code, string ReadPoint, string Site, string Zone, bool IsOfRun)>(new CommandDefinition("""
            select l.code, l.read_point, l.site, l.time_zone, r.run_id is not null from line l left join run r on r.line_id = l.line_id and r.run_id = @RunId where l.party_id = @PartyId
            """, document, work.Transaction, cancellationToken: ct))).AsList();
        var known = await _masterData.ReadAsync(ct);
        var zones = lines.Where(l => l.IsOfRun).Concat(lines).Select(l => l.Zone).Distinct().ToList();
        return new IntakeContext(known, new DateTimeOffset(document.ReceivedAt, TimeSpan.Zero), document.Sha256)
        {
            Lines = lines.ToDictionary(l => l.Code, l => new LinePlace(l.ReadPoint, known.FindLocation(l.Site)?.Sgln()), StringComparer.Ordinal),
            Line = lines.Where(l => l.IsOfRun).Select(l => l.Code).FirstOrDefault(),
            // Of several lines in several zones none is the site's.
            SiteZone = lines.Exists(l => l.IsOfRun) || zones.Count == 1 ? zones[0] : null,
            FutureTolerance = _options.FutureTolerance,
            MaxRecords = _options.MaxRecords,
            EverCommissioned = EverCommissioned,
        };
    }
}
