using System.CommandLine;
using Gateway.Host.Simulate.Hub;

namespace Gateway.Host.Commands;

public static partial class SimulateCommand
{
    private static Command Hub()
    {
        var port = new Option<int>("--port") { Description = "Where it listens on this computer; 0: any port that is free.", DefaultValueFactory = _ => 0 };
        var certificates = new Option<string>("--certificates") { Description = "The folder that gets authority.pem and client.pem, made anew at each start.", DefaultValueFactory = _ => "hub-certificates" };
        var seconds = new Option<int>("--result-after") { Description = "Seconds from a message to its first market's answer, and from that to the next one's (0 to 86400).", DefaultValueFactory = _ => 2 };
        var regime = new Option<string>("--regime") { Description = "What it speaks: emvs, or epcis, with an API key and without client certificates.", DefaultValueFactory = _ => "emvs" };
        regime.AcceptOnlyFromAmong("emvs", "epcis");
        var command = new Command("hub", "Play a repository of packs over HTTPS with client certificates, as strict as the public rules are, and print each breach of them.") { port, certificates, seconds, regime };
        command.SetAction(async (parsed, ct) =>
        {
            Within("--port", parsed.GetValue(port), 0, 65_535);
            Within("--result-after", parsed.GetValue(seconds), 0, 86_400);
            if (parsed.GetValue(regime) == "epcis")
            {
                return await RunReportsAsync(parsed.GetValue(port), parsed.GetValue(certificates)!, Console.Out, ct);
            }
            var after = TimeSpan.FromSeconds(parsed.GetValue(seconds));
            return await RunHubAsync(new HubSimulatorOptions { Port = parsed.GetValue(port), ResultAfter = after, MarketAfter = after }, parsed.GetValue(certificates)!, Console.Out, ct);
        });
        return command;
    }

    /// <summary>The same of a repository that is told events.</summary>
    internal static async Task<int> RunReportsAsync(int port, string directory, TextWriter output, CancellationToken ct)
    {
        await using var hub = await EpcisReportSimulator.StartAsync(port, ct);
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(Path.Combine(directory, "authority.pem"), hub.AuthorityPem, ct);
        await output.WriteLineAsync($"Listening at {hub.Url}. It shows what is in {Path.GetFullPath(directory)}: authority.pem. Its API key is {hub.Key}".AsMemory(), ct);
        var told = 0;
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), ct);
                foreach (var report in hub.Received.Skip(told))
                {
                    await output.WriteLineAsync($"{report.Count} packs, answered {report.Status} ({report.MessageId ?? "no number"})".AsMemory(), ct);
                    told++;
                }
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return 0;
        }
    }

    /// <summary>Listens until it is told to stop.</summary>
    internal static async Task<int> RunHubAsync(HubSimulatorOptions options, string directory, TextWriter output, CancellationToken ct)
    {
        await using var hub = await HubSimulator.StartAsync(options, ct);
        hub.WriteCertificates(directory);
        await output.WriteLineAsync($"Listening at {hub.Url}. It trusts and shows what is in {Path.GetFullPath(directory)}: authority.pem, client.pem.".AsMemory(), ct);
        var told = 0;
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), ct);
                foreach (var violation in hub.Violations.Skip(told))
                {
                    await output.WriteLineAsync($"{violation.At:u} rule {violation.Rule}: {violation.Text} ({violation.CorrelationId ?? "no number"})".AsMemory(), ct);
                    told++;
                }
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return 0;
        }
    }
}
