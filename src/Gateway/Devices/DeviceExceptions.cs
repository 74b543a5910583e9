using System.Globalization;
using Epcis;
using Gateway.Access;
using Gateway.Database;
using Gateway.Exceptions;

namespace Gateway.Devices;

/// <summary>The codes of what a person must settle about devices, of LINES.md sections 6, 7 and 12.</summary>
public static class DeviceCodes
{
    public const string Conflict = "seq.conflict";
    public const string Gap = "seq.gap";
    public const string Future = "time.future";
    public const string ClockOffset = "clock.offset";
    public const string Offline = "device.offline";
    public const string Unqualified = "device.unqualified";
    public const string EpochStale = "epoch.stale";
    public const string EpochUnknown = "epoch.unknown";
}

/// <summary>Opens and closes them in the transaction that found them, as the gateway, whoever sent what it was found in.</summary>
internal static class DeviceExceptions
{
    public static readonly Actor Gateway = Actor.System("devices");

    public static async Task OpenAsync(Work work, string code, Severity severity, int partyId, string device, string message, int occurrences = 1)
    {
        await work.ActAsAsync(Gateway);
        await ExceptionRecords.OpenAsync(work, new ExceptionFacts(code, severity, message) { Occurrences = occurrences }, new ExceptionSource("device", device, partyId, null), []);
    }

    public static async Task ResolveAsync(Work work, string code, int partyId, string device, string why)
    {
        await work.ActAsAsync(Gateway);
        await ExceptionRecords.ResolveAsync(work, code, new ExceptionSource("device", device, partyId, null), why);
    }

    /// <summary>Of numbers that did not come in time.</summary>
    public static Task OpenGapAsync(Work work, int partyId, string device, int epoch, long first, long last) => OpenAsync(work, DeviceCodes.Gap, Severity.Error, partyId, device,
        string.Create(CultureInfo.InvariantCulture, $"{device} has not sent {(first == last ? $"message {first}" : $"messages {first} to {last}")} of epoch {epoch}."));
}
