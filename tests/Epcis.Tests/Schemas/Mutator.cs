using System.Xml.Linq;

namespace Epcis.Tests.Schemas;

/// <summary>Damages documents at random, from a seed: the same seed gives the same damage.</summary>
sealed class Mutator(int seed, IReadOnlyList<XDocument> corpus)
{
    static readonly XNamespace Instance = "http://www.w3.org/2001/XMLSchema-instance";

    // Edges of every simple type in the schemas.
    static readonly string[] Values =
    [
        "", " ", "x", "foo bar", "ADD", "add", " ADD ", "DELETE", "OBSERVE", "rollback", "proceed", "all", "ERROR", "SEVERE",
        "RequestingServiceTransaction", "0", "1", "-1", "+1", "2147483648", "1.5", "1E3", "INF", "NaN", "1,5", "true", "TRUE", "0A", "0AF",
        "urn:x:1", "http://", "%zz", "::", "a#b#c", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00Z", "2026-01-01",
        "2026-02-29T00:00:00Z", "2028-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T23:59:60Z",
        "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.123456789012Z", "2026-01-01T00:00:00+14:00", "2026-01-01T00:00:00+14:30",
        "2026-01-01T00:00:00-13:59", "2026-01-01T00:00:00+13:60", "-2026-01-01T00:00:00Z", "12026-01-01T00:00:00Z",
        " 2026-01-01T00:00:00Z ", "0000-01-01T00:00:00Z", "2026-01-01t00:00:00z", "２026-01-01T00:00:00Z",
    ];

    static readonly XName[] AttributeNames =
    [
        "type", "id", "time", "value", "schemaVersion", "creationDate", "unknown", "{urn:x:other}any",
        "{urn:epcglobal:xsd:1}any", Instance + "nil", Instance + "type",
    ];

    // Neither type names that our schemas dropped nor the types they stood for: the intended difference.
    static readonly string[] TypeNames =
        ["xsd:int", "xsd:dateTime", "xsd:double", "xsd:boolean", "e:DateTimeStamp", "q:ArrayOfString", "q:VoidHolder", "q:EmptyParms", "e:ObjectEventType", "e:EPCListType", "q:Nothing"];

    // On a nillable element .NET's validator throws a FormatException when xsi:nil is no boolean, whichever the schema.
    static readonly string[] Booleans = ["true", "false", "0", "1"];

    readonly Random random = new(seed);
    readonly XElement[] pool = [.. corpus.SelectMany(d => d.Descendants()).Where(e => e.Descendants().Take(200).Count() < 200)];

    /// <summary>Changes the document in place, at least once, and says how.</summary>
    public string Damage(XDocument document)
    {
        var changes = new List<string>();
        for (var left = random.Next(1, 4); left > 0; left--)
            changes.Add(Change(Pick([.. document.Descendants()])));
        return string.Join("; ", changes);
    }

    string Change(XElement element)
    {
        var name = element.Name.LocalName;
        var isRoot = element.Parent is null;
        switch (random.Next(13))
        {
            case 0 when !isRoot:
                element.Remove();
                return $"drop {name}";
            case 1 when !isRoot:
                element.AddAfterSelf(new XElement(element));
                return $"duplicate {name}";
            case 2 when element.ElementsAfterSelf().FirstOrDefault() is { } next:
                next.Remove();
                element.AddBeforeSelf(next);
                return $"{next.Name.LocalName} before {name}";
            case 3:
                element.Name = element.Name.Namespace + Pick(pool).Name.LocalName;
                return $"rename {name} to {element.Name}";
            case 4:
                element.Name = Pick(pool).Name.Namespace + name;
                return $"move {name} to namespace '{element.Name.NamespaceName}'";
            case 5 when !element.HasElements:
                element.Value = Pick(Values);
                return $"{name} says '{element.Value}'";
            case 6 when Plain(element) is { Length: > 0 } attributes:
                var gone = Pick(attributes);
                gone.Remove();
                return $"drop {name}/@{gone.Name}";
            case 7 when Plain(element) is { Length: > 0 } attributes:
                var changed = Pick(attributes);
                changed.Value = Pick(changed.Name == Instance + "nil" ? Booleans : Values);
                return $"{name}/@{changed.Name} says '{changed.Value}'";
            case 8:
                var added = Pick(AttributeNames);
                element.SetAttributeValue(added, Pick(
                    added == Instance + "type" ? TypeNames : added == Instance + "nil" ? Booleans : Values));
                return $"{name} gets {element.Attribute(added)}";
            case 9 when !isRoot:
                var inserted = new XElement(Pick(pool));
                element.AddAfterSelf(inserted);
                return $"insert {inserted.Name} after {name}";
            case 10:
                var first = new XElement(Pick(pool));
                element.AddFirst(first);
                return $"insert {first.Name} into {name}";
            case 11:
                element.Add(new XText("text"));
                return $"text in {name}";
            case 12 when !isRoot && random.Next(2) == 0:
                element.ReplaceWith(element.Nodes());
                return $"unwrap {name}";
            case 12 when !isRoot:
                element.ReplaceWith(new XElement(random.Next(4) == 0 ? "baseExtension" : "extension", new XElement(element)));
                return $"wrap {name}";
            default:
                element.SetAttributeValue("{urn:x:other}mark", "1");
                return $"mark {name}";
        }
    }

    static XAttribute[] Plain(XElement element) => [.. element.Attributes().Where(a => !a.IsNamespaceDeclaration)];

    T Pick<T>(T[] items) => items[random.Next(items.Length)];
}
