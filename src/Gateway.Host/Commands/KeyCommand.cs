using System.CommandLine;
using Gateway.Access;

namespace Gateway.Host.Commands;

/// <summary><c>gateway key add</c>: makes a key and prints it once.</summary>
public static class KeyCommand
{
    public static Command Create()
    {
        var role = new Option<string>("--role") { Description = "The role of the key.", Required = true };
        role.AcceptOnlyFromAmong([.. Roles.All]);
        var name = new Option<string>("--name") { Description = "Whose key it is.", Required = true };
        var party = new Option<string?>("--party") { Description = "Name of the CMO or partner; by default the organisation itself." };
        var gln = new Option<string?>("--gln") { Description = "The party's GLN, 13 digits." };
        var add = new Command("add", "Make a key and print it: it is shown this once.") { role, name, party, gln };
        add.SetAction(async (parsed, ct) =>
        {
            var chosen = parsed.GetValue(role)!;
            var kind = chosen is "cmo" or "partner" ? chosen : "organisation";
            if (kind != "organisation" && parsed.GetValue(party) is null)
            {
                throw new WrongUseException($"A key of role {chosen} belongs to somebody: add --party NAME.");
            }
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            await using var work = await database.Gateway.BeginAsync(Actor.System("command line"), ct);
            var partyId = await Parties.EnsureAsync(work, kind, kind == "organisation" ? "Organisation" : parsed.GetValue(party)!, kind == "organisation" ? null : parsed.GetValue(gln));
            var token = await ApiKeys.CreateAsync(work, partyId, chosen, parsed.GetValue(name)!, "gwl");
            await work.CommitAsync();
            await Console.Out.WriteLineAsync(token);
            return 0;
        });
        return new Command("key", "Keys of machines and people.") { add };
    }
}
