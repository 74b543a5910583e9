using System.CommandLine;
using System.Text.Json;
using Gateway.Access;
using Gateway.Exceptions;

namespace Gateway.Host.Commands;

/// <summary><c>gateway exceptions</c>: what a person must settle, read from the database; and what a person decides about one.</summary>
public static class ExceptionsCommand
{
    private static readonly Actor CommandLine = Actor.System("command line");

    private delegate Task<string?> Decision(ExceptionDecisions decisions, Guid id, string text, CancellationToken ct);

    public static Command Create() => new("exceptions", "What a person must settle: list it, show one, decide about one.")
    {
        List(),
        Show(),
        Decide("resolve", "Settle one: what was wrong is right again.", "--reason", (d, id, text, ct) => d.ResolveAsync(CommandLine, id, null, text, ct)),
        Decide("dismiss", "Settle one: nothing was wrong, or nothing is to be done.", "--reason", (d, id, text, ct) => d.DismissAsync(CommandLine, id, null, text, ct)),
        Decide("note", "Add a note to one.", "--text", (d, id, text, ct) => d.NoteAsync(CommandLine, id, null, text, ct)),
    };

    private static Command List()
    {
        var narrowing = new Dictionary<string, Option<string?>>
        {
            ["state"] = new("--state") { Description = $"Only this state: {string.Join(", ", ExceptionFilter.States)}." },
            ["code"] = new("--code") { Description = "Only with this code." },
            ["gtin"] = new("--gtin") { Description = "Only about units of this GTIN." },
            ["lot"] = new("--lot") { Description = "Only about units of this lot." },
            ["epc"] = new("--epc") { Description = "Only about this unit: an EPC URI or a GS1 Digital Link." },
            ["document"] = new("--document") { Description = "Only found in the document of this number." },
            ["source"] = new("--source") { Description = "Only found by this capture (its captureID)." },
        };
        var limit = new Option<int>("--limit") { Description = "At most so many (1 to 200).", DefaultValueFactory = _ => 50 };
        var json = new Option<bool>("--json") { Description = "One JSON object per exception." };
        var command = new Command("list", "The newest exceptions.") { limit, json };
        foreach (var option in narrowing.Values)
        {
            command.Add(option);
        }
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(limit) is < 1 or > 200)
            {
                throw new WrongUseException("--limit is a number from 1 to 200.");
            }
            var filter = ExceptionFilter.Read(name => narrowing.TryGetValue(name, out var option) ? parsed.GetValue(option) : null, out var wrong);
            if (wrong is not null)
            {
                throw new WrongUseException($"--{wrong}");
            }
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            foreach (var row in await new ExceptionList(database.Gateway).ListAsync(CommandLine, filter, parsed.GetValue(limit), ct))
            {
                await WriteAsync(ExceptionItem.Of(row), parsed.GetValue(json));
            }
            return 0;
        });
        return command;
    }

    private static Command Show()
    {
        var (id, json) = (Id(), new Option<bool>("--json") { Description = "The exception with its units and notes as a JSON object." });
        var command = new Command("show", "One exception with the first of its units and everything people said about it.") { id, json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var details = await FindAsync(new ExceptionList(database.Gateway), parsed.GetValue(id), ct);
            if (parsed.GetValue(json))
            {
                await Console.Out.WriteLineAsync(JsonSerializer.Serialize(details, JsonSerializerOptions.Web));
                return 0;
            }
            var e = details.Exception;
            await WriteAsync(e, json: false);
            await Console.Out.WriteLineAsync($"found by {e.Source.Kind} {e.Source.Id}, {e.Occurrences} times, from {e.OpenedAt:yyyy-MM-dd HH:mm:ss} to {e.LastAt:yyyy-MM-dd HH:mm:ss} UTC");
            foreach (var epc in details.Epcs)
            {
                await Console.Out.WriteLineAsync($"unit {epc}");
            }
            if (details.Next is not null)
            {
                await Console.Out.WriteLineAsync($"and {e.Units - details.Epcs.Count} units more");
            }
            foreach (var n in details.Notes)
            {
                await Console.Out.WriteLineAsync($"{n.At:yyyy-MM-dd HH:mm:ss} UTC  {n.Name}  {n.Action}{(n.AssignedTo is null ? "" : $" to {n.AssignedTo}")}: {n.Text}");
            }
            return 0;
        });
        return command;
    }

    private static Command Decide(string verb, string description, string option, Decision decision)
    {
        var (id, json) = (Id(), new Option<bool>("--json") { Description = "The exception as a JSON object." });
        var text = new Option<string>(option) { Description = "Kept in the exception's story and in the audit trail.", Required = true };
        var command = new Command(verb, description) { id, text, json };
        command.SetAction(async (parsed, ct) =>
        {
            if (string.IsNullOrWhiteSpace(parsed.GetValue(text)))
            {
                throw new WrongUseException($"{option} is empty.");
            }
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var list = new ExceptionList(database.Gateway);
            var found = await FindAsync(list, parsed.GetValue(id), ct);
            if (await decision(new ExceptionDecisions(database.Gateway), found.Exception.Id, parsed.GetValue(text)!, ct) is { } refusal)
            {
                await Console.Error.WriteLineAsync(refusal);
                return 1;
            }
            await WriteAsync((await FindAsync(list, found.Exception.Id, ct)).Exception, parsed.GetValue(json));
            return 0;
        });
        return command;
    }

    private static Argument<Guid> Id() => new("ID") { Description = "The exception's id, as the list shows it." };

    private static async Task<ExceptionDetails> FindAsync(ExceptionList list, Guid id, CancellationToken ct) =>
        await list.DetailsAsync(CommandLine, id, null, 50, ct) ?? throw new WrongUseException($"There is no exception {id}.");

    // What a document says may hold what a terminal would obey.
    private static Task WriteAsync(ExceptionItem e, bool json) => Console.Out.WriteLineAsync(json
        ? JsonSerializer.Serialize(e, JsonSerializerOptions.Web)
        : string.Concat($"{e.Id}  {e.State,-9}  {e.Severity,-7}  {e.Code,-14}  {e.Units,6} units  {e.Party}  {e.Message}{(e.DecidedBy is null ? "" : $"  by {e.DecidedBy} ({e.DecidedWhy})")}".Select(c => char.IsControl(c) ? ' ' : c)));
}
