using Epcis;
using Epcis.Events;
using Epcis.Identifiers;
using Gateway.MasterData;

namespace Gateway.Capture;

/// <summary>
/// The products and places that a document names and master data do not know: a finding for each, at the first event that names it.
/// Where no product is known at all nobody keeps products here, and the same with locations; then nothing is said.
/// </summary>
internal sealed class UnknownKeys(MasterDataSnapshot known)
{
    /// <summary>A document that names more is looked at up to here.</summary>
    private const int MaxKeys = 10_000;

    private const string DigitalLink = "https://id.gs1.org/01/";
    private const int GtinLength = 14;

    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (EpcisEvent Event, bool IsProduct)> _unknown = new(StringComparer.Ordinal);
    private string _last = "";

    public void See(ParsedEvent e)
    {
        if (known.HasProducts)
        {
            foreach (var (_, epc) in e.Epcs)
            {
                // Nearly every EPC is of the product before it: it is compared with that, and nothing is looked up.
                if (_last.Length == 0 || !epc.StartsWith(_last, StringComparison.Ordinal))
                {
                    SeeProduct(epc, e.Event);
                }
            }
        }
        if (known.HasLocations)
        {
            SeePlace(e.Event.ReadPoint?.Id, e.Event);
            SeePlace(e.Event.BizLocation?.Id, e.Event);
            foreach (var place in e.Event.Sources)
            {
                SeePlace(place.Value, e.Event);
            }
            foreach (var place in e.Event.Destinations)
            {
                SeePlace(place.Value, e.Event);
            }
        }
    }

    public void Tell(Findings findings)
    {
        foreach (var (key, (e, isProduct)) in _unknown)
        {
            if (isProduct)
            {
                findings.Warning("masterdata.gtin_unknown", e, $"The GTIN {key} is not in the master data.", got: key);
            }
            else
            {
                findings.Warning("masterdata.gln_unknown", e, $"The GLN {key} is not in the master data.", got: key);
            }
        }
    }

    private void SeeProduct(string epc, EpcisEvent e)
    {
        var product = ProductOf(epc);
        var isNew = product.Length > 0 && IsNew(product);
        _last = product.Length > 0 && _seen.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(product, out var seen) ? seen : "";
        if (isNew && Epc.Parse(epc, CompanyPrefixes.None).Value is { } parsed && parsed.Key.Length == GtinLength && parsed.Scheme.KeyName == "GTIN" && known.Find(parsed.Key) is null)
        {
            _unknown.TryAdd(parsed.Key, (e, true));
        }
    }

    private void SeePlace(string? place, EpcisEvent e)
    {
        if (place is not null && IsNew(place) && Gln.TryFromAny(place, out var gln) && !known.KnowsLocation(gln))
        {
            _unknown.TryAdd(gln, (e, false));
        }
    }

    private bool IsNew(ReadOnlySpan<char> key) => _seen.Count < MaxKeys && _seen.GetAlternateLookup<ReadOnlySpan<char>>().Add(key);

    /// <summary>An identifier of an item or of a class of items up to the end of its GTIN, in either form it is stored in; empty for everything else.</summary>
    private static ReadOnlySpan<char> ProductOf(ReadOnlySpan<char> epc)
    {
        if (epc.StartsWith(DigitalLink, StringComparison.Ordinal) && epc.Length >= DigitalLink.Length + GtinLength)
        {
            return epc[..(DigitalLink.Length + GtinLength)];
        }
        var at = epc.StartsWith("urn:epc:", StringComparison.Ordinal) ? epc.IndexOf("gtin:", StringComparison.Ordinal) : -1;
        if (at < 0)
        {
            return default;
        }
        var prefixEnd = epc[at..].IndexOf('.');
        var itemEnd = prefixEnd < 0 ? -1 : epc[(at + prefixEnd + 1)..].IndexOf('.');
        return itemEnd < 0 ? default : epc[..(at + prefixEnd + itemEnd + 2)];
    }
}
