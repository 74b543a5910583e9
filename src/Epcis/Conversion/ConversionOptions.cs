using Epcis.Formats;
using Epcis.Formats.Xml;
using Epcis.Identifiers;

namespace Epcis.Conversion;

/// <summary>How GS1 identifiers are written (EPCIS 2.0, <c>GS1-EPC-Format</c>).</summary>
public enum EpcFormat
{
    /// <summary>As they came; EPCIS 1.2, which wants EPC URIs, gets them where the length of the company prefix is known.</summary>
    NoPreference,

    /// <summary>Canonical Digital Links at <c>https://id.gs1.org</c>.</summary>
    AlwaysDigitalLink,

    /// <summary>EPC URIs. A Digital Link whose company prefix has no known length stays, and a finding tells of it.</summary>
    AlwaysEpcUrn,

    /// <summary>Exactly as they came, whatever the target.</summary>
    NeverTranslates,
}

/// <summary>What a conversion makes, and how it spells it.</summary>
public sealed record ConversionOptions(DocumentForm To)
{
    /// <summary>How identifiers of objects, places, parties and transactions are written.</summary>
    public EpcFormat EpcFormat { get; init; }

    /// <summary>For EPC URIs from Digital Links. A Digital Link whose company prefix is not known stays as it is.</summary>
    public CompanyPrefixes CompanyPrefixes { get; init; } = CompanyPrefixes.None;

    /// <summary>For XML 2.0: 1.2 knows only URNs, and JSON only its bare words.</summary>
    public CbvSpelling Cbv { get; init; }

    /// <summary>Carry what EPCIS 1.2 does not know in extensions, which its receivers may pass over, instead of refusing.</summary>
    public bool Carry { get; init; }
}
