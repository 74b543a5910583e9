using System.Diagnostics;
using System.Text;
using Gateway.TestSupport;

namespace Gateway.Journeys.Faults;

/// <summary><c>gateway convert --out</c> is killed while it writes aside and before it renames: the target is the old file or the whole new one.</summary>
public sealed class ConversionKillTests : IDisposable
{
    private const int Seed = 20261121;
    private const int Events = 4000;
    private const string Before = "what was there before";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("convert-kill");

    private string Target => Path.Combine(_folder.FullName, "result.json");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Killed_between_writing_and_renaming_it_leaves_the_old_file_and_nothing_that_looks_like_a_result()
    {
        // A thousand comments are told of on the standard error, which nobody reads: the process waits there, everything being written aside and nothing renamed.
        await WriteSourceAsync(comment: "<!--" + new string('x', 200) + "-->");
        await File.WriteAllTextAsync(Target, Before, TestContext.Current.CancellationToken);
        using (var process = Start())
        {
            var pipe = process.StandardError.BaseStream;
            await pipe.ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken);
            Assert.False(process.HasExited);
            await KillAsync(process);
        }
        Assert.Equal(Before, await TargetTextAsync());
        var left = Assert.Single(LeftBehind());
        Assert.Matches(@"^result\.json\.\d+\.part$", left.Name);
        Assert.InRange(left.Length, 1, long.MaxValue);

        await ConvertAsync();
        AssertWhole(await TargetTextAsync());
    }

    [Fact]
    public async Task Killed_at_any_moment_it_leaves_the_old_file_or_the_whole_new_one()
    {
        await WriteSourceAsync(comment: "");
        var random = new Random(Seed);
        for (var kill = 0; kill < FaultScale.Of(4, 40); kill++)
        {
            await File.WriteAllTextAsync(Target, Before, TestContext.Current.CancellationToken);
            var behind = LeftBehind().Count;
            using var process = Start();
            var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await Eventually.TrueAsync(() => Task.FromResult(process.HasExited || LeftBehind().Count > behind || new FileInfo(Target).Length != Before.Length));
            await Task.Delay(random.Next(600), TestContext.Current.CancellationToken);
            await KillAsync(process);
            await errors;
            if (await TargetTextAsync() is var text && text != Before)
            {
                AssertWhole(text);
            }
            Assert.All(LeftBehind(), f => Assert.EndsWith(".part", f.Name, StringComparison.Ordinal));
        }
        await ConvertAsync();
        AssertWhole(await TargetTextAsync());
    }

    private async Task ConvertAsync()
    {
        using var process = Start();
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await errors;
        Assert.Equal(0, process.ExitCode);
    }

    private async Task WriteSourceAsync(string comment)
    {
        var text = new StringBuilder("<epcis:EPCISDocument xmlns:epcis=\"urn:epcglobal:epcis:xsd:1\" schemaVersion=\"1.2\" creationDate=\"2026-01-31T12:00:00Z\"><EPCISBody><EventList>");
        for (var i = 0; i < Events; i++)
        {
            text.Append("<ObjectEvent><eventTime>2026-01-31T12:00:00Z</eventTime><eventTimeZoneOffset>+01:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sgtin:4012345.011111.").Append(i).Append("</epc></epcList><action>OBSERVE</action>").Append(comment).Append("</ObjectEvent>");
        }
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "source.xml"), text.Append("</EventList></EPCISBody></epcis:EPCISDocument>").ToString(), TestContext.Current.CancellationToken);
    }

    private static void AssertWhole(string json)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        Assert.Equal(Events, document.RootElement.GetProperty("epcisBody").GetProperty("eventList").GetArrayLength());
    }

    private List<FileInfo> LeftBehind() => [.. _folder.GetFiles().Where(f => f.Name is not ("source.xml" or "result.json"))];

    private Task<string> TargetTextAsync() => File.ReadAllTextAsync(Target, TestContext.Current.CancellationToken);

    private Process Start()
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = _folder.FullName };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Gateway.Host.dll"), "convert", "source.xml", "--to", "2.0-json", "--out", Target])
        {
            info.ArgumentList.Add(argument);
        }
        return Process.Start(info)!;
    }

    private static async Task KillAsync(Process process)
    {
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
