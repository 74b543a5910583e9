using System.Xml;
using System.Xml.Schema;

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
    public static XmlReader CreateForSchema(Stream schema, Uri location) =>
        XmlReader.Create(schema, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null }, location.AbsoluteUri);

    /// <summary>
    /// Validates what <paramref name="reader"/> reads, in the same pass, from the node it stands on. Warnings are not asked
    /// for: each foreign element gives one. What they are needed for, a root that no schema declares, is checked here.
    /// </summary>
    public static XmlReader Validating(XmlReader reader, XmlSchemaSet schemas, ValidationEventHandler report)
    {
        if (!schemas.IsCompiled)
        {
            throw new ArgumentException("A schema set that is not compiled validates nothing.", nameof(schemas));
        }
        if (reader.NodeType == XmlNodeType.Element && !schemas.GlobalElements.Contains(new XmlQualifiedName(reader.LocalName, reader.NamespaceURI)))
        {
            throw new ArgumentException($"The schemas do not declare {reader.LocalName} and would let anything pass.", nameof(schemas));
        }
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            ValidationType = ValidationType.Schema,
            // Neither ProcessSchemaLocation nor ProcessInlineSchema: only our own schemas decide.
            ValidationFlags = XmlSchemaValidationFlags.AllowXmlAttributes,
            Schemas = schemas,
            CloseInput = true,
        };
        settings.ValidationEventHandler += report;
        return XmlReader.Create(reader, settings);
    }
}
