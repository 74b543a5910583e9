using System.Text;
using System.Xml;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>
/// Streams an EPCISDocument, an EPCISQueryDocument with results or an EPCISMasterDataDocument, as the header says: begin, any
/// number of events, end. Memory holds one event and a small buffer. The header must be complete when it begins, so whoever
/// converts reads the source twice.
/// </summary>
public sealed class XmlDocumentWriter : IAsyncDisposable
{
    private readonly XmlBuffer _buffer;
    private readonly XmlEventWriter _events;
    private readonly XmlElements _xml;
    private readonly XmlHeaderWriter _header;
    private readonly DocumentForm _form;
    private int _open;

    /// <param name="findings">What the form cannot say as it was said.</param>
    /// <param name="carry">Carry what 1.2 does not know in extensions, which its receivers may pass over.</param>
    public XmlDocumentWriter(Stream stream, DocumentForm form, Findings findings, CbvSpelling cbv = CbvSpelling.Kept, bool carry = false)
    {
        _buffer = new XmlBuffer(stream);
        _form = form;
        _events = new XmlEventWriter(_buffer.Xml, form, findings, cbv, carry);
        _xml = new XmlElements(_buffer.Xml, findings);
        _header = new XmlHeaderWriter(_buffer.Xml, _xml, form == DocumentForm.Xml12, carry);
    }

    /// <param name="creationDate">Where the header has none; a document without one is told as an error.</param>
    public void Begin(DocumentHeader header, DateTimeOffset? creationDate = null)
    {
        var (prefix, root, family) = header.DocumentType switch
        {
            XmlRoot.QueryDocument => ("epcisq", XmlRoot.QueryDocument, XmlRoot.QueryNamespace),
            XmlRoot.MasterDataDocument => ("epcismd", XmlRoot.MasterDataDocument, XmlRoot.MasterDataNamespace),
            _ => ("epcis", XmlRoot.Document, XmlRoot.EpcisNamespace),
        };
        var ns = family + (_form == DocumentForm.Xml12 ? "1" : "2");
        var date = string.IsNullOrEmpty(header.CreationDate) ? creationDate is { } given ? XmlBuffer.Instant(given) : null : header.CreationDate;
        if (date is null)
        {
            _xml.Tell("EPCIS-OUT-02", Severity.Error, "EPCIS XML needs a creationDate, and the document tells none.");
        }
        if (header.Id is not null)
        {
            _xml.Tell("EPCIS-OUT-08", Severity.Info, "XML has no id of a document; it is left out.", header.Id);
        }
        var xml = _buffer.Xml;
        xml.WriteStartDocument();
        _xml.Begin(header.Comments, header.Attributes);
        _xml.CommentsBefore("Document");
        xml.WriteStartElement(prefix, root, ns);
        xml.WriteAttributeString("schemaVersion", _form == DocumentForm.Xml12 ? "1.2" : "2.0");
        xml.WriteAttributeString("creationDate", date);
        _xml.Declare(header.Namespaces);
        _xml.Attributes("");
        var inBody = root == XmlRoot.MasterDataDocument || (root == XmlRoot.QueryDocument && header.MasterDataAreResults);
        _header.Begin(header, inBody ? [] : header.MasterData);
        Open("EPCISBody");
        _xml.Attributes("EPCISBody");
        if (root == XmlRoot.QueryDocument)
        {
            _xml.CommentsBefore("QueryResults");
            xml.WriteStartElement(prefix, "QueryResults", ns);
            _xml.Leaf("queryName", header.QueryName);
            _xml.Leaf("subscriptionID", header.SubscriptionId);
            _open++;
            Open("resultsBody");
        }
        if (inBody)
        {
            _header.VocabularyList(header.MasterData);
        }
        else
        {
            Open("EventList");
            if (_form == DocumentForm.Xml20)
            {
                _xml.Attributes("EventList"); // 1.2 has none there
            }
        }
    }

    /// <summary>Writes an event with a recordTime of the caller's, or without one.</summary>
    public ValueTask EventAsync(EpcisEvent e, DateTimeOffset? recordTime, IReadOnlyDictionary<string, string>? namespaces, CancellationToken ct)
    {
        _events.Write(e, recordTime, namespaces);
        return _buffer.PassOnAsync(ct);
    }

    /// <summary>Writes an event with its own recordTime.</summary>
    public ValueTask CopyAsync(EpcisEvent e, IReadOnlyDictionary<string, string>? namespaces, CancellationToken ct)
    {
        _events.WriteWith(e, e.RecordTimeText, namespaces);
        return _buffer.PassOnAsync(ct);
    }

    /// <summary>Closes the document; without it what was written is cut short.</summary>
    public async ValueTask EndAsync(CancellationToken ct)
    {
        for (; _open > 0; _open--)
        {
            _buffer.Xml.WriteEndElement();
        }
        _header.End();
        _xml.CarryAttributes();
        _buffer.Xml.WriteEndElement();
        _xml.Comments();
        _buffer.Xml.WriteEndDocument();
        await _buffer.FlushAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Lets go of the buffer, and closes nothing of the document. The stream remains the caller's.</summary>
    public ValueTask DisposeAsync() => _buffer.DisposeAsync();

    private void Open(string name)
    {
        _xml.Start(name);
        _open++;
    }
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
