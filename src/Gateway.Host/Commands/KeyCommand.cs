using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gateway.Access;

namespace Gateway.Host.Commands;

/// <summary><c>gateway key add|list|rotate|revoke</c>: the keys of machines and people.</summary>
public static class KeyCommand
{
    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create() => new("key", "Keys of machines and people.") { Add(), List(), Rotate(), Revoke() };

    private static Command Add()
    {
        var role = new Option<string>("--role") { Description = "The role of the key.", Required = true };
        var name = new Option<string>("--name") { Description = "Whose key it is.", Required = true };
        var party = new Option<string?>("--party") { Description = "Name of the CMO or partner; by default the organisation itself." };
        var gln = new Option<string?>("--gln") { Description = "The party's GLN, 13 digits." };
        var days = new Option<int?>("--days") { Description = "Expires after so many days; by default it lasts until it is revoked." };
        var prefixes = new Option<string[]>("--prefix") { Description = "A GS1 company prefix of what the key may send, 4 to 12 digits; may be given up to 100 times. By default it may send anything." };
        var sites = new Option<string[]>("--site") { Description = "The GLN of a place where that may be; may be given up to 100 times. By default it may be anywhere." };
        var add = new Command("add", "Make a key and print it: it is shown this once.") { role, name, party, gln, days, prefixes, sites };
        add.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var (token, refusal) = await new AddKey(database.Gateway).AddAsync(
                CommandLine, new KeyRequest(
                    parsed.GetValue(role), parsed.GetValue(name), parsed.GetValue(party), parsed.GetValue(gln), parsed.GetValue(days), parsed.GetValue(prefixes), parsed.GetValue(sites)), ct);
            await Console.Out.WriteLineAsync(token ?? throw new WrongUseException(refusal!.Sentence));
            return 0;
        });
        return add;
    }

    private static Command List()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object per key." };
        var list = new Command("list", "List the keys: whose, what for, until when, last used when.") { json };
        list.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var keys = new ApiKeys(database.Gateway);
            string? after = null;
            do
            {
                var page = await keys.ListAsync(CommandLine, ended: null, after, 200, ct);
                foreach (var k in page)
                {
                    await Console.Out.WriteLineAsync(parsed.GetValue(json)
                        ? JsonSerializer.Serialize(k, JsonSerializerOptions.Web)
                        : $"{k.Id}  {k.State,-7}  {k.Role,-13}  {k.Name}, {k.Party}  expires {Time(k.ExpiresAt)}  last used {Time(k.LastUsedAt)}{Scope(k)}");
                }
                after = page.Count == 200 ? page[^1].Id : null;
            }
            while (after is not null);
            return 0;
        });
        return list;
    }

    private static Command Rotate()
    {
        var id = new Argument<string>("ID") { Description = "The key's id, as key list shows it." };
        var days = new Option<int>("--keep-days") { Description = "The old key works on for so many days (0 to 90).", DefaultValueFactory = _ => 7 };
        var reason = Reason();
        var rotate = new Command("rotate", "Make a second key for the same holder and print it; the old one ends later.") { id, days, reason };
        rotate.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(days) is < 0 or > 90)
            {
                throw new WrongUseException("--keep-days is a number from 0 to 90.");
            }
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var (change, token) = await new ApiKeys(database.Gateway).RotateAsync(CommandLine with { Reason = parsed.GetValue(reason) }, parsed.GetValue(id)!, TimeSpan.FromDays(parsed.GetValue(days)), ct);
            Check(change, parsed.GetValue(id)!);
            await Console.Out.WriteLineAsync(token);
            return 0;
        });
        return rotate;
    }

    private static Command Revoke()
    {
        var id = new Argument<string>("ID") { Description = "The key's id, as key list shows it." };
        var reason = Reason();
        var revoke = new Command("revoke", "End a key at once, and the sessions signed in with it.") { id, reason };
        revoke.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            Check(await new ApiKeys(database.Gateway).RevokeAsync(CommandLine with { Reason = parsed.GetValue(reason) }, parsed.GetValue(id)!, ct), parsed.GetValue(id)!);
            return 0;
        });
        return revoke;
    }

    private static Option<string> Reason() => new("--reason") { Description = "Why; it is kept in the audit trail.", Required = true };

    private static void Check(KeyChange change, string id)
    {
        if (change != KeyChange.Done)
        {
            throw new WrongUseException(change == KeyChange.Unknown ? $"There is no key {id}: gateway key list shows them." : $"The key {id} has been revoked or has expired already.");
        }
    }

    private static string Scope(KeyItem k) =>
        (k.Prefixes.Length > 0 ? $"  prefixes {string.Join(' ', k.Prefixes)}" : "") + (k.Sites.Length > 0 ? $"  sites {string.Join(' ', k.Sites)}" : "");

    private static string Time(DateTime? at) => at?.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture) ?? "never";
}
