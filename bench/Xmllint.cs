using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Epcis.Formats;

namespace Gateway.Bench;

/// <summary>libxml2's streaming validator with the same schemas, over the same file: reading and schema only, no events and no rules.</summary>
internal static partial class Xmllint
{
    /// <summary>Milliseconds as it measures itself; <see langword="null"/> when the program or the schemas are not here.</summary>
    public static double? Parse(string document, DocumentForm form, int repetitions)
    {
        if (Repository.Find("schemas", form == DocumentForm.Xml12 ? "epcis-1.2" : "epcis-2.0", "document.xsd") is not { } schema)
        {
            return null;
        }
        var times = new List<double>();
        for (var round = 0; round < repetitions; round++)
        {
            if (Once(document, schema) is not { } time)
            {
                return null;
            }
            times.Add(time);
        }
        return times.Order().ElementAt(times.Count / 2);
    }

    private static double? Once(string document, string schema)
    {
        try
        {
            using var xmllint = Process.Start(new ProcessStartInfo("xmllint", ["--stream", "--timing", "--noout", "--schema", schema, document]) { RedirectStandardError = true })!;
            var said = xmllint.StandardError.ReadToEnd();
            xmllint.WaitForExit();
            return xmllint.ExitCode == 0 && Parsing().Match(said) is { Success: true } match
                ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
                : throw new InvalidOperationException(said);
        }
        catch (Win32Exception)
        {
            return null; // not installed
        }
    }

    [GeneratedRegex(@"Parsing took (\d+) ms")]
    private static partial Regex Parsing();
}
