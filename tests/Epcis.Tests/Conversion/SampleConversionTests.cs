using Epcis.Formats;
using Epcis.Tests.Formats.JsonLd;
using Epcis.Tests.Formats.Xml;

namespace Epcis.Tests.Conversion;

/// <summary>Every shared sample through all forms and back: nothing said is lost, and what was valid stays valid.</summary>
public sealed class SampleConversionTests
{
    [Fact]
    public void Every_valid_1_2_sample_goes_through_2_0_and_json_and_comes_back() =>
        Walk(DocumentForm.Xml12, [DocumentForm.Xml20, DocumentForm.JsonLd20, DocumentForm.Xml20, DocumentForm.Xml12, DocumentForm.JsonLd20, DocumentForm.Xml12], carry: false, atLeast: 20);

    [Fact]
    public void Every_valid_2_0_xml_sample_goes_through_json_and_1_2_and_comes_back() =>
        Walk(DocumentForm.Xml20, [DocumentForm.JsonLd20, DocumentForm.Xml20, DocumentForm.Xml12, DocumentForm.Xml20, DocumentForm.Xml12, DocumentForm.JsonLd20], carry: true, atLeast: 35);

    [Fact]
    public void Every_valid_json_sample_goes_through_2_0_xml_and_1_2_and_comes_back() =>
        Walk(DocumentForm.JsonLd20, [DocumentForm.Xml20, DocumentForm.JsonLd20, DocumentForm.Xml12, DocumentForm.JsonLd20, DocumentForm.Xml20, DocumentForm.Xml12], carry: true, atLeast: 35);

    /// <summary>What no other form can say, and the finding says so.</summary>
    private static readonly string[] s_refusals = ["and no query results", "holds one item twice", "is no error reason of the CBV"];

    private static void Walk(DocumentForm from, DocumentForm[] way, bool carry, int atLeast)
    {
        var wrong = new List<string>();
        var refused = new List<string>();
        var walked = 0;
        foreach (var file in Directory.EnumerateFiles(Gs1Xml.Folder("examples"), from == DocumentForm.JsonLd20 ? "*.json" : "*.xml", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var bytes = File.ReadAllBytes(file);
            var source = Said.By(bytes);
            if (source.HasErrors || source.Form != from)
            {
                continue;
            }
            var name = Path.GetRelativePath(Gs1Xml.Folder("examples"), file);
            // Some 1.2 samples carry parts of 2.0 already, which only a carrying conversion writes to 1.2.
            var carries = carry || source.Events.Any(e => e.SensorElements.Count > 0 || e.PersistentDisposition is not null);
            walked++;
            // 1.2 knows no bare events, and a bare event does not tell its edition.
            foreach (var form in way.Where(f => !source.IsBare || f != DocumentForm.Xml12))
            {
                var converted = Converted.To(form, bytes, carries);
                if (converted.Errors.Any())
                {
                    var reason = converted.Findings.All.First(f => f.Severity == Severity.Error);
                    if (!s_refusals.Any(r => reason.Message.Contains(r, StringComparison.Ordinal)))
                    {
                        refused.Add($"{name} to {form}: {reason}");
                    }
                    break;
                }
                var said = Said.By(converted.Bytes);
                if (said.Form != form || said.HasErrors)
                {
                    wrong.Add($"{name} to {form}: not valid, {said.Findings.All.FirstOrDefault()}");
                    break;
                }
                if (!source.Contents.SequenceEqual(said.Contents) || source.HeaderText != said.HeaderText)
                {
                    var (before, after) = source.Contents.Zip(said.Contents).Where(p => p.First != p.Second).DefaultIfEmpty((source.HeaderText, said.HeaderText)).First();
                    var (line, now) = before.Split('\n').Zip(after.Split('\n')).Where(p => p.First != p.Second).DefaultIfEmpty((before, after)).First();
                    wrong.Add($"{name} to {form}: {source.Contents.Count} and {said.Contents.Count} events\n{line}\n-- became --\n{now}");
                    break;
                }
                bytes = converted.Bytes;
            }
        }
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, [.. wrong, .. refused]));
        Assert.True(refused.Count == 0, string.Join(Environment.NewLine, refused));
        Assert.True(walked >= atLeast, $"Only {walked} documents were walked.");
    }
}
