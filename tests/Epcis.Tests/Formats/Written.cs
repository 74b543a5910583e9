using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.JsonLd;
using Epcis.Formats.Xml;
using Epcis.Tests.Formats.Xml;

namespace Epcis.Tests.Formats;

/// <summary>An event written in some form and read again, with the prefixes of what was read.</summary>
internal static class Written
{
    public static (EpcisEvent Event, IReadOnlyDictionary<string, string> Namespaces) AsXml(EpcisEvent e, DocumentForm form, Findings findings, IReadOnlyDictionary<string, string> namespaces)
    {
        using var stream = new MemoryStream();
        var writer = new XmlDocumentWriter(stream, form, findings, carry: true);
        writer.Begin(new DocumentHeader(), DateTimeOffset.UnixEpoch);
        writer.EventAsync(e, null, namespaces, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        writer.EndAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        var reading = Gs1Xml.Read(stream.ToArray());
        return (reading.Event, reading.Header.Namespaces);
    }

    public static (EpcisEvent Event, IReadOnlyDictionary<string, string> Namespaces) AsJson(EpcisEvent e, IReadOnlyDictionary<string, string> namespaces)
    {
        using var reader = JsonEpcisReader.ReadBareEvent(new MemoryStream(JsonEventWriter.ToUtf8(e, null, namespaces)), ReaderLimits.Default);
        Assert.True(reader.Read());
        return (reader.Current, reader.Header.Namespaces);
    }
}
