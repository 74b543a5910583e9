using System.CommandLine;
using System.Text.Json;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Delivery;
using Gateway.Delivery.Testing;
using Gateway.Partners;
using Microsoft.Extensions.Options;

namespace Gateway.Host.Commands;

/// <summary><c>gateway partner</c>: trading partners, their onboarding, and tests of their connections. Their secrets are sealed with the key ring of the data directory.</summary>
public static class PartnerCommand
{
    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create() => new("partner", "The trading partners: add, list, pause, resume, test, and what their onboarding lacks.") { Add(), List(), Pause("pause", true), Pause("resume", false), Test(), Steps() };

    private static Argument<string> Gln() => new("GLN") { Description = "The partner's GLN." };

    private static Option<bool> Json(string what) => new("--json") { Description = what };

    private static Command Add()
    {
        var gln = Gln();
        var name = new Option<string>("--name") { Description = "Its name.", Required = true };
        var format = new Option<string>("--format") { Description = "What it takes: 1.2-xml, 2.0-xml or 2.0-json.", Required = true };
        var channel = new Option<string>("--channel") { Description = "https, epcis, sftp or folder.", Required = true };
        var url = new Option<string>("--url") { Description = "Its address.", Required = true };
        var token = new Option<FileInfo?>("--token-file") { Description = "A file with the bearer token of https and epcis." };
        var hostKey = new Option<string?>("--host-key") { Description = "The key of its SFTP server: type and base64." };
        var key = new Option<FileInfo?>("--key-file") { Description = "A file with our private key at its SFTP server, in OpenSSH's form." };
        var ranges = new Option<string[]>("--private-range") { Description = "A private network that the address may lie in; may be repeated." };
        var practice = new Option<bool>("--practice") { Description = "It begins in practice: nothing but marked test documents goes to it." };
        var json = Json("The partner as a JSON object.");
        var command = new Command("add", "Adds a partner. Exit 1 when its GLN is somebody's already.") { gln, name, format, channel, url, token, hostKey, key, ranges, practice, json };
        command.SetAction((parsed, ct) => RunAsync(async services =>
        {
            var number = parsed.GetValue(gln)!;
            if (!Epcis.Identifiers.Gln.Parse(number).Try(out _, out var wrong))
            {
                throw new WrongUseException(wrong);
            }
            if (parsed.GetValue(format) is not ("1.2-xml" or "2.0-xml" or "2.0-json"))
            {
                throw new WrongUseException("--format is 1.2-xml, 2.0-xml or 2.0-json.");
            }
            var request = new ChannelRequest(parsed.GetValue(channel), parsed.GetValue(url), await ReadAsync(parsed.GetValue(token), ct), parsed.GetValue(ranges), parsed.GetValue(hostKey), await ReadAsync(parsed.GetValue(key), ct));
            if (ChannelSetup.Refuse(request, services.GetRequiredService<IOptions<PartnerOptions>>().Value, hasKey: false, out var setup) is { } refusal)
            {
                throw new WrongUseException(refusal);
            }
            var directory = services.GetRequiredService<PartnerDirectory>();
            if (!await directory.AddAsync(CommandLine, number, parsed.GetValue(name)!.Trim(), parsed.GetValue(format)!, setup.Kind, setup.Url, setup.Secret, setup.PrivateRanges, ct, setup.Settings, parsed.GetValue(practice)))
            {
                await Console.Error.WriteLineAsync($"A partner or party with the GLN {number} exists already.");
                return 1;
            }
            await WriteAsync((await directory.FindAsync(CommandLine, number, ct))!, parsed.GetValue(json));
            return 0;
        }, ct));
        return command;
    }

    private static Command List()
    {
        var json = Json("One JSON object per partner.");
        var command = new Command("list", "Every partner.") { json };
        command.SetAction((parsed, ct) => RunAsync(async services =>
        {
            var (directory, after) = (services.GetRequiredService<PartnerDirectory>(), 0);
            while (await directory.ListAsync(CommandLine, after, 200, ct) is { Count: > 0 } page)
            {
                foreach (var partner in page)
                {
                    await WriteAsync(partner, parsed.GetValue(json));
                }
                after = page[^1].Id;
            }
            return 0;
        }, ct));
        return command;
    }

    private static Command Pause(string verb, bool paused)
    {
        var gln = Gln();
        var reason = new Option<string>("--reason") { Description = "Why; kept in the audit trail.", Required = true };
        var json = Json("The partner as a JSON object.");
        var command = new Command(verb, paused ? "Sends nothing more to it until somebody resumes it; what comes in waits." : "Sends what waits for it, in order.") { gln, reason, json };
        command.SetAction((parsed, ct) => RunAsync(async services =>
        {
            if (string.IsNullOrWhiteSpace(parsed.GetValue(reason)))
            {
                throw new WrongUseException("--reason says why.");
            }
            var directory = services.GetRequiredService<PartnerDirectory>();
            var partner = await FindAsync(directory, parsed.GetValue(gln)!, ct);
            if (!await directory.SetPausedAsync(CommandLine, partner.Id, paused, parsed.GetValue(reason)!, ct))
            {
                await Console.Error.WriteLineAsync(!paused && partner.Waits ? partner.PauseReason : $"The partner is {partner.State}.");
                return 1;
            }
            await WriteAsync(await FindAsync(directory, partner.Gln, ct), parsed.GetValue(json));
            return 0;
        }, ct));
        return command;
    }

    private static Command Test()
    {
        var gln = Gln();
        var sample = new Option<bool>("--sample") { Description = "Send the marked sample to a partner that is live, too; it needs a reason." };
        var none = new Option<bool>("--no-sample") { Description = "Send no sample, to a partner in practice either." };
        var reason = new Option<string?>("--reason") { Description = "Why a sample goes to a partner that is live; kept in the audit trail." };
        var json = Json("The test as a JSON object.");
        var command = new Command("test", "Goes the whole way to a partner and says at which step it ends and whose side that is on. Exit 1 when a step failed.") { gln, sample, none, reason, json };
        command.SetAction((parsed, ct) => RunAsync(async services =>
        {
            if (parsed.GetValue(sample) && parsed.GetValue(none))
            {
                throw new WrongUseException("--sample and --no-sample are one or the other.");
            }
            var partner = await FindAsync(services.GetRequiredService<PartnerDirectory>(), parsed.GetValue(gln)!, ct);
            var (test, refusal) = await services.GetRequiredService<TestPartner>().RunAsync(CommandLine, partner.Id, new TestRequest(parsed.GetValue(sample) ? true : parsed.GetValue(none) ? false : null, parsed.GetValue(reason)), ct);
            if (test is null)
            {
                throw new WrongUseException(refusal!);
            }
            if (parsed.GetValue(json))
            {
                await LineAsync(JsonSerializer.Serialize(test, JsonSerializerOptions.Web));
                return test.Passed ? 0 : 1;
            }
            foreach (var s in test.Steps)
            {
                await LineAsync($"{s.Step,-15} {s.State,-15} {s.Ms,6} ms  {s.Seen}{(s.Code is null ? "" : $" [{s.Code}, {s.Verdict}] {s.Next}")}");
            }
            return test.Passed ? 0 : 1;
        }, ct));
        return command;
    }

    private static Command Steps()
    {
        var gln = Gln();
        var json = Json("One JSON object per step.");
        var command = new Command("onboarding", "The seven steps by which a partner comes to be live. Exit 1 while one is open.") { gln, json };
        command.SetAction((parsed, ct) => RunAsync(async services =>
        {
            var partner = await FindAsync(services.GetRequiredService<PartnerDirectory>(), parsed.GetValue(gln)!, ct);
            var steps = await services.GetRequiredService<Onboarding>().StepsAsync(CommandLine, partner.Id, ct);
            foreach (var s in steps)
            {
                await LineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(s, JsonSerializerOptions.Web) : $"{s.Step,-10} {s.State,-11} {s.Seen} {s.Missing}");
            }
            return steps.Any(s => s.State == "open") ? 1 : 0;
        }, ct));
        return command;
    }

    private static async Task<int> RunAsync(Func<IServiceProvider, Task<int>> run, CancellationToken ct)
    {
        await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
        // Partners of a demonstration are on loopback and below its data directory, which nothing else may be.
        var configuration = new ConfigurationBuilder().AddConfiguration(GatewayHost.Configuration()).AddInMemoryCollection(await Demonstration.SettingsAsync(database, ct)).Build();
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddSingleton(database.Gateway).AddLogging().AddPartners().AddDelivery();
        services.AddKeyRing(configuration, DataDirectory.Path);
        await using var provider = services.BuildServiceProvider();
        return await run(provider);
    }

    private static async Task<PartnerItem> FindAsync(PartnerDirectory directory, string gln, CancellationToken ct) =>
        await directory.FindAsync(CommandLine, gln, ct) ?? throw new WrongUseException($"There is no partner with the GLN {gln}.");

    private static async Task<string?> ReadAsync(FileInfo? file, CancellationToken ct) =>
        file is null ? null : file.Exists ? (await File.ReadAllTextAsync(file.FullName, ct)).Trim() : throw new WrongUseException($"There is no file {file}.");

    private static Task WriteAsync(PartnerItem p, bool json) => LineAsync(json ? JsonSerializer.Serialize(PartnerEndpoints.View(p), JsonSerializerOptions.Web)
        : $"{p.Gln}  {p.State,-8}  {p.Format,-8}  {p.Channel,-6}  {p.Name}  {p.Url}{(p.PauseReason is { } why ? $"  ({why})" : "")}");

    // What a partner's server says may hold what a terminal would obey.
    private static Task LineAsync(string line) => Console.Out.WriteLineAsync(string.Concat(line.Select(c => char.IsControl(c) ? ' ' : c)));
}
