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
/// What the demonstration's lines have done: a run that is closed, and one that ended and does not balance, each with the file that its line
/// wrote. Made once, step by step, as people and lines would make it.
/// </summary>
public sealed class DemonstrationLines(IServiceProvider services, IReadOnlyList<DemonstrationLogin> logins, Uri url, string key)
{
    private const string Mapping = "f4-jsonl-stream", Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int InCase = 4, CasesOnPallet = 3;

    public async Task MakeAsync(CancellationToken ct)
    {
        if ((await services.GetRequiredService<RunRecords>().ListAsync(Actor.System("demonstration"), null, null, null, 1, ct)).Count > 0)
        {
            return; // of an earlier start
        }
        await using var officer = await DemonstrationOfficer.SignInAsync(services, logins, ct);
        using var http = new HttpClient { BaseAddress = url };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        foreach (var name in (string[])[Mapping, "f1-unit-csv", "f2-parent-csv", ApplyMessages.Mapping])
        {
            DemonstrationOfficer.Done(await services.GetRequiredService<Mappings>().ApproveAsync(officer.Actor, name, "Tried with a day's files of the line: every record was read as it was meant.", ct));
        }

        // Made, packed and balanced: two pallets, one pack scrapped, one number left over.
        var closed = await officer.PlanAsync("PL01", DemonstrationCast.Products[0], "D26114A", 24, ct);
        var numbers = await officer.GrantAsync(new SerialRequest("D26114A-1", closed.Gtin, Quantity: 26, Run: closed.Id, Device: "PL01-PRN"), ct);
        var file = Begin(closed).Make([.. numbers.Take(24)], await PalletsAsync(closed)).Scrap(numbers[24]).Unused(numbers[25]);
        await officer.StartAsync(closed, ct);
        await TakeInAsync(closed, file);
        DemonstrationOfficer.Done(await services.GetRequiredService<GiveBackNumbers>().ReturnAsync(officer.Actor, new GiveBackRequest(Gtin: closed.Gtin, Serials: [numbers[25]], Reason: "left over at the end of the lot"), ct) is { Sentence: var sentence } ? sentence : null);
        DemonstrationOfficer.Done(await officer.Counts.ReportAsync(officer.Actor, closed.Id, "PL01-VIS", "good", 24, ct));
        DemonstrationOfficer.Done(await officer.Steps.EndAsync(officer.Actor, closed.Id, null, "the lot is complete", ct));
        DemonstrationOfficer.Done(await officer.CloseAsync(closed, ct));

        // The line brings its own numbers; two packs lie in no case, a record is of a kind that nobody knows, and the camera saw one pack more.
        var ended = await officer.PlanAsync("PL02", DemonstrationCast.Products[1], "D26114B", 26, ct);
        file = Begin(ended).Make([.. Enumerable.Range(0, 26).Select(_ => RandomNumberGenerator.GetString(Alphabet, 12))], await PalletsAsync(ended)).Say("PAL", "weigh", new() { ["grams"] = 8412 });
        await officer.StartAsync(ended, ct);
        await TakeInAsync(ended, file);
        DemonstrationOfficer.Done(await officer.Counts.ReportAsync(officer.Actor, ended.Id, "PL02-VIS", "good", 27, ct));
        DemonstrationOfficer.Done(await officer.Steps.EndAsync(officer.Actor, ended.Id, null, "the last carton has left the line", ct));

        Task<IReadOnlyList<string>> PalletsAsync(RunItem run) =>
            officer.GrantAsync(new SerialRequest($"{run.Lot}-P", SsccPrefix: "1" + DemonstrationCast.Products[0].CompanyPrefix, Quantity: 2, Run: run.Id, Device: $"{run.Line}-PAL"), ct);

        async Task TakeInAsync(RunItem run, LineFile said)
        {
            using var content = new ByteArrayContent(said.Bytes()) { Headers = { ContentType = new MediaTypeHeaderValue("application/jsonl") } };
            using var answer = await http.PostAsync($"api/intake/{Mapping}?run={run.Id}", content, ct);
            DemonstrationOfficer.Done(answer.IsSuccessStatusCode ? null : await answer.Content.ReadAsStringAsync(ct));
            while ((await http.GetFromJsonAsync<JsonElement>(answer.Headers.Location, ct)).GetProperty("running").GetBoolean())
            {
                await Task.Delay(200, ct);
            }
        }
    }

    /// <summary>The case's GTIN: the same product with the next indicator digit, as the demonstration's master data have it.</summary>
    internal static string CaseOf(string gtin)
    {
        var digits = "1" + gtin[1..^1];
        return digits + CheckDigit.Of(digits);
    }

    private static LineFile Begin(RunItem run) => new(run, DateTime.UtcNow.AddMinutes(-2));

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
            Say("PLC", "batch", new() { ["lot"] = run.Lot, ["expiry"] = run.Expiry.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), ["gtin"] = run.Gtin, ["order"] = run.OrderNumber });
        }

        /// <summary>Prints, reads and packs; what is over stays in no case.</summary>
        public LineFile Make(IReadOnlyList<string> serials, IReadOnlyList<string> pallets)
        {
            var gtin = CaseOf(_run.Gtin);
            foreach (var serial in serials)
            {
                Say("PRN", "encode", new() { ["id"] = Pack(serial) });
                Say("VIS", "verify", new() { ["id"] = Pack(serial), ["pass"] = true, ["grade"] = "A" });
            }
            var cases = serials.Chunk(InCase).Where(c => c.Length == InCase).Select(c => (Id: $"01{gtin}21{RandomNumberGenerator.GetString(Alphabet, 12)}", Packs: c)).ToList();
            foreach (var (id, packs) in cases)
            {
                Say("AGG", "label", new() { ["id"] = id });
                Say("AGG", "pack", new() { ["parent"] = id, ["children"] = packs.Select(Pack).ToArray() });
            }
            foreach (var (pallet, on) in pallets.Zip(cases.Chunk(CasesOnPallet)))
            {
                Say("PAL", "label", new() { ["id"] = $"00{pallet}" });
                Say("PAL", "pack", new() { ["parent"] = $"00{pallet}", ["children"] = on.Select(c => c.Id).ToArray() });
            }
            return this;
        }

        public LineFile Scrap(string serial) => Say("PRN", "encode", new() { ["id"] = Pack(serial) }).Say("VIS", "scrap", new() { ["id"] = Pack(serial), ["reason"] = "GRADE_F" });

        public LineFile Unused(string serial) => Say("PRN", "unused", new() { ["ids"] = (string[])[Pack(serial)] });

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
    }
}
