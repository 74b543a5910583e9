using System.Globalization;
using System.Text;
using Epcis.Tests.Formats.JsonLd;

namespace Epcis.Tests.Schemas;

/// <summary>
/// The streaming reader, our JSON Schema and GS1's give one verdict, but for the differences that <see cref="SchemaDifferences"/>
/// names. The verdicts of both schemas come from ajv.
/// </summary>
public class JsonSchemaTests(ReferenceVerdicts reference)
{
    [Fact]
    public void Every_sample_gets_one_verdict()
    {
        var samples = JsonSamples.All().Select(s => (s.Name, Text: JsonText(File.ReadAllBytes(s.Path)), IsValid: s.Verdict == "valid")).ToList();
        Assert.True(samples.Count > 80, $"Only {samples.Count} samples were found.");

        var verdicts = reference.Of([.. samples.Select(s => s.Text)]);

        Assert.Empty(samples.Zip(verdicts, (s, v) => Difference(s.Name, s.Text, JsonSamples.IsBare(Encoding.UTF8.GetBytes(s.Text)), v)).OfType<string>());
        Assert.Equal(samples.Select(s => s.IsValid), verdicts.Select(v => v.Gs1!.Valid));
    }

    [Fact]
    public void Every_seed_document_is_valid()
    {
        var seeds = JsonSeeds.All().Select(s => (s.Name, Text: s.Document.ToString())).ToList();
        var verdicts = reference.Of([.. seeds.Select(s => s.Text)]);

        Assert.Empty(seeds.Zip(verdicts, (s, v) => Difference(s.Name, s.Text, IsBare(s.Name), v)).OfType<string>());
        Assert.All(verdicts, v => Assert.True(v.Own!.Valid, v.Own.Error));
    }

    [Fact]
    public void Every_word_of_a_vocabulary_gets_one_verdict_in_every_spelling()
    {
        string[] spellings =
        [
            "{0}", " {0}", "{0}s", "cbv:BizStep-{0}", "gs1:{0}", "urn:epcglobal:cbv:bizstep:{0}", "https://ref.gs1.org/cbv/BizStep-{0}",
            "https://ns.gs1.org/cbv/BizStep-{0}", "https://gs1.org/voc/{0}", "http://www.gs1.org/voc/{0}",
        ];
        string[] vocabularies =
        [
            "\"bizStep\":\"{0}\"", "\"disposition\":\"{0}\"", "\"persistentDisposition\":{{\"set\":[\"{0}\"]}}",
            "\"bizTransactionList\":[{{\"type\":\"{0}\",\"bizTransaction\":\"urn:x:1\"}}]",
            "\"sourceList\":[{{\"type\":\"{0}\",\"source\":\"urn:x:1\"}}]",
            "\"destinationList\":[{{\"type\":\"{0}\",\"destination\":\"urn:x:1\"}}]",
            "\"errorDeclaration\":{{\"declarationTime\":\"2026-01-01T00:00:00Z\",\"reason\":\"{0}\"}}",
            "\"sensorElementList\":[{{\"sensorReport\":[{{\"type\":\"{0}\"}}]}}]",
            "\"sensorElementList\":[{{\"sensorReport\":[{{\"type\":\"Time\",\"exception\":\"{0}\"}}]}}]",
            "\"sensorElementList\":[{{\"sensorReport\":[{{\"type\":\"Time\",\"component\":\"{0}\"}}]}}]",
        ];
        // Words of both schemas, so that one which either lacks is found.
        var words = Words(File.ReadAllText(Path.Combine(SharedFiles.Repository, "schemas", "epcis-2.0", "epcis.json")))
            .Union(SharedFiles.Root is null ? [] : Words(File.ReadAllText(SharedFiles.Require("standards/epcis-2.0/json-schema/epcis-json-schema-2.0.1.json")))).ToList();
        Assert.True(words.Count > 180, $"Only {words.Count} words were found.");
        var documents = vocabularies
            .SelectMany(v => words.Select(w => string.Format(CultureInfo.InvariantCulture, v, w))
                .Concat(spellings.Select(s => string.Format(CultureInfo.InvariantCulture, v, string.Format(CultureInfo.InvariantCulture, s, "shipping")))))
            .Select(m => AJson.Document(AJson.Object(m))).ToList();

        Assert.Empty(documents.Zip(reference.Of(documents), (d, v) => Difference("word", d, isBare: false, v)).OfType<string>());
    }

    [Fact]
    public void Every_single_change_to_a_sparse_document_gets_one_verdict()
    {
        var seeds = JsonSeeds.All().ToList();
        var mutator = new JsonMutator(0, seeds.Select(s => s.Document));
        // What the full events hold is changed within the sparse ones, by its insertion, and at random below.
        var changed = seeds.Where(s => s.Document.All().Count < 40).DistinctBy(s => s.Document.ToString())
            .SelectMany(s => mutator.SingleChanges(s.Document).Select(c => (Name: $"{s.Name}: {c.Change}", IsBare: IsBare(s.Name), Text: c.Document.ToString())))
            .DistinctBy(c => c.Text).ToList();

        var verdicts = reference.Of([.. changed.Select(c => c.Text)]);

        var differences = changed.Zip(verdicts, (c, v) => Difference(c.Name, c.Text, c.IsBare, v)).OfType<string>().ToList();
        Assert.True(differences.Count == 0, $"{differences.Count} of {changed.Count} differ:\n{string.Join('\n', differences.Take(20))}");
        Assert.True(changed.Count > 5000, $"Only {changed.Count} changes were tried.");
        Assert.InRange(verdicts.Count(v => v.Own!.Valid), changed.Count / 20, changed.Count);
    }

    [Fact]
    public void Damaged_documents_get_one_verdict()
    {
        var count = Mutations.Of(8_000, full: 25_000);
        var seeds = JsonSeeds.All().ToList();
        var samples = SharedFiles.Root is null ? seeds : JsonSamples.All()
            .Select(s => (IsBare: JsonSamples.IsBare(File.ReadAllBytes(s.Path)), Document: JsonDraft.Parse(JsonText(File.ReadAllBytes(s.Path)))))
            .Where(s => s.Document.All().Count < 400)
            .Select(s => (s.IsBare ? "bare event" : "sample", s.Document)).ToList();
        var mutator = new JsonMutator(seed: 20260102, [.. seeds.Select(s => s.Document), .. samples.Select(s => s.Item2)]);

        var differences = new List<string>();
        var accepted = 0;
        var explained = 0;
        // Half of the damage goes to the seeds, which use everything. In portions, so that memory holds few documents.
        foreach (var portion in Enumerable.Range(0, count).Chunk(1000))
        {
            var damaged = new List<(string Name, bool IsBare, string Text)>();
            foreach (var i in portion)
            {
                var (name, source) = i % 2 == 0 ? seeds[i / 2 % seeds.Count] : samples[i / 2 % samples.Count];
                var document = source.Clone();
                damaged.Add(($"{i}, {name}: {mutator.Damage(document)}", IsBare(name), document.ToString()));
            }
            foreach (var ((name, isBare, text), verdict) in damaged.Zip(reference.Of([.. damaged.Select(d => d.Text)])))
            {
                if (Difference(name, text, isBare, verdict) is { } difference)
                {
                    differences.Add(difference);
                }
                accepted += verdict.Own!.Valid ? 1 : 0;
                explained += verdict.Own.Valid != verdict.Own.ByLibrary ? 1 : 0;
            }
        }

        Assert.True(differences.Count == 0, $"{differences.Count} differ:\n{string.Join('\n', differences.Take(20))}");
        Assert.InRange(accepted, count / 20, count - count / 20); // neither verdict may be rare, or equality says nothing
        Assert.InRange(explained, 1, count / 20); // what libraries make of formats is the exception
    }

    private static bool IsBare(string name) => name == "bare event";

    private static IEnumerable<string> Words(string schema) =>
        JsonDraft.Parse(schema).All().SelectMany(v => v.Parts).Where(p => p.Name == "enum").SelectMany(p => p.Value.Parts)
            .Select(i => i.Value.Literal.Trim('"')).Distinct();

    /// <summary>JSON has no byte order mark, a file may.</summary>
    private static string JsonText(byte[] file) => Encoding.UTF8.GetString(file).TrimStart('\uFEFF');

    private static string? Difference(string name, string text, bool isBare, ReferenceVerdict verdict)
    {
        var outcome = JsonSamples.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)), isBare);
        var errors = outcome.Findings.All.Where(f => f.Severity == Severity.Error).ToList();
        var own = verdict.Own!.Valid;
        var isOne = verdict.Gs1 is not { } gs1 || (gs1.Valid == own && gs1.ByLibrary == verdict.Own.ByLibrary);
        // What we refuse beyond the schema is told by findings of its own; without them the verdict is the schema's. Where
        // such a finding ended the reading, the document was not seen whole: of members that stand twice ajv takes the last.
        var isCut = outcome.IsBroken && SchemaDifferences.IsBeyondSchema(errors[^1]);
        isOne &= isCut || own == errors.All(SchemaDifferences.IsBeyondSchema);
        return isOne
            ? null
            : $"{name}\n  {text[..Math.Min(text.Length, 800)]}\n  reader: {errors.FirstOrDefault()?.ToString() ?? "valid"}\n  ours: {verdict.Own.Error ?? "valid"}\n  GS1's: {(verdict.Gs1 is null ? "absent" : verdict.Gs1.Error ?? "valid")}";
    }
}
