using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Devices;

/// <summary>The device that a caller speaks as.</summary>
public sealed record SpeakingDevice(int DeviceId, int PartyId, int LineId, string Name);

/// <summary>
/// Who may hear and answer a device's commands: the one place that says so. A device's token opens its own device and no other; a key of another role with
/// <c>devices.speak</c> opens the devices of its party, as a line controller needs that stands before machines that do not speak themselves.
/// </summary>
public sealed class DeviceAccess(GatewayDatabase database)
{
    /// <returns>The device of that name; null when the caller may not speak as it, or it is withdrawn.</returns>
    public async Task<SpeakingDevice?> SpeakerAsync(Actor caller, string name, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(caller, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<SpeakingDevice>(new CommandDefinition("""
            select d.device_id as DeviceId, d.party_id as PartyId, d.line_id as LineId, d.name as Name from device d left join device_status s using (device_id)
            where d.name = @name and d.party_id = @PartyId and not d.withdrawn and (@mayRelay or s.key_id = @key)
            """, new { name, caller.PartyId, mayRelay = caller.Role != RegisterDevice.Role, key = KeyOf(caller) }, work.Transaction, cancellationToken: ct));
    }

    /// <summary>The key by which a caller came; empty for a person.</summary>
    internal static string KeyOf(Actor caller) => caller.Id.StartsWith("key:", StringComparison.Ordinal) ? caller.Id[4..] : "";
}
