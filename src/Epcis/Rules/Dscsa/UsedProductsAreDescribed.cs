using Epcis.Events;

namespace Epcis.Rules;

internal sealed class UsedProductsAreDescribed() : DocumentRule(
    "DSCSA-MD-03", "GS1 US DSCSA guideline, master data of products",
    "Every product that an event names is described in the header, each packaging level by its own GTIN.",
    "Add a VocabularyElement urn:epc:idpat:sgtin:PREFIX.ITEM.* to the vocabulary EPCClass.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        // A shipment has a handful of products; what names more is not followed further.
        private const int MaxProducts = 10_000;
        private readonly Dictionary<string, EventMark> _used = new(StringComparer.Ordinal);

        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            var known = _used.GetAlternateLookup<ReadOnlySpan<char>>();
            Span<char> gtin = stackalloc char[Gtins.Length];
            foreach (var named in EventIdentifiers.Members(e))
            {
                if (Gtins.TryWrite(named.Value, gtin) && !known.ContainsKey(gtin) && _used.Count < MaxProducts)
                {
                    known[gtin] = EventMark.Of(e, named.Path);
                }
            }
            foreach (var named in EventIdentifiers.Classes(e))
            {
                if (Gtins.TryWrite(named.Value, gtin) && !known.ContainsKey(gtin) && _used.Count < MaxProducts)
                {
                    known[gtin] = EventMark.Of(e, named.Path);
                }
            }
        }

        public override void End(DocumentHeader header, RuleFindings findings)
        {
            var known = _used.GetAlternateLookup<ReadOnlySpan<char>>();
            Span<char> gtin = stackalloc char[Gtins.Length];
            foreach (var element in header.MasterData.Where(Dscsa.IsProduct))
            {
                if (Gtins.TryWrite(element.Id, gtin))
                {
                    known.Remove(gtin);
                }
            }
            foreach (var (product, mark) in _used.OrderBy(u => u.Value.Index))
            {
                findings.Add(mark, $"The product with GTIN {product} is not described in the header.", product, "a VocabularyElement of EPCClass");
            }
        }
    }
}
