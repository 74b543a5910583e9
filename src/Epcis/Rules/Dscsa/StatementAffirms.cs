using Epcis.Events;

namespace Epcis.Rules;

internal sealed class StatementAffirms() : DocumentRule(
    "DSCSA-TS-02", "GS1 US DSCSA guideline, transaction statement; FD&C Act 581(27)",
    "The transaction statement affirms, and cites the law.",
    "Write affirmTransactionStatement true and a legalNotice; who may not affirm sends no statement.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void End(DocumentHeader header, RuleFindings findings)
        {
            if (Dscsa.Find(header.Extensions, "dscsaTransactionStatement") is not { } statement || (statement.Children.Count == 0 && statement.Json is not null))
            {
                return;
            }
            var affirms = Dscsa.TextOf(Dscsa.Find(statement.Children, "affirmTransactionStatement"));
            if (affirms is not ("true" or "1"))
            {
                findings.Add(header, "dscsaTransactionStatement", "The transaction statement does not affirm.", affirms, "affirmTransactionStatement true");
            }
            if (string.IsNullOrWhiteSpace(Dscsa.TextOf(Dscsa.Find(statement.Children, "legalNotice"))))
            {
                findings.Add(header, "dscsaTransactionStatement", "The transaction statement has no legal notice.", want: "legalNotice");
            }
        }
    }
}
