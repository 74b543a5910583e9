using System.Text;
using System.Xml;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>
/// Streams an EPCISDocument: begin, any number of events, end. Memory holds one event and a small buffer. The header must
/// be complete when it begins, so whoever converts reads the source twice.
/// </summary>
public sealed class XmlDocumentWriter : IAsyncDisposable
{
    private readonly XmlBuffer _buffer;
    private readonly XmlEventWriter _events;
    private readonly XmlElements _xml;
    private readonly DocumentForm _form;
    private List<Extension> _atEnd = [];
    private List<Extension> _localAtEnd = [];

    public XmlDocumentWriter(Stream stream, DocumentForm form, Findings findings, CbvSpelling cbv = CbvSpelling.Kept)
    {
        _buffer = new XmlBuffer(stream);
        _form = form;
        _events = new XmlEventWriter(_buffer.Xml, form, findings, cbv);
        _xml = new XmlElements(_buffer.Xml, findings);
    }

    public void Begin(DocumentHeader header, DateTimeOffset creationDate)
    {
        var version = _form == DocumentForm.Xml12 ? "1" : "2";
        var xml = _buffer.Xml;
        xml.WriteStartDocument();
        xml.WriteStartElement("epcis", XmlRoot.Document, XmlRoot.EpcisNamespace + version);
        xml.WriteAttributeString("schemaVersion", _form == DocumentForm.Xml12 ? "1.2" : "2.0");
        // The date is the document's own when it has one.
        xml.WriteAttributeString("creationDate", string.IsNullOrEmpty(header.CreationDate) ? XmlBuffer.Instant(creationDate) : header.CreationDate);
        _xml.Declare(header.Namespaces);
        (_localAtEnd, _atEnd) = new XmlHeaderWriter(xml, _xml, _form == DocumentForm.Xml12).Write(header);
        xml.WriteStartElement("EPCISBody");
        xml.WriteStartElement("EventList");
    }

    public ValueTask EventAsync(EpcisEvent e, DateTimeOffset? recordTime, IReadOnlyDictionary<string, string>? namespaces, CancellationToken ct)
    {
        _events.Write(e, recordTime, namespaces);
        return _buffer.PassOnAsync(ct);
    }

    public async ValueTask EndAsync(CancellationToken ct)
    {
        _buffer.Xml.WriteEndElement();
        _buffer.Xml.WriteEndElement();
        if (_localAtEnd.Count > 0)
        {
            _xml.Start("extension");
            _xml.Extensions(_localAtEnd);
            _xml.End();
        }
        _xml.Extensions(_atEnd);
        _buffer.Xml.WriteEndDocument();
        await _buffer.FlushAsync(ct).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _buffer.DisposeAsync();
}

/// <summary>
/// An XML writer whose text goes on to a stream in pieces. XmlWriter itself would write to the stream synchronously in the
/// middle of an event.
/// </summary>
internal sealed class XmlBuffer : IAsyncDisposable
{
    private const int FlushAtBytes = 32 << 10;
    private readonly MemoryStream _pending = new();
    private readonly Stream _stream;

    public XmlBuffer(Stream stream)
    {
        _stream = stream;
        Xml = XmlWriter.Create(_pending, new XmlWriterSettings
        {
            Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            NewLineHandling = NewLineHandling.Entitize, // or a carriage return would come back as a line feed
            CloseOutput = false,
        });
    }

    public XmlWriter Xml { get; }

    public static string Instant(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", System.Globalization.CultureInfo.InvariantCulture);

    public ValueTask PassOnAsync(CancellationToken ct) => _pending.Length >= FlushAtBytes ? FlushAsync(ct) : ValueTask.CompletedTask;

    public async ValueTask FlushAsync(CancellationToken ct)
    {
        Xml.Flush();
        await _stream.WriteAsync(_pending.GetBuffer().AsMemory(0, (int)_pending.Length), ct).ConfigureAwait(false);
        _pending.SetLength(0);
        await _stream.FlushAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Closes open elements into a buffer that nobody reads any more: a document cut short stays cut short.</summary>
    public ValueTask DisposeAsync()
    {
        Xml.Dispose();
        _pending.Dispose();
        return ValueTask.CompletedTask;
    }
}
