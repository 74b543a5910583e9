using System.Text.RegularExpressions;
using Epcis.Identifiers;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Intake;

/// <summary>A unit that a record names.</summary>
/// <param name="Epc">With the company prefix that master data know; a Digital Link when they know none.</param>
internal sealed record UnitName(string Epc, string Key)
{
    /// <summary>AI 10 of the element string that named it.</summary>
    public string? Lot { get; init; }

    /// <summary>AI 17, six digits.</summary>
    public string? Expiry { get; init; }

    /// <summary>As the file wrote it, where that is another EPC URI.</summary>
    public string? Given { get; init; }
}

/// <summary>Reads the names of units as dialects write them. Nothing is guessed: what does not fit is a fault of its record.</summary>
internal sealed class UnitNames(MasterDataSnapshot known)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(200);
    private readonly Dictionary<string, ProductName> _products = new(StringComparer.Ordinal);

    /// <returns>Null with a fault, or null without one where the record names nothing.</returns>
    public UnitName? Read(IReadOnlyList<ObjectForm> forms, SourceRecord record, out IntakeFault? fault)
    {
        fault = null;
        foreach (var form in forms)
        {
            if (form.When?.Fits(record) == false || form.Match is var (of, pattern) && !(of.Of(record) is { } matched && pattern.IsMatch(matched)))
            {
                continue;
            }
            if (form.First.Of(record) is not { } first)
            {
                continue;
            }
            return form switch
            {
                { Match: var (_, taken) } => Taken(taken.Match(first), out fault),
                { Elements: not null } => FromElements(first, out fault),
                { Epc: not null } => FromEpc(first, out fault),
                { Sscc: not null } => FromSscc(first, out fault),
                _ => FromGtin(form.Gtin!.Of(record), form.Indicator, first, out fault),
            };
        }
        return null;
    }

    private UnitName? Taken(Match match, out IntakeFault? fault) =>
        match.Groups["sscc"] is { Success: true } sscc ? FromSscc(sscc.Value, out fault) : FromGtin(match.Groups["gtin"].Value, null, match.Groups["serial"].Value, out fault);

    private UnitName? FromGtin(string? gtin, char? indicator, string serial, out IntakeFault? fault)
    {
        if (gtin is null)
        {
            fault = new IntakeFault(IntakeCodes.Missing, "There is no GTIN.");
            return null;
        }
        if (Gtin.Parse(gtin) is { Finding: { } finding })
        {
            fault = Of(finding, gtin);
            return null;
        }
        var digits = gtin.PadLeft(14, '0');
        if (indicator is { } other && other != digits[0])
        {
            digits = other + digits[1..13];
            digits += CheckDigit.Of(digits);
        }
        return Named(digits, serial, null, out fault);
    }

    private UnitName? Named(string gtin, string serial, ElementString? element, out IntakeFault? fault)
    {
        fault = null;
        if (!_products.TryGetValue(gtin, out var product))
        {
            _products.Add(gtin, product = ProductName.Of(gtin, known, s_patience));
        }
        if (product.Fault is not null)
        {
            fault = product.Fault;
            return null;
        }
        if (serial.Length is 0 or > 20)
        {
            fault = new IntakeFault(IntakeCodes.Length, FormattableString.Invariant($"The serial number has {serial.Length} characters, and 1 to 20 are allowed."), serial);
            return null;
        }
        if (product.Pattern is { } pattern && !pattern.IsMatch(serial))
        {
            fault = new IntakeFault(IntakeCodes.Separator, $"'{serial}' is no serial number of {gtin}.", serial);
            return null;
        }
        var key = $"01{gtin}21{serial}";
        // Letters and digits need no more looking at; of other characters some must not be, and some are escaped.
        if (!serial.All(char.IsAsciiLetterOrDigit) && Epc.Create(EpcScheme.Sgtin, gtin, CompanyPrefixes.None, serial).Finding is { } wrong)
        {
            fault = Of(wrong, serial);
            return null;
        }
        return new UnitName(UnitKey.ToEpc(key, product.PrefixLength), key) { Lot = element?["10"], Expiry = element?["17"] };
    }

    private UnitName? FromSscc(string sscc, out IntakeFault? fault)
    {
        var made = Epc.Create(EpcScheme.Sscc, sscc, known.Prefixes);
        if (made.Finding is { } finding)
        {
            fault = Of(finding, sscc);
            return null;
        }
        fault = null;
        return new UnitName(made.Value!.ToString(), "00" + sscc);
    }

    private UnitName? FromElements(string text, out IntakeFault? fault)
    {
        var parsed = ElementString.Parse(text);
        if (parsed.Finding is { } finding)
        {
            fault = Of(finding, text);
            return null;
        }
        var element = parsed.Value!;
        if (element["00"] is { } sscc)
        {
            return FromSscc(sscc, out fault);
        }
        if (element["01"] is { } gtin && element["21"] is { } serial)
        {
            return Named(gtin, serial, element, out fault);
        }
        fault = new IntakeFault(IntakeCodes.Syntax, "It names no unit: (01) with (21), or (00).", text);
        return null;
    }

    /// <summary>An EPC URI or Digital Link, written as master data know its company prefix.</summary>
    public UnitName? FromEpc(string text, out IntakeFault? fault)
    {
        fault = null;
        var parsed = Epc.Parse(text, CompanyPrefixes.None);
        if (UnitKey.Of(text) is not { } key)
        {
            fault = parsed.Finding is { } finding ? Of(finding, text) : new IntakeFault(IntakeCodes.Syntax, "It names no unit.", text);
            return null;
        }
        var given = EpcKey.Normalise(text);
        var (length, known) = (UnitKey.PrefixLength(text), PrefixLengthOf(key));
        var epc = known == 0 ? given : UnitKey.ToEpc(key, known);
        return new UnitName(epc, key) { Given = length > 0 && known > 0 && length != known ? given : null };
    }

    private int PrefixLengthOf(string key)
    {
        if (key[1] == '0')
        {
            return UnitKey.PrefixLength(Epc.Create(EpcScheme.Sscc, key[2..], known.Prefixes).Value!.ToString());
        }
        var gtin = UnitKey.GtinOf(key).ToString();
        if (!_products.TryGetValue(gtin, out var product))
        {
            _products.Add(gtin, product = ProductName.Of(gtin, known, s_patience));
        }
        return product.PrefixLength;
    }

    // A value that does not end where it must is over-long here, whatever may have been lost (LINES.md section 1).
    private static IntakeFault Of(ValueFinding finding, string got) => new(finding.Code == ValueCodes.SeparatorMissing ? IntakeCodes.Length : finding.Code, finding.Message, got);

    private sealed record ProductName(byte PrefixLength, Regex? Pattern, IntakeFault? Fault)
    {
        public static ProductName Of(string gtin, MasterDataSnapshot known, TimeSpan patience)
        {
            var named = Epc.Create(EpcScheme.Sgtin, gtin, known.Prefixes, "0");
            if (named.Finding is { } finding)
            {
                return new ProductName(0, null, UnitNames.Of(finding, gtin));
            }
            var product = known.Find(gtin);
            return new ProductName(product?.CompanyPrefixLength is { } length ? (byte)length : UnitKey.PrefixLength(named.Value!.ToString()),
                product?.SerialPattern is { } pattern ? new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, patience) : null, null);
        }
    }
}
