using Gateway.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Journeys.Faults;

/// <summary>The size of fault tests: short by default, the documented form with <c>GATEWAY_FAULTS=full</c>.</summary>
internal static class Faults
{
    public static bool Full { get; } = Environment.GetEnvironmentVariable("GATEWAY_FAULTS") == "full";

    public static int Count(int few, int full) => Full ? full : few;

    /// <summary>Turns of all nodes at once, with the clock moved between them, until nothing is due any more.</summary>
    public static async Task DrainAsync(Outbox outbox, IReadOnlyList<ServiceProvider> nodes, TimeSpan step, int maxRounds, int partnerId = 1)
    {
        for (var round = 0; round < maxRounds; round++)
        {
            await Task.WhenAll(nodes.Select(n => Task.Run(() => Outbox.TurnAsync(n, partnerId))));
            if (await outbox.CountAsync($"state = 'due' and partner_id = {partnerId}") == 0)
            {
                return;
            }
            await outbox.Database.AdvanceAsync(step);
        }
        Assert.Fail($"{await outbox.CountAsync("state = 'due'")} deliveries are still due after {maxRounds} rounds.");
    }

    /// <summary>Within each lane the effects at the partner are in the order of capture: <c>p1 lane:place</c>.</summary>
    public static void AssertLaneOrder(ScriptedPartner partner, int lanes, int perLane)
    {
        var byLane = partner.Effects.Select(a => a.Body.Split(' ')[1].Split(':')).GroupBy(p => p[0], p => int.Parse(p[1], System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(lanes, byLane.Count);
        Assert.All(byLane, lane => Assert.Equal(Enumerable.Range(1, perLane), lane));
    }
}
