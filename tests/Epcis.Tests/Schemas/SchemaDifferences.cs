using System.Globalization;
using System.Text;

namespace Epcis.Tests.Schemas;

/// <summary>
/// A known and intended difference between the verdict of GS1's schemas and ours, with a document that shows it.
/// <c>docs/schema-differences.md</c> is made of this table.
/// </summary>
/// <param name="Forms">The forms of documents it concerns.</param>
/// <param name="Gs1">What GS1's schema says of the example.</param>
/// <param name="Ours">What the gateway's reader, with our schemas, says.</param>
internal sealed record SchemaDifference(string Topic, string Forms, Verdict Gs1, Verdict Ours, string Reason, string Example)
{
    /// <summary>The code of the finding that tells it; empty where we accept.</summary>
    public string Code { get; init; } = "";

    /// <summary>GS1's verdict depends on what the library ajv-formats makes of the schema's formats.</summary>
    public bool IsOfLibrary { get; init; }

    /// <summary>Whether a finding in any JSON document tells this difference and no violation of the schema.</summary>
    public Func<Finding, bool> Tells { get; init; } = _ => false;

    public override string ToString() => Topic;
}

internal enum Verdict
{
    Accepts,
    Refuses,
}

internal static class SchemaDifferences
{
    private const string Xml = "1.2 XML, 2.0 XML";
    private const string Xml20 = "2.0 XML";
    private const string Json = "2.0 JSON";

    private const string Open20 = """<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:x="urn:x:other" schemaVersion="2.0" creationDate="2026-01-01T00:00:00Z">""";
    private const string Times20 = "<eventTime>2026-01-01T00:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>";

    public static IReadOnlyList<SchemaDifference> All { get; } =
    [
        new("A DOCTYPE", Xml, Verdict.Accepts, Verdict.Refuses,
            "A schema cannot speak about it, and a reader that honours it can be made to fetch files and to fill its memory. No EPCIS document needs one. Twelve of GS1's own 2.0 examples begin with an empty `<!DOCTYPE project>`; real senders remove that line.",
            "<!DOCTYPE project>" + Document20("")) { Code = "EPCIS-XML-02" },
        new("A root element that no schema declares, such as a bare event", Xml, Verdict.Accepts, Verdict.Refuses,
            "XML Schema judges what it does not know leniently: any XML passes with a warning. A document that is none of EPCIS carries no events we could keep.",
            "<ObjectEvent>" + Times20 + "</ObjectEvent>") { Code = "EPCIS-XML-06" },
        new("`xsi:type` that names a type which only GS1's files have", Xml, Verdict.Accepts, Verdict.Refuses,
            "Names of types are how a schema is written, not what a document says. Ours keeps the names of events, of shared lists, of `DateTimeStamp` and of query parameters. No sample names another.",
            Document20(Object20("<readPoint><id xsi:type=\"epcis:ReadPointIDType\">urn:x:1</id></readPoint>"))) { Code = "EPCIS-XSD-01" },
        new("`xsi:type` that names the plain type GS1 has a renamed copy of", Xml, Verdict.Refuses, Verdict.Accepts,
            "The other side of the same: `xsd:anyURI` is the type of the value, under whatever name.",
            Document20(Object20("<readPoint><id xsi:type=\"xsd:anyURI\">urn:x:1</id></readPoint>"))),
        new("More than 64 levels, 256 attributes, names of 256 or texts of 1,048,576 characters, or a million elements and attributes in one event", Xml, Verdict.Accepts, Verdict.Refuses,
            "A reader without bounds can be filled by one document. The bounds lie far beyond every sample.",
            Document20(Object20(string.Concat(Enumerable.Repeat("<x:a>", 70)) + string.Concat(Enumerable.Repeat("</x:a>", 70))))) { Code = "EPCIS-XML-03" },

        new("A bare event where a document is expected", Json, Verdict.Accepts, Verdict.Refuses,
            "GS1's schema has one root for documents and single events. Single events are taken where the standard takes them, at `POST /events`; there the verdicts are equal.",
            "{\"@context\":\"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld\"," + ObjectJson("")[1..]) { Code = "EPCIS-JSON-08" },
        new("A member that stands twice in one object, under whatever escapes", Json, Verdict.Accepts, Verdict.Refuses,
            "RFC 8259 leaves open which one counts, so two systems could read two different events from one document.",
            DocumentJson(ObjectJson("\"bizStep\":\"packing\",\"biz\\u0053tep\":\"shipping\"")))
        {
            Code = "EPCIS-JSON-03",
            Tells = f => f.Code == "EPCIS-JSON-03",
        },
        new("Half of a surrogate pair, or NUL, in a text or name", Json, Verdict.Accepts, Verdict.Refuses,
            "They are legal escapes and no characters: UTF-8 cannot carry the one, PostgreSQL the other, so they could not be kept unchanged.",
            DocumentJson(ObjectJson("\"ex:a\":\"\\ud800\"")))
        {
            Code = "EPCIS-JSON-04",
            Tells = f => f.Code == "EPCIS-JSON-04",
        },
        new("More than 64 levels, 256 members, names of 256 or texts of 1,048,576 characters, a million values in one event, or a number beyond a double", Json, Verdict.Accepts, Verdict.Refuses,
            "As in XML. Beyond a double readers disagree on a number: infinity, zero, or an error.",
            DocumentJson(ObjectJson("\"ex:a\":1e999")))
        {
            Code = "EPCIS-JSON-02",
            Tells = f => f.Code == "EPCIS-JSON-02",
        },
        new("A quantity beyond 28 digits", Json, Verdict.Accepts, Verdict.Refuses,
            "It could not be counted exactly. Other numbers are kept as they are written.",
            DocumentJson(ObjectJson("\"quantityList\":[{\"epcClass\":\"urn:x:c\",\"quantity\":1e200}]")))
        {
            Code = "EPCIS-JSON-15",
            Tells = f => f.Code == "EPCIS-JSON-15",
        },
        new("An instant before the year 1 or after the year 9999 in UTC", Json, Verdict.Accepts, Verdict.Refuses,
            "The form is RFC 3339's, the instant is none that a database or a calendar here can hold.",
            DocumentJson(ObjectJson("\"recordTime\":\"0000-01-01T00:00:00Z\"")))
        {
            Code = "EPCIS-JSON-10",
            Tells = f => f.Code == "EPCIS-JSON-10" && f.Got is { } got
                && (got.StartsWith("0000-", StringComparison.Ordinal) || got.StartsWith("0001-01-01", StringComparison.Ordinal) || got.StartsWith("9999-12-31", StringComparison.Ordinal)),
        },

        new("`x:`, a URI whose path is empty", Json, Verdict.Refuses, Verdict.Accepts,
            "RFC 3986 allows it; ajv-formats does not.",
            DocumentJson(ObjectJson("\"eventID\":\"x:\""))) { IsOfLibrary = true },
        new("`x:/u@[::1]`, brackets outside an authority", Json, Verdict.Accepts, Verdict.Refuses,
            "RFC 3986 has brackets behind `//` only; ajv-formats takes one slash, too.",
            DocumentJson(ObjectJson("\"eventID\":\"x:/u@[::1]\""))) { IsOfLibrary = true, Code = "EPCIS-JSON-09" },
        new("A blank between date and time", Json, Verdict.Accepts, Verdict.Refuses,
            "RFC 3339's grammar has a `T`; its note on blanks is about display. ajv-formats takes any white space.",
            DocumentJson(ObjectJson("\"recordTime\":\"2026-01-01 00:00:00Z\""))) { IsOfLibrary = true, Code = "EPCIS-JSON-10" },
        new("`+0100` or `+01` as the zone of a time", Json, Verdict.Accepts, Verdict.Refuses,
            "RFC 3339 has a colon and both numbers; ajv-formats asks for neither.",
            DocumentJson(ObjectJson("\"recordTime\":\"2026-01-01T00:00:00+0100\""))) { IsOfLibrary = true, Code = "EPCIS-JSON-10" },
    ];

    /// <summary>Whether a finding tells what we refuse beyond the schema, and no violation of the schema.</summary>
    public static bool IsBeyondSchema(Finding finding) => All.Any(d => d.Tells(finding));

    /// <summary>Where both verdicts are equal although the standard's papers are not.</summary>
    private static readonly (string Topic, string Choice)[] s_contradictions =
    [
        ("Twelve of GS1's 2.0 XML examples carry `<!DOCTYPE project>`, which the schemas do not know",
            "Refused, see above. It is the only point in which an official example is refused."),
        ("`event_with_identical_hash_id_7.json` of GS1's examples writes `urn:epcglobal:cbv:…` URNs, which GS1's JSON Schema refuses",
            "Refused as the schema says: JSON has bare words. The finding names the word that is meant."),
        ("GS1's JSON-LD context calls header master data `masterData`, GS1's JSON Schema and examples `epcisMasterData`",
            "`epcisMasterData`, which is what senders write; `masterData` is refused as an unknown member."),
        ("`persistentDisposition` in Aggregation, Association and Transaction events: GS1's JSON Schema knows the name and never checks the value, the prose has no such field, the development edition of the schema forbids it",
            "Accepted with a warning, and the value is looked at: a wrong one is a warning, too."),
        ("The edition of the 2.0 XSD in GS1's development repository has `quantity` as `xsd:decimal`, the published one as `xsd:double`",
            "As published: `1E3`, `INF` and `NaN` pass the schema. A rule, not the schema, says that a quantity is a positive number."),
        ("The DSCSA guideline puts its elements directly into the header, where 1.2 has a place and the 2.0 XSD has none",
            "Accepted in 1.2. In 2.0 they belong after the body in XML, or into `epcisHeader` with a prefix in JSON."),
        ("1.2 `eventTime` is a plain `xsd:dateTime`, so a time without zone passes the schema, against the prose",
            "The schema's verdict is kept; the rule EPCIS-TIME-01 reports it, as other rules report what no schema says (ILMD with OBSERVE, an aggregation without parent, a declaration without time)."),
    ];

    /// <summary>The text of <c>docs/schema-differences.md</c>.</summary>
    public static string Page()
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"""
            # Where our verdict differs from GS1's schemas

            Version {typeof(Finding).Assembly.GetName().Version!.ToString(3)}

            This page is made from the table in `tests/Epcis.Tests/Schemas/SchemaDifferences.cs`; a test holds the two together and tries every example. Whatever is not listed here gets the verdict of GS1's published schemas: the XSDs of EPCIS 1.2 and 2.0.0 and the JSON Schema 2.0.1, with `format` asserted. That is proved on every public sample, on every single change to sparse documents, and on seeded damage to samples and to documents that use every element; `GATEWAY_MUTATIONS=full ./test.sh` tries 25,000 damaged documents of each form. The reference for JSON is ajv.

            ## Differences


            """);
        foreach (var group in All.GroupBy(d => d.IsOfLibrary))
        {
            if (group.Key)
            {
                page.Append("\nWho validates with ajv and ajv-formats sees more, which are that library's reading of `uri` and `date-time`:\n\n");
            }
            page.Append("| What | Form | GS1's schema | The gateway | Why |\n| --- | --- | --- | --- | --- |\n");
            foreach (var d in group)
            {
                page.Append(CultureInfo.InvariantCulture, $"| {d.Topic} | {d.Forms} | {Word(d.Gs1)} | {Word(d.Ours)}{(d.Code.Length == 0 ? "" : $", {d.Code}")} | {d.Reason} |\n");
            }
        }
        page.Append("\n## Where GS1's papers contradict each other\n\n| What | What the gateway does |\n| --- | --- |\n");
        foreach (var (topic, choice) in s_contradictions)
        {
            page.Append(CultureInfo.InvariantCulture, $"| {topic} | {choice} |\n");
        }
        return page.ToString();
    }

    private static string Word(Verdict verdict) => verdict == Verdict.Accepts ? "accepts" : "refuses";

    private static string Document20(string events) => Open20 + "<EPCISBody><EventList>" + events + "</EventList></EPCISBody></epcis:EPCISDocument>";

    private static string Object20(string more) => "<ObjectEvent>" + Times20 + "<epcList/><action>ADD</action>" + more + "</ObjectEvent>";

    private static string DocumentJson(string events) =>
        "{\"@context\":[\"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld\",{\"ex\":\"https://ns.example.org/\"}],\"type\":\"EPCISDocument\","
        + "\"schemaVersion\":\"2.0\",\"creationDate\":\"2026-01-01T00:00:00Z\",\"epcisBody\":{\"eventList\":[" + events + "]}}";

    private static string ObjectJson(string more) =>
        "{\"type\":\"ObjectEvent\",\"eventTime\":\"2026-01-01T00:00:00Z\",\"eventTimeZoneOffset\":\"+00:00\",\"action\":\"ADD\",\"epcList\":[]"
        + (more.Length == 0 ? "" : "," + more) + "}";
}
