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

    /// <param name="findings">What XML cannot say as it was said.</param>
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

    /// <summary>Writes an event with a recordTime of the caller's, or without one.</summary>
    public ValueTask EventAsync(EpcisEvent e, DateTimeOffset? recordTime, IReadOnlyDictionary<string, string>? namespaces, CancellationToken ct)
    {
        _events.Write(e, recordTime, namespaces);
        return _buffer.PassOnAsync(ct);
    }

    /// <summary>Closes the document; without it what was written is cut short.</summary>
    public async ValueTask EndAsync(CancellationToken ct)
    {
        _buffer.Xml.WriteEndDocument();
        await _buffer.FlushAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Lets go of the buffer, and closes nothing of the document. The stream remains the caller's.</summary>
    public ValueTask DisposeAsync() => _buffer.DisposeAsync();
}
