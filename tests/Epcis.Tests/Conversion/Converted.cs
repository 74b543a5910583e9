using Epcis.Conversion;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.Xml;
using Epcis.Hashing;
using Epcis.Tests.Formats.Xml;

namespace Epcis.Tests.Conversion;

/// <summary>A document as the converter made it, and what there was to say.</summary>
internal sealed record Converted(byte[] Bytes, Findings Findings)
{
    public string Text => System.Text.Encoding.UTF8.GetString(Bytes);

    public IEnumerable<string> Errors => Findings.All.Where(f => f.Severity == Severity.Error).Select(f => f.Code);

    public static Converted To(DocumentForm form, byte[] source, bool carry = false) => From(source, new ConversionOptions(form) { Carry = carry });

    public static Converted From(byte[] source, ConversionOptions options, Func<Stream, EpcisReader>? open = null)
    {
        using var output = new MemoryStream();
        var findings = EpcisConverter.ConvertAsync(() => (open ?? OpenPublished)(new MemoryStream(source)), output, options, CancellationToken.None).GetAwaiter().GetResult();
        return new Converted(output.ToArray(), findings);
    }

    public Converted Then(DocumentForm form, bool carry = false)
    {
        Assert.Empty(Errors);
        return To(form, Bytes, carry);
    }

    /// <summary>Validated by the schemas that GS1 published.</summary>
    public static EpcisReader OpenPublished(Stream stream) =>
        IsBare(stream) ? EpcisDocument.OpenDocumentOrEvent(stream, ReaderLimits.Default)
        : EpcisDocument.Open(stream, ReaderLimits.Default, (s, l) => new XmlEpcisReader(s, Gs1Xml.Schemas, l));

    private static bool IsBare(Stream stream)
    {
        using var reader = EpcisDocument.OpenDocumentOrEvent(stream, ReaderLimits.Default);
        stream.Position = 0;
        return reader.IsBareEvent;
    }
}

/// <summary>All that a document says, for comparing documents of different forms.</summary>
internal sealed record Said(IReadOnlyList<EpcisEvent> Events, IReadOnlyList<string> Contents, DocumentHeader Header, Findings Findings, bool IsBare, DocumentForm Form)
{
    public static Said By(byte[] document)
    {
        using var reader = Converted.OpenPublished(new MemoryStream(document));
        List<EpcisEvent> events = [];
        List<string> contents = [];
        while (reader.Read())
        {
            events.Add(reader.Current);
            contents.Add($"{reader.Current.EventId} {reader.Current.RecordTimeText}\n{EventHash.PreHash(reader.Current, reader.Namespaces)}\n{EventContent.Text(reader.Current, reader.Namespaces)}");
        }
        return new Said(events, contents, reader.Header, reader.Findings, reader.IsBareEvent, reader.Form);
    }

    public bool HasErrors => Findings.HasErrors;

    /// <summary>Everything of the header that has a place in every form.</summary>
    public string HeaderText
    {
        get
        {
            var sbdh = Header.Sbdh;
            List<string> lines =
            [
                $"{Header.CreationDate} {Header.QueryName} {Header.SubscriptionId} {Header.MasterDataAreResults}",
                $"sbdh {string.Join(',', sbdh?.Senders.Select(s => s.Identifier) ?? [])} {string.Join(',', sbdh?.Receivers.Select(s => s.Identifier) ?? [])} {sbdh?.InstanceIdentifier}",
                .. Header.MasterData.GroupBy(m => m.VocabularyType).SelectMany(g => g)
                    .Select(m => $"{m.VocabularyType} {m.Id} [{string.Join(';', m.Attributes.Select(a => $"{a.Id}={(a.Structure is { } s ? Tree([s with { Attributes = [.. s.Attributes.Where(x => x.Name != "id")] }]) : a.Value)}"))}] {string.Join(',', m.Children)} {Tree(m.Extensions)}"),
                Tree(Header.Extensions),
                .. Header.Attributes.SelectMany(own => own.Attributes.Select(a => $"{own.On}@{{{a.Namespace}}}{a.Name}={a.Value}")).Order(StringComparer.Ordinal),
            ];
            return string.Join('\n', lines);
        }
    }

    /// <summary>Elements of others in the header; those of DSCSA stand behind the body in 2.0 XML.</summary>
    public string InHeader => Tree(Header.HeaderExtensions);

    private string Tree(IEnumerable<Extension> extensions) => EventContent.Text(new ObjectEvent { Extensions = [.. extensions] }, Header.Namespaces);
}
