namespace Gateway.TestSupport;

/// <summary>The long form of the fault tests runs with GATEWAY_FAULTS=full.</summary>
public static class FaultScale
{
    public static bool IsFull => Environment.GetEnvironmentVariable("GATEWAY_FAULTS") == "full";

    public static int Of(int brief, int full) => IsFull ? full : brief;
}
