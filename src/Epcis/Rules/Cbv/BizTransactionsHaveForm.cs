using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

internal sealed class BizTransactionsHaveForm() : EventRule(
    "CBV-BT-01", "CBV, business transaction identifiers",
    "A business transaction in the form of the CBV names the GLN of its issuer and its number.",
    "Write urn:epcglobal:cbv:bt:, the 13 digits of the GLN, a colon and the number of the document.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        for (var i = 0; i < e.BizTransactions.Count; i++)
        {
            var value = e.BizTransactions[i].Value;
            if (value.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && WrongIn(value[Prefix.Length..]) is { } wrong)
            {
                findings.Add(e, FormattableString.Invariant($"bizTransactionList/{i}"), $"{value}: {wrong}", value, Prefix + "GLN:number");
            }
        }
    }

    public const string Prefix = "urn:epcglobal:cbv:bt:";

    private static string? WrongIn(string rest)
    {
        var colon = rest.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? "there is no number behind a GLN."
            : colon == rest.Length - 1 ? "the number is missing."
            : Gln.Parse(rest[..colon]).Error;
    }
}
