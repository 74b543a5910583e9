using System.CommandLine;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Host.Simulate.Plant;

namespace Gateway.Host.Commands;

public static partial class SimulateCommand
{
    private const int MaxLines = 40, MinRate = 60, MaxRate = 600;

    // A truth is read by people too.
    private static readonly JsonSerializerOptions s_plantJson = new(JsonSerializerOptions.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static Command Plant()
    {
        var url = new Option<string>("--url") { Description = "The gateway, as https://host:port.", Required = true };
        var key = new Option<string?>("--key") { Description = "The bearer key, of a role that may register devices, run lines, request numbers, and read units and exceptions; by default GATEWAY_KEY." };
        var lines = new Option<int>("--lines") { Description = "How many lines (1 to 40): PL01, PL02 and so on.", DefaultValueFactory = _ => 1 };
        var line = new Option<string[]>("--line") { Description = "The code of a line; repeat for more. Instead of --lines." };
        var rate = new Option<int>("--rate") { Description = "Units a minute of each line (60 to 600).", DefaultValueFactory = _ => 300 };
        var units = new Option<int>("--units") { Description = "Units of each line; then it ends.", DefaultValueFactory = _ => 200 };
        var seed = new Option<int?>("--seed") { Description = "The same seed makes the same plant; by default another one each time, which is told." };
        var factor = new Option<double>("--time-factor") { Description = "How many times as fast as it happened; 0: as fast as the gateway takes it.", DefaultValueFactory = _ => 1 };
        var fault = new Option<string[]>("--fault") { Description = $"A fault and its rate, as loss=0.01; repeat for more. {string.Join(", ", PlantFault.All.Select(f => f.Name))}." };
        var truth = new Option<string?>("--truth") { Description = "Writes what truly happened into this file, a JSON object a serial." };
        var score = new Option<bool>("--score") { Description = "Compare what the gateway says afterwards with what truly happened. Exit 1 when it mis-states a serial in spite of a trace." };
        var settle = new Option<int>("--settle") { Description = "Seconds to wait before the score for what was said to be applied.", DefaultValueFactory = _ => 90 };
        var json = new Option<bool>("--json") { Description = "The score as a JSON object." };
        var run = new Option<string?>("--run") { Description = "The run to work on, where there is one line; by default whatever runs on each line." };
        var lot = new Option<string?>("--lot") { Description = "The lot where a line has no run." };
        var make = new Option<bool>("--make-runs") { Description = "For a test or a demonstration: makes lines that are missing, plans a run on those that have none, and starts it when a person has signed the clearance." };
        var gtin = new Option<string>("--gtin") { Description = "Of the packs.", DefaultValueFactory = _ => "09521234001010" };
        var caseGtin = new Option<string>("--case-gtin") { Description = "Of the cases.", DefaultValueFactory = _ => "59521234001015" };
        var perCase = new Option<int>("--per-case") { Description = "Packs in a case.", DefaultValueFactory = _ => 5 };
        var perPallet = new Option<int>("--per-pallet") { Description = "Cases on a pallet.", DefaultValueFactory = _ => 4 };
        var sscc = new Option<string>("--sscc-prefix") { Description = "What pallets' numbers begin with: extension digit and company prefix.", DefaultValueFactory = _ => "39521234" };
        var command = new Command("plant", "Play packaging lines whose devices speak to a gateway, with the faults that you ask for, and score what it made of them.")
        {
            url, key, lines, line, rate, units, seed, factor, fault, truth, score, settle, json, run, lot, make, gtin, caseGtin, perCase, perPallet, sscc,
        };
        command.SetAction(async (parsed, ct) =>
        {
            if (!Uri.TryCreate(parsed.GetValue(url), UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            {
                throw new WrongUseException("--url is the address of a gateway, such as https://gateway.example:8080.");
            }
            var token = parsed.GetValue(key) ?? Environment.GetEnvironmentVariable("GATEWAY_KEY") ?? throw new WrongUseException("Give --key, or set GATEWAY_KEY.");
            Within("--lines", parsed.GetValue(lines), 1, MaxLines);
            Within("--rate", parsed.GetValue(rate), MinRate, MaxRate);
            Within("--units", parsed.GetValue(units), 1, 1_000_000);
            Within("--per-case", parsed.GetValue(perCase), 1, 1_000);
            Within("--per-pallet", parsed.GetValue(perPallet), 1, 1_000);
            if (parsed.GetValue(factor) is not (>= 0 and <= 10_000))
            {
                throw new WrongUseException("--time-factor is 0 to 10,000.");
            }
            if (parsed.GetValue(sscc)! is not { Length: >= 7 and <= 16 } prefix || !prefix.All(char.IsAsciiDigit))
            {
                throw new WrongUseException("--sscc-prefix is 7 to 16 digits.");
            }
            string[] codes = parsed.GetValue(line) is { Length: > 0 } given ? given : [.. Enumerable.Range(1, parsed.GetValue(lines)).Select(n => string.Create(CultureInfo.InvariantCulture, $"PL{n:00}"))];
            Guid? onRun = parsed.GetValue(run) is not { } id ? null : Guid.TryParse(id, out var guid) && codes.Length == 1 ? guid : throw new WrongUseException("--run is the id of a run, and there is one line then.");
            var used = parsed.GetValue(seed) ?? Environment.TickCount & int.MaxValue;
            var options = new PlantOptions(used, parsed.GetValue(units), parsed.GetValue(rate), Rates(parsed.GetValue(fault) ?? []))
            {
                UnitGtin = parsed.GetValue(gtin)!, CaseGtin = parsed.GetValue(caseGtin)!, UnitsPerCase = parsed.GetValue(perCase), CasesPerPallet = parsed.GetValue(perPallet), SsccPrefix = prefix,
            };
            using var http = new HttpClient { BaseAddress = address };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            var gateway = new PlantGateway(http);
            try
            {
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Seed {used}."));
                var plant = new PlantRun(gateway, options, parsed.GetValue(factor), Console.Error.WriteLine);
                var played = await plant.PlayAsync(await plant.PrepareAsync(codes, onRun, parsed.GetValue(lot) ?? string.Create(CultureInfo.InvariantCulture, $"S{used}"), parsed.GetValue(make), ct), ct);
                if (parsed.GetValue(truth) is { } file)
                {
                    await File.WriteAllLinesAsync(file, played.SelectMany(p => p.Story.Truths).Select(t => JsonSerializer.Serialize(t, s_plantJson)), ct);
                }
                if (!parsed.GetValue(score))
                {
                    await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{played.Sum(p => p.Story.Truths.Count)} serials on {played.Count} lines, {played.Sum(p => p.Traffic.Sent)} messages sent."));
                    return 0;
                }
                var sheet = await new PlantScore(gateway).ScoreAsync(played, TimeSpan.FromSeconds(parsed.GetValue(settle)), ct);
                await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(sheet, s_plantJson) : sheet.ToString());
                return sheet.Passes ? 0 : 1;
            }
            catch (PlantStoppedException e)
            {
                throw new WrongUseException(e.Message);
            }
        });
        return command;
    }

    private static Dictionary<string, double> Rates(IEnumerable<string> faults)
    {
        var rates = new Dictionary<string, double>();
        foreach (var fault in faults)
        {
            if (fault.Split('=') is not [var name, var share] || !double.TryParse(share, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rate) || rate is < 0 or > 1)
            {
                throw new WrongUseException($"--fault {fault}: write a fault and its rate from 0 to 1, as loss=0.01.");
            }
            rates[PlantFault.Find(name)?.Name ?? throw new WrongUseException($"There is no fault {name}. There are {string.Join(", ", PlantFault.All.Select(f => f.Name))}.")] = rate;
        }
        return rates;
    }

    private static void Within(string option, int value, int least, int most)
    {
        if (value < least || value > most)
        {
            throw new WrongUseException(string.Create(CultureInfo.InvariantCulture, $"{option} is {least} to {most}."));
        }
    }
}
