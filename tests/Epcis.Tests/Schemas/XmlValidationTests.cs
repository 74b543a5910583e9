using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using System.Xml.Schema;
using Epcis.Formats;
using Epcis.Formats.Xml;

namespace Epcis.Tests.Schemas;

/// <summary>
/// Our pass over a document says what the runtime's validating reader says, word for word and place for place, although it
/// does not look at each item of a list.
/// </summary>
public class XmlValidationTests
{
    [Theory]
    [InlineData(DocumentForm.Xml12)]
    [InlineData(DocumentForm.Xml20)]
    public void Damaged_documents_get_the_findings_of_the_validating_reader(DocumentForm form)
    {
        var count = Mutations.Of(4_000, full: 25_000);
        var seeds = SeedDocuments.For(form).Select(s => WithLongLists(s.Document)).ToList();
        var sets = new[] { EpcisSchemas.For(form), PublishedSchemas.For(form) };
        var mutator = new Mutator(seed: 20261121, [.. seeds]);
        var (differences, withFindings) = (new List<string>(), 0);
        for (var i = 0; i < count; i++)
        {
            // Most seeds are queries without any list; every second document is one that has all the events.
            var document = new XDocument(seeds[i % 2 == 0 ? i / 2 % 2 : i / 2 % seeds.Count]);
            var damage = mutator.Damage(document);
            if (!sets.All(s => s.GlobalElements.Contains(new XmlQualifiedName(document.Root!.Name.LocalName, document.Root.Name.NamespaceName))))
            {
                continue; // no document of EPCIS any more; refused before anything is validated
            }
            var bytes = Bytes(document, i % 3 == 0 ? SaveOptions.None : SaveOptions.DisableFormatting);
            var (ours, theirs) = (Ours(bytes, sets[i % sets.Length]), Theirs(bytes, sets[i % sets.Length]));
            withFindings += theirs.Count > 0 ? 1 : 0;
            if (!ours.SequenceEqual(theirs))
            {
                differences.Add($"{i}: {damage}\n  ours:   {string.Join(" | ", ours)}\n  theirs: {string.Join(" | ", theirs)}");
            }
        }

        Assert.True(differences.Count == 0, $"{differences.Count} differ:\n{string.Join('\n', differences.Take(10))}");
        Assert.InRange(withFindings, count / 20, count - count / 20);
    }

    /// <summary>What can stand where an item of a list does, behind items that were passed over.</summary>
    [Theory]
    [InlineData("<epc>c</epc>")]
    [InlineData("<epc/>")]
    [InlineData("<epc></epc>")]
    [InlineData("<epc>a<!-- b -->c<![CDATA[d]]><?p i?></epc>")]
    [InlineData("<epc><epc>c</epc></epc>")]
    [InlineData("<epc>a<b/>c</epc>")]
    [InlineData("<epc>a<b>c</b>d<e/></epc>")]
    [InlineData("<epc a=\"1\">c</epc>")]
    [InlineData("<epc xmlns:x=\"urn:x\" x:a=\"1\">c</epc>")]
    [InlineData("<epc xmlns=\"urn:epcglobal:epcis:xsd:1\">c</epc>")]
    [InlineData("<epc xsi:type=\"xsd:string\">c</epc>")]
    [InlineData("<epc xsi:nil=\"true\"/>")]
    [InlineData("<epC>c</epC>")]
    [InlineData("<x:epc xmlns:x=\"urn:x\">c</x:epc>")]
    [InlineData("text")]
    [InlineData("<![CDATA[ ]]>")]
    [InlineData("<b><epc>c</epc><epc>c</epc></b>")]
    public void Whatever_stands_in_a_list_gets_the_findings_of_the_validating_reader(string item)
    {
        var document = Encoding.UTF8.GetBytes($"""
            <e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1" xmlns:xsi="{XmlSchema.InstanceNamespace}" xmlns:xsd="{XmlSchema.Namespace}" schemaVersion="1.2" creationDate="2026-01-01T00:00:00Z"><EPCISBody><EventList>
            <ObjectEvent><eventTime>2026-01-01T00:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList><epc>a</epc><epc>b</epc>
            {item}<epc>d</epc> <epc>e</epc></epcList><action>ADDED</action></ObjectEvent></EventList></EPCISBody></e:EPCISDocument>
            """);
        foreach (var set in new[] { EpcisSchemas.For(DocumentForm.Xml12), PublishedSchemas.For(DocumentForm.Xml12) })
        {
            var theirs = Theirs(document, set);
            Assert.Contains(theirs, t => t.Contains("ADDED", StringComparison.Ordinal));
            Assert.Equal(theirs, Ours(document, set));
        }
    }

    [Fact]
    public void Schemas_that_are_not_compiled_or_do_not_know_the_root_are_refused()
    {
        using var reader = XmlReading.Create(new MemoryStream("<a/>"u8.ToArray()), ReaderLimits.Default);
        reader.Read();
        Assert.Throws<ArgumentException>(() => new XmlValidation(reader, new XmlSchemaSet(), (_, _) => { }));
        Assert.Throws<ArgumentException>(() => new XmlValidation(reader, EpcisSchemas.For(DocumentForm.Xml12), (_, _) => { }));
    }

    private static List<string> Ours(byte[] document, XmlSchemaSet schemas) => Findings(report =>
    {
        using var reader = XmlReading.Create(new MemoryStream(document), ReaderLimits.Default);
        while (reader.Read() && reader.NodeType != XmlNodeType.Element)
        {
        }
        var validation = new XmlValidation(reader, schemas, report);
        while (reader.Read())
        {
            validation.See();
        }
        validation.Finish();
    });

    private static List<string> Theirs(byte[] document, XmlSchemaSet schemas) => Findings(report =>
    {
        var settings = new XmlReaderSettings { ValidationType = ValidationType.Schema, ValidationFlags = XmlSchemaValidationFlags.None, Schemas = schemas, DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };
        settings.ValidationEventHandler += report;
        using var reader = XmlReader.Create(new MemoryStream(document), settings);
        while (reader.Read())
        {
        }
    });

    private static List<string> Findings(Action<ValidationEventHandler> read)
    {
        var findings = new List<string>();
        try
        {
            read((_, e) => findings.Add(string.Create(CultureInfo.InvariantCulture, $"{e.Exception.LineNumber}:{e.Exception.LinePosition} {e.Message}")));
        }
        catch (FormatException e)
        {
            findings.Add(e.Message); // of a wrong xsi:nil, which the runtime throws
        }
        return findings;
    }

    private static XDocument WithLongLists(XDocument document)
    {
        var copy = new XDocument(document);
        foreach (var epc in copy.Descendants("epc").ToList())
        {
            epc.AddAfterSelf(new XElement(epc), new XElement(epc), new XElement(epc));
        }
        return copy;
    }

    private static byte[] Bytes(XDocument document, SaveOptions options)
    {
        using var stream = new MemoryStream();
        document.Save(stream, options);
        return stream.ToArray();
    }
}
