using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Epcis;
using Epcis.Identifiers;
using Gateway.Http;

namespace Gateway.Host.Commands;

/// <summary><c>gateway identify</c>: what a scanned, printed or written identifier is, and all its other spellings.</summary>
public static class IdentifyCommand
{
    private sealed record Part(string Name, string Value);

    private sealed record Prefix(string? Value, int? Length, string Why);

    /// <param name="Date">The day that a date means; its end of month and century are resolved.</param>
    private sealed record Element(string Ai, string Title, string Value, string? Date);

    private sealed record Verdict(
        string Input, string Form, bool Valid, string? Type, string? Epc, string? DigitalLink, string? FullDigitalLink, string? ElementString, string? FullElementString, string? Scanned,
        string? CheckDigit, Prefix? CompanyPrefix, IReadOnlyList<Part> Parts, IReadOnlyList<Element> Elements, IReadOnlyList<FindingView> Findings);

    public static Command Create()
    {
        var values = new Argument<string[]>("value") { Description = "Identifiers in any spelling; - reads lines from standard input.", Arity = ArgumentArity.OneOrMore };
        var length = new Option<int?>("--gcp-length") { Description = "The length of the company prefix, 6 to 12, where the value does not say it." };
        var prefixes = new Option<string[]>("--prefix") { Description = "A company prefix that is known to be one; repeatable." };
        var table = new Option<string?>("--prefix-table") { Description = "GS1's table of company prefix lengths, rows of prefix,length." };
        var json = new Option<bool>("--json") { Description = "One JSON object per value." };
        var command = new Command("identify", "Say what an identifier is: its key and parts, and how it is written elsewhere.") { values, length, prefixes, table, json };
        command.SetAction(async (parsed, ct) =>
        {
            var known = Known(parsed.GetValue(length), parsed.GetValue(prefixes) ?? [], parsed.GetValue(table));
            var year = TimeProvider.System.GetUtcNow().Year;
            var allValid = true;
            await foreach (var value in ValuesAsync(parsed.GetValue(values)!, ct))
            {
                // The EPC URIs met so far tell the company prefixes of what follows.
                var read = Identify.Read(value, known);
                known = read.Uri is { } uri ? known.With(uri) : known;
                var verdict = Of(read, year);
                allValid &= verdict.Valid;
                await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(verdict, JsonSerializerOptions.Web) : Describe(verdict));
            }
            return allValid ? 0 : 1;
        });
        return command;
    }

    private static CompanyPrefixes Known(int? length, string[] prefixes, string? table)
    {
        if (length is { } said && (said is < 6 or > 12 || prefixes.Length > 0 || table is not null))
        {
            throw new WrongUseException(said is < 6 or > 12 ? "--gcp-length is 6 to 12." : "--gcp-length says it of every value; leave --prefix and --prefix-table out.");
        }
        var known = length is null ? CompanyPrefixes.None : CompanyPrefixes.OfLength(length.Value);
        foreach (var prefix in prefixes)
        {
            known = known.With(prefix) is { Ok: true } listed ? listed.Value : throw new WrongUseException($"--prefix {prefix}: {known.With(prefix).Error}");
        }
        if (table is null)
        {
            return known;
        }
        if (!File.Exists(table))
        {
            throw new WrongUseException($"There is no file {table}.");
        }
        return CompanyPrefixTable.Read(File.ReadLines(table)) is { Ok: true } rows ? known.With(rows.Value) : throw new WrongUseException($"{table}: {CompanyPrefixTable.Read(File.ReadLines(table)).Error}");
    }

    /// <summary>Blanks around a line are the paper's, not the value's; a separator is not a blank.</summary>
    private static async IAsyncEnumerable<string> ValuesAsync(string[] values, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var value in values)
        {
            if (value != "-")
            {
                yield return value;
                continue;
            }
            while (await Console.In.ReadLineAsync(ct) is { } line)
            {
                if (line.Trim(' ', '\t', '\r') is { Length: > 0 } written)
                {
                    yield return written;
                }
            }
        }
    }

    private static Verdict Of(Identified read, int year)
    {
        var epc = read.Epc;
        var whole = read.Whole is null ? null : ElementString.Of(read.Whole);
        return new Verdict(
            read.Input, FormName(read.Form), read.Valid, read.Type, read.Urn, epc?.ToDigitalLink() ?? read.Whole?.ToString(), read.Whole?.ToFullString(),
            epc?.ToPrintedElementString() ?? whole?.ToPrinted(), whole?.ToPrinted(), whole?.ToString(), epc?.CheckDigit?.ToString(),
            epc is null ? null : new Prefix(epc.CompanyPrefix, epc.CompanyPrefixLength, epc.Prefix.Why),
            [.. epc?.Parts.Select(p => new Part(p.Name, p.Value)) ?? []],
            [.. (whole?.Elements ?? []).Select(e => new Element(e.Ai, ApplicationIdentifier.Find(e.Ai)!.Title, e.Value, DateOf(e, year)))],
            [.. read.Findings.Select(View)]);
    }

    private static string? DateOf(Gs1Element element, int year) =>
        element.Ai is "11" or "12" or "13" or "15" or "16" or "17" ? Gs1Date.Read(element.Value, year)?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : null;

    private static FindingView View(ValueFinding f) => FindingView.Of(new Finding(f.Code, f.Severity, f.Message)
    {
        Where = new Place(1, f.At),
        Got = f.Got,
        Want = f.Want,
        Suggestion = f.Suggestion,
    });

    private static string FormName(IdentifierForm form) => form switch
    {
        IdentifierForm.EpcUri => "epc-uri",
        IdentifierForm.DigitalLink => "digital-link",
        IdentifierForm.ElementString => "element-string",
        IdentifierForm.BareKey => "bare-key",
        _ => "unknown",
    };

    private static string Describe(Verdict verdict)
    {
        var text = new StringBuilder($"{Visible(verdict.Input)}: {verdict.Type ?? (verdict.Valid ? "no EPC" : "cannot be read")}, {(verdict.Valid ? "valid" : "not valid")}");
        foreach (var part in verdict.Parts)
        {
            Line(text, part.Name, part == verdict.Parts[0] && verdict.CheckDigit is { } digit ? $"{part.Value} (check digit {digit}, right)" : part.Value);
        }
        if (verdict.CompanyPrefix is { } prefix)
        {
            Line(text, "company prefix", prefix.Value is null ? $"not known: {prefix.Why}" : $"{prefix.Value} ({prefix.Length} digits: {prefix.Why})");
        }
        // What the key's own parts do not say already.
        foreach (var element in verdict.Elements.Where(e => !verdict.Parts.Any(p => e.Value.EndsWith(p.Value, StringComparison.Ordinal))))
        {
            Line(text, $"({element.Ai}) {element.Title}", element.Date is null ? element.Value : $"{element.Value}, which is {element.Date}");
        }
        Line(text, "EPC URI", verdict.Epc);
        Line(text, "Digital Link", verdict.DigitalLink);
        Line(text, "in full", verdict.FullDigitalLink == verdict.DigitalLink ? null : verdict.FullDigitalLink);
        Line(text, "element string", verdict.ElementString);
        Line(text, "in full", verdict.FullElementString == verdict.ElementString ? null : verdict.FullElementString);
        Line(text, "as scanned", verdict.Scanned is null ? null : Visible(verdict.Scanned));
        foreach (var finding in verdict.Findings)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n  {finding.Severity} {finding.Code} at character {finding.Where!.Column}: {Visible(finding.Message)} {Visible(finding.Suggestion ?? "")}");
        }
        return text.ToString();
    }

    private static void Line(StringBuilder text, string name, string? value)
    {
        if (value is not null)
        {
            text.Append("\n  ").Append(name.PadRight(14)).Append("  ").Append(value);
        }
    }

    /// <summary>No character of a hostile value reaches the terminal as a command to it.</summary>
    private static string Visible(string text) =>
        string.Concat(text.Select(c => c == Epcis.Identifiers.ElementString.GroupSeparator ? "<GS>" : char.IsControl(c) ? $"<{(int)c:X2}>" : c.ToString()));
}
