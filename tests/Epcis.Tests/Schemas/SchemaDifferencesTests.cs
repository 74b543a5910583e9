using System.Text;
using System.Xml;
using System.Xml.Linq;
using Epcis.Formats;
using Epcis.Tests.Formats.JsonLd;

namespace Epcis.Tests.Schemas;

/// <summary>The differences are as the table tells them, and there is no other in the public samples.</summary>
public class SchemaDifferencesTests(ReferenceVerdicts reference)
{
    public static TheoryData<int> Entries => [.. Enumerable.Range(0, SchemaDifferences.All.Count)];

    [Theory]
    [MemberData(nameof(Entries))]
    public void A_difference_is_as_the_table_tells(int entry)
    {
        var difference = SchemaDifferences.All[entry];
        SharedFiles.Require("standards");

        var (verdict, codes) = OurVerdict(Encoding.UTF8.GetBytes(difference.Example));

        Assert.Equal((difference.Gs1, difference.Ours), (Gs1Verdict(difference), verdict));
        Assert.NotEqual(difference.Gs1, difference.Ours);
        Assert.Equal(difference.Code, codes.FirstOrDefault() ?? "");
    }

    [Fact]
    public void Every_shared_document_gets_GS1s_verdict_but_for_the_differences()
    {
        var wrong = new List<string>();
        var counts = new Dictionary<DocumentForm, int>();
        foreach (var line in File.ReadLines(SharedFiles.Require("standards/examples/MANIFEST.csv")).Skip(1))
        {
            var file = line.Split(',')[0];
            var isGs1s = line.Contains(",XSD ", StringComparison.Ordinal) || line.Contains(",JSON Schema 2.0.1", StringComparison.Ordinal);
            var bytes = File.ReadAllBytes(SharedFiles.Require("standards/examples/" + file));
            if (!isGs1s || JsonSamples.IsBare(bytes))
            {
                continue; // no document: it has no verdict, or another entrance
            }
            var expected = line.Contains(",valid,", StringComparison.Ordinal) ? Verdict.Accepts : Verdict.Refuses;
            var (verdict, codes) = OurVerdict(bytes, out var form);
            counts[form] = counts.GetValueOrDefault(form) + 1;
            var isTold = verdict == Verdict.Refuses && SchemaDifferences.All.Any(d => d.Ours == verdict && d.Code == codes[0] && d.Code is "EPCIS-XML-02" or "EPCIS-XML-06");
            if (verdict != expected && !isTold)
            {
                wrong.Add($"{file}: {verdict} instead of {expected}, {string.Join(' ', codes)}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.All([DocumentForm.Xml12, DocumentForm.Xml20, DocumentForm.JsonLd20], f => Assert.True(counts[f] > 30, $"{f}: {counts[f]}"));
    }

    [Fact]
    public void The_page_tells_the_table()
    {
        var path = Path.Combine(SharedFiles.Repository, "docs", "schema-differences.md");
        var page = SchemaDifferences.Page();
        var isCurrent = File.Exists(path) && File.ReadAllText(path) == page;
        if (!isCurrent && Environment.GetEnvironmentVariable("GATEWAY_WRITE_PAGES") == "1")
        {
            File.WriteAllText(path, page);
        }
        Assert.True(isCurrent, "docs/schema-differences.md is not as the table is now. With GATEWAY_WRITE_PAGES=1 this test writes it.");
    }

    private Verdict Gs1Verdict(SchemaDifference difference)
    {
        if (difference.Example.StartsWith('{'))
        {
            var gs1 = reference.Of([difference.Example])[0].Gs1!;
            Assert.Equal(difference.IsOfLibrary, gs1.Valid != gs1.ByLibrary);
            return (difference.IsOfLibrary ? gs1.ByLibrary : gs1.Valid) ? Verdict.Accepts : Verdict.Refuses;
        }
        using var reader = XmlReader.Create(new StringReader(difference.Example), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return PublishedSchemas.Errors(XDocument.Load(reader), PublishedSchemas.For(DocumentForm.Xml20)).Count == 0 ? Verdict.Accepts : Verdict.Refuses;
    }

    private static (Verdict Verdict, List<string> Codes) OurVerdict(byte[] document) => OurVerdict(document, out _);

    private static (Verdict Verdict, List<string> Codes) OurVerdict(byte[] document, out DocumentForm form)
    {
        using var reader = EpcisDocument.Open(new MemoryStream(document), ReaderLimits.Default);
        while (reader.Read())
        {
        }
        form = reader.Form;
        var codes = reader.Findings.All.Where(f => f.Severity == Severity.Error).Select(f => f.Code).ToList();
        return (codes.Count == 0 ? Verdict.Accepts : Verdict.Refuses, codes);
    }
}
