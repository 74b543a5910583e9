using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Host.Simulate;
using Gateway.Intake;
using Gateway.Lines;
using Gateway.Serials;

namespace Gateway.Host;

/// <summary>
/// What the demonstration's lines have done: a run that is closed, one that runs, and one that ended and does not balance, each with the file that its line
/// wrote. Made once, step by step, as people and lines would make it.
/// </summary>
public sealed class DemonstrationLines(IServiceProvider services, IReadOnlyList<DemonstrationLogin> logins, Uri url, string key)
{
    private const string Mapping = "f4-jsonl-stream", Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int InCase = 4, CasesOnPallet = 3;

    private readonly (RunRecords Records, RunSteps Steps, RunCounts Counts, LineRegister Lines, GrantNumbers Grants) _of = (services.GetRequiredService<RunRecords>(), services.GetRequiredService<RunSteps>(),
        services.GetRequiredService<RunCounts>(), services.GetRequiredService<LineRegister>(), services.GetRequiredService<GrantNumbers>());

    public async Task MakeAsync(CancellationToken ct)
    {
        if ((await _of.Records.ListAsync(Actor.System("demonstration"), null, null, null, 1, ct)).Count > 0)
        {
            return; // of an earlier start
        }
        var login = logins.Single(l => l.Role == "officer");
        var sessions = services.GetRequiredService<Sessions>();
        var cookie = (await services.GetRequiredService<SignInPerson>().TryAsync(login.User, login.Password, null, "demonstration", ct)).Secret!;
        var holder = (await sessions.FindAsync(cookie, ct))!;
        var officer = holder.ToPrincipal(SessionAuthentication.SchemeName).ToActor("demonstration");
        using var http = new HttpClient { BaseAddress = url };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        foreach (var name in (string[])[Mapping, "f1-unit-csv", "f2-parent-csv", ApplyMessages.Mapping])
        {
            Done(await services.GetRequiredService<Mappings>().ApproveAsync(officer, name, "Tried with a day's files of the line: every record was read as it was meant.", ct));
        }

        // Made, packed and balanced: two pallets, one pack scrapped, one number left over.
        var closed = await StartAsync("PL01", DemonstrationCast.Products[0], "D26114A", 24);
        var numbers = await GrantAsync(closed, new SerialRequest("D26114A-1", closed.Gtin, Quantity: 26, Run: closed.Id, Device: "PL01-printer"));
        var file = Begin(closed).Make([.. numbers.Take(24)], await PalletsAsync(closed, 2)).Scrap(numbers[24]).Unused(numbers[25]);
        await RunAsync(closed);
        await TakeInAsync(closed, file);
        Done(await services.GetRequiredService<GiveBackNumbers>().ReturnAsync(officer, new GiveBackRequest(Gtin: closed.Gtin, Serials: [numbers[25]], Reason: "left over at the end of the lot"), ct) is { Sentence: var sentence } ? sentence : null);
        Done(await _of.Counts.ReportAsync(officer, closed.Id, "PL01-camera", "good", 24, ct));
        Done(await _of.Steps.EndAsync(officer, closed.Id, null, "the lot is complete", ct));
        Done(await _of.Steps.ReconcileAsync(officer, closed.Id, null, "the lot is complete", ct));
        Done(await _of.Steps.CloseAsync(officer, closed.Id, null, "every pack is accounted for", ct));

        // Half of the next lot.
        var running = await StartAsync("PL01", DemonstrationCast.Products[0], "D26115A", 24);
        numbers = await GrantAsync(running, new SerialRequest("D26115A-1", running.Gtin, Quantity: 26, Run: running.Id, Device: "PL01-printer"));
        file = Begin(running).Make([.. numbers.Take(12)], await PalletsAsync(running, 1));
        await RunAsync(running);
        await TakeInAsync(running, file);

        // The line brings its own numbers; two packs lie in no case, a record is of a kind that nobody knows, and the camera saw one pack more.
        var ended = await StartAsync("PL02", DemonstrationCast.Products[1], "D26114B", 26);
        file = Begin(ended).Make([.. Enumerable.Range(0, 26).Select(_ => RandomNumberGenerator.GetString(Alphabet, 12))], await PalletsAsync(ended, 2)).Say("palletiser", "weigh", new() { ["grams"] = 8412 });
        await RunAsync(ended);
        await TakeInAsync(ended, file);
        Done(await _of.Counts.ReportAsync(officer, ended.Id, "PL02-camera", "good", 27, ct));
        Done(await _of.Steps.EndAsync(officer, ended.Id, null, "the last carton has left the line", ct));
        await sessions.EndAsync(cookie, "the demonstration has signed", officer, ct);

        async Task<RunItem> StartAsync(string code, SimulatedProduct product, string lot, int quantity)
        {
            var line = (await _of.Lines.FindAsync(officer, code, null, ct))!;
            var gtin = Epc.Parse($"urn:epc:idpat:sgtin:{product.UnitClass}.*", CompanyPrefixes.None).Value!.Key;
            var (run, refusal) = await _of.Steps.PlanAsync(officer, line, new PlanRequest(gtin, lot, new DateOnly(2029, 1, 31), quantity, $"4711-{lot}", null), ct);
            Done(refusal);
            ClearanceItem[] items = [.. RunSteps.Checklist.Select(c => new ClearanceItem(c, true))];
            var signing = services.GetRequiredService<Signing>();
            var begun = await signing.BeginAsync(officer, holder.SessionId!.Value, (await _of.Steps.ClearanceAsync(officer, run!.Id, items, ct))!, RunSteps.Clearance, ct);
            Done(begun.Nonce is { } nonce ? (await signing.SignAsync(officer, holder.SessionId.Value, nonce, new SigningSecret(login.User, login.Password, AcceptedStatement: 1), RunSteps.Cleared(items), ct)).Refusal : begun.Refusal);
            return run;
        }

        // The devices' clocks are known with their first heartbeats, a moment after they registered.
        async Task RunAsync(RunItem run)
        {
            string? refusal = null;
            for (var tries = 0; tries < 60 && (tries == 0 || refusal is not null); tries++)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(tries == 0 ? 0 : 500), ct);
                refusal = (await _of.Records.DetailsAsync(officer, run.Id, ct))!.Readiness.FirstOrDefault(c => !c.IsMet)?.Says;
            }
            Done(refusal);
            Done(await _of.Steps.ReadyAsync(officer, run.Id, null, "all is in place", ct));
            Done(await _of.Steps.StartAsync(officer, run.Id, null, "all is in place", ct));
        }

        async Task<IReadOnlyList<string>> GrantAsync(RunItem run, SerialRequest request)
        {
            var outcome = await _of.Grants.RunAsync(officer, request, ct);
            Done(outcome.Sentence);
            await _of.Grants.AcknowledgeAsync(officer, outcome.Granted!.Grant.Id, ct);
            return outcome.Granted.Numbers;
        }

        Task<IReadOnlyList<string>> PalletsAsync(RunItem run, int quantity) =>
            GrantAsync(run, new SerialRequest($"{run.Lot}-P", SsccPrefix: "1" + DemonstrationCast.Products[0].CompanyPrefix, Quantity: quantity, Run: run.Id, Device: $"{run.Line}-palletiser"));

        async Task TakeInAsync(RunItem run, LineFile said)
        {
            using var content = new ByteArrayContent(said.Bytes()) { Headers = { ContentType = new MediaTypeHeaderValue("application/jsonl") } };
            using var answer = await http.PostAsync($"api/intake/{Mapping}?run={run.Id}", content, ct);
            Done(answer.IsSuccessStatusCode ? null : await answer.Content.ReadAsStringAsync(ct));
            while ((await http.GetFromJsonAsync<JsonElement>(answer.Headers.Location, ct)).GetProperty("running").GetBoolean())
            {
                await Task.Delay(200, ct);
            }
        }
    }

    private static LineFile Begin(RunItem run) => new(run, DateTime.UtcNow.AddMinutes(-2));

    private static void Done(string? refusal)
    {
        if (refusal is not null)
        {
            throw new InvalidOperationException(refusal);
        }
    }

    /// <summary>What a line writes down, one message after another.</summary>
    private sealed class LineFile
    {
        private readonly RunItem _run;
        private readonly StringBuilder _lines = new();
        private readonly Dictionary<string, int> _seqs = [];
        private DateTime _at;

        public LineFile(RunItem run, DateTime at)
        {
            (_run, _at) = (run, at);
            Say("plc", "batch", new() { ["lot"] = run.Lot, ["expiry"] = run.Expiry.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), ["gtin"] = run.Gtin, ["order"] = run.OrderNumber });
        }

        /// <summary>Prints, reads and packs; what is over stays in no case.</summary>
        public LineFile Make(IReadOnlyList<string> serials, IReadOnlyList<string> pallets)
        {
            var gtin = Case(_run.Gtin);
            foreach (var serial in serials)
            {
                Say("printer", "encode", new() { ["id"] = Pack(serial) });
                Say("camera", "verify", new() { ["id"] = Pack(serial), ["pass"] = true, ["grade"] = "A" });
            }
            var cases = serials.Chunk(InCase).Where(c => c.Length == InCase).Select(c => (Id: $"01{gtin}21{RandomNumberGenerator.GetString(Alphabet, 12)}", Packs: c)).ToList();
            foreach (var (id, packs) in cases)
            {
                Say("aggregator", "label", new() { ["id"] = id });
                Say("aggregator", "pack", new() { ["parent"] = id, ["children"] = packs.Select(Pack).ToArray() });
            }
            foreach (var (pallet, on) in pallets.Zip(cases.Chunk(CasesOnPallet)))
            {
                Say("palletiser", "label", new() { ["id"] = $"00{pallet}" });
                Say("palletiser", "pack", new() { ["parent"] = $"00{pallet}", ["children"] = on.Select(c => c.Id).ToArray() });
            }
            return this;
        }

        public LineFile Scrap(string serial) => Say("printer", "encode", new() { ["id"] = Pack(serial) }).Say("camera", "scrap", new() { ["id"] = Pack(serial), ["reason"] = "GRADE_F" });

        public LineFile Unused(string serial) => Say("printer", "unused", new() { ["ids"] = (string[])[Pack(serial)] });

        public LineFile Say(string device, string type, Dictionary<string, object> more)
        {
            var seq = _seqs[device] = _seqs.GetValueOrDefault(device) + 1;
            _at = _at.AddMilliseconds(50);
            var message = new Dictionary<string, object> { ["v"] = 1, ["dev"] = $"{_run.Line}-{device}", ["ep"] = 1, ["seq"] = seq, ["ts"] = _at.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture), ["typ"] = type };
            foreach (var (name, value) in more)
            {
                message[name] = value;
            }
            _lines.Append(JsonSerializer.Serialize(message)).Append('\n');
            return this;
        }

        public byte[] Bytes() => Encoding.UTF8.GetBytes(_lines.ToString());

        private string Pack(string serial) => $"01{_run.Gtin}21{serial}";

        // The same product with the next indicator digit, as the demonstration's master data have it.
        private static string Case(string gtin)
        {
            var digits = "1" + gtin[1..^1];
            return digits + CheckDigit.Of(digits);
        }
    }
}
