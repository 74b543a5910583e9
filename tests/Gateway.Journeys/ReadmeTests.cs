using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.TestSupport;

namespace Gateway.Journeys;

/// <summary>What the README promises is done here, with its own commands.</summary>
public sealed partial class ReadmeTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_line_of_the_tour_does_what_the_README_says()
    {
        var root = Repository.Root;
        var lines = Tour(await File.ReadAllTextAsync(Path.Combine(root, "README.md"), Ct));
        Assert.True(lines.Count >= 5, "The README has no tour any more.");

        var data = Directory.CreateTempSubdirectory("gateway-tour-").FullName;
        using var demonstration = Start(root, data, "./run.sh");
        try
        {
            _ = demonstration.StandardOutput.ReadToEndAsync(Ct);
            _ = demonstration.StandardError.ReadToEndAsync(Ct);
            var shown = Path.Combine(data, "demo.json");
            await Until(() => File.Exists(shown) && new FileInfo(shown).Length > 0, demonstration);

            // Its history is made in the first minute.
            using var early = JsonDocument.Parse(await File.ReadAllTextAsync(shown, Ct));
            using (var beginning = new HttpClient { BaseAddress = new Uri(early.RootElement.GetProperty("url").GetString()!) })
            {
                beginning.DefaultRequestHeaders.Authorization = new("Bearer", early.RootElement.GetProperty("keys").GetProperty("officer").GetString());
                for (var tries = 0; tries < 1200 && JsonDocument.Parse(await beginning.GetStringAsync("api/deliveries", Ct)).RootElement.GetProperty("items").GetArrayLength() == 0; tries++)
                {
                    await Task.Delay(100, Ct);
                }
            }
            foreach (var (command, exit) in lines)
            {
                using var run = Start(root, data, command);
                var errors = run.StandardError.ReadToEndAsync(Ct);
                var output = await run.StandardOutput.ReadToEndAsync(Ct);
                await run.WaitForExitAsync(Ct);
                Assert.True(run.ExitCode == exit, $"{command}\nexits with {run.ExitCode}, not {exit}.\n{output}\n{await errors}");
                Assert.True(output.Length > 0, $"{command} says nothing.");
            }

            // The printed address and its keys are alive, then one signal stops all of it.
            using var demo = JsonDocument.Parse(await File.ReadAllTextAsync(shown, Ct));
            using var http = new HttpClient { BaseAddress = new Uri(demo.RootElement.GetProperty("url").GetString()!) };
            http.DefaultRequestHeaders.Authorization = new("Bearer", demo.RootElement.GetProperty("keys").GetProperty("officer").GetString());
            Assert.NotEqual("[]", JsonDocument.Parse(await http.GetStringAsync("api/deliveries", Ct)).RootElement.GetProperty("items").GetRawText());
            using (var signal = Process.Start("kill", ["-TERM", demonstration.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
            {
                await signal.WaitForExitAsync(Ct);
            }
            await demonstration.WaitForExitAsync(Ct);
            Assert.Equal(0, demonstration.ExitCode);
            Assert.Empty(Directory.EnumerateFiles(data, "postmaster.pid", SearchOption.AllDirectories));
        }
        finally
        {
            demonstration.Kill(); // its server ends with it
            await demonstration.WaitForExitAsync(CancellationToken.None);
            Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>The commands of the section "Five minutes"; a comment there says when one is to exit with 1.</summary>
    private static List<(string Command, int Exit)> Tour(string readme)
    {
        var section = readme[readme.IndexOf("## Five minutes", StringComparison.Ordinal)..];
        var block = ShellBlock().Match(section).Groups[1].Value;
        return [.. block.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => (line.Split(" #")[0].Trim(), line.Contains("exits with 1", StringComparison.Ordinal) ? 1 : 0))];
    }

    private static Process Start(string root, string data, string command)
    {
        // The shell is replaced, so the process's own identifier is the gateway's.
        var info = new ProcessStartInfo("bash", ["-c", $"exec {command}"]) { WorkingDirectory = root, RedirectStandardOutput = true, RedirectStandardError = true };
        info.Environment["GATEWAY_DATA"] = data;
        info.Environment["GATEWAY_PORT"] = "0";
        return Process.Start(info)!;
    }

    private static async Task Until(Func<bool> holds, Process running)
    {
        for (var tries = 0; tries < 3000 && !holds(); tries++)
        {
            Assert.False(running.HasExited, "The demonstration ended at once.");
            await Task.Delay(100, Ct);
        }
        Assert.True(holds(), "The demonstration did not come alive within five minutes.");
    }

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex ShellBlock();
}
