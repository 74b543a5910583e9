using Epcis.Events;
using Epcis.Formats.JsonLd;
using Epcis.Formats.Xml;

namespace Epcis.Formats;

/// <summary>Opens a document of either form by what it is, not by what its sender calls it.</summary>
public static class EpcisDocument
{
    /// <summary>Reads with the project's own schemas: JSON has its checks built in, XML is validated in the same pass.</summary>
    public static EpcisReader Open(Stream stream, ReaderLimits limits) =>
        Open(stream, limits, (s, l) => new XmlEpcisReader(s, EpcisSchemas.For, l));

    /// <summary>Reads without XML schemas: enough to tell whether the document can be read at all.</summary>
    public static EpcisReader OpenUnvalidated(Stream stream, ReaderLimits limits) =>
        Open(stream, limits, (s, l) => new XmlEpcisReader(s, null, l));

    /// <summary>
    /// As <see cref="Open(Stream, ReaderLimits)"/>, and reads one event without a document around it, too. The stream must seek:
    /// a JSON object may tell its type anywhere.
    /// </summary>
    public static EpcisReader OpenDocumentOrEvent(Stream stream, ReaderLimits limits)
    {
        var start = stream.Position;
        var first = new PeekedStream(stream).FirstSignificantByte();
        stream.Position = start;
        var isEvent = first == (byte)'{' ? JsonEpcisReader.IsBareEventAhead(stream, limits) : XmlEpcisReader.IsBareEventAhead(stream, limits);
        stream.Position = start;
        return !isEvent ? Open(stream, limits)
            : first == (byte)'{' ? JsonEpcisReader.ReadBareEvent(stream, limits)
            : XmlEpcisReader.ReadBareEvent(stream, limits);
    }

    /// <param name="xml">Makes the reader of XML documents.</param>
    public static EpcisReader Open(Stream stream, ReaderLimits limits, Func<Stream, ReaderLimits, EpcisReader> xml)
    {
        var peeked = new PeekedStream(stream);
        return peeked.FirstSignificantByte() switch
        {
            // FE and FF begin a byte order mark of UTF-16, which XML 1.0 has every processor read; JSON is UTF-8 only (RFC 8259).
            (byte)'<' or 0xFE or 0xFF => xml(peeked, limits),
            (byte)'{' => new JsonEpcisReader(peeked, limits),
            var other => new UnreadableDocument(other),
        };
    }

    /// <summary>Neither XML nor a JSON object: broken before it is read.</summary>
    private sealed class UnreadableDocument : EpcisReader
    {
        public UnreadableDocument(byte? first) => Findings.Add(new Finding(
            "EPCIS-DOC-01",
            Severity.Error,
            first is null ? "The document is empty." : "The document is neither XML nor a JSON object in UTF-8.")
        {
            Where = new Place(1, 1),
            Got = first is { } b ? FormattableString.Invariant($"a first byte 0x{b:X2}") : null,
            Want = "'<' or '{'",
        });

        public override DocumentForm Form => DocumentForm.Unknown;
        public override DocumentHeader Header { get; } = new();
        public override Findings Findings { get; } = new();
        public override bool IsBroken => true;
        public override EpcisEvent Current => throw new InvalidOperationException("There is no event.");

        public override bool Read() => false;

        public override void Dispose()
        {
        }
    }
}
