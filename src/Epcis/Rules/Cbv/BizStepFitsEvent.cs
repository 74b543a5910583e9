using System.Collections.Frozen;
using Epcis.Events;

namespace Epcis.Rules;

/// <summary>The table says only what the definitions of the terms leave no doubt about; a step that is not in it fits everywhere.</summary>
internal sealed class BizStepFitsEvent() : EventRule(
    "CBV-STEP-02", "CBV 2.0, definitions of the business steps",
    "The type and action of an event fit what its bizStep means.",
    "Write the event that the business step describes, or another business step.")
{
    private static readonly FrozenDictionary<string, (Func<EpcisEvent, bool> Holds, string Want)> Fits = new Dictionary<string, (Func<EpcisEvent, bool>, string)>
    {
        ["commissioning"] = (e => e is TransformationEvent || e.Action == EventAction.Add, "an event that adds, or a transformation"),
        ["creating_class_instance"] = (e => e is TransformationEvent || e.Action == EventAction.Add, "an event that adds, or a transformation"),
        ["decommissioning"] = (e => e is ObjectEvent { Action: EventAction.Delete }, "an object event that deletes"),
        ["destroying"] = (e => e is ObjectEvent { Action: EventAction.Delete }, "an object event that deletes"),
        ["packing"] = (e => e is AggregationEvent { Action: not EventAction.Delete } or ObjectEvent { Action: EventAction.Observe }, "an aggregation that adds"),
        ["unpacking"] = (e => e is AggregationEvent { Action: not EventAction.Add } or ObjectEvent { Action: EventAction.Observe }, "an aggregation that deletes"),
        ["installing"] = (e => e is AggregationEvent or AssociationEvent or ObjectEvent, "an association or aggregation"),
        ["assembling"] = (e => e is not TransformationEvent, "an association or aggregation, not a transformation"),
        ["encoding"] = (e => e is TransactionEvent or ObjectEvent, "a transaction event"),
        ["shipping"] = (e => e.Action != EventAction.Delete || e is TransactionEvent, "an event that observes"),
        ["departing"] = (e => e.Action != EventAction.Delete || e is TransactionEvent, "an event that observes"),
        ["receiving"] = (e => e.Action != EventAction.Delete || e is TransactionEvent, "an event that observes"),
        ["void_shipping"] = (e => e.Action != EventAction.Delete || e is TransactionEvent, "an event that observes: the objects live on"),
        ["transporting"] = (e => e.Action != EventAction.Delete, "an event that observes"),
        ["sensor_reporting"] = (e => e.SensorElements.Count > 0, "an event with sensorElementList"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (EventTerms.BizStep(e) is { } step && Fits.TryGetValue(step, out var fit) && !fit.Holds(e))
        {
            var got = e.Action is { } action ? $"{e.EventType} {action.ToString().ToUpperInvariant()}" : e.EventType;
            findings.Add(e, "bizStep", $"{step} does not fit {got}: {fit.Want}.", got, fit.Want);
        }
    }
}
