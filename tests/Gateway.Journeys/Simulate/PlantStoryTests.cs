using System.Text;
using Gateway.Host.Simulate.Plant;

namespace Gateway.Journeys.Simulate;

/// <summary>What a simulated plant does hangs on its options and on nothing else.</summary>
public sealed class PlantStoryTests
{
    private static readonly DateTimeOffset s_start = new(2026, 11, 22, 8, 0, 0, TimeSpan.Zero);
    private static readonly Dictionary<string, double> s_all = PlantFault.All.ToDictionary(f => f.Name, f => f.Per == "case" ? 0.1 : 0.01);

    [Fact]
    public void The_same_seed_tells_the_same_truth_in_the_same_bytes()
    {
        Assert.Equal(Told(7, s_all), Told(7, s_all));
        Assert.NotEqual(Told(7, s_all), Told(8, s_all));
    }

    [Fact]
    public void Every_fault_happens_when_it_is_switched_on_and_only_then()
    {
        var well = Story(7, []);
        Assert.All(well.Injected.Values, n => Assert.Equal(0, n));
        Assert.All(well.Truths, t => Assert.Empty(t.Faults));
        foreach (var fault in PlantFault.All)
        {
            var story = Story(7, new() { [fault.Name] = fault.Per == "case" ? 0.2 : 0.03 });
            Assert.True(story.Injected[fault.Name] > 0, fault.Name);
            Assert.Equal([fault.Name], story.Injected.Where(i => i.Value > 0).Select(i => i.Key));
        }
    }

    [Fact]
    public void A_story_adds_up()
    {
        var story = Story(7, []);
        var units = story.Truths.Where(t => t.Level == "unit").ToList();
        Assert.Equal(200, units.Count(u => u.State != "UNUSED"));
        Assert.Equal(story.Truths.Count, story.Truths.Select(t => t.Id).Distinct().Count());
        Assert.All(units.Where(u => u.State == "COMMISSIONED"), u => Assert.NotNull(u.Parent));
        // Numbers begin at 1 and rise by 1, and no device speaks of a moment before the last.
        foreach (var device in story.Messages.GroupBy(m => m.Device))
        {
            Assert.Equal(Enumerable.Range(1, device.Count()).Select(n => (long)n), device.Select(m => m.Seq));
            Assert.Equal(device.Select(m => m.At).Order(), device.Select(m => m.At));
        }
    }

    [Fact]
    public void What_falls_off_is_in_no_case_until_the_line_is_cleared_and_a_cut_that_is_ordered_comes()
    {
        var story = LineStory.Tell(new PlantOptions(7, 40, 300, new Dictionary<string, double>()) { Fallen = 12, Cuts = [new LinkCut("PL01-AGG", 2, 5), new LinkCut("PL02-AGG", 2, 5)] }, new PlantLot(0, "PL01", "L1"));
        Assert.Equal([new LinkCut("PL01-AGG", 2, 5)], story.Cuts);
        var fallen = Assert.Single(story.Truths, t => t.State == "DECOMMISSIONED");
        Assert.Null(fallen.Parent);
        var said = story.Messages.Where(m => m.Ids.Contains(fallen.Id)).ToList();
        Assert.Equal(["PL01-PRN", "PL01-VIS", "PL01-PLC"], said.Select(m => m.Device));
        Assert.True(said[2].At - story.Messages.Last(m => m.Device == "PL01-PRN" && m.Ids.Count == 1).At > 90_000);
    }

    private static LineStory Story(int seed, Dictionary<string, double> faults) => LineStory.Tell(new PlantOptions(seed, 200, 300, faults), new PlantLot(0, "PL01", "L1"));

    private static string Told(int seed, Dictionary<string, double> faults)
    {
        var story = Story(seed, faults);
        return string.Join('\n', story.Truths.Select(t => $"{t.Id} {t.State} {t.Parent} {t.Lot} {string.Join(',', t.Faults)}").Concat(story.Messages.Select(m => $"{m.Travel} {Encoding.UTF8.GetString(m.Render(s_start, 1).Span)}")));
    }
}
