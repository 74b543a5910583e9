using System.Text;
using System.Xml.Linq;
using Epcis.Formats;
using Epcis.Formats.Xml;

namespace Epcis.Tests.Schemas;

/// <summary>What the schema says of an event in a document it says of the event alone, at the same place within it.</summary>
public sealed class BareEventTests
{
    [Fact]
    public void Whatever_is_found_in_an_event_of_a_document_is_found_in_the_bare_event()
    {
        var events = SeedDocuments.For(DocumentForm.Xml20).First().Document.Descendants("EventList").Elements().Where(e => XmlRoot.IsEvent(e.Name.LocalName)).Select(Alone).ToList();
        Assert.Equal(5, events.Count);
        Assert.All(events, e => Assert.Empty(Findings(Bare(e))));
        var mutator = new Mutator(seed: 20260201, events);
        var differences = new List<string>();
        var found = 0;
        for (var i = 0; i < Mutations.Of(3_000, full: 25_000); i++)
        {
            var e = new XDocument(events[i % events.Count]);
            var damage = mutator.Damage(e);
            if (e.Root!.Name.Namespace != XNamespace.None || !XmlRoot.IsEvent(e.Root.Name.LocalName) || e.Root.Name == "QuantityEvent")
            {
                continue;
            }
            var (inDocument, alone) = (Findings(InDocument(e)), Findings(Bare(e)));
            found += inDocument.Count;
            if (!inDocument.SequenceEqual(alone))
            {
                differences.Add($"{i}: {damage}\n  {string.Join("\n  ", inDocument)}\n  -- alone --\n  {string.Join("\n  ", alone)}");
            }
        }
        Assert.True(differences.Count == 0, string.Join('\n', differences.Take(5)));
        Assert.InRange(found, 1_000, int.MaxValue);
    }

    [Fact]
    public void A_bare_event_keeps_its_places()
    {
        const string Text = "<ObjectEvent>\n <eventTime>2026-01-31T12:00:00Z</eventTime>\n <eventTimeZoneOffset>+01:00</eventTimeZoneOffset>\n  <action>TAKE</action>\n</ObjectEvent>";
        using var reader = EpcisDocument.OpenDocumentOrEvent(new MemoryStream(Encoding.UTF8.GetBytes(Text)), ReaderLimits.Default);
        Assert.True(reader.Read());
        var finding = Assert.Single(reader.Findings.All);
        Assert.Equal(("EPCIS-XSD-01", "TAKE", 0, new Place(4, 17)), (finding.Code, finding.Got, finding.Event, finding.Where));
    }

    private static XDocument Alone(XElement e)
    {
        var alone = new XElement(e);
        foreach (var declaration in e.AncestorsAndSelf().SelectMany(a => a.Attributes()).Where(a => a.IsNamespaceDeclaration))
        {
            alone.SetAttributeValue(declaration.Name, declaration.Value);
        }
        return new XDocument(alone);
    }

    private static string Bare(XDocument e) => "\n" + e.ToString(SaveOptions.DisableFormatting);

    private static string InDocument(XDocument e) =>
        "<epcis:EPCISDocument xmlns:epcis='urn:epcglobal:epcis:xsd:2' schemaVersion='2.0' creationDate='2026-01-01T00:00:00Z'><EPCISBody><EventList>" + Bare(e) + "</EventList></EPCISBody></epcis:EPCISDocument>";

    private static List<string> Findings(string text)
    {
        using var reader = EpcisDocument.OpenDocumentOrEvent(new MemoryStream(Encoding.UTF8.GetBytes(text)), ReaderLimits.Default);
        while (reader.Read())
        {
        }
        return [.. reader.Findings.All.Select(f => $"{f.Where} {f.Code} #{f.Event} {f.EventId}: {f.Message} {f.Got} {f.Want}")];
    }
}
