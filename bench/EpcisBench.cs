using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Xml;
using System.Xml.Schema;
using Epcis.Conversion;
using Epcis.Formats;
using Epcis.Formats.Xml;
using Epcis.Hashing;
using Epcis.Rules;
using Gateway.Host.Simulate;

namespace Gateway.Bench;

/// <summary>
/// The EPCIS library beside the raw readers of the same bytes, in one run: reading with schema, events and rules; converting;
/// hashing. All from a file, so that memory tells of the library alone.
/// </summary>
internal static class EpcisBench
{
    private delegate void Writing(Stream to, int units, int perEvent, int seed);

    private static readonly (string Kind, Writing Write)[] s_documents = [("commissioning", CommissioningDocument.Write), ("aggregation", AggregationDocument.Write)];

    public static async Task RunAsync(int units, int perEvent, int repetitions)
    {
        var folder = Directory.CreateTempSubdirectory("epcis-bench-");
        try
        {
            foreach (var (kind, write) in s_documents)
            {
                var xml12 = await WrittenAsync(Path.Combine(folder.FullName, $"{kind}.xml"), write, units, perEvent);
                var xml20 = await ConvertedAsync(xml12, DocumentForm.Xml20);
                var json = await ConvertedAsync(xml12, DocumentForm.JsonLd20);
                foreach (var (name, path, form) in new[] { ("1.2 XML", xml12, DocumentForm.Xml12), ("2.0 XML", xml20, DocumentForm.Xml20), ("2.0 JSON-LD", json, DocumentForm.JsonLd20) })
                {
                    await CompareAsync($"{kind}, {name}", path, form, units, repetitions);
                }
            }
            await AjvAsync(folder.FullName, repetitions);
            await MemoryAsync(folder.FullName, perEvent);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task CompareAsync(string name, string path, DocumentForm form, int units, int repetitions)
    {
        var bytes = new FileInfo(path).Length;
        var floor = new List<(double Ms, long Allocated)>();
        var read = new List<(double Ms, long Allocated)>();
        var hash = new List<(double Ms, long Allocated)>();
        var convert = new List<(double Ms, long Allocated)>();
        var to = form == DocumentForm.JsonLd20 ? DocumentForm.Xml20 : DocumentForm.JsonLd20;
        for (var round = -10; round < repetitions; round++) // the first rounds warm up, until all is compiled at its best
        {
            var raw = Measure(() => { if (form == DocumentForm.JsonLd20) { ReadRaw(path); } else { ReadValidating(path, form); } });
            var own = Measure(() => Read(path, hash: false));
            var hashing = Measure(() => Read(path, hash: true));
            var start = Stopwatch.GetTimestamp();
            await EpcisConverter.ConvertAsync(() => Open(path), Stream.Null, new ConversionOptions(to), CancellationToken.None);
            if (round >= 0)
            {
                floor.Add(raw);
                read.Add(own);
                hash.Add(hashing);
                convert.Add((Stopwatch.GetElapsedTime(start).TotalMilliseconds, 0));
            }
        }
        var (f, r) = (Median(floor), Median(read));
        Console.WriteLine(FormattableString.Invariant($"{name}, {bytes / 1e6:0.0} MB, {units} units"));
        Line(form == DocumentForm.JsonLd20 ? "bare Utf8JsonReader" : "bare validating XmlReader", f, bytes, null);
        Line("read, schema, events, rules", r, bytes, f / r);
        if (form != DocumentForm.JsonLd20)
        {
            Peer(Xmllint.Parse(path, form, repetitions), r, bytes);
        }
        Line("  and hashes", Median(hash), bytes, r / Median(hash), "of reading's speed");
        Line($"convert to {to} (two passes)", Median(convert), bytes, r / Median(convert), "of reading's speed");
        Console.WriteLine(FormattableString.Invariant($"  allocated beyond the bare reader: {(MedianAllocated(read) - MedianAllocated(floor)) / (double)units:0} bytes per unit"));
    }

    private static void Peer(double? xmllint, double own, long bytes) => Console.WriteLine(xmllint is { } ms
        ? FormattableString.Invariant($"  {"xmllint --stream --schema",-34} median {ms,7:0} ms  {bytes / 1e3 / ms,6:0} MB/s   reading is {ms / own:0.00} times as fast")
        : "  xmllint is not installed here (Debian: libxml2-utils); no comparison");

    /// <summary>
    /// ajv, whose check for distinct items takes the square of their number: beside it on events of a thousand units, and of
    /// few. It is given the parsed document; reading is given the file.
    /// </summary>
    private static async Task AjvAsync(string folder, int repetitions)
    {
        const int units = 48_000;
        foreach (var perEvent in (int[])[1_000, 48])
        {
            var path = await ConvertedAsync(await WrittenAsync(Path.Combine(folder, $"{perEvent}.xml"), CommissioningDocument.Write, units, perEvent), DocumentForm.JsonLd20);
            if (Ajv.Validate(path, repetitions) is not { } ajv)
            {
                Console.WriteLine("ajv is not installed here ('npm ci' in tests/Epcis.Tests/Schemas/ajv, with node); no comparison");
                return;
            }
            var read = new List<(double Ms, long)>();
            var ruledToo = new List<(double Ms, long)>();
            for (var round = -20; round < repetitions; round++)
            {
                var (reading, ruled) = (Measure(() => Read(path, hash: false, withRules: false)), Measure(() => Read(path, hash: false)));
                if (round >= 0)
                {
                    read.Add(reading);
                    ruledToo.Add(ruled);
                }
            }
            var bytes = new FileInfo(path).Length;
            Console.WriteLine(FormattableString.Invariant($"commissioning, 2.0 JSON-LD, {bytes / 1e6:0.0} MB, {perEvent} units in each event"));
            Line($"ajv, {ajv.Schema}, document in memory", ajv.Ms, bytes, null);
            Line("read, schema, events", Median(read), bytes, ajv.Ms / Median(read), "times ajv's speed");
            Line("read, schema, events, rules", Median(ruledToo), bytes, ajv.Ms / Median(ruledToo), "times ajv's speed");
        }
    }

    /// <summary>The highest resident memory after a small document and after one a hundred times as large, in XML and in JSON.</summary>
    private static async Task MemoryAsync(string folder, int perEvent)
    {
        foreach (var units in (int[])[10_000, 1_000_000])
        {
            var xml = await WrittenAsync(Path.Combine(folder, "memory.xml"), CommissioningDocument.Write, units, perEvent);
            var json = await ConvertedAsync(xml, DocumentForm.JsonLd20);
            foreach (var (form, path) in new[] { ("XML", xml), ("JSON-LD", json) })
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true); // gives back what earlier work took
                await File.WriteAllTextAsync("/proc/self/clear_refs", "5"); // forgets the highest so far
                Read(path, hash: false);
                Console.WriteLine(FormattableString.Invariant($"peak resident memory while reading {units,9} units in {form,-7}: {Peak() / 1024} MiB"));
                File.Delete(path);
            }
        }
    }

    private static async Task<string> WrittenAsync(string path, Writing write, int units, int perEvent)
    {
        await using var file = File.Create(path);
        write(file, units, perEvent, seed: 20261120);
        return path;
    }

    private static async Task<string> ConvertedAsync(string path, DocumentForm to)
    {
        var result = $"{path}.{to}";
        await using var output = File.Create(result);
        var findings = await EpcisConverter.ConvertAsync(() => Open(path), output, new ConversionOptions(to), CancellationToken.None);
        return findings.HasErrors ? throw new InvalidOperationException(findings.All[0].Message) : result;
    }

    private static EpcisReader Open(string path) => EpcisDocument.Open(File.OpenRead(path), ReaderLimits.Default);

    private static void Read(string path, bool hash, bool withRules = true)
    {
        using var stream = File.OpenRead(path);
        using var reader = EpcisDocument.Open(stream, ReaderLimits.Default);
        var rules = RuleSet.Default.Begin(reader.Findings);
        while (reader.Read())
        {
            if (withRules)
            {
                rules.See(reader.Current);
            }
            if (hash)
            {
                EventHash.Of(reader.Current, reader.Header.Namespaces);
            }
        }
        rules.End(reader.Header);
        if (reader.Findings.HasErrors)
        {
            throw new InvalidOperationException(reader.Findings.All[0].Message);
        }
    }

    private static void ReadValidating(string path, DocumentForm form)
    {
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, ValidationType = ValidationType.Schema, Schemas = EpcisSchemas.For(form) };
        settings.ValidationEventHandler += (_, e) => throw e.Exception;
        using var file = File.OpenRead(path);
        using var reader = XmlReader.Create(file, settings);
        while (reader.Read())
        {
        }
    }

    private static void ReadRaw(string path)
    {
        using var file = File.OpenRead(path);
        var buffer = new byte[1 << 16];
        var (kept, state, isLast) = (0, new JsonReaderState(), false);
        while (!isLast)
        {
            var got = file.Read(buffer, kept, buffer.Length - kept);
            isLast = got == 0;
            var json = new Utf8JsonReader(buffer.AsSpan(0, kept + got), isLast, state);
            while (json.Read())
            {
            }
            state = json.CurrentState;
            var used = (int)json.BytesConsumed;
            kept = kept + got - used;
            buffer.AsSpan(used, kept).CopyTo(buffer);
        }
    }

    private static (double Ms, long Allocated) Measure(Action action)
    {
        GC.Collect();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var start = Stopwatch.GetTimestamp();
        action();
        return (Stopwatch.GetElapsedTime(start).TotalMilliseconds, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Line(string what, double ms, long bytes, double? ratio, string of = "of the bare reader's speed") =>
        Console.WriteLine(FormattableString.Invariant($"  {what,-34} median {ms,7:0} ms  {bytes / ms / 1000,6:0} MB/s{(ratio is { } r ? $"   {r:0.00} {of}" : "")}"));

    private static double Median(List<(double Ms, long)> all) => all.Select(x => x.Ms).Order().ElementAt(all.Count / 2);

    private static long MedianAllocated(List<(double, long Allocated)> all) => all.Select(x => x.Allocated).Order().ElementAt(all.Count / 2);

    private static long Peak() =>
        long.Parse(File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
