using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Gateway.Bench;

/// <summary>ajv with the JSON Schema of EPCIS 2.0: it validates a document that is parsed already, and makes no events.</summary>
internal static class Ajv
{
    /// <summary>Whose schema it was, and the median milliseconds; <see langword="null"/> when node or ajv is not here.</summary>
    public static (string Schema, double Ms)? Validate(string document, int repetitions)
    {
        var modules = Repository.Find("tests", "Epcis.Tests", "Schemas", "ajv", "node_modules");
        var gs1 = Repository.Find("shared", "standards", "epcis-2.0", "json-schema", "epcis-json-schema-2.0.1.json");
        if (modules is null || Repository.Find("bench", "ajv.cjs") is not { } script || (gs1 ?? Repository.Find("schemas", "epcis-2.0", "epcis.json")) is not { } schema)
        {
            return null;
        }
        try
        {
            using var node = Process.Start(new ProcessStartInfo("node", [script, modules, schema, document, repetitions.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true })!;
            var said = node.StandardOutput.ReadToEnd();
            node.WaitForExit();
            return node.ExitCode == 0
                ? (gs1 is null ? "our schema" : "GS1's schema", double.Parse(said, CultureInfo.InvariantCulture))
                : throw new InvalidOperationException("node has failed.");
        }
        catch (Win32Exception)
        {
            return null; // node is not installed
        }
    }
}
