using Gateway.Host.Simulate.Hub;

namespace Gateway.Journeys.Hub;

/// <summary>What the stand-in hub keeps of packs.</summary>
public sealed class HubLotTests
{
    [Fact]
    public void A_million_packs_in_two_markets_are_some_ninety_bytes_each()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var lot = new HubLot(HubTalk.Product, HubTalk.Lot, 3, HubTalk.Expiry, ["DE", "FR"]);
        lot.Expect(1_000_000);
        var change = lot.Add(new HubChange("Active", DateTimeOffset.UnixEpoch, "", ""));
        for (var n = 1ul; n <= 1_000_000; n++)
        {
            lot.Set("DE", new SerialNumber(n, 0, 0), change);
            lot.Set("FR", new SerialNumber(n, 0, 0), change);
        }
        Assert.Equal(1_000_000, lot.Packs("FR").Count());
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / 1_000_000;
        Assert.True(bytes < 90, $"{bytes} bytes a pack");
    }

    [Fact]
    public void Serial_numbers_are_kept_whole_and_in_their_order()
    {
        string[] serials = ["!", "%", "10", "1000", "12345678901234567890", "2", "A", "_", "a", "aa"];
        Assert.Equal(serials, serials.Reverse().Select(SerialNumber.Of).Order().Select(s => s.ToString()));
    }
}
