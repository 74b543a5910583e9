using System.Collections.Frozen;
using System.Globalization;
using Epcis.Events;

namespace Epcis.Formats.JsonLd;

/// <summary>The structured fields of events.</summary>
internal sealed class JsonEventParts(JsonReport report)
{
    private static readonly FrozenSet<string> s_quantity = FrozenSet.Create("epcClass", "quantity", "uom");
    private static readonly FrozenSet<string> s_bizTransaction = FrozenSet.Create("type", "bizTransaction");
    private static readonly FrozenSet<string> s_source = FrozenSet.Create("type", "source");
    private static readonly FrozenSet<string> s_destination = FrozenSet.Create("type", "destination");
    private static readonly FrozenSet<string> s_persistentDisposition = FrozenSet.Create("set", "unset");
    private static readonly FrozenSet<string> s_errorDeclaration = FrozenSet.Create("declarationTime", "reason", "correctiveEventIDs");

    public IReadOnlyList<QuantityElement> Quantities(JsonItem? list)
    {
        if (list is null)
        {
            return [];
        }
        var quantities = new List<QuantityElement>();
        foreach (var item in Objects(list, s_quantity))
        {
            var epcClass = report.Uri(report.Require(item, "epcClass"));
            var number = item.Find("quantity");
            var text = number is not null && report.Is(number, JsonKind.Number) ? number.Text : null;
            var uom = report.Matching(item.Find("uom"), JsonFormats.IsUom, "two or three capital letters or digits (UN/CEFACT Rec 20)");
            quantities.Add(new QuantityElement(epcClass ?? "", DecimalOf(number, text), text, uom));
        }
        return quantities;
    }

    public IReadOnlyList<BizTransaction> BizTransactions(JsonItem? list, int atLeast)
    {
        if (list is null)
        {
            return [];
        }
        var transactions = new List<BizTransaction>();
        foreach (var item in Objects(list, s_bizTransaction, atLeast))
        {
            var type = report.Word(item.Find("type"), JsonVocabulary.BizTransactionTypes);
            transactions.Add(new BizTransaction(type, report.Uri(report.Require(item, "bizTransaction")) ?? ""));
        }
        return transactions;
    }

    public IReadOnlyList<SourceOrDestination> Sources(JsonItem? list) => SourcesOrDestinations(list, "source", s_source);

    public IReadOnlyList<SourceOrDestination> Destinations(JsonItem? list) => SourcesOrDestinations(list, "destination", s_destination);

    /// <summary>Only the id is checked: the schema leaves a location open to any member.</summary>
    public Location? Location(JsonItem? item, JsonContext context)
    {
        if (item is null || !report.Is(item, JsonKind.Object))
        {
            return null;
        }
        var id = report.Uri(report.Require(item, "id"));
        return new Location(id ?? "") { Extensions = JsonExtensions.Of(item.Items.Where(m => m.Name != "id"), report, context) };
    }

    public PersistentDisposition? PersistentDisposition(JsonItem item)
    {
        if (!report.Is(item, JsonKind.Object))
        {
            return null;
        }
        report.Close(item, s_persistentDisposition);
        if (item.Find("set") is null && item.Find("unset") is null)
        {
            report.Error(JsonCodes.Missing, item, "persistentDisposition has neither 'set' nor 'unset'.", want: "set or unset");
        }
        return new PersistentDisposition(Dispositions(item.Find("set")), Dispositions(item.Find("unset")));
    }

    public ErrorDeclaration? ErrorDeclaration(JsonItem? item, JsonContext context)
    {
        if (item is null || !report.Is(item, JsonKind.Object))
        {
            return null;
        }
        var (text, instant) = report.Time(report.Require(item, "declarationTime"));
        return new ErrorDeclaration
        {
            DeclarationTime = instant,
            DeclarationTimeText = text,
            Reason = report.Word(item.Find("reason"), JsonVocabulary.ErrorReasons),
            CorrectiveEventIds = report.Uris(item.Find("correctiveEventIDs")),
            Extensions = JsonExtensions.Of(report.Others(item, s_errorDeclaration), report, context),
        };
    }

    private List<SourceOrDestination> SourcesOrDestinations(JsonItem? list, string member, FrozenSet<string> members)
    {
        if (list is null)
        {
            return [];
        }
        var all = new List<SourceOrDestination>();
        foreach (var item in Objects(list, members))
        {
            var type = report.Word(report.Require(item, "type"), JsonVocabulary.SourceDestTypes);
            all.Add(new SourceOrDestination(type ?? "", report.Uri(report.Require(item, member)) ?? ""));
        }
        return all;
    }

    private IReadOnlyList<string> Dispositions(JsonItem? list) =>
        [.. report.Array(list, atLeast: 1, unique: true).Select(i => report.Word(i, JsonVocabulary.Dispositions)).OfType<string>()];

    /// <summary>A list of objects that know no extension.</summary>
    private IEnumerable<JsonItem> Objects(JsonItem? list, FrozenSet<string> members, int atLeast = 0)
    {
        foreach (var item in report.Array(list, atLeast))
        {
            if (report.Is(item, JsonKind.Object))
            {
                report.Close(item, members);
                yield return item;
            }
        }
    }

    private decimal? DecimalOf(JsonItem? item, string? text)
    {
        if (text is null)
        {
            return null;
        }
        if (decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var quantity))
        {
            return quantity;
        }
        report.Error(JsonCodes.Number, item!, "The quantity is larger than any that can be counted.", text, "a decimal number of at most 28 digits");
        return null;
    }
}
