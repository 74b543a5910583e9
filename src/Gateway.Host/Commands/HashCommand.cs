using System.CommandLine;
using System.Text.Json;
using Epcis;
using Epcis.Hashing;
using Gateway.Http;

namespace Gateway.Host.Commands;

/// <summary><c>gateway hash</c>: the event hashes of documents, and whether their eventIDs are such hashes.</summary>
public static class HashCommand
{
    private sealed record Line(string File, int Event, string? EventId, string Hash, string? AgreesBy, bool? Agrees, string? PreHash);

    public static Command Create()
    {
        var files = new Argument<string[]>("file") { Description = "EPCIS documents or events, XML or JSON; - reads the standard input.", Arity = ArgumentArity.OneOrMore };
        var profile = new Option<string>("--profile") { Description = "reference: the order of the public vectors; cbv: that of the table in CBV 2.0.", DefaultValueFactory = _ => "reference" };
        profile.AcceptOnlyFromAmong("reference", "cbv");
        var preHash = new Option<bool>("--pre-hash") { Description = "Also the text that is hashed." };
        var json = new Option<bool>("--json") { Description = "One JSON object per event." };
        var command = new Command("hash", "Show the event hash of every event.") { files, profile, preHash, json };
        command.SetAction(async (parsed, ct) =>
        {
            var chosen = parsed.GetValue(profile) == "cbv" ? EventHashProfile.Cbv : EventHashProfile.Reference;
            var good = true;
            foreach (var file in parsed.GetValue(files)!)
            {
                good &= await HashAsync(file, chosen, parsed.GetValue(preHash), parsed.GetValue(json), ct);
            }
            return good ? 0 : 1;
        });
        return command;
    }

    private static async Task<bool> HashAsync(string file, EventHashProfile profile, bool withPreHash, bool json, CancellationToken ct)
    {
        await using var stream = await Sources.OpenAsync(file, ct);
        using var reader = Sources.Reader(stream);
        while (reader.Read())
        {
            var e = reader.Current;
            var isHash = e.EventId?.StartsWith("ni:///", StringComparison.OrdinalIgnoreCase) == true;
            // A hash does not tell its profile, so both are tried. One that agrees with neither is no fault: generators disagree.
            var agreesBy = !isHash ? null
                : EventHash.Of(e, reader.Namespaces, EventHashProfile.Reference) == e.EventId ? "reference"
                : EventHash.Of(e, reader.Namespaces, EventHashProfile.Cbv) == e.EventId ? "cbv"
                : null;
            var line = new Line(file, e.Index, e.EventId, EventHash.Of(e, reader.Namespaces, profile), agreesBy, isHash ? agreesBy is not null : null,
                withPreHash ? EventHash.PreHash(e, reader.Namespaces, profile) : null);
            await Console.Out.WriteLineAsync(json ? JsonSerializer.Serialize(line, JsonSerializerOptions.Web) : Describe(line));
        }
        var errors = reader.Findings.All.Where(f => f.Severity == Severity.Error).Select(FindingView.Of).ToList();
        foreach (var error in errors)
        {
            await Console.Error.WriteLineAsync(json ? JsonSerializer.Serialize(error, JsonSerializerOptions.Web) : Sources.Describe(error));
        }
        return errors.Count == 0;
    }

    private static string Describe(Line line) =>
        $"{line.EventId ?? $"#{line.Event}"} {line.Hash}"
        + line.Agrees switch { true => $" the eventID agrees by profile {line.AgreesBy}", false => " the eventID is another hash", null => "" }
        + (line.PreHash is { } text ? $"\n  {text}" : "");
}
