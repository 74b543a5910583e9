using System.Diagnostics;
using System.Text.Json;

namespace Gateway.Journeys;

/// <summary><c>gateway convert</c> and <c>gateway hash</c>, as a shell sees them.</summary>
public sealed class ConversionCommandTests : IDisposable
{
    private const string Zone = "+01:00";

    private const string Event12 =
        "<epcis:EPCISDocument xmlns:epcis=\"urn:epcglobal:epcis:xsd:1\" schemaVersion=\"1.2\" creationDate=\"2026-01-31T12:00:00Z\"><EPCISBody><EventList><ObjectEvent>"
        + "<eventTime>2026-01-31T12:00:00Z</eventTime><eventTimeZoneOffset>" + Zone + "</eventTimeZoneOffset><epcList><epc>urn:epc:id:sgtin:4012345.011111.1</epc></epcList><action>OBSERVE</action>"
        + "<bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep></ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("convert");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_document_goes_to_json_by_the_standard_output_and_back_from_the_standard_input()
    {
        var json = await RunAsync(null, "convert", Write("a.xml", Event12), "--to", "2.0-json");
        Assert.Equal((0, ""), (json.ExitCode, json.Errors));
        using var document = JsonDocument.Parse(json.Output);
        Assert.Equal("shipping", document.RootElement.GetProperty("epcisBody").GetProperty("eventList")[0].GetProperty("bizStep").GetString());
        var xml = await RunAsync(json.Output, "convert", "-", "--to", "1.2-xml");
        Assert.Equal(0, xml.ExitCode);
        Assert.Contains("<bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>", xml.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipe_is_read_as_a_file_is()
    {
        var xml = await RunAsync(Event12, "convert", "/dev/stdin", "--to", "2.0-xml");
        Assert.Equal((0, ""), (xml.ExitCode, xml.Errors));
        Assert.Equal(0, (await RunAsync(Event12, "hash", "/dev/stdin")).ExitCode);
    }

    [Fact]
    public async Task Identifiers_and_terms_are_spelled_as_asked()
    {
        var link = await RunAsync(null, "convert", Write("a.xml", Event12), "--to", "2.0-xml", "--epc", "Always_GS1_Digital_Link", "--cbv", "Always_Web_URI", "--out", PathOf("b.xml"));
        Assert.Equal((0, $"{PathOf("b.xml")} is written.\n", ""), (link.ExitCode, link.Output, link.Errors));
        var written = await File.ReadAllTextAsync(PathOf("b.xml"), TestContext.Current.CancellationToken);
        Assert.Contains("<epc>https://id.gs1.org/01/04012345111118/21/1</epc>", written, StringComparison.Ordinal);
        Assert.Contains("https://ref.gs1.org/cbv/BizStep-shipping", written, StringComparison.Ordinal);
        var urn = await RunAsync(null, "convert", PathOf("b.xml"), "--to", "1.2-xml", "--gcp-lengths", Write("lengths.csv", "prefix,gcp_length\n4012345,7\n"));
        Assert.Equal(0, urn.ExitCode);
        Assert.Contains("<epc>urn:epc:id:sgtin:4012345.011111.1</epc>", urn.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_converted_is_told_and_leaves_the_file_as_it_was()
    {
        var source = Write("a.xml", Event12.Replace("12:00:00Z</eventTime>", "12:00:00</eventTime>", StringComparison.Ordinal));
        var target = Write("b.json", "before");
        var refused = await RunAsync(null, "convert", source, "--to", "2.0-json", "--out", target, "--json");
        Assert.Equal((1, ""), (refused.ExitCode, refused.Output));
        using var finding = JsonDocument.Parse(refused.Errors.Split('\n')[0]);
        Assert.Equal("error", finding.RootElement.GetProperty("severity").GetString());
        Assert.Contains("eventTime", finding.RootElement.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("before", await File.ReadAllTextAsync(target, TestContext.Current.CancellationToken));
        Assert.Equal(2, _folder.GetFiles().Length);
    }

    [Theory]
    [InlineData("convert", "--to", "3.0", "a.xml")]
    [InlineData("convert", "a.xml")]
    [InlineData("convert", "--to", "2.0-xml", "missing.xml")]
    [InlineData("convert", "--to", "2.0-xml", "--epc", "Sometimes", "a.xml")]
    [InlineData("convert", "--to", "2.0-xml", "--gcp-lengths", "missing.csv", "a.xml")]
    [InlineData("hash", "missing.xml")]
    [InlineData("hash", "--profile", "mine", "a.xml")]
    public async Task Wrong_use_ends_with_2(params string[] arguments)
    {
        Write("a.xml", Event12);
        Assert.Equal(2, (await RunAsync(null, arguments)).ExitCode);
    }

    [Fact]
    public async Task Every_event_has_its_line_with_its_hash()
    {
        var plain = await RunAsync(null, "hash", Write("a.xml", Event12), "--pre-hash");
        Assert.Equal((0, ""), (plain.ExitCode, plain.Errors));
        Assert.StartsWith("#0 ni:///sha-256;", plain.Output, StringComparison.Ordinal);
        Assert.Contains("\n  eventType=ObjectEventeventTime=2026-01-31T12:00:00.000Z", plain.Output, StringComparison.Ordinal);
        var hash = plain.Output.Split(' ', '\n')[1];

        string Named(string id) => Event12.Replace("</eventTimeZoneOffset>", $"</eventTimeZoneOffset><baseExtension><eventID>{id}</eventID></baseExtension>", StringComparison.Ordinal);
        var agreeing = await RunAsync(null, "hash", Write("b.xml", Named(hash)));
        Assert.Equal($"{hash} {hash} the eventID agrees by profile reference", agreeing.Output.Trim());
        var other = await RunAsync(Named("ni:///sha-256;00?ver=CBV2.0"), "hash", "-", "--json", "--profile", "cbv");
        Assert.Equal(0, other.ExitCode);
        using var line = JsonDocument.Parse(other.Output);
        Assert.False(line.RootElement.GetProperty("agrees").GetBoolean());
        Assert.Equal(1, (await RunAsync("<not closed", "hash", "-")).ExitCode);
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private string Write(string name, string text)
    {
        File.WriteAllText(PathOf(name), text);
        return PathOf(name);
    }

    private async Task<(int ExitCode, string Output, string Errors)> RunAsync(string? input, params string[] verb)
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = _folder.FullName };
        foreach (var argument in (IEnumerable<string>)[Path.Combine(AppContext.BaseDirectory, "Gateway.Host.dll"), .. verb])
        {
            info.ArgumentList.Add(argument);
        }
        using var process = Process.Start(info)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await errors);
    }
}
