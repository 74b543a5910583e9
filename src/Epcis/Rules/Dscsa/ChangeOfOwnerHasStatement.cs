using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ChangeOfOwnerHasStatement() : DocumentRule(
    "DSCSA-TS-01", "GS1 US DSCSA guideline, transaction statement; FD&C Act 581(27)",
    "A change of ownership comes with the transaction statement.",
    "Add dscsaTransactionStatement with affirmTransactionStatement and legalNotice to the header, after its extension.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        private EventMark? _change;

        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            if (_change is null && Dscsa.IsShipping(e)
                && Dscsa.End(e.Sources, "owning_party") is { } from && Dscsa.End(e.Destinations, "owning_party") is { } to && from != to)
            {
                _change = EventMark.Of(e, "destinationList");
            }
        }

        public override void End(DocumentHeader header, RuleFindings findings)
        {
            if (_change is { } change && Dscsa.Find(header.Extensions, "dscsaTransactionStatement") is null)
            {
                findings.Add(change, "The shipment changes the owner, but the header has no transaction statement.", want: "dscsaTransactionStatement");
            }
        }
    }
}
