using Epcis.Events;
using Epcis.Formats;
using Epcis.Identifiers;

namespace Epcis.Conversion;

/// <summary>
/// Writes the GS1 identifiers of events and master data in one spelling (EPCIS 2.0, <c>GS1-EPC-Format</c>); what cannot be
/// translated stays, and is told with a warning, <c>EPCIS-OUT-09</c>. For one event at a time, on one thread.
/// </summary>
public sealed class IdentifierTranslation(ConversionOptions options, Findings findings)
{
    private const string NotTranslated = "EPCIS-OUT-09";

    private EpcisEvent? _event;

    /// <summary>The event with its objects, places, parties and transactions in the wanted spelling; itself when nothing is to be translated.</summary>
    public EpcisEvent Of(EpcisEvent e)
    {
        if (!Translates)
        {
            return e;
        }
        _event = e;
        EpcisEvent own = e switch
        {
            ObjectEvent o => o with { EpcList = All(o.EpcList), QuantityList = All(o.QuantityList) },
            AggregationEvent a => a with { ParentId = OrNull(a.ParentId), ChildEpcs = All(a.ChildEpcs), ChildQuantityList = All(a.ChildQuantityList) },
            AssociationEvent a => a with { ParentId = OrNull(a.ParentId), ChildEpcs = All(a.ChildEpcs), ChildQuantityList = All(a.ChildQuantityList) },
            TransactionEvent t => t with { ParentId = OrNull(t.ParentId), EpcList = All(t.EpcList), QuantityList = All(t.QuantityList) },
            TransformationEvent t => t with
            {
                InputEpcList = All(t.InputEpcList),
                InputQuantityList = All(t.InputQuantityList),
                OutputEpcList = All(t.OutputEpcList),
                OutputQuantityList = All(t.OutputQuantityList),
            },
            _ => e,
        };
        own = own with
        {
            ReadPoint = Of(e.ReadPoint),
            BizLocation = Of(e.BizLocation),
            BizTransactions = [.. e.BizTransactions.Select(t => t with { Value = Of(t.Value) })],
            Sources = [.. e.Sources.Select(s => s with { Value = Of(s.Value) })],
            Destinations = [.. e.Destinations.Select(d => d with { Value = Of(d.Value) })],
        };
        _event = null;
        return own;
    }

    /// <summary>Master data are found by the identifiers of the events, so they are spelled alike.</summary>
    public DocumentHeader Of(DocumentHeader header) => !Translates ? header : header with
    {
        MasterData = [.. header.MasterData.Select(m => m with { Id = Of(m.Id), Children = All(m.Children) })],
    };

    private bool Translates => options.EpcFormat switch
    {
        EpcFormat.NeverTranslates => false,
        EpcFormat.NoPreference => options.To == DocumentForm.Xml12,
        _ => true,
    };

    private string Of(string value)
    {
        if (options.EpcFormat == EpcFormat.AlwaysDigitalLink)
        {
            return !EpcUri.IsEpcUri(value) ? value : EpcUri.Parse(value).Value?.ToDigitalLink() ?? Kept(value, "It names no GS1 key that a Digital Link has.");
        }
        if (!DigitalLink.IsCandidate(value))
        {
            return value;
        }
        var read = Identify.Read(value, options.CompanyPrefixes);
        return read.Urn ?? Kept(value, read.Findings is [.., var why] ? why.Message : "It has no EPC URI.");
    }

    private string Kept(string value, string reason)
    {
        // The writer of 1.2 tells every Digital Link that it writes.
        if (options.EpcFormat != EpcFormat.NoPreference)
        {
            findings.Add(new Finding(NotTranslated, Severity.Warning, $"The identifier is written as it is, and nothing is guessed. {reason}")
            {
                Event = _event?.Index,
                EventId = _event?.EventId,
                Where = _event?.Place ?? default,
                Got = value,
            });
        }
        return value;
    }

    private string? OrNull(string? value) => value is null ? null : Of(value);

    private Location? Of(Location? location) => location is null ? null : location with { Id = Of(location.Id) };

    private List<string> All(IReadOnlyList<string> values) => [.. values.Select(Of)];

    private List<QuantityElement> All(IReadOnlyList<QuantityElement> quantities) => [.. quantities.Select(q => q with { EpcClass = Of(q.EpcClass) })];
}
