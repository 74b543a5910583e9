using System.Runtime.CompilerServices;
using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

/// <summary>An identifier of an event and where it stands.</summary>
/// <param name="Item">Its place in a list; -1 for a field that is none.</param>
internal readonly record struct Named(string Field, int Item, string Value)
{
    /// <summary>Written only for a finding: a list may hold a million.</summary>
    public string Path => Item < 0 ? Field : FormattableString.Invariant($"{Field}/{Item}");
}

/// <summary>The identifiers that an event names in the standard's own fields. Walking them costs nothing for each of them.</summary>
internal static class EventIdentifiers
{
    private static readonly ConditionalWeakTable<EpcisEvent, List<Named>> s_doubtful = [];

    /// <summary>
    /// Those of <see cref="Of"/> that a rule about spelling has to look at: all but well-formed pure identity URIs, of which a
    /// document has a million and no rule has anything to say. Found once for each event.
    /// </summary>
    public static IReadOnlyList<Named> Doubtful(EpcisEvent e) => s_doubtful.GetValue(e, static e =>
    {
        var doubtful = new List<Named>();
        var like = "";
        if (ParentOf(e) is { } parent && IsDoubtful(parent, ref like))
        {
            doubtful.Add(new Named("parentID", -1, parent));
        }
        foreach (var (field, epcs) in Lists(e))
        {
            for (var i = 0; i < epcs.Count; i++)
            {
                if (IsDoubtful(epcs[i], ref like))
                {
                    doubtful.Add(new Named(field, i, epcs[i]));
                }
            }
        }
        doubtful.AddRange(Others(e).Where(other => IsDoubtful(other.Value, ref like)));
        return doubtful;
    });

    private static bool IsDoubtful(string value, ref string like)
    {
        if (EpcNeighbours.AreLike(like, value))
        {
            return false;
        }
        if (!value.StartsWith("urn:epc:id:", StringComparison.Ordinal) || EpcUri.Check(value) is not null)
        {
            return true;
        }
        like = value;
        return false;
    }

    /// <summary>It is a member of a list of EPCs.</summary>
    public static bool IsMember(Named named) => named.Field is "epcList" or "childEPCs" or "inputEPCList" or "outputEPCList";

    /// <summary>Of objects, classes and places, of sources and destinations.</summary>
    public static IEnumerable<Named> Of(EpcisEvent e) => Objects(e).Concat(Others(e));

    /// <summary>The parent and every member of a list of EPCs.</summary>
    public static IEnumerable<Named> Objects(EpcisEvent e) =>
        ParentOf(e) is { } parent ? Members(e).Prepend(new Named("parentID", -1, parent)) : Members(e);

    /// <summary>Every member of a list of EPCs.</summary>
    public static IEnumerable<Named> Members(EpcisEvent e) =>
        Lists(e).SelectMany(list => list.Epcs.Select((epc, i) => new Named(list.Field, i, epc)));

    /// <summary>The lists of EPCs, one or two; what looks at each of a million members loops over these.</summary>
    public static (string Field, IReadOnlyList<string> Epcs)[] Lists(EpcisEvent e) => e switch
    {
        ObjectEvent o => [("epcList", o.EpcList)],
        TransactionEvent t => [("epcList", t.EpcList)],
        AggregationEvent a => [("childEPCs", a.ChildEpcs)],
        AssociationEvent a => [("childEPCs", a.ChildEpcs)],
        TransformationEvent t => [("inputEPCList", t.InputEpcList), ("outputEPCList", t.OutputEpcList)],
        _ => [],
    };

    private static IEnumerable<Named> Others(EpcisEvent e)
    {
        foreach (var named in Classes(e))
        {
            yield return named;
        }
        foreach (var place in Places(e))
        {
            yield return place;
        }
        for (var i = 0; i < e.Sources.Count; i++)
        {
            yield return new Named("sourceList", i, e.Sources[i].Value);
        }
        for (var i = 0; i < e.Destinations.Count; i++)
        {
            yield return new Named("destinationList", i, e.Destinations[i].Value);
        }
    }

    public static IEnumerable<Named> Classes(EpcisEvent e)
    {
        foreach (var (field, item, quantity) in Quantities(e))
        {
            yield return new Named(field, item, quantity.EpcClass);
        }
    }

    public static IEnumerable<(string Field, int Item, QuantityElement Quantity)> Quantities(EpcisEvent e)
    {
        var (firstName, first, secondName, second) = e switch
        {
            ObjectEvent o => ("quantityList", o.QuantityList, "", []),
            TransactionEvent t => ("quantityList", t.QuantityList, "", []),
            AggregationEvent a => ("childQuantityList", a.ChildQuantityList, "", []),
            AssociationEvent a => ("childQuantityList", a.ChildQuantityList, "", []),
            TransformationEvent t => ("inputQuantityList", t.InputQuantityList, "outputQuantityList", t.OutputQuantityList),
            _ => ("", (IReadOnlyList<QuantityElement>)[], "", (IReadOnlyList<QuantityElement>)[]),
        };
        for (var i = 0; i < first.Count; i++)
        {
            yield return (firstName, i, first[i]);
        }
        for (var i = 0; i < second.Count; i++)
        {
            yield return (secondName, i, second[i]);
        }
    }

    public static IEnumerable<Named> Places(EpcisEvent e)
    {
        if (e.ReadPoint is { } readPoint)
        {
            yield return new Named("readPoint/id", -1, readPoint.Id);
        }
        if (e.BizLocation is { } bizLocation)
        {
            yield return new Named("bizLocation/id", -1, bizLocation.Id);
        }
    }

    public static string? ParentOf(EpcisEvent e) => e switch
    {
        AggregationEvent a => a.ParentId,
        AssociationEvent a => a.ParentId,
        TransactionEvent t => t.ParentId,
        _ => null,
    };

    public static bool IsTagOrRaw(string identifier) =>
        identifier.StartsWith("urn:epc:tag:", StringComparison.OrdinalIgnoreCase)
        || identifier.StartsWith("urn:epc:raw:", StringComparison.OrdinalIgnoreCase);
}
