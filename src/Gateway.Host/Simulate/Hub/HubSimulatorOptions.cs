namespace Gateway.Host.Simulate.Hub;

/// <summary>How a stand-in hub behaves. There is no way to have it without TLS and client certificates.</summary>
public sealed class HubSimulatorOptions
{
    /// <summary>On the loopback interface; 0: any that is free.</summary>
    public int Port { get; init; }

    /// <summary>What its sessions, results and deadlines go by; <see cref="HubSimulator.Advance"/> moves it on.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>From a message to its first market's answer.</summary>
    public TimeSpan ResultAfter { get; init; }

    /// <summary>From one market's answer to the next one's.</summary>
    public TimeSpan MarketAfter { get; init; }

    /// <summary>Serial numbers in a message.</summary>
    public int MaxSerials { get; init; } = 250_000;

    /// <summary>Packs that it tells at once of what a market holds.</summary>
    public int HeldAtOnce { get; init; } = HubRepository.PacksAtOnce;

    /// <summary>Where results and alerts are pushed, besides being fetched; <see langword="null"/>: nowhere.</summary>
    public HubPush? Push { get; init; }

    /// <summary>What goes wrong from the start.</summary>
    public HubFaults Faults { get; init; } = new();
}

/// <summary>A gateway that is told.</summary>
/// <param name="Gateway">Its address; <c>api/hub/{gln}/answers</c> and <c>api/hub/{gln}/alerts</c> are below it.</param>
/// <param name="Gln">Of whom the packs are.</param>
/// <param name="Key">The bearer key that the gateway gave.</param>
public sealed record HubPush(Uri Gateway, string Gln, string Key);
