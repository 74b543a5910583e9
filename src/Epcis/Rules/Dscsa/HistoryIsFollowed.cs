using Epcis.Events;

namespace Epcis.Rules;

/// <summary>So that silence is not taken for soundness.</summary>
internal sealed class HistoryIsFollowed() : DocumentRule(
    "DSCSA-HIST-09", "GS1 US DSCSA guideline, history of what is shipped",
    "The history of a document is followed as far as the limit of objects.",
    "Divide the document by shipments, so that the whole history of each is checked.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        private bool _isTold;

        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            if (!units.IsComplete && !_isTold)
            {
                _isTold = true;
                findings.Add(e, "", FormattableString.Invariant($"The document names more than {units.MaxUnits} objects; from here on the history of further ones is not checked."));
            }
        }
    }
}
