namespace Epcis.Tests.Schemas;

/// <summary>How many damaged documents are tried: few in every run of the tests, all with <c>GATEWAY_MUTATIONS=full</c>.</summary>
internal static class Mutations
{
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable("GATEWAY_MUTATIONS") == "full";

    public static int Of(int few, int full) => IsFull ? full : few;
}
