using System.Globalization;
using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Database;
using Gateway.Exceptions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Devices;

/// <summary>
/// What becomes of commands by the mere passing of time: told again, given up, expired; and a pause that no machine proved, which opens an
/// alarm and a hold in one transaction.
/// </summary>
public sealed class DeviceCommandExpiry(GatewayDatabase database, IOptions<CommandOptions> options)
{
    private static readonly Actor Gateway = Actor.System("commands");

    private const string Due = """
        (state = 'sent' and sent_at <= gateway_now() - @AckWithin or state in ('queued', 'sent', 'acked') and deadline <= gateway_now() or proof = 'awaited' and deadline <= gateway_now())
        """;

    private sealed record Ended(long CommandId, Guid CmdId, int PartyId, int LineId, string Line, string Device, string Type, string Reason, DateTime? TriggerAt, int Tries);

    /// <returns>Of how many devices something was due.</returns>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        List<int> devices;
        await using (var look = await database.BeginAsync(Gateway, ct))
        {
            devices = (await look.Connection.QueryAsync<int>(new CommandDefinition(
                $"select distinct device_id from device_command where (state in ('queued', 'sent', 'acked') or proof = 'awaited') and {Due} order by 1", new { options.Value.AckWithin }, look.Transaction, cancellationToken: ct))).AsList();
        }
        foreach (var device in devices)
        {
            await EndAsync(device, ct);
        }
        return devices.Count;
    }

    private async Task EndAsync(int deviceId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Gateway, ct);
        await work.Connection.ExecuteAsync("select from device where device_id = @deviceId for no key update", new { deviceId }, work.Transaction);
        var parameters = new { deviceId, options.Value.AckWithin, MaxTries = options.Value.Tries };
        await work.Connection.ExecuteAsync("""
            update device_command set tries = tries + 1, sent_at = gateway_now(), number = nextval('device_command_number')
            where device_id = @deviceId and state = 'sent' and sent_at <= gateway_now() - @AckWithin and deadline > gateway_now() and tries < @MaxTries
            """, parameters, work.Transaction);
        foreach (var e in await ChangeAsync(work, "state = 'failed', ended_at = gateway_now(), detail = format('Not acknowledged in %s tries.', tries)",
            "state = 'sent' and sent_at <= gateway_now() - @AckWithin and deadline > gateway_now() and tries >= @MaxTries", parameters))
        {
            await OpenAsync(work, e, "cmd.unanswered", Severity.Error, $"{e.Device} did not acknowledge {e.Type} ({e.CmdId}) in {e.Tries} tries.");
        }
        foreach (var e in await ChangeAsync(work, "state = 'expired', ended_at = gateway_now(), detail = 'Not completed by its deadline.'", "state in ('queued', 'sent', 'acked') and deadline <= gateway_now()", parameters))
        {
            if (e.Type != "pause") // told below
            {
                await OpenAsync(work, e, "cmd.expired", Severity.Warning, e.Tries == 0 ? $"{e.Device} was not there to be told of {e.Type} ({e.CmdId}) before its deadline." : $"{e.Device} did not complete {e.Type} ({e.CmdId}) by its deadline.");
            }
        }
        foreach (var e in await ChangeAsync(work, "proof = 'unproved'", "proof = 'awaited' and lifted_by is null and deadline <= gateway_now()", parameters))
        {
            await OpenAsync(work, e, "pause.unproved", Severity.Error, string.Create(CultureInfo.InvariantCulture,
                $"{e.Device} was asked to pause line {e.Line} and did not report in time that it stands. Everything commissioned on the line since {e.TriggerAt!.Value:yyyy-MM-dd HH:mm:ss} UTC is being held. Asked because: {Short(e.Reason)}"));
            await work.Connection.ExecuteAsync("""
                insert into line_hold (party_id, line_id, command_id, since_at, opened_at) values (@PartyId, @LineId, @CommandId, @TriggerAt, gateway_now()) on conflict (command_id) do nothing
                """, e, work.Transaction);
        }
        await work.CommitAsync();
    }

    private static async Task<List<Ended>> ChangeAsync(Work work, string set, string when, object parameters) => (await work.Connection.QueryAsync<Ended>($"""
        with changed as (update device_command set {set} where device_id = @deviceId and {when} returning *)
        select c.command_id as CommandId, c.public_id as CmdId, c.party_id as PartyId, c.line_id as LineId, l.code as Line, d.name as Device, c.type as Type, c.reason as Reason, c.trigger_at as TriggerAt, c.tries as Tries
        from changed c join line l using (line_id) join device d using (device_id) order by c.command_id
        """, parameters, work.Transaction)).AsList();

    private static Task OpenAsync(Work work, Ended e, string code, Severity severity, string message) =>
        ExceptionRecords.OpenAsync(work, new ExceptionFacts(code, severity, message), new ExceptionSource("device", e.Device, e.PartyId, null), []);

    // A message has no line break, and a reason may be long.
    private static string Short(string reason)
    {
        var line = reason.ReplaceLineEndings(" ").Trim();
        return line.Length <= 300 ? line : line[..300] + "…";
    }
}

/// <summary>Gives commands their turn as time passes.</summary>
public sealed partial class DeviceCommandWorker(DeviceCommandExpiry expiry, IOptions<CommandOptions> options, TimeProvider time, ILogger<DeviceCommandWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await expiry.RunAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or CommitUnknownException or IOException or TimeoutException)
            {
                Interrupted(e);
            }
            await Task.Delay(options.Value.CheckEvery, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(4150, LogLevel.Error, "Commands to devices were interrupted and will go on by themselves.")]
    private partial void Interrupted(Exception e);
}
