using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>
/// Streams an EPCISQueryDocument of EPCIS 2.0 XML with results: begin, any number of events, end. The message in the body
/// is qualified, what is inside it is not.
/// </summary>
public sealed class XmlQueryDocumentWriter : IAsyncDisposable
{
    private readonly XmlBuffer _buffer;
    private readonly XmlEventWriter _events;

    public XmlQueryDocumentWriter(Stream stream, Findings findings, CbvSpelling cbv = CbvSpelling.Kept)
    {
        _buffer = new XmlBuffer(stream);
        _events = new XmlEventWriter(_buffer.Xml, DocumentForm.Xml20, findings, cbv);
    }

    /// <param name="subscriptionId">For the delivery of a subscription.</param>
    public void Begin(string queryName, DateTimeOffset creationDate, string? subscriptionId = null)
    {
        var xml = _buffer.Xml;
        var ns = XmlRoot.QueryNamespace + "2";
        xml.WriteStartDocument();
        xml.WriteStartElement("epcisq", XmlRoot.QueryDocument, ns);
        xml.WriteAttributeString("schemaVersion", "2.0");
        xml.WriteAttributeString("creationDate", XmlBuffer.Instant(creationDate));
        xml.WriteStartElement("EPCISBody");
        xml.WriteStartElement("epcisq", "QueryResults", ns);
        xml.WriteElementString("queryName", queryName);
        if (subscriptionId is not null)
        {
            xml.WriteElementString("subscriptionID", subscriptionId);
        }
        xml.WriteStartElement("resultsBody");
        xml.WriteStartElement("EventList");
    }

    public ValueTask EventAsync(EpcisEvent e, DateTimeOffset? recordTime, IReadOnlyDictionary<string, string>? namespaces, CancellationToken ct)
    {
        _events.Write(e, recordTime, namespaces);
        return _buffer.PassOnAsync(ct);
    }

    public async ValueTask EndAsync(CancellationToken ct)
    {
        _buffer.Xml.WriteEndDocument();
        await _buffer.FlushAsync(ct).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _buffer.DisposeAsync();
}
