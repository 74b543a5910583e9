using System.CommandLine;
using System.Text.Json;
using Epcis;
using Epcis.Conversion;
using Epcis.Formats;
using Epcis.Formats.Xml;
using Epcis.Identifiers;
using Gateway.Http;

namespace Gateway.Host.Commands;

/// <summary><c>gateway convert</c>: a document in another form, or the reasons why it cannot be one; without a gateway and without a database.</summary>
public static class ConvertCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "An EPCIS document or event, XML or JSON; - reads the standard input." };
        var to = new Option<string>("--to") { Description = "The form to make.", Required = true };
        to.AcceptOnlyFromAmong("1.2-xml", "2.0-xml", "2.0-json");
        var outFile = new Option<string?>("--out") { Description = "The file to write; by default the standard output." };
        var epc = new Option<string>("--epc") { Description = "How GS1 identifiers are written.", DefaultValueFactory = _ => "No_Preference" };
        epc.AcceptOnlyFromAmong([.. EpcisHeaders.EpcFormats.Keys]);
        var cbv = new Option<string>("--cbv") { Description = "How XML 2.0 writes CBV terms.", DefaultValueFactory = _ => "No_Preference" };
        cbv.AcceptOnlyFromAmong([.. EpcisHeaders.CbvFormats.Keys]);
        var lengths = new Option<string?>("--gcp-lengths") { Description = "GS1's table of company prefix lengths (prefix,length), which EPC URIs need." };
        var carry = new Option<bool>("--carry") { Description = "Carry what EPCIS 1.2 does not know in extensions, instead of refusing." };
        var json = new Option<bool>("--json") { Description = "One JSON object per finding." };
        var command = new Command("convert", "Convert an EPCIS document to another form; nothing is dropped silently.") { file, to, outFile, epc, cbv, lengths, carry, json };
        command.SetAction(async (parsed, ct) =>
        {
            var options = new ConversionOptions(parsed.GetValue(to) switch { "1.2-xml" => DocumentForm.Xml12, "2.0-xml" => DocumentForm.Xml20, _ => DocumentForm.JsonLd20 })
            {
                EpcFormat = EpcisHeaders.EpcFormats[parsed.GetValue(epc)!],
                Cbv = EpcisHeaders.CbvFormats[parsed.GetValue(cbv)!],
                CompanyPrefixes = parsed.GetValue(lengths) is { } table ? ReadLengths(table) : CompanyPrefixes.None,
                Carry = parsed.GetValue(carry),
            };
            await using var source = await Sources.OpenAsync(parsed.GetValue(file)!, ct);
            return await ConvertAsync(source, parsed.GetValue(outFile), options, parsed.GetValue(json), ct) ? 0 : 1;
        });
        return command;
    }

    /// <summary>Nobody sees half a document: it is written aside, compared with its source, and only then shown or renamed.</summary>
    private static async Task<bool> ConvertAsync(FileStream source, string? outFile, ConversionOptions options, bool json, CancellationToken ct)
    {
        var aside = outFile is null ? Path.GetTempFileName() : $"{outFile}.{Environment.ProcessId}.part";
        try
        {
            await using (var output = new FileStream(aside, FileMode.Create, FileAccess.ReadWrite))
            {
                var findings = await EpcisConverter.ConvertAsync(() => Sources.Reader(source), output, options, ct);
                await TellAsync(findings, json);
                if (findings.HasErrors)
                {
                    return false;
                }
                using var before = Sources.Reader(source);
                using var after = Sources.Reader(output);
                var differences = EpcisConverter.Compare(before, after);
                await TellAsync(differences, json);
                if (differences.HasErrors)
                {
                    return false;
                }
                if (outFile is null)
                {
                    output.Position = 0;
                    await using var standard = Console.OpenStandardOutput();
                    await output.CopyToAsync(standard, ct);
                    return true;
                }
                output.Flush(flushToDisk: true);
            }
            File.Move(aside, outFile, overwrite: true);
            await Console.Out.WriteLineAsync($"{outFile} is written.");
            return true;
        }
        finally
        {
            File.Delete(aside);
        }
    }

    private static async Task TellAsync(Findings findings, bool json)
    {
        foreach (var finding in findings.All)
        {
            var view = FindingView.Of(finding);
            await Console.Error.WriteLineAsync(json ? JsonSerializer.Serialize(view, JsonSerializerOptions.Web) : Sources.Describe(view));
        }
    }

    private static CompanyPrefixes ReadLengths(string file)
    {
        if (!File.Exists(file))
        {
            throw new WrongUseException($"There is no file {file}.");
        }
        var table = CompanyPrefixTable.Read(File.ReadLines(file));
        return table.Value is { } lengths ? CompanyPrefixes.None.With(lengths) : throw new WrongUseException($"{file}: {table.Error}");
    }
}
