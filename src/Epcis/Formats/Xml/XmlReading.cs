using System.Xml;

namespace Epcis.Formats.Xml;

/// <summary>
/// The only place of the product that makes XML readers. No DTD, no resolver, no schema that a document brings along, and
/// every bound of <see cref="ReaderLimits"/>: a reader made here can be pointed at anything.
/// </summary>
public static class XmlReading
{
    /// <summary>A reader over untrusted bytes. It throws <see cref="XmlException"/>, of a bound <see cref="XmlLimitException"/>.</summary>
    public static XmlReader Create(Stream input, ReaderLimits limits)
    {
        var bounded = new BoundedStream(input, limits);
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = limits.MaxBytes,
            CloseInput = false,
            IgnoreComments = false, // a comment inside a value must not end the bound on that value
            IgnoreProcessingInstructions = false,
        };
        return new BoundedXmlReader(XmlReader.Create(bounded, settings), bounded, limits);
    }

    /// <summary>A reader over a schema of ours or of the site's; it includes others only through the schema set's own resolver.</summary>
    internal static XmlReader CreateForSchema(Stream schema, Uri location) =>
        XmlReader.Create(schema, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null }, location.AbsoluteUri);
}
