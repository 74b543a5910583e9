namespace Epcis.Events;

/// <summary>What a document says besides its events. Filled while reading; complete when the reader has ended.</summary>
public sealed record DocumentHeader
{
    /// <summary><c>EPCISDocument</c> or <c>EPCISQueryDocument</c>.</summary>
    public string DocumentType { get; init; } = "";
    public string? SchemaVersion { get; init; }
    public string? CreationDate { get; init; }

    /// <summary>The Standard Business Document Header, or JSON's three document-level stand-ins for it.</summary>
    public StandardBusinessDocumentHeader? Sbdh { get; init; }
    public IReadOnlyList<VocabularyElement> MasterData { get; init; } = [];

    /// <summary>Extensions of header and document, such as the DSCSA transaction statement.</summary>
    public IReadOnlyList<Extension> Extensions { get; init; } = [];

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
}

/// <summary>Authority and value vary in the field (GLN, GS1 or SGLN): both are kept as written.</summary>
public sealed record SbdhParty(string? Authority, string Identifier);

/// <summary>One element of a master data vocabulary (EPCIS 1.2, 9.5; 2.0, epcisMasterData).</summary>
public sealed record VocabularyElement(string VocabularyType, string Id)
{
    public IReadOnlyList<VocabularyAttribute> Attributes { get; init; } = [];
    public IReadOnlyList<string> Children { get; init; } = [];
}

/// <param name="Value">The text; of a structured value, its XML or JSON as written.</param>
public sealed record VocabularyAttribute(string Id, string Value);
