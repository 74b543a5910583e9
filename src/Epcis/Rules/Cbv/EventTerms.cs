using Epcis.Cbv;
using Epcis.Events;

namespace Epcis.Rules;

/// <summary>The values of standard vocabularies that an event names.</summary>
internal static class EventTerms
{
    public static IEnumerable<(string Field, CbvVocabulary Vocabulary, string Value)> Of(EpcisEvent e)
    {
        if (e.BizStep is { } bizStep)
        {
            yield return ("bizStep", CbvVocabulary.BizStep, bizStep);
        }
        if (e.Disposition is { } disposition)
        {
            yield return ("disposition", CbvVocabulary.Disposition, disposition);
        }
        foreach (var persistent in (e.PersistentDisposition?.Set ?? []).Concat(e.PersistentDisposition?.Unset ?? []))
        {
            yield return ("persistentDisposition", CbvVocabulary.Disposition, persistent);
        }
        foreach (var transaction in e.BizTransactions)
        {
            if (transaction.Type is { } type)
            {
                yield return ("bizTransaction type", CbvVocabulary.BizTransactionType, type);
            }
        }
        foreach (var source in e.Sources)
        {
            yield return ("source type", CbvVocabulary.SourceDestType, source.Type);
        }
        foreach (var destination in e.Destinations)
        {
            yield return ("destination type", CbvVocabulary.SourceDestType, destination.Type);
        }
        if (e.ErrorDeclaration?.Reason is { } reason)
        {
            yield return ("errorDeclaration reason", CbvVocabulary.ErrorReason, reason);
        }
    }
}
