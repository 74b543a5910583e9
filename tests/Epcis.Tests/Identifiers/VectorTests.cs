using System.Globalization;
using Epcis.Identifiers;

namespace Epcis.Tests.Identifiers;

public sealed class VectorTests
{
    private const string Folder = "standards/examples/identifiers/";
    private static readonly string[] OurTypes = ["SGTIN", "LGTIN", "SSCC", "SGLN"];

    private static int? Length(string text) => text.Length == 0 ? null : int.Parse(text, CultureInfo.InvariantCulture);

    [Fact]
    public void Every_strict_pair_is_translated_from_urn_to_digital_link()
    {
        var rows = CsvTable.Read(SharedFiles.Require(Folder + "epc-digitallink-pairs.csv"))
            .Where(r => r["strict"] == "yes" && r["direction"] == "urn-to-dl").ToList();
        Assert.NotEmpty(rows);
        Assert.All(rows, r => Assert.Equal(r["expected"], EpcUri.Parse(r["input"]).Value?.ToDigitalLink()));
    }

    [Fact]
    public void Every_strict_pair_of_our_keys_is_translated_from_digital_link_to_urn()
    {
        var rows = CsvTable.Read(SharedFiles.Require(Folder + "epc-digitallink-pairs.csv"))
            .Where(r => r["strict"] == "yes" && r["direction"] == "dl-to-urn" && OurTypes.Contains(r["type"])).ToList();
        Assert.NotEmpty(rows);
        Assert.All(rows, r =>
        {
            // Without a length the vector's author looked it up; here it is taken from the answer, never guessed.
            var length = Length(r["gcp_length"]) ?? EpcUri.Parse(r["expected"]).Value!.CompanyPrefix.Length;
            Assert.Equal(r["expected"], Identify.Any(r["input"], length).Value?.Urn);
        });
    }

    [Fact]
    public void Every_element_string_vector_agrees_in_all_forms()
    {
        var rows = CsvTable.Read(SharedFiles.Require(Folder + "element-strings.csv"));
        Assert.All(rows, r => Assert.Equal(r["digital_link"], EpcUri.Parse(r["epc_uri"]).Value?.ToDigitalLink()));
        Assert.All(rows, r => Assert.Null(EpcUri.Check(r["epc_uri"])));
        Assert.All(rows, r => Assert.Null(EpcUri.Check(r["digital_link"])));
        var ours = rows.Where(r => OurTypes.Contains(r["type"]) || r["type"] == "GTIN class").ToList();
        Assert.NotEmpty(ours);
        Assert.All(ours, r =>
        {
            var length = Length(r["gcp_length"]);
            Assert.Equal(r["epc_uri"], Identify.Any(r["element_string"], length).Value?.Urn);
            Assert.Equal(r["epc_uri"], Identify.Any(r["digital_link"], length).Value?.Urn);
            Assert.Equal(r["element_string"], Printed(r["epc_uri"]));
        });
    }

    private static string? Printed(string urn) =>
        Sgtin.FromUrn(urn).Value?.ToPrintedElementString()
        ?? Lgtin.FromUrn(urn).Value?.ToPrintedElementString()
        ?? GtinClass.FromUrn(urn).Value?.ToPrintedElementString()
        ?? Sscc.FromUrn(urn).Value?.ToPrintedElementString()
        ?? Sgln.FromUrn(urn).Value?.ToPrintedElementString();

    [Fact]
    public void Every_reject_is_refused_with_a_sentence()
    {
        var rows = CsvTable.Read(SharedFiles.Require(Folder + "rejects.csv"));
        Assert.NotEmpty(rows);
        // The identifier itself is wrong; links of other keys would need their prefix length to be.
        Assert.All(rows.Where(r => r["input"].StartsWith("urn:", StringComparison.Ordinal)),
            r => Assert.NotNull(EpcUri.Parse(r["input"]).Error));
        Assert.All(rows.Where(r => OurTypes.Contains(r["type"]) && r["operation"].StartsWith("toURN", StringComparison.Ordinal)),
            r => Assert.False(IsOf(r["type"], r["input"], Length(r["gcp_length"]) ?? 7)));
    }

    private static bool IsOf(string type, string input, int length) => type switch
    {
        "SGTIN" => Sgtin.FromDigitalLink(input, length).Ok || GtinClass.FromDigitalLink(input, length).Ok,
        "LGTIN" => Lgtin.FromDigitalLink(input, length).Ok,
        "SSCC" => Sscc.FromDigitalLink(input, length).Ok,
        _ => Sgln.FromDigitalLink(input, length).Ok,
    };

    [Fact]
    public void Verdicts_on_epc_uris_agree_except_where_the_source_leaves_escapes_out()
    {
        var rows = CsvTable.Read(SharedFiles.Require(Folder + "validity.csv"))
            .Where(r => r["input"].StartsWith("urn:epc:", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(rows);
        Assert.All(rows, r =>
        {
            var bareEscapable = r["input"].IndexOfAny(['"', '&', '/', '<', '>', '?']) >= 0 || r["input"].EndsWith('%');
            Assert.Equal(r["verdict"] == "valid" && !bareEscapable, EpcUri.Parse(r["input"]).Ok);
        });
    }

    [Fact]
    public void Verdicts_on_digital_links_with_check_digit_test_agree()
    {
        // One link leaves a slash in its serial unescaped, which makes it another path.
        var rows = CsvTable.Read(SharedFiles.Require(Folder + "validity.csv"))
            .Where(r => r["context"] == "validationContext" && !r["type"].StartsWith("GTIN", StringComparison.Ordinal)
                && !r["input"].Contains("!\"", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(rows);
        Assert.All(rows, r => Assert.Equal(r["verdict"] == "valid", DigitalLink.Parse(r["input"]).Ok));
    }

    [Fact]
    public void Identifiers_are_normalised_as_the_event_hash_vectors_say()
    {
        var rows = CsvTable.Read(SharedFiles.Require(Folder + "digitallink-normalisation.csv"));
        Assert.NotEmpty(rows);
        Assert.All(rows, r =>
        {
            var (input, expected) = (r["input"], r["normalised (empty = must be left alone)"]);
            var normal = EpcUri.IsEpcUri(input) ? EpcUri.Parse(input).Value?.ToDigitalLink() : EpcKey.Normalise(input);
            Assert.Equal(expected.Length == 0 ? input : expected, normal);
        });
    }
}
