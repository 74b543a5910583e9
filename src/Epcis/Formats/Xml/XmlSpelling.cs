using System.Collections.Frozen;
using System.Globalization;
using Epcis.Cbv;
using Epcis.Events;
using Epcis.Formats.JsonLd;
using Epcis.Identifiers;

namespace Epcis.Formats.Xml;

/// <summary>How CBV values are written in XML (EPCIS 2.0, <c>GS1-CBV-XML-Format</c>). EPCIS 1.2 knows only URNs.</summary>
public enum CbvSpelling
{
    /// <summary>As they came; the bare words of JSON become Web URIs.</summary>
    Kept,

    /// <summary><c>https://ref.gs1.org/cbv/BizStep-shipping</c>.</summary>
    WebUri,

    /// <summary><c>urn:epcglobal:cbv:bizstep:shipping</c>.</summary>
    Urn,
}

/// <summary>Values as an edition of EPCIS XML spells them; what 1.2 receivers may not understand is told.</summary>
internal sealed class XmlSpelling(XmlElements xml, bool is12, CbvSpelling cbv)
{
    private const string NotUnderstood = "EPCIS-OUT-03";
    private const string NotWritable = "EPCIS-OUT-02";

    // New since CBV 1.2.1.
    private static readonly FrozenSet<string> s_newTerms = FrozenSet.Create(
        "sampling", "sensor_reporting", "available", "completeness_inferred", "completeness_verified", "conformant", "container_open",
        "mismatch_class", "mismatch_instance", "mismatch_quantity", "needs_replacement", "non_conformant", "unavailable",
        "cert", "testprd", "testres", "upevt");

    public string? Term(CbvVocabulary vocabulary, string? value)
    {
        if (string.IsNullOrEmpty(value))
        {
            return value;
        }
        if (is12)
        {
            if (CbvTerms.BareOrNull(vocabulary, value) is { } bare && s_newTerms.Contains(bare))
            {
                xml.Tell(NotUnderstood, Severity.Warning, $"'{bare}' is a term of CBV 2.0, which receivers of EPCIS 1.2 may not know.", value);
            }
            return CbvTerms.ToUrn(vocabulary, value);
        }
        return cbv switch
        {
            CbvSpelling.Urn => CbvTerms.ToUrn(vocabulary, value),
            CbvSpelling.WebUri => CbvTerms.ToWebUri(vocabulary, value),
            _ => value.Contains(':', StringComparison.Ordinal) ? value : CbvTerms.ToWebUri(vocabulary, value),
        };
    }

    public string? Identifier(string? value)
    {
        if (is12 && value is not null && DigitalLink.IsCandidate(value) && DigitalLink.Parse(value).Value is not null)
        {
            xml.Tell(NotUnderstood, Severity.Warning, "EPCIS 1.2 wants EPC URIs; a Digital Link does not say how long its company prefix is.", value);
        }
        return value;
    }

    /// <summary>1.2 has decimals; <c>1E3</c> is rewritten, <c>INF</c> cannot be said.</summary>
    public string? Quantity(QuantityElement quantity)
    {
        var text = quantity.QuantityText ?? quantity.Quantity?.ToString(CultureInfo.InvariantCulture);
        if (!is12 || text is null || text.AsSpan().TrimStart("+-").IndexOfAnyExcept("0123456789.") < 0)
        {
            return text;
        }
        if (quantity.Quantity is { } number)
        {
            return number.ToString(CultureInfo.InvariantCulture);
        }
        xml.Tell(NotWritable, Severity.Error, "EPCIS 1.2 cannot say this quantity; it is left out.", text);
        return null;
    }

    /// <summary>The bare words of JSON are URIs in XML; everything else stays as written.</summary>
    public static string SensorValue(SensorField field) => (field.Namespace.Length == 0 ? field.Name : "") switch
    {
        "type" when JsonVocabulary.MeasurementTypes.IsWord(field.Value) => "https://gs1.org/voc/" + field.Value,
        "exception" when JsonVocabulary.SensorAlertTypes.IsWord(field.Value) => "https://gs1.org/voc/" + field.Value,
        "component" when JsonVocabulary.Components.IsWord(field.Value) => "https://ref.gs1.org/cbv/Comp-" + field.Value,
        _ => field.Value,
    };
}
