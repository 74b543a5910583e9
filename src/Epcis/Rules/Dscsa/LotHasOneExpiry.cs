using Epcis.Events;

namespace Epcis.Rules;

internal sealed class LotHasOneExpiry() : DocumentRule(
    "DSCSA-LOT-02", "GS1 General Specifications, AI (10) and (17); GS1 US DSCSA guideline",
    "All units of a lot of one product have the same expiry.",
    "Correct the expiry or the lot number of one of the events.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        // A document is of few lots; what names more is not followed further.
        private const int MaxLots = 10_000;
        private readonly Dictionary<(string Gtin, string Lot), string> _expiries = [];

        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            Span<char> gtin = stackalloc char[Gtins.Length];
            if (Dscsa.IlmdOf(e, "lotNumber") is not { Length: > 0 } lot || Dscsa.IlmdOf(e, "itemExpirationDate") is not { Length: > 0 } expiry
                || e is not ObjectEvent { EpcList: [var first, ..] } || !Gtins.TryWrite(first, gtin))
            {
                return;
            }
            // Case and unit of one product differ in the indicator only.
            var key = (gtin[1..13].ToString(), lot);
            if (_expiries.TryGetValue(key, out var known) && known != expiry)
            {
                findings.Add(e, "ilmd", $"Lot {lot} expires {expiry} here and {known} in an earlier event.", expiry, known);
            }
            else if (_expiries.Count < MaxLots)
            {
                _expiries.TryAdd(key, expiry);
            }
        }
    }
}
