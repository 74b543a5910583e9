using Epcis.Cbv;
using Epcis.Events;

namespace Epcis.Rules;

/// <summary>The values of standard vocabularies that an event names.</summary>
internal static class EventTerms
{
    /// <returns>Where the value stands, what a person calls the field, and the value.</returns>
    public static IEnumerable<(string Path, string Field, CbvVocabulary Vocabulary, string Value)> Of(EpcisEvent e)
    {
        if (e.BizStep is { } bizStep)
        {
            yield return ("bizStep", "bizStep", CbvVocabulary.BizStep, bizStep);
        }
        if (e.Disposition is { } disposition)
        {
            yield return ("disposition", "disposition", CbvVocabulary.Disposition, disposition);
        }
        for (var i = 0; i < e.PersistentDisposition?.Set.Count; i++)
        {
            yield return (Item("persistentDisposition/set", i), "persistentDisposition", CbvVocabulary.Disposition, e.PersistentDisposition.Set[i]);
        }
        for (var i = 0; i < e.PersistentDisposition?.Unset.Count; i++)
        {
            yield return (Item("persistentDisposition/unset", i), "persistentDisposition", CbvVocabulary.Disposition, e.PersistentDisposition.Unset[i]);
        }
        for (var i = 0; i < e.BizTransactions.Count; i++)
        {
            if (e.BizTransactions[i].Type is { } type)
            {
                yield return (Item("bizTransactionList", i) + "/type", "bizTransaction type", CbvVocabulary.BizTransactionType, type);
            }
        }
        for (var i = 0; i < e.Sources.Count; i++)
        {
            yield return (Item("sourceList", i) + "/type", "source type", CbvVocabulary.SourceDestType, e.Sources[i].Type);
        }
        for (var i = 0; i < e.Destinations.Count; i++)
        {
            yield return (Item("destinationList", i) + "/type", "destination type", CbvVocabulary.SourceDestType, e.Destinations[i].Type);
        }
        if (e.ErrorDeclaration?.Reason is { } reason)
        {
            yield return ("errorDeclaration/reason", "errorDeclaration reason", CbvVocabulary.ErrorReason, reason);
        }
    }

    public static string? BizStep(EpcisEvent e) => e.BizStep is { } value ? CbvTerms.BareOrNull(CbvVocabulary.BizStep, value) : null;

    public static string? Disposition(EpcisEvent e) => e.Disposition is { } value ? CbvTerms.BareOrNull(CbvVocabulary.Disposition, value) : null;

    private static string Item(string list, int i) => FormattableString.Invariant($"{list}/{i}");
}
