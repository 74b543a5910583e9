using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

internal sealed class UsedPlacesAreDescribed() : DocumentRule(
    "DSCSA-MD-01", "GS1 US DSCSA guideline, master data of locations",
    "Every place and party that an event names is described in the header.",
    "Add a VocabularyElement with the SGLN and its name and address to the vocabulary of locations.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        // A document names its few places again and again; what names more is not followed further.
        private const int MaxPlaces = 10_000;
        private readonly Dictionary<string, EventMark> _used = new(StringComparer.Ordinal);

        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            foreach (var place in EventIdentifiers.Places(e))
            {
                Use(e, place);
            }
            for (var i = 0; i < e.Sources.Count; i++)
            {
                Use(e, new Named("sourceList", i, e.Sources[i].Value));
            }
            for (var i = 0; i < e.Destinations.Count; i++)
            {
                Use(e, new Named("destinationList", i, e.Destinations[i].Value));
            }
        }

        public override void End(DocumentHeader header, RuleFindings findings)
        {
            foreach (var element in header.MasterData.Where(Dscsa.IsLocation))
            {
                _used.Remove(EpcKey.Normalise(element.Id));
            }
            foreach (var (place, mark) in _used.OrderBy(u => u.Value.Index))
            {
                findings.Add(mark, $"{place} is not described in the header.", place, $"a VocabularyElement {place}");
            }
        }

        private void Use(EpcisEvent e, Named place)
        {
            if (_used.Count < MaxPlaces && EpcForms.Of(place.Value) is EpcForm.Place or EpcForm.Party && EpcKey.Normalise(place.Value) is var key && !_used.ContainsKey(key))
            {
                _used.Add(key, EventMark.Of(e, place.Path));
            }
        }
    }
}
