using System.IO.Compression;
using System.Net;
using System.Text;

namespace Gateway.Journeys.Faults;

/// <summary>FT-34: what inflates too far, is cut, or is not one layer of gzip is refused alike at every entry point, and never with 500.</summary>
public sealed class CompressionBombTests(AttackedGateway gateway) : IClassFixture<AttackedGateway>
{
    private const string Sound = """
        <epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-03-01T10:00:00Z"><EPCISBody><EventList><ObjectEvent>
        <eventTime>2026-03-01T10:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sgtin:4012345.011111.SERIAL</epc></epcList>
        <action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep></ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>
        """;

    [Theory]
    [InlineData("bomb", 413, "GW-CAP-04")]
    [InlineData("bomb behind a sound document", 413, "GW-CAP-04")]
    [InlineData("members of a bomb", 413, "GW-CAP-04")]
    [InlineData("nested", 400, "GW-CAP-05")]
    [InlineData("two members", 400, "GW-CAP-10")]
    [InlineData("a member and garbage", 400, "GW-CAP-10")]
    [InlineData("truncated", 400, "GW-CAP-10")]
    [InlineData("truncated in its trailer", 400, "GW-CAP-10")]
    [InlineData("wrong length", 400, "GW-CAP-10")]
    [InlineData("wrong checksum", 400, "GW-CAP-10")]
    [InlineData("damaged", 400, "GW-CAP-10")]
    [InlineData("only its header", 400, "GW-CAP-10")]
    [InlineData("not compressed", 400, "GW-CAP-10")]
    public async Task A_gzip_that_lies_is_refused(string what, int status, string code)
    {
        var sound = Encoding.UTF8.GetBytes(gateway.Arm(Sound));
        var packed = Gzip(sound);
        byte[] body = what switch
        {
            "bomb" => Gzip([.. "<a>"u8, .. new byte[FaultScale.Of(64, 500) << 20].Select(_ => (byte)' ')]),
            "bomb behind a sound document" => Gzip([.. sound, .. Enumerable.Repeat((byte)' ', 64 << 20)]),
            "members of a bomb" => [.. packed, .. Enumerable.Repeat(Gzip([.. Enumerable.Repeat((byte)' ', 8 << 20)]), 16).SelectMany(m => m)],
            "nested" => Gzip(packed),
            "two members" => [.. Gzip(sound[..100]), .. Gzip(sound[100..])],
            "a member and garbage" => [.. packed, .. "garbage"u8],
            "truncated" => packed[..(packed.Length / 2)],
            "truncated in its trailer" => packed[..^3],
            "wrong length" => Changed(packed, packed.Length - 2),
            "wrong checksum" => Changed(packed, packed.Length - 7),
            "damaged" => Changed(packed, packed.Length / 2),
            "only its header" => packed[..10],
            _ => sound,
        };
        foreach (var path in (string[])["capture", "api/check"])
        {
            var (answered, problem) = await gateway.PostAsync(path, body, "application/xml", "gzip");
            if (code == "GW-CAP-05" && path == "api/check")
            {
                Assert.Equal((HttpStatusCode.OK, false), (answered, problem.GetProperty("valid").GetBoolean()));
                continue;
            }
            Assert.Equal((status, code), ((int)answered, problem.GetProperty("code").GetString()));
        }
    }

    [Theory]
    [InlineData("br")]
    [InlineData("deflate")]
    [InlineData("zstd")]
    [InlineData("gzip, gzip")]
    [InlineData("gzip, br")]
    [InlineData("x-gzip")]
    [InlineData("compress")]
    public async Task Any_other_encoding_is_not_supported(string encoding)
    {
        foreach (var path in (string[])["capture", "api/check"])
        {
            var (status, problem) = await gateway.PostAsync(path, Gzip(Encoding.UTF8.GetBytes(gateway.Arm(Sound))), "application/xml", encoding);
            Assert.Equal((HttpStatusCode.UnsupportedMediaType, "GW-CAP-02"), (status, problem.GetProperty("code").GetString()));
        }
    }

    [Fact]
    public async Task A_sound_gzip_is_captured_whatever_its_optional_fields_say()
    {
        var packed = Gzip(Encoding.UTF8.GetBytes(gateway.Arm(Sound)));
        byte[] named = [.. packed[..3], 0x08, .. packed[4..10], .. "../../etc/passwd\0"u8, .. packed[10..]]; // RFC 1952, FNAME
        var (status, job) = await gateway.PostAsync("capture", named, "application/xml", "gzip");
        Assert.Equal(HttpStatusCode.Accepted, status);
        Assert.True((await gateway.Gateway.JobAsync(new Uri($"capture/{job.GetProperty("captureID").GetString()}", UriKind.Relative))).GetProperty("success").GetBoolean());
    }

    private static byte[] Changed(byte[] bytes, int at)
    {
        var changed = (byte[])bytes.Clone();
        changed[at] ^= 0x55;
        return changed;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(bytes);
        }
        return buffer.ToArray();
    }
}
