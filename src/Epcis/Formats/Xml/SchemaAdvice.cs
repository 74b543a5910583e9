namespace Epcis.Formats.Xml;

/// <summary>What mends a breach of the schema, as far as it can be told from the breach: the mistakes that senders make.</summary>
internal static class SchemaAdvice
{
    private static readonly string[] s_new = ["sensorElementList", "persistentDisposition", "certificationInfo"];

    // What stands in them comes in any order; all others are sequences.
    private static readonly string[] s_unordered = ["EventList", "errorDeclaration"];

    public static string ForChild(DocumentForm form, string parent, string child, string? ns, SchemaMessage.Expected want)
    {
        var (wanted, others) = (want.Names, want.Others);
        if (form == DocumentForm.Xml12 && string.IsNullOrEmpty(ns))
        {
            if (WrapperOf(parent, child) is { } wrapper)
            {
                return $"EPCIS 1.2 keeps {child} in <{wrapper}>: write <{wrapper}><{child}>…</{child}></{wrapper}>{(wrapper == "baseExtension" ? " behind eventTimeZoneOffset" : "")}.";
            }
            if (s_new.Contains(child) || child == "AssociationEvent")
            {
                return $"{child} is new in EPCIS 2.0: send the document as 2.0, or leave it out.";
            }
        }
        if (form == DocumentForm.Xml20)
        {
            if (child == "extension" && parent.EndsWith("Event", StringComparison.Ordinal))
            {
                return "EPCIS 2.0 has no wrapper there: write what is in <extension> directly into the event, in the standard's order.";
            }
            if (parent is "extension" or "baseExtension" && want is { Names: [], Others: SchemaMessage.Expected.OfAnotherNamespace })
            {
                return $"EPCIS 2.0 has no wrapper there: write {child} directly into what <{parent}> stands in, in the standard's order; or give it a namespace of your own if it is none of the standard's.";
            }
            if (child == "QuantityEvent")
            {
                return "EPCIS 2.0 has no QuantityEvent: write an ObjectEvent with the action OBSERVE and a quantityList.";
            }
        }
        if (wanted.FirstOrDefault(w => string.Equals(w, child, StringComparison.OrdinalIgnoreCase) || IsTypo(w, child)) is { } meant)
        {
            return string.Equals(meant, child, StringComparison.Ordinal)
                ? $"Write {child} without a namespace, or with the one that the standard gives it."
                : $"Write {meant} instead of {child}.";
        }
        var order = s_unordered.Contains(parent) ? "" : $"Elements of {parent} have a fixed order. ";
        return wanted switch
        {
            [] when others == SchemaMessage.Expected.WithoutNamespace => $"Move {child} out of {parent}, which is kept for the standard: what has a namespace of its own stands beside it.",
            [] => $"Remove {child}; or it stands too late, and belongs further up in {parent}, where elements have a fixed order.{(others is not null ? " Only what is none of the standard's may stand here, in a namespace of your own." : "")}",
            // Nothing tells whether it is missing here, or the one thing that a list repeats.
            [var only] when others is null => $"Only {only} may stand here: add it if it is missing, and move or remove {child}.",
            _ => $"{order}Here it is the turn of {string.Join(" or ", wanted.Take(4))}; {child} belongs elsewhere in it, or not at all.",
        };
    }

    /// <summary>EPCIS 1.2, 9.5: what 1.1 and later added to the events stands in wrappers, so that readers of 1.0 can pass over it.</summary>
    private static string? WrapperOf(string parent, string child) => (parent, child) switch
    {
        ("EventList", "TransformationEvent")
            or ("ObjectEvent", "quantityList" or "sourceList" or "destinationList" or "ilmd")
            or ("AggregationEvent", "childQuantityList" or "sourceList" or "destinationList")
            or ("TransactionEvent", "quantityList" or "sourceList" or "destinationList") => "extension",
        (_, "eventID" or "errorDeclaration") when parent.EndsWith("Event", StringComparison.Ordinal) => "baseExtension",
        _ => null,
    };

    public static string ForMissing(string parent, SchemaMessage.Expected want) => want.Names switch
    {
        [] when want.Others == SchemaMessage.Expected.OfAnotherNamespace => $"Put at least one element of your own namespace into {parent}, or leave {parent} out.",
        [] => $"Give {parent} its content, or leave it out.",
        [var only] => $"Add {only} at the end of {parent}.",
        _ => $"Add {string.Join(" or ", want.Names.Take(3))} at the end of {parent}.",
    };

    /// <param name="want">The form of the value in words.</param>
    public static string ForValue(string name, string got, string? type, string? want)
    {
        var value = got.Trim();
        if (value.Length == 0)
        {
            return $"Give {name} a value, or leave it out where it is optional.";
        }
        switch (type)
        {
            case "ActionType" when (string[])["ADD", "OBSERVE", "DELETE"] is var actions && actions.FirstOrDefault(a => string.Equals(a, value, StringComparison.OrdinalIgnoreCase) || IsTypo(a, value.ToUpperInvariant())) is { } action:
                return $"Write {action}.";
            case "DateTimeStamp" or "dateTime" when ForTime(value) is { } advice:
                return advice;
            case "double" or "decimal" or "float" when value.Contains(',', StringComparison.Ordinal):
                return "Write the decimal sign as a point, and no signs between thousands.";
            default:
                return want is null ? $"Write {name} as the clause of the standard has it." : $"Write {want}.";
        }
    }

    /// <summary>A date and time that lacks only the T between them or the zone; <see langword="null"/> for any other.</summary>
    private static string? ForTime(string value)
    {
        if (value.Length < 19 || value[10] is not (' ' or 'T'))
        {
            return null;
        }
        var instant = $"{value[..10]}T{value[11..].Replace(" ", "", StringComparison.Ordinal)}";
        return instant != value && XmlInstant.Parse(instant) is not null ? value[10] == ' ' ? $"Write T between date and time: {instant}." : $"Write {instant}."
            : XmlInstant.Parse(instant + "Z") is not null ? $"Add the zone: {instant}Z for UTC, or an offset such as {instant}+01:00."
            : null;
    }

    public static string ForAttribute(string name) => $"Add {name}=\"…\" to the element.";

    public static string ForUndeclared(string kind, string name) => $"Remove the {kind} {name}, or give it a namespace of your own.";

    public static string ForText(string parent) => $"Remove the text, or put it into an element of {parent}.";

    public static string ForInside(string parent, string child) => $"Move {child} out of {parent}; an end tag of {parent} may be missing before it.";

    public static string ForInstanceAttribute() => "Remove the attribute: documents of EPCIS need neither xsi:type nor xsi:nil.";

    /// <summary>One letter more, less, other, or two swapped.</summary>
    private static bool IsTypo(string name, string written)
    {
        if (name.Length < 4 || Math.Abs(name.Length - written.Length) > 1)
        {
            return false;
        }
        var start = name.AsSpan().CommonPrefixLength(written);
        var a = name.AsSpan(start);
        var b = written.AsSpan(start);
        return a.Length == b.Length
            // Nothing is left when only capitals differ: where .NET knows all cultures, U+017F becomes an S.
            ? a.IsEmpty || a[1..].SequenceEqual(b[1..]) || (a.Length > 1 && a[0] == b[1] && a[1] == b[0] && a[2..].SequenceEqual(b[2..]))
            : a.Length > b.Length ? a[1..].SequenceEqual(b) : a.SequenceEqual(b[1..]);
    }
}
