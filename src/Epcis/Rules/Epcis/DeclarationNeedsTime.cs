using Epcis.Events;

namespace Epcis.Rules;

/// <summary>The 2.0 XML schema makes the time optional by mistake.</summary>
internal sealed class DeclarationNeedsTime() : EventRule(
    "EPCIS-ERR-01", Severity.Error, "EPCIS, errorDeclaration", "An error declaration says when it was made.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        if (e.ErrorDeclaration is { } declaration && !ZonedTime.Has(declaration.DeclarationTimeText ?? ""))
        {
            Report(e, findings, "errorDeclaration needs a declarationTime with seconds and a zone.", declaration.DeclarationTimeText, "declarationTime");
        }
    }
}
