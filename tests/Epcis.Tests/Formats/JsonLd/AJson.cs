namespace Epcis.Tests.Formats.JsonLd;

/// <summary>Small JSON documents to vary.</summary>
internal static class AJson
{
    public const string Context = "[\"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld\",{\"ex\":\"https://ns.example.com/epcis/\"}]";

    private const string Times = "\"eventTime\":\"2026-01-31T13:05:00.000+01:00\",\"eventTimeZoneOffset\":\"+01:00\"";

    public static string Document(params string[] events) =>
        "{\"@context\":" + Context + ",\"type\":\"EPCISDocument\",\"schemaVersion\":\"2.0\",\"creationDate\":\"2026-01-31T13:05:00Z\",\"epcisBody\":{\"eventList\":["
        + string.Join(',', events) + "]}}";

    public static string Event(string type, string members) =>
        "{\"type\":\"" + type + "\"," + Times + (members.Length == 0 ? "" : "," + members) + "}";

    /// <summary>An ObjectEvent that adds one EPC.</summary>
    public static string Object(string? members = null, string action = "ADD") =>
        Event("ObjectEvent", $"\"action\":\"{action}\",\"epcList\":[\"urn:epc:id:sgtin:0614141.107346.2017\"]" + (members is null ? "" : "," + members));
}
