using System.Globalization;
using Epcis.Cbv;
using Epcis.Events;
using Gateway.Delivery;

namespace Gateway.Composing;

/// <summary>How a partner is told that a shipment it was told of did not happen, or not so: in the way it takes.</summary>
internal static class Corrections
{
    /// <param name="said">What was captured: a void_shipping, or a declaration of a shipping event in error.</param>
    /// <param name="sent">The shipping events that the partner was told of.</param>
    /// <param name="sentIn">The document in which these were cut, under eventIDs of their own; null where they kept theirs.</param>
    public static IEnumerable<(EpcisEvent Event, long Number, IReadOnlyDictionary<string, string>? Namespaces)> Of(
        ClaimedComposition of, (EpcisEvent Event, long Number, IReadOnlyDictionary<string, string>? Namespaces) said,
        IReadOnlyList<(EpcisEvent Event, long Number, IReadOnlyDictionary<string, string>? Namespaces)> sent, EventCut cut, Guid? sentIn)
    {
        if (said.Event.ErrorDeclaration is not { } declaration)
        {
            yield return (cut.OfShipment(said.Event, said.Number), said.Number, said.Namespaces);
            yield break;
        }
        foreach (var (e, number, namespaces) in sent.Where(s => s.Event.EventId == said.Event.EventId))
        {
            var told = cut.OfShipment(e, number) with { EventId = sentIn is { } document ? EventCut.IdOf(number, document) : e.EventId };
            if (of.Kind == "declaration")
            {
                yield return (told with { ErrorDeclaration = declaration }, said.Number, namespaces);
                continue;
            }
            // The goods are as they were before; that the shipment is taken back happens when it is said.
            var at = declaration.DeclarationTime ?? said.Event.EventTime!.Value;
            yield return (new ObjectEvent
            {
                Action = EventAction.Observe, EventTime = at, EventTimeText = declaration.DeclarationTimeText ?? at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture),
                EventTimeZoneOffset = said.Event.EventTimeZoneOffset, EventId = EventCut.IdOf(said.Number, of.MessageId),
                BizStep = CbvTerms.ToUrn(CbvVocabulary.BizStep, "void_shipping"), Disposition = CbvTerms.ToUrn(CbvVocabulary.Disposition, "in_progress"), ReadPoint = told.ReadPoint,
                EpcList = [.. told.Epcs.Where(x => x.Role is EpcRole.Epc or EpcRole.Parent).Select(x => x.Epc)],
                BizTransactions = told.BizTransactions, Sources = told.Sources, Destinations = told.Destinations,
            }, said.Number, namespaces);
        }
    }
}
