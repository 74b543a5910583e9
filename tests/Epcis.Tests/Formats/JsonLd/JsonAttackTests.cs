using System.Globalization;
using System.Text;
using Epcis.Formats;

namespace Epcis.Tests.Formats.JsonLd;

/// <summary>Input made to hurt: it is refused as broken, with a place, and nothing is thrown.</summary>
public class JsonAttackTests
{
    private static readonly string s_document = AJson.Document(AJson.Object("\"ilmd\":{\"ex:lot\":{\"ex:a\":[1,{\"ex:b\":\"c\"}]}}"));

    [Fact]
    public void The_document_attacked_below_is_sound() => Assert.Empty(JsonSamples.Read(s_document).Findings.All);

    [Theory]
    [InlineData("\"type\":\"EPCISDocument\",", "\"type\":\"EPCISDocument\",\"type\":\"EPCISDocument\",")]
    [InlineData("\"type\":\"EPCISDocument\",", "\"type\":\"EPCISDocument\",\"\\u0074ype\":\"EPCISDocument\",")]
    [InlineData("{\"eventList\":", "{\"eventList\":[],\"eventList\":")]
    [InlineData("{\"ex\":", "{\"ex\":\"https://b.example.com/\",\"ex\":")]
    [InlineData("\"action\":\"ADD\"", "\"action\":\"ADD\",\"action\":\"OBSERVE\"")]
    [InlineData("\"action\":\"ADD\"", "\"action\":\"ADD\",\"a\\u0063tion\":\"OBSERVE\"")]
    [InlineData("{\"ex:b\":\"c\"}", "{\"ex:b\":\"c\",\"ex:\\u0062\":\"d\"}")]
    public void A_member_that_stands_twice_is_refused_at_every_level(string sound, string attack) =>
        AssertBroken(s_document.Replace(sound, attack, StringComparison.Ordinal), "EPCIS-JSON-03");

    [Theory]
    [InlineData("\\u0000")]
    [InlineData("\\ud800")]
    [InlineData("\\udc00")]
    [InlineData("\\ud800x")]
    [InlineData("\\ud800\\n")]
    [InlineData("\\ud800\\ud800")]
    [InlineData("\\udc00\\ud800")]
    public void An_escape_that_is_no_text_is_refused_in_values_and_names(string escape)
    {
        AssertBroken(s_document.Replace("\"c\"", $"\"{escape}\"", StringComparison.Ordinal), "EPCIS-JSON-04");
        AssertBroken(s_document.Replace("\"ex:b\"", $"\"ex:{escape}\"", StringComparison.Ordinal), "EPCIS-JSON-04");
        AssertBroken(s_document.Replace("\"epcisBody\"", $"\"ex:{escape}\":1,\"epcisBody\"", StringComparison.Ordinal), "EPCIS-JSON-04");
    }

    [Fact]
    public void A_whole_surrogate_pair_is_text() =>
        Assert.Empty(JsonSamples.Read(s_document.Replace("\"c\"", "\"\\ud83d\\ude00\"", StringComparison.Ordinal)).Findings.All);

    [Fact]
    public void Bytes_that_are_not_utf8_are_refused()
    {
        var bytes = Encoding.UTF8.GetBytes(s_document);
        bytes[s_document.IndexOf("\"c\"", StringComparison.Ordinal) + 1] = 0xFF;
        var outcome = JsonSamples.Read(new MemoryStream(bytes), isBare: false);
        Assert.True(outcome.IsBroken);
        Assert.Equal(["EPCIS-JSON-04"], outcome.Codes);
    }

    [Theory]
    [InlineData(64, false)]
    [InlineData(65, true)]
    public void Depth_ends_at_sixty_four_levels(int levels, bool broken)
    {
        // Document, body, list, event and ilmd are five levels above.
        var deep = new string('[', levels - 5) + new string(']', levels - 5);
        var outcome = JsonSamples.Read(AJson.Document(AJson.Object("\"ilmd\":{\"ex:lot\":" + deep + "}")));
        Assert.Equal(broken, outcome.IsBroken);
        Assert.Equal(broken ? ["EPCIS-JSON-02"] : [], outcome.Codes);
    }

    [Theory]
    [InlineData("1e999")]
    [InlineData("-1e999")]
    [InlineData("1e-999999999999")]
    [InlineData("1E+00000000000000000000009999")]
    public void A_number_beyond_a_double_is_refused(string number) =>
        AssertBroken(s_document.Replace("[1,", $"[{number},", StringComparison.Ordinal), "EPCIS-JSON-02");

    [Theory]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("+1")]
    [InlineData("01")]
    [InlineData("0x1")]
    [InlineData("'a'")]
    public void What_is_no_json_is_malformed(string value) =>
        AssertBroken(s_document.Replace("[1,", $"[{value},", StringComparison.Ordinal), "EPCIS-JSON-01");

    [Fact]
    public void A_quantity_no_decimal_can_hold_is_an_error_of_its_event()
    {
        var outcome = JsonSamples.Read(AJson.Document(AJson.Object("\"quantityList\":[{\"epcClass\":\"urn:x:y\",\"quantity\":1e200}]")));
        Assert.Equal(["EPCIS-JSON-15"], outcome.Codes);
        Assert.False(outcome.IsBroken);
    }

    [Fact]
    public void A_remote_context_is_not_fetched_but_told()
    {
        var outcome = JsonSamples.Read(s_document.Replace("[\"https://ref", "[\"https://attacker.example.com/c.jsonld\",\"https://ref", StringComparison.Ordinal));
        var finding = Assert.Single(outcome.Findings.All);
        Assert.Equal(("EPCIS-JSON-17", Severity.Warning, "/@context/0"), (finding.Code, finding.Severity, finding.Where.Pointer));
    }

    [Fact]
    public void A_document_cut_anywhere_is_broken_and_throws_nothing()
    {
        var bytes = Encoding.UTF8.GetBytes(s_document);
        for (var length = 0; length < bytes.Length; length++)
        {
            var outcome = JsonSamples.Read(new MemoryStream(bytes, 0, length), isBare: false);
            Assert.True(outcome.IsBroken, length.ToString(CultureInfo.InvariantCulture));
            Assert.NotEmpty(outcome.Codes);
        }
    }

    [Fact]
    public void A_document_with_any_byte_replaced_throws_nothing()
    {
        var sound = Encoding.UTF8.GetBytes(s_document);
        foreach (var replacement in "\0\"{}[]:,\\x9\u00ff"u8.ToArray())
        {
            for (var i = 0; i < sound.Length; i++)
            {
                var bytes = sound.ToArray();
                bytes[i] = replacement;
                JsonSamples.Read(new MemoryStream(bytes), isBare: false);
            }
        }
    }

    [Theory]
    [InlineData("x")]
    [InlineData("{}")]
    [InlineData(",")]
    public void Anything_after_the_document_is_refused(string tail) => AssertBroken(s_document + tail, "EPCIS-JSON-01");

    [Fact]
    public void Limits_hold()
    {
        AssertLimited(new ReaderLimits { MaxBytes = 100 });
        AssertLimited(new ReaderLimits { MaxNameLength = 5 });
        AssertLimited(new ReaderLimits { MaxTextLength = 10 });
        AssertLimited(new ReaderLimits { MaxEvents = 0 });
        AssertLimited(new ReaderLimits { MaxAttributes = 4 });
        AssertLimited(new ReaderLimits { MaxDepth = 3 });
        AssertLimited(new ReaderLimits { MaxDepth = 7 });
    }

    private static void AssertLimited(ReaderLimits limits)
    {
        var outcome = JsonSamples.Read(new MemoryStream(Encoding.UTF8.GetBytes(s_document)), isBare: false, limits);
        Assert.True(outcome.IsBroken, limits.ToString());
        Assert.Equal(["EPCIS-JSON-02"], outcome.Codes);
    }

    private static void AssertBroken(string json, string code)
    {
        Assert.NotEqual(s_document, json);
        var outcome = JsonSamples.Read(new MemoryStream(Encoding.UTF8.GetBytes(json)), isBare: false);
        Assert.True(outcome.IsBroken);
        Assert.Equal([code], outcome.Codes);
        Assert.True(outcome.Findings.All[0].Where.Line > 0);
    }
}
