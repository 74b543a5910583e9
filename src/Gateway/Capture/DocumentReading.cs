using Epcis;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.Xml;
using Epcis.Rules;
using Gateway.Units;

namespace Gateway.Capture;

/// <summary>How a document is read here: its form told by its first bytes, validated in the same pass, each event held to the rules.</summary>
public static class DocumentReading
{
    private const int MaxIdentifierLength = 800;

    /// <summary>Reads with schemas and rules: the verdict.</summary>
    public static EpcisReader Open(Stream stream, CaptureOptions options) =>
        EpcisDocument.Open(stream, Limits(options), static (xml, limits) => new XmlEpcisReader(xml, EpcisSchemas.For, limits));

    /// <summary>Reads without XML schemas, to learn cheaply whether the document can be read at all.</summary>
    public static EpcisReader OpenUnvalidated(Stream stream, CaptureOptions options) =>
        EpcisDocument.Open(stream, Limits(options), static (xml, limits) => new XmlEpcisReader(xml, null, limits));

    /// <summary>Moves to the next event and applies the rules to it; at the end of the document, those about it as a whole.</summary>
    /// <param name="rules">This document's way through the rules; its findings are the reader's. Null for a document that a mapping reads: the events are ours.</param>
    /// <param name="scope">What its sender is bound to; null when to nothing.</param>
    /// <param name="isGood">False when the event itself has an error.</param>
    internal static bool ReadChecked(this EpcisReader reader, RuleSet.Run? rules, ScopeCheck? scope, out bool isGood)
    {
        var errorsBefore = reader.Findings.ErrorCount;
        var found = reader.Read();
        if (found)
        {
            rules?.See(reader.Current);
            if (rules is not null && EventFacts.IsInternal(reader.Current))
            {
                reader.Findings.Error("GW-EVT-05", reader.Current, "The bizStep is one of the gateway's own, which only mappings of lines write: nobody who asks for events would be given the event.", got: reader.Current.BizStep);
            }
            DemandShortIdentifiers(reader.Current, reader.Findings);
            scope?.See(reader.Current, reader.Findings);
        }
        else if (!reader.IsBroken)
        {
            rules?.End(reader.Header);
        }
        // What a mapping found was found of records, before there was any event. Without an instant an event has no place in time; its finding may be one that was beyond the limit.
        isGood = found && reader.Findings.ErrorCount == errorsBefore && reader.Current.EventTime is not null;
        return found;
    }

    // Identifiers are looked up by index, and an index entry has its length. No standard bounds a URI.
    private static void DemandShortIdentifiers(EpcisEvent e, Findings findings)
    {
        if (e.EventId?.Length > MaxIdentifierLength)
        {
            Refuse("The eventID", e.EventId);
        }
        foreach (var (_, epc) in e.Epcs)
        {
            Demand(epc);
        }
        foreach (var (_, quantity) in e.Quantities)
        {
            Demand(quantity.EpcClass);
        }

        void Demand(string epc)
        {
            if (epc.Length > MaxIdentifierLength)
            {
                Refuse("An EPC", epc);
            }
        }

        void Refuse(string what, string identifier) => findings.Error("GW-EVT-04", e,
            FormattableString.Invariant($"{what} has {identifier.Length} characters; at most {MaxIdentifierLength} can be looked up."), got: identifier[..50] + "…");
    }

    /// <summary>The form as the command line and the API name it.</summary>
    public static string NameOf(DocumentForm form) => form switch
    {
        DocumentForm.Xml12 => "1.2-xml",
        DocumentForm.Xml20 => "2.0-xml",
        DocumentForm.JsonLd20 => "2.0-json",
        _ => "unknown",
    };

    // Bytes are counted before decoding by whoever opens the stream, who answers 413; the reader's own limit lies just above.
    private static ReaderLimits Limits(CaptureOptions options) =>
        ReaderLimits.Default with { MaxBytes = options.MaxBytes + (1L << 20), MaxEvents = options.MaxEvents };
}
