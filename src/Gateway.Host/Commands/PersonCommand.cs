using System.CommandLine;
using System.Text.Json;
using Gateway.Access;

namespace Gateway.Host.Commands;

/// <summary><c>gateway person</c>: the first administrator of a fresh installation, and the way back in when nobody else can.</summary>
public static class PersonCommand
{
    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create() => new("person", "People who sign in.") { Add(), Disable(), List() };

    private static Command Add()
    {
        var user = new Option<string>("--user") { Description = "The user name, one person's for ever.", Required = true };
        var name = new Option<string>("--name") { Description = "The person's full name.", Required = true };
        var role = new Option<string>("--role") { Description = "The first role.", Required = true };
        var days = new Option<int?>("--days") { Description = "Ends the access after so many days, as an inspector's." };
        var reason = Reason();
        var command = new Command("add", "Add a person and print a temporary password: it is shown this once.") { user, name, role, days, reason };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            int party;
            await using (var work = await database.Gateway.BeginAsync(CommandLine, ct))
            {
                party = await Parties.EnsureAsync(work, "organisation", "Organisation", null);
                await work.CommitAsync();
            }
            var answer = await new People(database.Gateway).AddAsync(CommandLine, party, parsed.GetValue(user)!, parsed.GetValue(name)!, parsed.GetValue(role)!,
                parsed.GetValue(days) is { } d ? TimeSpan.FromDays(d) : null, parsed.GetValue(reason)!, ct);
            await Console.Out.WriteLineAsync(answer.TemporaryPassword ?? throw new WrongUseException(answer.Refusal!));
            return 0;
        });
        return command;
    }

    private static Command Disable()
    {
        var user = new Option<string>("--user") { Description = "The user name.", Required = true };
        var reason = Reason();
        var command = new Command("disable", "Disable a person; open sessions end.") { user, reason };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var answer = await new People(database.Gateway).DisableAsync(CommandLine, parsed.GetValue(user)!, parsed.GetValue(reason)!, ct);
            return answer.Refusal is { } refusal ? throw new WrongUseException(refusal) : 0;
        });
        return command;
    }

    private static Command List()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object per line." };
        var command = new Command("list", "List people, their state and roles.") { json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var people = new People(database.Gateway);
            string? after = null;
            do
            {
                var page = await people.ListAsync(CommandLine, after, 200, ct);
                foreach (var p in page)
                {
                    await Console.Out.WriteLineAsync(parsed.GetValue(json)
                        ? JsonSerializer.Serialize(new { user = p.UserName, name = p.DisplayName, party = p.Party, state = p.State, locked = p.Locked, roles = p.Roles, accessUntil = p.AccessUntil }, JsonSerializerOptions.Web)
                        : $"{p.UserName,-20} {p.State,-8} {string.Join(", ", p.Roles)}");
                }
                after = page.Count == 200 ? page[^1].UserName : null;
            }
            while (after is not null);
            return 0;
        });
        return command;
    }

    private static Option<string> Reason() => new("--reason") { Description = "Why, for the audit trail.", Required = true };
}
