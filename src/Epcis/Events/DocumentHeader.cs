namespace Epcis.Events;

/// <summary>What a document says besides its events. Filled while reading; complete when the reader has ended.</summary>
public sealed record DocumentHeader
{
    /// <summary><c>EPCISDocument</c>, <c>EPCISQueryDocument</c> or <c>EPCISMasterDataDocument</c>; empty for a bare event.</summary>
    public string DocumentType { get; init; } = "";

    /// <summary>The name that a JSON document has in linked data; XML has none.</summary>
    public string? Id { get; init; }

    /// <summary>The version that the document claims, such as <c>1.2</c> or <c>2.0</c>, as written.</summary>
    public string? SchemaVersion { get; init; }

    /// <summary>When the document was made, as written.</summary>
    public string? CreationDate { get; init; }

    /// <summary>The Standard Business Document Header, or JSON's three document-level stand-ins for it.</summary>
    public StandardBusinessDocumentHeader? Sbdh { get; init; }

    /// <summary>The elements of all vocabularies, in document order (EPCIS 1.2 and 2.0: EPCISMasterData of the header).</summary>
    public IReadOnlyList<VocabularyElement> MasterData { get; init; } = [];

    /// <summary>Extensions that stand in the header, such as the DSCSA transaction statement of an EPCIS 1.2 document.</summary>
    public IReadOnlyList<Extension> HeaderExtensions { get; init; } = [];

    /// <summary>Extensions that stand beside header and body.</summary>
    public IReadOnlyList<Extension> DocumentExtensions { get; init; } = [];

    /// <summary>What master data hold of others.</summary>
    internal IEnumerable<Extension> MasterDataExtensions =>
        [.. MasterData.SelectMany(m => m.Attributes).Select(a => a.Structure).OfType<Extension>(), .. MasterData.SelectMany(m => m.Extensions)];

    /// <summary>Extensions of header and document: the editions put the same things here or there.</summary>
    public IReadOnlyList<Extension> Extensions => [.. HeaderExtensions, .. DocumentExtensions];

    /// <summary>Attributes of others on the document's own elements, such as <c>EPCISHeader</c> or <c>VocabularyElement/ID</c>; on an empty path those of the root.</summary>
    public IReadOnlyList<ElementAttributes> Attributes { get; init; } = [];

    /// <summary>Comments of XML around the events, each before the element that follows it; those between events belong to the event that follows.</summary>
    public IReadOnlyList<EventComment> Comments { get; init; } = [];

    /// <summary>Of query results: the query that they answer.</summary>
    public string? QueryName { get; init; }

    /// <summary>Of query results that a subscription delivers.</summary>
    public string? SubscriptionId { get; init; }

    /// <summary>The master data are what a query found, not what a header tells beside the events.</summary>
    public bool MasterDataAreResults { get; init; }

    /// <summary>Where the parts of the header stand, by their names without prefix; the first of each.</summary>
    internal IReadOnlyDictionary<string, Place> Places { get; init; } = new Dictionary<string, Place>();

    /// <summary>Where a part of the header stands, or as near to it as is known; of one that is missing, where the document begins.</summary>
    /// <param name="name">Such as <c>DocumentIdentification</c>, or <c>Sender/0</c> for the identifier of the first sender.</param>
    public Place PlaceOf(string name)
    {
        while (true)
        {
            if (Places.TryGetValue(name, out var place))
            {
                return place;
            }
            if (name.Length == 0)
            {
                return new Place(1, 1);
            }
            name = name[..Math.Max(name.LastIndexOf('/'), 0)];
        }
    }

    /// <summary>Namespace prefixes declared by the document, prefix to namespace.</summary>
    public IReadOnlyDictionary<string, string> Namespaces { get; init; } = new Dictionary<string, string>();
}

/// <summary>Who sent the document to whom (UN/CEFACT Standard Business Document Header 1.3), as written.</summary>
public sealed record StandardBusinessDocumentHeader
{
    /// <summary>Whoever sends, in document order.</summary>
    public IReadOnlyList<SbdhParty> Senders { get; init; } = [];

    /// <summary>Whoever is to receive, in document order.</summary>
    public IReadOnlyList<SbdhParty> Receivers { get; init; } = [];

    /// <summary>What identifies this document among those of its sender.</summary>
    public string? InstanceIdentifier { get; init; }

    /// <summary>The kind of document, such as <c>Events</c>.</summary>
    public string? Type { get; init; }

    /// <summary>When the document was made, as written.</summary>
    public string? CreationDateAndTime { get; init; }

    /// <summary>The header as XML said it, with manifest, scope and contacts; <see langword="null"/> from JSON's stand-ins.</summary>
    public Extension? Whole { get; init; }
}

/// <summary>Authority and value vary in the field (GLN, GS1 or SGLN): both are kept as written.</summary>
public sealed record SbdhParty(string? Authority, string Identifier);

/// <summary>One element of a master data vocabulary (EPCIS 1.2, 9.5; 2.0, epcisMasterData).</summary>
public sealed record VocabularyElement(string VocabularyType, string Id)
{
    /// <summary>What is said of the element, in document order; one name may come more than once.</summary>
    public IReadOnlyList<VocabularyAttribute> Attributes { get; init; } = [];

    /// <summary>Identifiers of the elements that belong to this one.</summary>
    public IReadOnlyList<string> Children { get; init; } = [];

    /// <summary>Elements or members of others within the element.</summary>
    public IReadOnlyList<Extension> Extensions { get; init; } = [];

    /// <summary>Where the element stands in its document.</summary>
    internal Place Place { get; init; }
}

/// <param name="Value">The text; of a structured value, its XML or JSON as written.</param>
public sealed record VocabularyAttribute(string Id, string Value)
{
    /// <summary>The value where it is more than a text: elements, or a JSON object or number.</summary>
    public Extension? Structure { get; init; }
}
