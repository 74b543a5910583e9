using System.Text;
using Epcis.Formats;

namespace Epcis.Tests.Formats.Xml;

/// <summary>Nothing that is sent may throw, and each refusal says its own reason.</summary>
public class XmlHostileInputTests
{
    private const string Open = """<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0" creationDate="2026-01-01T00:00:00Z">""";
    private const string Close = "</epcis:EPCISDocument>";

    private static void IsRefused(string code, byte[] document, Place? where = null)
    {
        var reading = Gs1Xml.Read(document);
        Assert.True(reading.IsBroken);
        Assert.Equal((code, Severity.Error), (reading.Only.Code, reading.Only.Severity));
        if (where is { } place)
        {
            Assert.Equal(place, reading.Only.Where);
        }
    }

    private static void IsRefused(string code, string document, Place? where = null) => IsRefused(code, Encoding.UTF8.GetBytes(document), where);

    [Fact] public void A_doctype_is_refused_even_when_empty() => IsRefused("EPCIS-XML-02", "<!DOCTYPE project>" + Open + Close);

    [Theory]
    [InlineData("<!DOCTYPE a>", 1, 1)]
    [InlineData("<?xml version=\"1.0\"?><!DOCTYPE a>", 1, 22)]
    [InlineData("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\r\n  <!DOCTYPE a>", 3, 3)]
    [InlineData("<!-- a -->\t<!DOCTYPE a>", 1, 12)]
    [InlineData("<!-- <!DOCTYPE no>\n\u00e9 --><!DOCTYPE a>", 2, 6)]
    [InlineData("<?x?><!DOCTYPE a>", 1, 6)]
    [InlineData("<?x a\nb?><!DOCTYPE a [<!ENTITY b 'c'>]>", 2, 4)]
    public void A_doctype_is_found_at_its_place_in_any_encoding(string prolog, int line, int column)
    {
        IsRefused("EPCIS-XML-02", prolog + Open + Close, new Place(line, column));
        IsRefused("EPCIS-XML-02", [.. Encoding.UTF8.GetPreamble(), .. Encoding.UTF8.GetBytes(prolog + Open + Close)], new Place(line, column));
        var utf16 = prolog.Replace("utf-8", "utf-16", StringComparison.Ordinal) + Open + Close;
        IsRefused("EPCIS-XML-02", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(utf16)], new Place(line, column));
        IsRefused("EPCIS-XML-02", [.. Encoding.BigEndianUnicode.GetPreamble(), .. Encoding.BigEndianUnicode.GetBytes(utf16)], new Place(line, column));
    }

    [Fact]
    public void A_doctype_behind_the_root_is_found_there_too() => IsRefused("EPCIS-XML-02", Open + "\n" + Close + "\n <!DOCTYPE a>", new Place(3, 2));

    [Fact]
    public void An_entity_bomb_is_refused_at_its_doctype() => IsRefused("EPCIS-XML-02", """
        <!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
        <lolz>&c;</lolz>
        """);

    [Fact]
    public void An_external_entity_is_refused_at_its_doctype() =>
        IsRefused("EPCIS-XML-02", """<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>""");

    [Fact] public void An_undeclared_entity_is_not_well_formed() => IsRefused("EPCIS-XML-01", Open + "&x;" + Close);

    [Fact]
    public void A_hundred_thousand_levels_stop_at_the_depth_limit() =>
        IsRefused("EPCIS-XML-03", Open + string.Concat(Enumerable.Repeat("<a>", 100_000)));

    [Fact]
    public void Exactly_the_permitted_depth_is_read()
    {
        static string Nested(int levels) => Open + string.Concat(Enumerable.Repeat("<x:a xmlns:x='urn:x'>", levels)) + string.Concat(Enumerable.Repeat("</x:a>", levels)) + Close;
        Assert.False(Gs1Xml.Read(Nested(63)).IsBroken);
        IsRefused("EPCIS-XML-03", Nested(64));
    }

    [Fact]
    public void A_hundred_thousand_attributes_stop_at_the_limit() =>
        IsRefused("EPCIS-XML-03", Open + "<a " + string.Concat(Enumerable.Range(0, 100_000).Select(i => $"a{i}='' ")) + "/>" + Close);

    [Fact] public void A_huge_attribute_is_refused() => IsRefused("EPCIS-XML-03", Open + "<a b='" + new string('x', (1 << 20) + 1) + "'/>" + Close);

    [Fact] public void A_huge_text_is_refused() => IsRefused("EPCIS-XML-03", Open + "<a>" + new string('x', (1 << 20) + 1) + "</a>" + Close);

    [Fact]
    public void A_huge_text_in_small_pieces_is_refused() =>
        IsRefused("EPCIS-XML-03", Open + "<a>" + string.Concat(Enumerable.Repeat("<![CDATA[xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]]>", 40_000)) + "</a>" + Close);

    [Fact] public void A_long_name_is_refused() => IsRefused("EPCIS-XML-03", Open + "<" + new string('n', 257) + "/>" + Close);

    [Fact]
    public void An_endless_tag_is_refused_before_it_fills_the_memory()
    {
        var endless = new Endless(Encoding.ASCII.GetBytes(Open + "<a b='"), (byte)'x');
        using var reader = new Epcis.Formats.Xml.XmlEpcisReader(endless);
        Assert.False(reader.Read());
        Assert.True(reader.IsBroken);
        Assert.Equal("EPCIS-XML-03", Assert.Single(reader.Findings.All).Code);
        Assert.True(endless.Taken < 16 << 20, $"{endless.Taken} bytes were taken.");
    }

    [Fact]
    public void The_size_of_the_document_is_bounded()
    {
        var reading = Gs1Xml.Read(Open + new string(' ', 2000) + Close, limits: new ReaderLimits { MaxBytes = 1000 });
        Assert.True(reading.IsBroken);
        Assert.Equal("EPCIS-XML-03", reading.Only.Code);
    }

    [Fact]
    public void The_number_of_events_is_bounded()
    {
        var events = string.Concat(Enumerable.Repeat("<ObjectEvent/>", 3));
        var reading = Gs1Xml.Read(Open + "<EPCISBody><EventList>" + events + "</EventList></EPCISBody>" + Close, limits: new ReaderLimits { MaxEvents = 2 });
        Assert.Equal(2, reading.Events.Count);
        Assert.Equal("EPCIS-XML-03", reading.Only.Code);
        Assert.True(reading.IsBroken);
    }

    [Fact]
    public void A_truncated_document_gives_the_events_before_the_cut()
    {
        var reading = Gs1Xml.Read(Open + "<EPCISBody><EventList><ObjectEvent></ObjectEvent>\n<ObjectEv");
        Assert.Single(reading.Events);
        Assert.True(reading.IsBroken);
        Assert.Equal(("EPCIS-XML-01", 2), (reading.Only.Code, reading.Only.Where.Line));
    }

    [Fact] public void Nothing_after_the_root_goes_unread() => IsRefused("EPCIS-XML-01", Open + Close + "<again/>");

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("{\"type\":\"EPCISDocument\"}")]
    [InlineData("<a><b></a>")]
    [InlineData("<a>\u0001</a>")]
    [InlineData("<a b='1' b='2'/>")]
    [InlineData("<x:a/>")]
    public void What_is_no_xml_is_refused_and_never_thrown(string document)
    {
        var reading = Gs1Xml.Read(document);
        Assert.True(reading.Findings.HasErrors);
        Assert.Empty(reading.Events);
    }

    [Fact] public void A_wrong_end_tag_is_found_at_its_place() => IsRefused("EPCIS-XML-01", Open + "\n <a></b>" + Close, new Place(2, 7));

    [Fact]
    public void Bytes_that_are_no_utf8_are_an_encoding_error() =>
        IsRefused("EPCIS-XML-04", [.. Encoding.ASCII.GetBytes(Open + "<a>"), 0xC3, 0x28, .. Encoding.ASCII.GetBytes("</a>" + Close)]);

    [Theory]
    [InlineData("UTF-7")]
    [InlineData("UTF-16")]
    [InlineData("x-unknown")]
    [InlineData("ebcdic-cp-us")]
    public void An_encoding_that_the_bytes_do_not_have_is_refused(string encoding) =>
        IsRefused("EPCIS-XML-04", $"<?xml version=\"1.0\" encoding=\"{encoding}\"?>" + Open + Close);

    [Fact]
    public void Utf16_with_a_byte_order_mark_is_read_and_hides_no_doctype()
    {
        static byte[] Utf16(string text) => [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(text)];
        Assert.Empty(Gs1Xml.Read(Utf16(Open + Close)).Findings.All);
        using var opened = EpcisDocument.Open(new MemoryStream(Utf16(Open + Close)), ReaderLimits.Default);
        Assert.Equal(DocumentForm.Xml20, opened.Form);
        IsRefused("EPCIS-XML-02", Utf16("<!DOCTYPE a [<!ENTITY b 'c'>]>" + Open + Close));
    }

    [Fact]
    public void A_document_cut_or_changed_at_any_byte_never_throws()
    {
        var document = Encoding.UTF8.GetBytes("<?xml version=\"1.0\" encoding=\"utf-8\"?>" + Open + XmlEpcisReaderTests.Body20 + Close);
        for (var at = 0; at < document.Length; at++)
        {
            Gs1Xml.Read(document[..at]);
            foreach (var changed in new byte[] { 0, (byte)'<', (byte)'>', (byte)'"', (byte)'&', 0xFF })
            {
                var copy = (byte[])document.Clone();
                copy[at] = changed;
                Gs1Xml.Read(copy);
            }
        }
    }

    private sealed class Endless(byte[] start, byte then) : MemoryStream(start)
    {
        public long Taken { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            var read = base.Read(buffer);
            if (read == 0)
            {
                buffer.Fill(then);
                read = buffer.Length;
            }
            Taken += read;
            return read;
        }
    }
}
