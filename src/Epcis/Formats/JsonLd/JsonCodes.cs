namespace Epcis.Formats.JsonLd;

/// <summary>What the JSON reader can find; a code never changes its meaning.</summary>
internal static class JsonCodes
{
    public const string Malformed = "EPCIS-JSON-01";
    public const string Limit = "EPCIS-JSON-02";
    public const string DuplicateMember = "EPCIS-JSON-03";
    public const string Characters = "EPCIS-JSON-04";
    public const string Missing = "EPCIS-JSON-05";
    public const string UnknownMember = "EPCIS-JSON-06";
    public const string WrongType = "EPCIS-JSON-07";
    public const string Vocabulary = "EPCIS-JSON-08";
    public const string Uri = "EPCIS-JSON-09";
    public const string Time = "EPCIS-JSON-10";
    public const string Pattern = "EPCIS-JSON-11";
    public const string NotUnique = "EPCIS-JSON-12";
    public const string TooFew = "EPCIS-JSON-13";
    public const string Combination = "EPCIS-JSON-14";
    public const string Number = "EPCIS-JSON-15";
    public const string NotEpcis = "EPCIS-JSON-16";

    // Warnings from here on.
    public const string UnknownContext = "EPCIS-JSON-17";
    public const string ProtectedTerm = "EPCIS-JSON-18";
    public const string ExtendedEvent = "EPCIS-JSON-19";
    public const string PersistentDispositionHere = "EPCIS-JSON-20";
    public const string LateContext = "EPCIS-JSON-21";
    public const string NoStandardContext = "EPCIS-JSON-22";
    public const string PassedOver = "EPCIS-JSON-23";
}

/// <summary>
/// Ends the reading of a document that cannot be read at all. It never leaves the reader, which turns it into a finding:
/// from inside a token loop there is no other short way out.
/// </summary>
internal sealed class JsonRefusal(string code, string message, Place place) : Exception(message)
{
    public string Code { get; } = code;
    public Place Place { get; } = place;
}
