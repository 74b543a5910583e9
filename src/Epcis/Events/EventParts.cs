namespace Epcis.Events;

/// <summary>A read point or business location: its id and what a sender added to it.</summary>
public sealed record Location(string Id)
{
    /// <summary>Members outside the standard, in document order.</summary>
    public IReadOnlyList<Extension> Extensions { get; init; } = [];
}

/// <summary>A business transaction: its id and, optionally, its type (CBV: po, desadv, inv …).</summary>
public sealed record BizTransaction(string? Type, string Value);

/// <summary>One entry of sourceList or destinationList (CBV types: owning_party, possessing_party, location).</summary>
public sealed record SourceOrDestination(string Type, string Value);

/// <summary>A quantity of a class of objects. Without a unit of measure the quantity is a whole number of things.</summary>
/// <param name="QuantityText">The literal text of the number, which a double would not keep.</param>
public sealed record QuantityElement(string EpcClass, decimal? Quantity, string? QuantityText, string? Uom);

/// <summary>EPCIS 2.0: dispositions that stay until unset.</summary>
public sealed record PersistentDisposition(IReadOnlyList<string> Set, IReadOnlyList<string> Unset);

/// <summary>States that the event with the same eventID is in error; nothing is deleted.</summary>
public sealed record ErrorDeclaration
{
    /// <summary>The instant; <see langword="null"/> when the text is no instant.</summary>
    public DateTimeOffset? DeclarationTime { get; init; }

    /// <summary>The literal text of declarationTime.</summary>
    public string? DeclarationTimeText { get; init; }

    /// <summary>Why, in the document's spelling (CBV: <c>incorrect_data</c>, <c>did_not_occur</c>).</summary>
    public string? Reason { get; init; }

    /// <summary>eventIDs of the events that say it right.</summary>
    public IReadOnlyList<string> CorrectiveEventIds { get; init; } = [];

    /// <summary>Members outside the standard, in document order.</summary>
    public IReadOnlyList<Extension> Extensions { get; init; } = [];
}

/// <summary>EPCIS 2.0, sensor data. Metadata and reports are attribute-only in XML, so they are kept as named values.</summary>
public sealed record SensorElement
{
    /// <summary>time, deviceID, … in document order; the name carries its prefix when it is an extension.</summary>
    public IReadOnlyList<SensorField> Metadata { get; init; } = [];

    /// <summary>Each report as its fields, in document order.</summary>
    public IReadOnlyList<IReadOnlyList<SensorField>> Reports { get; init; } = [];

    /// <summary>Members outside the standard, in document order.</summary>
    public IReadOnlyList<Extension> Extensions { get; init; } = [];
}

/// <summary>One field of sensor metadata or of a sensor report.</summary>
/// <param name="Namespace">Empty for the standard's own fields.</param>
/// <param name="Value">The text as written; JSON numbers and booleans in their own lexical form.</param>
/// <param name="IsLiteral">True when JSON writes the value without quotes (number or boolean).</param>
public sealed record SensorField(string Namespace, string Name, string Value, bool IsLiteral);

/// <summary>
/// A member outside the standard: an XML element of a foreign namespace or a prefixed JSON member. The tree holds what
/// both forms can say; <see cref="Json"/> holds the JSON value verbatim where the document was JSON.
/// </summary>
public sealed record Extension(string Namespace, string Prefix, string Name)
{
    /// <summary>The text of an element; where child elements stand within it, all of it.</summary>
    public string? Text { get; init; }

    /// <summary>Where the parts of <see cref="Text"/> stand when a child element stands before or between them; empty when it is all before them.</summary>
    public IReadOnlyList<ExtensionText> Texts { get; init; } = [];

    /// <summary>Attributes of the element, in document order.</summary>
    public IReadOnlyList<ExtensionAttribute> Attributes { get; init; } = [];

    /// <summary>Child elements, or members of the JSON object, in document order.</summary>
    public IReadOnlyList<Extension> Children { get; init; } = [];

    /// <summary>The JSON value as written (<c>"text"</c>, <c>12.0</c>, <c>{…}</c>); <see langword="null"/> from XML.</summary>
    public string? Json { get; init; }

    /// <summary>Comments and processing instructions of XML within the element.</summary>
    public IReadOnlyList<ExtensionComment> Comments { get; init; } = [];

    /// <summary>The texts that stand before a child element and behind the one before it; with the number of children, those at the end.</summary>
    internal IEnumerable<string> TextsBefore(int child)
    {
        if (Texts.Count == 0)
        {
            return child == 0 && Text is not null ? [Text] : [];
        }
        var (first, end) = (0, Texts.Count);
        while (first < end)
        {
            var middle = (first + end) / 2;
            (first, end) = Texts[middle].Before < child ? (middle + 1, end) : (first, middle);
        }
        return Texts.Skip(first).TakeWhile(t => t.Before == child).Select(t => t.Text);
    }
}

/// <param name="Before">The number of child elements that stand before the text.</param>
public sealed record ExtensionText(int Before, string Text);

/// <param name="Before">The number of child elements that stand before the comment.</param>
/// <param name="Target">Of a processing instruction, which is kept as a comment is; <see langword="null"/> for a comment.</param>
public sealed record ExtensionComment(int Before, string Text, string? Target = null);

/// <summary>A comment of XML before or inside an event, or around the events; one within a field's list keeps its place before that field only.</summary>
/// <param name="Before">
/// The local name of the element that the comment stands before or within; <c>Event</c> for one before the event, empty for
/// one at the end.
/// </param>
/// <param name="Target">Of a processing instruction, which is kept as a comment is; <see langword="null"/> for a comment.</param>
public sealed record EventComment(string Before, string Text, string? Target = null);

/// <summary>An attribute of an XML element outside the standard.</summary>
/// <param name="Namespace">Empty for an attribute without prefix.</param>
/// <param name="Prefix">As the document wrote it.</param>
/// <param name="Name">The local name.</param>
/// <param name="Value">The text, entities resolved.</param>
public sealed record ExtensionAttribute(string Namespace, string Prefix, string Name, string Value);

/// <summary>Attributes of others on one of the standard's own elements, where the schemas take any: the event itself, errorDeclaration, ilmd, an extension wrapper.</summary>
/// <param name="On">
/// The element's path without namespaces, such as <c>errorDeclaration</c> or <c>readPoint/extension</c>; empty for the event
/// or the document itself.
/// </param>
public sealed record ElementAttributes(string On, IReadOnlyList<ExtensionAttribute> Attributes);
