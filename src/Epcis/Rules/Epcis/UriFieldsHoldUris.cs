using Epcis.Events;
using Epcis.Formats.JsonLd;

namespace Epcis.Rules;

/// <summary>XML schemas take almost any text for a URI; in JSON the schema refuses it already.</summary>
internal sealed class UriFieldsHoldUris() : EventRule(
    "EPCIS-URI-01", "EPCIS, types of fields; SHACL",
    "Identifiers and addresses are absolute URIs.",
    "Write a URI, such as urn:epc:id:sgtin:…, a GS1 Digital Link or a URI of your own.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var identifier in EventIdentifiers.Doubtful(e))
        {
            Check(e, identifier, findings);
        }
        foreach (var identifier in Others(e))
        {
            Check(e, identifier, findings);
        }
    }

    private static void Check(EpcisEvent e, Named identifier, RuleFindings findings)
    {
        if (!JsonFormats.IsUri(identifier.Value))
        {
            findings.Add(e, identifier.Path, $"'{identifier.Value}' in {identifier.Field} is no absolute URI.", identifier.Value, "a URI (RFC 3986)");
        }
    }

    private static IEnumerable<Named> Others(EpcisEvent e)
    {
        if (e.EventId is { } eventId)
        {
            yield return new Named("eventID", -1, eventId);
        }
        if (e is TransformationEvent { TransformationId: { } transformationId })
        {
            yield return new Named("transformationID", -1, transformationId);
        }
        for (var i = 0; i < e.BizTransactions.Count; i++)
        {
            yield return new Named("bizTransactionList", i, e.BizTransactions[i].Value);
        }
        for (var i = 0; i < e.CertificationInfo.Count; i++)
        {
            yield return new Named("certificationInfo", i, e.CertificationInfo[i]);
        }
        for (var i = 0; i < e.ErrorDeclaration?.CorrectiveEventIds.Count; i++)
        {
            yield return new Named("errorDeclaration/correctiveEventIDs", i, e.ErrorDeclaration.CorrectiveEventIds[i]);
        }
    }
}
