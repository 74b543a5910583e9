using System.Xml;
using System.Xml.Schema;

namespace Epcis.Formats.Xml;

/// <summary>What the XML reader has to say, each kind with its code.</summary>
internal sealed class XmlFindings
{
    private const int MaxQuoted = 200;
    private const string Example = "such as <epcis:EPCISDocument xmlns:epcis=\"urn:epcglobal:epcis:xsd:2\" …>";

    // Of a million violations all but the first are counted, which must not take a million sentences.
    private static readonly Finding s_oneMore = new("EPCIS-XSD-01", Severity.Error, "");

    private bool _misqualified;

    public Findings All { get; } = new();
    public bool IsBroken { get; private set; }
    public DocumentForm Form { get; set; }

    private string Version => Form == DocumentForm.Xml20 ? "EPCIS 2.0" : "EPCIS 1.2";

    /// <summary>The parser gave up: what follows cannot be known.</summary>
    public void Broken(XmlException e)
    {
        IsBroken = true;
        var where = new Place(e.LineNumber, e.LinePosition);
        All.Add(e switch
        {
            XmlLimitException limit => new Finding("EPCIS-XML-03", Severity.Error, limit.Limit) { Where = where },
            XmlDoctypeException => new Finding("EPCIS-XML-02", Severity.Error, "The document has a DOCTYPE, which is never accepted.")
            {
                Where = where,
                Got = "DOCTYPE",
                Suggestion = "Remove the <!DOCTYPE …> line; EPCIS needs none.",
            },
            _ when IsAboutEncoding(e) => Encoding(WithoutPlace(e), where),
            _ => new Finding("EPCIS-XML-01", Severity.Error, $"The document is not well-formed XML: {WithoutPlace(e)}") { Where = where, Clause = "XML 1.0" },
        });
    }

    public void UnsupportedEncoding(NotSupportedException e)
    {
        IsBroken = true;
        All.Add(Encoding(e.Message, new Place(1, 1)));
    }

    public void WrongNil(string nil, Place where, int? eventIndex)
    {
        IsBroken = true;
        All.Add(new Finding("EPCIS-XSD-01", Severity.Error, $"The value '{Short(nil)}' of xsi:nil is not allowed.")
        {
            Where = where,
            Clause = $"{Version}, XML schema",
            Event = eventIndex,
            Got = Short(nil),
            Want = "true or false",
            Suggestion = "Write true or false, or leave xsi:nil out.",
        });
    }

    public void UnknownRoot(string name, string ns, Place where) => All.Add(XmlRoot.IsEvent(name)
        ? new Finding("EPCIS-XML-06", Severity.Error, $"The document is a bare {name} without a document around it.")
        {
            Where = where,
            Got = name,
            Want = XmlRoot.Document,
            Suggestion = "Put the event into EPCISDocument/EPCISBody/EventList.",
        }
        : new Finding("EPCIS-XML-06", Severity.Error, $"The root element {Short(name)} {(ns.Length == 0 ? "without a namespace" : $"in namespace '{Short(ns)}'")} is none of EPCIS.")
        {
            Where = where,
            Got = Short(ns.Length == 0 ? name : $"{{{ns}}}{name}"),
            Want = "EPCISDocument in urn:epcglobal:epcis:xsd:1 or :2, EPCISQueryDocument in urn:epcglobal:epcis-query:xsd:1 or :2",
            Suggestion = $"Give the root its name and namespace with a prefix, {Example}.",
        });

    public void VersionClash(string? schemaVersion, string ns, Place where) =>
        All.Add(new Finding("EPCIS-XML-07", Severity.Warning, $"schemaVersion says {schemaVersion}, but the namespace is that of {Version}; the namespace decides.")
        {
            Where = where,
            Clause = $"{Version}, schemaVersion",
            Got = schemaVersion,
            Want = Form == DocumentForm.Xml20 ? "2.0" : "1.2",
            Suggestion = $"Make schemaVersion agree with {ns}.",
        });

    /// <summary>Said once: a default xmlns moves every element, and a thousand equal findings would hide the one cause.</summary>
    public void Misqualified(string name, string ns, Place where, int? eventIndex)
    {
        if (_misqualified)
        {
            return;
        }
        _misqualified = true;
        All.Add(new Finding("EPCIS-XML-05", Severity.Error, $"{name} is in namespace '{ns}', but elements below the root must have none.")
        {
            Where = where,
            Event = eventIndex,
            Clause = $"{Version}, schema with unqualified local elements",
            Got = $"{{{ns}}}{name}",
            Want = name,
            Suggestion = $"Replace the default xmlns by a prefix that only the root uses, {Example}. Other schema errors are not listed until this is mended.",
        });
    }

    public void NoResults(string operation, Place where) =>
        All.Add(new Finding("EPCIS-XML-08", Severity.Warning, $"The query document carries {operation} and no query results: it has no events.") { Where = where, Got = operation, Want = "QueryResults" });

    public void NotAnEvent(string name, Place where) =>
        All.Add(new Finding("EPCIS-XML-09", Severity.Warning, $"{name} in the event list is no event of EPCIS and is not captured; the original document keeps it.") { Where = where, Got = name });

    public void SchemaViolation(XmlSchemaException violation, int? eventIndex, string? eventId)
    {
        if (_misqualified)
        {
            return;
        }
        if (All.IsFull)
        {
            All.Add(s_oneMore);
            return;
        }
        var words = SchemaMessage.For(violation.Message, Form);
        All.Add(new Finding("EPCIS-XSD-01", Severity.Error, words.Message)
        {
            Where = new Place(violation.LineNumber, violation.LinePosition),
            Clause = $"{Version}, XML schema",
            Event = eventIndex,
            EventId = eventId,
            Got = words.Got,
            Want = words.Want,
            Suggestion = words.Suggestion,
        });
    }

    private static Finding Encoding(string message, Place where) =>
        new("EPCIS-XML-04", Severity.Error, $"The document's character encoding cannot be read: {message}")
        {
            Where = where,
            Want = "UTF-8",
            Suggestion = "Send UTF-8, or UTF-16 with a byte order mark.",
        };

    // The parser has no codes, only sentences; tests hold these.
    private static bool IsAboutEncoding(XmlException e) =>
        e.Message.StartsWith("Invalid character in the given encoding", StringComparison.Ordinal)
        || e.Message.StartsWith("There is no Unicode byte order mark", StringComparison.Ordinal)
        || e.Message.StartsWith("System does not support '", StringComparison.Ordinal);

    private static string WithoutPlace(XmlException e)
    {
        var place = e.Message.LastIndexOf(" Line ", StringComparison.Ordinal);
        return Short(place < 0 ? e.Message : e.Message[..place]);
    }

    private static string Short(string text) => text.Length <= MaxQuoted ? text : text[..MaxQuoted] + "…";
}
