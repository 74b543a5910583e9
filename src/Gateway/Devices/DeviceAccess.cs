using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Devices;

/// <summary>The device that a caller speaks as.</summary>
public sealed record SpeakingDevice(int DeviceId, int PartyId, int LineId, string Name);

/// <summary>Who may speak as a device: the one place that says so.</summary>
public sealed class DeviceAccess(GatewayDatabase database)
{
    /// <returns>The device of that name; null when the caller's party has none, or it is withdrawn.</returns>
    public async Task<SpeakingDevice?> SpeakerAsync(Actor caller, string name, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(caller, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<SpeakingDevice>(new CommandDefinition(
            "select device_id as DeviceId, party_id as PartyId, line_id as LineId, name as Name from device where name = @name and party_id = @PartyId and not withdrawn",
            new { name, caller.PartyId }, work.Transaction, cancellationToken: ct));
    }
}
