using Epcis.Events;

namespace Epcis.Rules;

/// <summary>The 2.0 XML schema makes the time optional by mistake.</summary>
internal sealed class DeclarationNeedsTime() : EventRule(
    "EPCIS-ERR-01", "EPCIS, errorDeclaration",
    "An error declaration says when it was made.",
    "Add declarationTime, such as 2026-03-01T12:00:00.000Z.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e.ErrorDeclaration is { } declaration && !ZonedTime.Has(declaration.DeclarationTimeText ?? ""))
        {
            findings.Add(e, "errorDeclaration/declarationTime", "errorDeclaration needs a declarationTime with seconds and a zone.", declaration.DeclarationTimeText, "declarationTime");
        }
    }
}
