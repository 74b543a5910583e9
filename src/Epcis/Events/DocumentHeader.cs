namespace Epcis.Events;

/// <summary>What a document says besides its events. Filled while reading; complete when the reader has ended.</summary>
public sealed record DocumentHeader
{
    /// <summary><c>EPCISDocument</c>, <c>EPCISQueryDocument</c> or <c>EPCISMasterDataDocument</c>; empty for a bare event.</summary>
    public string DocumentType { get; init; } = "";

    /// <summary>The name that a JSON document has in linked data; XML has none.</summary>
    public string? Id { get; init; }
    public string? SchemaVersion { get; init; }
    public string? CreationDate { get; init; }

    /// <summary>The Standard Business Document Header, or JSON's three document-level stand-ins for it.</summary>
    public StandardBusinessDocumentHeader? Sbdh { get; init; }
    public IReadOnlyList<VocabularyElement> MasterData { get; init; } = [];

    /// <summary>Extensions that stand in the header, such as the DSCSA transaction statement of an EPCIS 1.2 document.</summary>
    public IReadOnlyList<Extension> HeaderExtensions { get; init; } = [];

    /// <summary>Extensions that stand beside header and body.</summary>
    public IReadOnlyList<Extension> DocumentExtensions { get; init; } = [];

    /// <summary>Extensions of header and document: the editions put the same things here or there.</summary>
    public IReadOnlyList<Extension> Extensions => [.. HeaderExtensions, .. DocumentExtensions];

    /// <summary>Of query results: the query that they answer.</summary>
    public string? QueryName { get; init; }

    /// <summary>Of query results that a subscription delivers.</summary>
    public string? SubscriptionId { get; init; }

    /// <summary>The master data are what a query found, not what a header tells beside the events.</summary>
    public bool MasterDataAreResults { get; init; }

    /// <summary>Where the parts of the header stand, by their names without prefix; the first of each.</summary>
    internal IReadOnlyDictionary<string, Place> Places { get; init; } = new Dictionary<string, Place>();

    /// <summary>Where a part of the header stands; of one that is missing, where the document begins.</summary>
    public Place PlaceOf(string name) =>
        Places.TryGetValue(name, out var place) || Places.TryGetValue("", out place) ? place : new Place(1, 1);

    /// <summary>Namespace prefixes declared by the document, prefix to namespace.</summary>
    public IReadOnlyDictionary<string, string> Namespaces { get; init; } = new Dictionary<string, string>();
}

public sealed record StandardBusinessDocumentHeader
{
    public IReadOnlyList<SbdhParty> Senders { get; init; } = [];
    public IReadOnlyList<SbdhParty> Receivers { get; init; } = [];
    public string? InstanceIdentifier { get; init; }
    public string? Type { get; init; }
    public string? CreationDateAndTime { get; init; }

    /// <summary>The header as XML said it, with manifest, scope and contacts; <see langword="null"/> from JSON's stand-ins.</summary>
    public Extension? Whole { get; init; }
}

/// <summary>Authority and value vary in the field (GLN, GS1 or SGLN): both are kept as written.</summary>
public sealed record SbdhParty(string? Authority, string Identifier);

/// <summary>One element of a master data vocabulary (EPCIS 1.2, 9.5; 2.0, epcisMasterData).</summary>
public sealed record VocabularyElement(string VocabularyType, string Id)
{
    public IReadOnlyList<VocabularyAttribute> Attributes { get; init; } = [];
    public IReadOnlyList<string> Children { get; init; } = [];

    /// <summary>Where the element stands in its document.</summary>
    internal Place Place { get; init; }
}

/// <param name="Value">The text; of a structured value, its XML or JSON as written.</param>
public sealed record VocabularyAttribute(string Id, string Value)
{
    /// <summary>The value where it is more than a text: elements, or a JSON object or number.</summary>
    public Extension? Structure { get; init; }
}
