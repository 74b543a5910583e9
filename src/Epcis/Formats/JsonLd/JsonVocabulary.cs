using System.Collections.Frozen;

namespace Epcis.Formats.JsonLd;

/// <summary>One vocabulary whose own terms JSON writes as bare words; any other URI is a user's term.</summary>
internal sealed class JsonVocabulary
{
    public static readonly JsonVocabulary BizSteps = new("bizStep", "bizstep", "BizStep-",
        "accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting " +
        "decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting " +
        "installing killing loading other packing picking receiving removing repackaging repairing replacing reserving " +
        "retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting " +
        "unloading unpacking void_shipping");

    public static readonly JsonVocabulary Dispositions = new("disposition", "disp", "Disp-",
        "active available completeness_inferred completeness_verified conformant container_closed container_open " +
        "damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class " +
        "mismatch_instance mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other " +
        "partially_dispensed recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen " +
        "unavailable unknown");

    public static readonly JsonVocabulary BizTransactionTypes = new("business transaction type", "btt", "BTT-",
        "bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt");

    public static readonly JsonVocabulary SourceDestTypes = new("source or destination type", "sdt", "SDT-",
        "location owning_party possessing_party");

    public static readonly JsonVocabulary ErrorReasons = new("error reason", "er", "ER-",
        "did_not_occur incorrect_data");

    public static readonly JsonVocabulary Components = new("component", "", "Comp-",
        "altitude axial_distance azimuth easting elevation_angle height latitude longitude northing polar_angle " +
        "spherical_radius x y z");

    public static readonly JsonVocabulary MeasurementTypes = new("measurement type", "", "",
        "AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance " +
        "AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance " +
        "Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity " +
        "ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency " +
        "Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux " +
        "LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate " +
        "MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux " +
        "RadiantIntensity Radioactivity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed " +
        "SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction " +
        "VolumetricFlux Wavenumber");

    public static readonly JsonVocabulary SensorAlertTypes = new("sensor alert type", "", "",
        "ALARM_CONDITION ERROR_CONDITION");

    private const string CbvUrn = "urn:epcglobal:cbv:";
    private static readonly string[] s_cbvWeb = ["https://ref.gs1.org/cbv/", "http://ref.gs1.org/cbv/", "https://ns.gs1.org/cbv/", "http://ns.gs1.org/cbv/", "cbv:"];
    private static readonly string[] s_gs1Voc = ["https://gs1.org/voc/", "http://gs1.org/voc/", "https://www.gs1.org/voc/", "http://www.gs1.org/voc/", "gs1:"];

    private readonly FrozenSet<string> _words;
    private readonly string _urn;
    private readonly string _web;

    private JsonVocabulary(string what, string urn, string web, string words)
    {
        What = what;
        _words = words.Split(' ').ToFrozenSet(StringComparer.Ordinal);
        _urn = urn.Length == 0 ? "" : CbvUrn + urn + ":";
        _web = web;
    }

    public string What { get; }

    // Measurement and alert types come from GS1's web vocabulary, all others from the CBV.
    private bool IsGs1Voc => _web.Length == 0;

    /// <summary>A bare word of the list, or a URI that is not another spelling of such a word.</summary>
    public bool Accepts(string value) => _words.Contains(value) || (JsonFormats.IsUri(value) && !IsOtherSpelling(value));

    public bool IsWord(string value) => _words.Contains(value);

    private bool IsOtherSpelling(string uri) => IsGs1Voc
        ? s_gs1Voc.Any(p => p != "gs1:" && uri.StartsWith(p, StringComparison.Ordinal))
        : uri.StartsWith("urn:epcglobal:cbv", StringComparison.Ordinal)
            || uri.StartsWith("https://ns.gs1.org/cbv/", StringComparison.Ordinal)
            || uri.StartsWith("http://ns.gs1.org/cbv/", StringComparison.Ordinal);

    /// <summary>
    /// The JSON spelling of a value written in any. A CBV URN that JSON has no word for becomes a Web URI, since JSON
    /// refuses the URN.
    /// </summary>
    public string ToJson(string value)
    {
        if (_urn.Length > 0 && value.StartsWith(_urn, StringComparison.Ordinal))
        {
            var word = value[_urn.Length..];
            return _words.Contains(word) ? word : s_cbvWeb[0] + _web + word;
        }
        foreach (var prefix in IsGs1Voc ? s_gs1Voc : s_cbvWeb)
        {
            if (value.StartsWith(prefix + _web, StringComparison.Ordinal) && value[(prefix.Length + _web.Length)..] is var word && _words.Contains(word))
            {
                return word;
            }
        }
        return value;
    }
}
