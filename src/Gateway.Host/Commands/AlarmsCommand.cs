using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gateway.Access;
using Gateway.Alarms;

namespace Gateway.Host.Commands;

/// <summary><c>gateway alarms</c>: what is wrong now, read from the database; and what a person decides about it.</summary>
public static class AlarmsCommand
{
    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create() => new("alarms", "What is wrong now: list it, acknowledge it, silence it.")
    {
        List(),
        Acknowledge(),
        Silence(),
    };

    private static Command List()
    {
        var state = new Option<string?>("--state") { Description = $"Only this state: open, {string.Join(", ", AlarmFilter.States)}." };
        var kind = new Option<string?>("--kind") { Description = "Only of this kind." };
        var limit = new Option<int>("--limit") { Description = "At most so many (1 to 200).", DefaultValueFactory = _ => 50 };
        var json = Json("One JSON object per alarm.");
        var command = new Command("list", "Alarms: what stands first, then the newest. Exit 1 when one stands that nobody has acknowledged.") { state, kind, limit, json };
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(limit) is < 1 or > 200)
            {
                throw new WrongUseException("--limit is a number from 1 to 200.");
            }
            var filter = AlarmFilter.Read(name => name switch { "state" => parsed.GetValue(state), "kind" => parsed.GetValue(kind), _ => null }, out var wrong);
            if (wrong is not null)
            {
                throw new WrongUseException($"--{wrong}");
            }
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var list = new AlarmList(database.Gateway);
            foreach (var alarm in await list.ListAsync(CommandLine, filter, parsed.GetValue(limit), ct))
            {
                await WriteAsync(alarm, parsed.GetValue(json));
            }
            return (await list.CountAsync(CommandLine, ct)).Unacknowledged > 0 ? 1 : 0;
        });
        return command;
    }

    private static Command Acknowledge()
    {
        var id = new Argument<long>("ID") { Description = "The alarm's number, as the list shows it." };
        var (reason, json) = (Reason(), Json("The alarm as a JSON object."));
        var command = new Command("acknowledge", "Say that somebody knows of an alarm and sees to it.") { id, reason, json };
        command.SetAction(async (parsed, ct) =>
        {
            var why = Why(parsed.GetValue(reason));
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var (list, number) = (new AlarmList(database.Gateway), parsed.GetValue(id));
            if (await list.FindAsync(CommandLine, number, ct) is null)
            {
                throw new WrongUseException($"There is no alarm {number}.");
            }
            if (await new AlarmDecisions(database.Gateway).AcknowledgeAsync(CommandLine, number, null, why, ct) is { } refusal)
            {
                await Console.Error.WriteLineAsync(refusal);
                return 1;
            }
            await WriteAsync((await list.FindAsync(CommandLine, number, ct))!, parsed.GetValue(json));
            return 0;
        });
        return command;
    }

    private static Command Silence()
    {
        var kind = new Option<string?>("--kind") { Description = "Only alarms of this kind; a star stands for any characters. By default any." };
        var subject = new Option<string?>("--subject") { Description = "Only alarms about this; a star stands for any characters. By default any." };
        var until = new Option<string>("--until") { Description = "When it ends (UTC), within 30 days.", Required = true };
        var (reason, json) = (Reason(), Json("The silence as a JSON object."));
        var command = new Command("silence", "Tell nobody of some alarms for a time; they are recorded and shown all the same.") { kind, subject, until, reason, json };
        command.SetAction(async (parsed, ct) =>
        {
            var why = Why(parsed.GetValue(reason));
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var silences = new AlarmSilences(database.Gateway);
            var (silenceId, refusal) = await silences.AddAsync(CommandLine, new SilenceRequest(parsed.GetValue(kind), parsed.GetValue(subject), parsed.GetValue(until), why), ct);
            if (refusal is not null)
            {
                await Console.Error.WriteLineAsync(refusal);
                return 1;
            }
            var silence = (await silences.ListAsync(CommandLine, silenceId + 1, 1, ct)).Single();
            await Console.Out.WriteLineAsync(parsed.GetValue(json)
                ? JsonSerializer.Serialize(silence, JsonSerializerOptions.Web)
                : string.Create(CultureInfo.InvariantCulture, $"{silence.SilenceId}  {silence.Kind}  {silence.Subject}  until {silence.Until:yyyy-MM-dd HH:mm:ss} UTC"));
            return 0;
        });
        return command;
    }

    private static Option<string> Reason() => new("--reason") { Description = "Why; kept in the audit trail.", Required = true };

    private static Option<bool> Json(string description) => new("--json") { Description = description };

    private static string Why(string? given) => string.IsNullOrWhiteSpace(given) ? throw new WrongUseException("--reason says why.") : given;

    private static Task WriteAsync(AlarmRow a, bool json) => Console.Out.WriteLineAsync(json
        ? JsonSerializer.Serialize(a, JsonSerializerOptions.Web)
        : $"{a.AlarmId,6}  {a.State,-12}  {a.Severity,-7}  {a.Kind,-16}  {a.RaisedAt:yyyy-MM-dd HH:mm:ss} UTC  {a.Sentence}{(a.SilencedUntil is { } until ? $"  (silenced until {until:yyyy-MM-dd HH:mm:ss} UTC)" : "")}");
}
