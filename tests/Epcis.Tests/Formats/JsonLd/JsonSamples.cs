using System.Text;
using System.Text.Json;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.JsonLd;

namespace Epcis.Tests.Formats.JsonLd;

/// <summary>The public JSON samples beside the repository and ways to read them.</summary>
internal static class JsonSamples
{
    public sealed record Sample(string Name, string Path, string Verdict)
    {
        public override string ToString() => Name;
    }

    public sealed record Outcome(DocumentHeader Header, IReadOnlyList<EpcisEvent> Events, Findings Findings, bool IsBroken)
    {
        public IEnumerable<string> Codes => Findings.All.Select(f => f.Code);
    }

    public static string? Folder()
    {
        for (var up = new DirectoryInfo(AppContext.BaseDirectory); up is not null; up = up.Parent)
        {
            if (File.Exists(Path.Combine(up.FullName, "Gateway.sln")))
            {
                var folder = Path.Combine(up.Parent!.FullName, "shared", "standards", "examples");
                return Directory.Exists(folder) ? folder : null;
            }
        }
        return null;
    }

    /// <summary>The samples that the manifest judged by the JSON Schema.</summary>
    public static IReadOnlyList<Sample> All()
    {
        var folder = Folder();
        Assert.SkipWhen(folder is null, "The public EPCIS samples are not beside the repository.");
        var samples = new List<Sample>();
        foreach (var line in File.ReadLines(Path.Combine(folder, "MANIFEST.csv")))
        {
            var at = line.IndexOf(",JSON Schema 2.0.1 (+format),", StringComparison.Ordinal);
            if (at > 0)
            {
                var name = line[..line.IndexOf(',', StringComparison.Ordinal)];
                var verdict = line[(at + 1)..].Split(',')[1];
                samples.Add(new Sample(name, Path.Combine(folder, name), verdict));
            }
        }
        return samples;
    }

    public static Outcome Read(byte[] json) => Read(new MemoryStream(json), IsBare(json));

    public static Outcome Read(string json) => Read(Encoding.UTF8.GetBytes(json));

    public static Outcome Read(Stream stream, bool isBare, ReaderLimits? limits = null)
    {
        using var reader = isBare
            ? JsonEpcisReader.ReadBareEvent(stream, limits ?? ReaderLimits.Default)
            : new JsonEpcisReader(stream, limits ?? ReaderLimits.Default);
        var events = new List<EpcisEvent>();
        while (reader.Read())
        {
            events.Add(reader.Current);
        }
        return new Outcome(reader.Header, events, reader.Findings, reader.IsBroken);
    }

    /// <summary>An ordinary JSON library's view: no body, hence a bare event.</summary>
    public static bool IsBare(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(WithoutMark(json));
            return document.RootElement.ValueKind is JsonValueKind.Object
                && !document.RootElement.TryGetProperty("epcisBody", out _)
                && document.RootElement.TryGetProperty("eventTime", out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static ReadOnlyMemory<byte> WithoutMark(byte[] json) =>
        json.AsSpan().StartsWith("\uFEFF"u8) ? json.AsMemory(3) : json;

    public static int CountEvents(byte[] json)
    {
        using var document = JsonDocument.Parse(WithoutMark(json));
        if (!document.RootElement.TryGetProperty("epcisBody", out var body))
        {
            return 1;
        }
        var owner = body.TryGetProperty("queryResults", out var results) ? results.GetProperty("resultsBody") : body;
        return owner.GetProperty("eventList").GetArrayLength();
    }
}
