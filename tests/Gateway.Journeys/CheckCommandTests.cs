using System.Diagnostics;
using Gateway.Host.Commands;
using Gateway.TestSupport;

namespace Gateway.Journeys;

/// <summary><c>gateway check</c> as a shell calls it.</summary>
public sealed class CheckCommandTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static string Sample(string name) => Path.Combine(Repository.Root, "samples", name);

    [Theory]
    [InlineData(0, "dscsa-shipment.xml: 1.2-xml", "dscsa-shipment.xml")]
    [InlineData(0, "valid", "dscsa-shipment.xml", "--profile", "dscsa-1.3")]
    [InlineData(1, "error DSCSA-NDC-02", "dscsa-shipment.xml", "--profile", "dscsa-1.2")]
    [InlineData(1, "error CBV-TERM-03", "--profile", "cbv-compliant", "shipment-2.0.xml", "own-step.xml")]
    [InlineData(0, "own-step.xml: 2.0-xml", "--profile", "cbv-compatible", "own-step.xml")]
    [InlineData(1, "refused-missing-parent.xml", "refused-*.xml")]
    [InlineData(1, " at line 1, column 1: 'type' is missing.", "nothing.json")]
    [InlineData(0, "commissioning.json: 2.0-json", "**/commissioning.json", "--json")]
    [InlineData(2, "There is no file nowhere.xml", "dscsa-shipment.xml", "nowhere.xml")]
    [InlineData(2, "No file fits the pattern *.txt", "*.txt")]
    [InlineData(2, "needs --rules all", "dscsa-shipment.xml", "--rules", "schema", "--profile", "dscsa-1.3")]
    [InlineData(2, "dscsa-1.3", "dscsa-shipment.xml", "--profile", "dscsa-9")]
    public async Task The_exit_code_and_the_words_tell_the_verdict(int exitCode, string says, params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            foreach (var sample in Directory.EnumerateFiles(Path.Combine(Repository.Root, "samples"), "*.*"))
            {
                File.Copy(sample, Path.Combine(folder.FullName, Path.GetFileName(sample)));
            }
            var own = await File.ReadAllTextAsync(Sample("shipment-2.0.xml"), Ct);
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "own-step.xml"), WithOwnStep(own), Ct);
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "nothing.json"), "{}", Ct);
            var (code, output) = await RunAsync(folder.FullName, null, arguments);
            Assert.Contains(says.Replace("commissioning.json: 2.0-json", "\"form\":\"2.0-json\"", StringComparison.Ordinal), output, StringComparison.Ordinal);
            Assert.Equal(exitCode, code);
            Assert.DoesNotContain('\r', output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_document_can_come_from_standard_input()
    {
        var (code, output) = await RunAsync(Path.GetTempPath(), Sample("dscsa-shipment.xml"), ["-"]);
        Assert.Contains("-: 1.2-xml", output, StringComparison.Ordinal);
        Assert.Equal(0, code);
    }

    [Fact]
    public void Progress_is_shown_after_a_second_and_vanishes()
    {
        var clock = new Clock();
        using var terminal = new StringWriter();
        using (var progress = new CheckProgress(terminal, "a.xml", 200, clock))
        {
            progress.Show(10, 1);
            Assert.Equal("", terminal.ToString());
            clock.Now += TimeSpan.FromSeconds(1);
            progress.Show(100, 7);
            progress.Show(101, 8);
            Assert.Equal("\ra.xml [###############...............] 50 %, 7 events", terminal.ToString());
        }
        Assert.EndsWith(" \r", terminal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_quick_shows_no_progress()
    {
        using var terminal = new StringWriter();
        using (var progress = new CheckProgress(terminal, "a.xml", 200, new Clock()))
        {
            progress.Show(100, 7);
        }
        Assert.Equal("", terminal.ToString());
    }

    private static string WithOwnStep(string xml) =>
        System.Text.RegularExpressions.Regex.Replace(xml, "<bizStep>[^<]*</bizStep>", "<bizStep>https://example.com/steps/blessing</bizStep>");

    private static async Task<(int Code, string Output)> RunAsync(string folder, string? input, string[] arguments)
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true, WorkingDirectory = folder };
        foreach (var argument in (IEnumerable<string>)[Path.Combine(AppContext.BaseDirectory, "Gateway.Host.dll"), "check", .. arguments])
        {
            info.ArgumentList.Add(argument);
        }
        using var process = Process.Start(info)!;
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(await File.ReadAllTextAsync(input, Ct));
        }
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync(Ct);
        var output = await process.StandardOutput.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);
        return (process.ExitCode, output + await errors);
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
