namespace Gateway.Http.Help;

/// <summary>What the readers of documents find, before any rule looks at an event.</summary>
internal static class DocumentTopics
{
    private const string Xml = "EPCIS 1.2 and 2.0, XML schema";
    private const string Json = "EPCIS 2.0, JSON schema";

    public static HelpTopic[] All { get; } =
    [
        new("EPCIS-DOC-01", "Neither XML nor JSON", "The document is empty, or begins like neither XML nor a JSON object.", "Send the EPCIS document itself, in UTF-8, not packed into something else."),
        new("EPCIS-XML-01", "Not well-formed XML", "The XML breaks off or a tag, attribute or character is not as XML demands. What follows that place cannot be read.", "Correct the document at the line and column of the finding, or where the sender makes it.", "XML 1.0"),
        new("EPCIS-XML-02", "The document has a DOCTYPE", "A DOCTYPE can make a reader fetch other files or grow without end, so it is never accepted.", "Remove the DOCTYPE line. EPCIS needs none."),
        new("EPCIS-XML-03", "A limit of reading was reached", "The document is deeper, has more attributes or longer texts than any EPCIS document needs.", "Correct what makes it so large, or divide the document."),
        new("EPCIS-XML-04", "The character encoding cannot be read", "Bytes of the document are not in the encoding that it names, or that encoding is unknown.", "Send UTF-8, or UTF-16 with a byte order mark."),
        new("EPCIS-XML-05", "Elements have a namespace they must not have", "A default xmlns puts every element below the root into a namespace, while the schema wants them in none.", "Replace the default xmlns by a prefix that only the root element uses.", Xml),
        new("EPCIS-XML-06", "The root element is not EPCIS", "The document's root is no EPCISDocument and no EPCISQueryDocument, or its namespace is another.", "Give the root its name, and the namespace urn:epcglobal:epcis:xsd:1 or :2 (for query documents urn:epcglobal:epcis-query:xsd:1 or :2).", Xml),
        new("EPCIS-XML-07", "schemaVersion and namespace disagree", "The attribute schemaVersion says another version than the root's namespace. The namespace decides.", "Make both say the same.", Xml),
        new("EPCIS-XML-08", "The query document has no results", "The query document carries another operation than results, so there are no events in it.", "Send the document with the query's results."),
        new("EPCIS-XML-09", "An element of the event list is no event", "The event list holds an element that is no event of EPCIS. It is not captured; the original document keeps it.", "Remove it, or correct its name when it was meant to be an event.", Xml),
        new("EPCIS-XSD-01", "Not as the XML schema says", "An element or attribute is missing, stands where it may not stand, or has a value of another form.", "The finding says what was found, what the schema allows there, and what mends it. The order of elements is fixed; what EPCIS 1.1 added stands in <extension> and <baseExtension> in 1.2, and directly in the event in 2.0.", Xml),
        new("EPCIS-OUT-01", "The form has no place for this", "The form that is written does not know a part of the event or document. As an error: it is left out, and what was written is not to be sent. As a warning or note: it is carried in an extension of the namespace https://ref.gs1.org/epcis/, from where this gateway reads it again; other receivers may pass over it.", "Send the receiver EPCIS 2.0, or agree with it on the extension and convert with --carry."),
        new("EPCIS-OUT-02", "The form cannot say this", "The form that is written has no way to say a value of the event or header; the finding names it and says what stands there instead.", "Send the receiver a form that can say it, or correct the value at its source."),
        new("EPCIS-OUT-03", "A receiver of EPCIS 1.2 may not understand this", "The value is written as it is: a term of CBV 2.0, or a Digital Link, which cannot become an EPC URI without the length of its company prefix.", "Agree with the receiver, or send it EPCIS 2.0."),
        new("EPCIS-OUT-04", "Elements without a namespace", "EPCIS 2.0 has no place for elements without a namespace beside an event's own. They are carried in an extension of the namespace https://ref.gs1.org/epcis/, from where this gateway reads them again.", "Give the elements a namespace at their source."),
        new("EPCIS-OUT-05", "A name that XML does not have", "JSON allows any name for a member, XML does not. The name is written with its characters escaped.", "Choose a name of letters, digits, dots, hyphens and underscores at the source."),
        new("EPCIS-OUT-06", "A QuantityEvent became an ObjectEvent", "EPCIS 2.0 has no QuantityEvent, and an ObjectEvent that observes one quantity says the same.", "Nothing.", "EPCIS 1.2, 7.4.4"),
        new("EPCIS-OUT-08", "JSON has no comments, XML no name of a document", "A comment or processing instruction of XML, or the id of a JSON document, has no place in the other form. Neither says anything of an event.", "Nothing; the original keeps it."),
        new("EPCIS-OUT-09", "The identifier was not translated", "An EPC URI needs the length of the company prefix, and the table that was given does not know it; or the identifier names no single GS1 key. It is written as it is, for nothing is guessed. Answers have no table, so with GS1-EPC-Format: Always_EPC_URN every Digital Link stays one.", "Give a table that knows the prefix (--gcp-lengths), or let identifiers stay as they are (GS1-EPC-Format: Never_Translates)."),
        new("EPCIS-OUT-10", "The master data document became an EPCISDocument", "JSON has no document of master data only. They stand in the header of an EPCISDocument without events, which is marked, so it becomes a master data document again in XML.", "Nothing."),
        new("EPCIS-OUT-11", "The result says something else than its source", "The converted document was read again and compared with its source, event by event, and they differ. The result is not shown.", "This is a fault of the conversion: keep the document and report it."),
        new("EPCIS-OUT-12", "Types and order within an extension", "XML holds text and repeats elements, JSON has numbers, true, false, null and lists, and does not order its members. Every value is kept; its type becomes text in XML, and elements of one name stand together in JSON.", "Nothing, unless the receiver of an extension goes by types or order: then agree on texts."),
        new("EPCIS-JSON-01", "Not well-formed JSON", "The JSON breaks off or a character stands where it may not. What follows that place cannot be read.", "Correct the document at the place of the finding, or where the sender makes it.", "RFC 8259"),
        new("EPCIS-JSON-02", "A limit of reading was reached", "The document is deeper, or has longer values, more members or more events, than can be read.", "Correct what makes it so large, or divide the document."),
        new("EPCIS-JSON-03", "A member stands twice", "An object has two members of one name, and readers would disagree on which counts.", "Keep one of them."),
        new("EPCIS-JSON-04", "The characters cannot be read", "A text is not valid UTF-8, or holds NUL or half of a surrogate pair.", "Send UTF-8.", "RFC 8259"),
        new("EPCIS-JSON-05", "A member is missing", "A member that the schema demands is not there.", "Add the member that the finding names.", Json),
        new("EPCIS-JSON-06", "Unknown member", "There is no such member here. An extension needs a prefix.", "Correct the name, or write it as prefix:name with the prefix defined in @context.", Json),
        new("EPCIS-JSON-07", "Wrong type", "A value is a text, number, list or object where the schema demands another.", "Write the value in the type that the finding names.", Json),
        new("EPCIS-JSON-08", "Not a word of the vocabulary", "The value is no word of the Core Business Vocabulary for this member, and no URI of your own.", "Use a bare word of the vocabulary, or a URI of your own for what it does not have.", "CBV 2.0"),
        new("EPCIS-JSON-09", "Not a URI", "The value must be an absolute URI or a known type, and is not.", "Write a URI, such as urn:epc:id:sgtin:… or a GS1 Digital Link.", "RFC 3986"),
        new("EPCIS-JSON-10", "Not a time", "The value is no date and time with a zone.", "Write it such as 2026-01-31T12:00:00.000Z.", Json),
        new("EPCIS-JSON-11", "Not of the demanded form", "The value does not have the form that the schema demands.", "Write it in the form that the finding names.", Json),
        new("EPCIS-JSON-12", "An item stands twice", "A list in which all items must differ holds one twice.", "Keep one of them.", Json),
        new("EPCIS-JSON-13", "An empty list", "A list that needs at least one item has none.", "Add what belongs in it, or leave the member out where it is optional.", Json),
        new("EPCIS-JSON-14", "Members do not fit together", "What the event says in one member forbids, or demands, another.", "The finding says which member needs which.", Json),
        new("EPCIS-JSON-15", "A number out of range", "The number is larger than can be counted exactly.", "Write a decimal number of at most 28 digits."),
        new("EPCIS-JSON-16", "Not a document of EPCIS", "The JSON is no EPCISDocument and no EPCISQueryDocument.", "Send an object whose type is EPCISDocument, with its events in epcisBody.", Json),
        new("EPCIS-JSON-17", "A context that is not fetched", "The @context names an address that the gateway does not know, and addresses in documents are never called. Its prefixes have no namespace here.", "Define the prefixes of your extensions in the @context itself.", "JSON-LD 1.1"),
        new("EPCIS-JSON-18", "A term of the standard is redefined", "The @context gives a prefix or another word of the standard another meaning. It keeps its own.", "Choose another prefix for your extension.", "JSON-LD 1.1"),
        new("EPCIS-JSON-19", "An event type outside the standard", "The event has a type of your own. It is kept only in the document itself, not as an event that can be queried.", "Use one of the event types of EPCIS 2.0 where it fits.", Json),
        new("EPCIS-JSON-20", "persistentDisposition does not belong here", "This kind of event has no persistentDisposition in the standard.", "Say it in an event that has one, such as an ObjectEvent.", Json),
        new("EPCIS-JSON-21", "@context stands after the events", "A document is read from its beginning, so the extensions were read before their namespaces were known.", "Write @context as the first member of the document.", "JSON-LD 1.1"),
        new("EPCIS-JSON-22", "The standard's context is not named", "The @context does not name the context of EPCIS 2.0. The document is read as if it did; a system that goes by JSON-LD understands nothing of it.", "Name https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld as the first entry of @context.", "JSON-LD 1.1"),
        new("EPCIS-JSON-23", "A member that has no place", "The schema leaves some objects around the events open: a vocabulary, an attribute of master data, the body. A member there that the standard does not know is kept only in the document itself, and the document is not converted.", "Put it on the document or into epcisHeader with a prefix, or on the element of the vocabulary.", Json),
    ];
}
