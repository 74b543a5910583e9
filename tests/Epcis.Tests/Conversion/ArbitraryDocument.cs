using Epcis.Events;
using Epcis.Tests.Events;
using FsCheck;
using FsCheck.Fluent;

namespace Epcis.Tests.Conversion;

internal sealed record Document(DocumentHeader Header, IReadOnlyList<EpcisEvent> Events);

/// <summary>Random documents: any header, any events of <see cref="ArbitraryEvent"/>.</summary>
internal static class ArbitraryDocument
{
    public static Arbitrary<Document> Of20 => Document(ArbitraryEvent.Of20.Generator).ToArbitrary();

    public static Arbitrary<Document> Of12 => Document(ArbitraryEvent.Of12.Generator).ToArbitrary();

    private static readonly Gen<string> s_text = Gen.Elements("plain", "a&b<c>", " spaced ", "Größe 😀", "");

    private static Gen<Document> Document(Gen<EpcisEvent> anyEvent) =>
        from header in s_header
        from count in Gen.Choose(0, 3)
        from events in Gen.ListOf(anyEvent, header.DocumentType == "EPCISMasterDataDocument" || header.MasterDataAreResults ? 0 : count)
        select new Document(header, [.. events]);

    private static Gen<DocumentHeader> s_header =>
        from type in Gen.Elements("EPCISDocument", "EPCISQueryDocument", "EPCISMasterDataDocument")
        from hasSbdh in Gen.Elements(true, false)
        from whole in s_sbdh
        from masterData in Gen.ListOf(s_vocabularyElement)
        from inHeader in Gen.ListOf(s_extension)
        from beside in Gen.ListOf(s_extension)
        from subscription in Gen.Elements<string?>(null, "sub & 1")
        from results in Gen.Elements(true, false)
        from attributes in ArbitraryEvent.Attributes("", "EPCISHeader", "EPCISHeader/extension", "EPCISBody", "EventList", "extension", "VocabularyElement/urn:epc:id:sgln:4012345.00000.0")
        from remarks in Gen.ListOf(Gen.Elements("Document", "EPCISBody", "").SelectMany(ArbitraryEvent.Remark))
        let isQuery = type == "EPCISQueryDocument"
        select new DocumentHeader
        {
            DocumentType = type,
            CreationDate = "2026-01-31T12:00:00.123456789+01:00",
            Sbdh = hasSbdh ? whole : null,
            // A header of 1.2 needs the business document header, and a query document in JSON has no header.
            MasterData = hasSbdh && (!isQuery || results) ? [.. masterData.DistinctBy(m => m.Id)] : [],
            MasterDataAreResults = isQuery && results,
            QueryName = isQuery ? "SimpleEventQuery" : null,
            SubscriptionId = isQuery ? subscription : null,
            HeaderExtensions = hasSbdh ? [.. inHeader] : [],
            DocumentExtensions = [.. beside],
            // The body of a query document takes no attributes, and its schema says so.
            Attributes = [.. attributes.Where(a => !isQuery || a.On != "EPCISBody")],
            Comments = [.. remarks],
            Namespaces = ArbitraryEvent.Namespaces,
        };

    private static Gen<StandardBusinessDocumentHeader> s_sbdh =>
        from senders in Gen.Choose(1, 2)
        from authority in Gen.Elements("GS1", "SGLN")
        from scope in Gen.Elements(true, false)
        select Sbdh(senders, authority, scope);

    private static StandardBusinessDocumentHeader Sbdh(int senders, string authority, bool scope)
    {
        Extension Element(string name, string? text, params Extension[] children) =>
            new("http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader", "sbdh", name) { Text = text, Children = children };
        Extension Party(string role, string id) => Element(role, null, Element("Identifier", id) with { Attributes = [new ExtensionAttribute("", "", "Authority", authority)] });
        return new StandardBusinessDocumentHeader
        {
            Senders = [.. Enumerable.Range(0, senders).Select(n => new SbdhParty(authority, $"urn:epc:id:sgln:4012345.00{n}00.0"))],
            Receivers = [new SbdhParty(authority, "4012345000009")],
            InstanceIdentifier = "i & 1",
            Type = "Events",
            CreationDateAndTime = "2026-01-31T12:00:00Z",
            Whole = Element("StandardBusinessDocumentHeader", null,
            [
                Element("HeaderVersion", "1.0"),
                .. Enumerable.Range(0, senders).Select(n => Party("Sender", $"urn:epc:id:sgln:4012345.00{n}00.0")),
                Party("Receiver", "4012345000009"),
                Element("DocumentIdentification", null,
                    Element("Standard", "EPCglobal"), Element("TypeVersion", "1.0"), Element("InstanceIdentifier", "i & 1"), Element("Type", "Events"), Element("CreationDateAndTime", "2026-01-31T12:00:00Z")),
                .. scope ? [Element("BusinessScope", null, Element("Scope", null, Element("Type", "t"), Element("InstanceIdentifier", "s")))] : Array.Empty<Extension>(),
            ]),
        };
    }

    private static Gen<VocabularyElement> s_vocabularyElement =>
        from type in Gen.Elements("urn:epcglobal:epcis:vtype:Location", "urn:epcglobal:epcis:vtype:EPCClass")
        from id in Gen.Elements("urn:epc:id:sgln:4012345.00000.0", "urn:epc:id:sgln:4012345.00001.0", "urn:epc:idpat:sgtin:4012345.011111.*")
        from text in s_text
        from isStructured in Gen.Elements(true, false)
        from children in Gen.Elements(0, 2)
        from extensions in Gen.ListOf(s_extension)
        select new VocabularyElement(type, id)
        {
            Attributes =
            [
                new VocabularyAttribute("urn:epcglobal:cbv:mda#name", text),
                .. isStructured ? [Structured()] : Array.Empty<VocabularyAttribute>(),
            ],
            Extensions = [.. extensions],
            Children = [.. Enumerable.Range(0, children).Select(n => $"urn:epc:id:sgln:4012345.00000.{n + 1}")],
        };

    private static VocabularyAttribute Structured() => new("urn:example:address", "")
    {
        Structure = new Extension("", "", "attribute")
        {
            Attributes = [new ExtensionAttribute("", "", "id", "urn:example:address")],
            Children = [new Extension(ArbitraryEvent.Namespaces["ex"], "ex", "street") { Text = "A & B" }, new Extension("", "", "city") { Text = "C" }],
        },
    };

    private static Gen<Extension> s_extension =>
        from ns in Gen.Elements("ex", "o", "")
        from name in Gen.Elements("a", "b-c", "statement")
        from text in s_text
        from isNested in Gen.Elements(true, false)
        select new Extension(ns.Length == 0 ? "" : ArbitraryEvent.Namespaces[ns], ns, name)
        {
            Text = isNested ? null : text,
            Children = isNested ? [new Extension("", "", "legalNotice") { Text = text }] : [],
        };
}
