using Epcis.Events;
using Gateway.Delivery;
using Gateway.Units;

namespace Gateway.Composing;

/// <summary>Units whose commissioning tells no lot or no expiry: transaction information needs both.</summary>
internal sealed class LotLacks
{
    private readonly List<ComposeFinding> _findings = [];

    public IReadOnlyList<ComposeFinding> Findings => _findings;

    /// <summary>Looks at an event as it is told.</summary>
    public void See(EpcisEvent e)
    {
        if (_findings.Count >= ShippedUnits.MaxSamples || e is not ObjectEvent { Action: EventAction.Add } made || made.EpcList.FirstOrDefault(epc => UnitKey.Of(epc) is { } key && !UnitKey.GtinOf(key).IsEmpty) is not { } unit)
        {
            return;
        }
        foreach (var (name, word) in ((string, string)[])[("lotNumber", "lot"), ("itemExpirationDate", "expiry")])
        {
            if (!made.Ilmd.Any(x => x.Name == name))
            {
                _findings.Add(new ComposeFinding("compose.path", unit, $"The commissioning of {unit} tells no {word}."));
            }
        }
    }
}
