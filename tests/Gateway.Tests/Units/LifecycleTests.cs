using Gateway.Units;

namespace Gateway.Tests.Units;

public sealed class LifecycleTests
{
    // LINES.md section 2, copied by hand a second time: what is not here is illegal. What follows on Unused besides is of numbers that were returned and granted anew. "+" means ever commissioned, "-" never,
    // "!" that allocation is not checked.
    private static readonly string[] Paper =
    [
        "Allocate Pool Allocated", "Allocate Unused Allocated", "Unused Allocated Unused", "Unused Pool! Unused",
        "Void Pool Voided", "Void Allocated Voided", "Void Unused Voided",
        "Encode Allocated Encoded", "Encode Unused Encoded", "Encode Pool! Encoded",
        "Reject Encoded Rejected", "Reject Commissioned Rejected",
        "Scrap Encoded Scrapped", "Scrap Rejected- Scrapped",
        "Commission Allocated Commissioned", "Commission Encoded Commissioned", "Commission Unused Commissioned", "Commission Rejected- Commissioned", "Commission Pool! Commissioned",
        "ReworkOk Rejected+ Commissioned", "ReworkOk Returned Commissioned",
        "Sample Commissioned Sampled",
        "Decommission Commissioned Decommissioned", "Decommission Rejected+ Decommissioned", "Decommission Sampled Decommissioned",
        "Destroy Commissioned Destroyed", "Destroy Rejected+ Destroyed", "Destroy Sampled Destroyed", "Destroy Decommissioned Destroyed", "Destroy Returned Destroyed",
        "Pack Commissioned Commissioned", "Unpack Commissioned Commissioned",
        "Ship Commissioned Shipped", "VoidShip Shipped Commissioned", "Receive Shipped Commissioned", "Return Shipped Returned",
        .. from fact in new[] { "Hold", "Release", "Observe" }
           from state in new[] { "Pool", "Allocated", "Unused", "Encoded", "Rejected", "Commissioned", "Sampled", "Shipped", "Returned" }
           select $"{fact} {state} {state}",
    ];

    [Fact]
    public void Every_fact_follows_exactly_the_states_that_the_paper_lets_it_follow()
    {
        var legal = Paper.Select(line => line.Split(' ')).ToDictionary(w => (w[0], w[1]), w => w[2]);
        var differences = new List<string>();
        foreach (var fact in Enum.GetValues<FactKind>())
        {
            foreach (var state in Enum.GetValues<UnitState>())
            {
                foreach (var (ever, check) in new[] { (false, false), (false, true), (true, false), (true, true) })
                {
                    var (f, s) = (fact.ToString(), state.ToString());
                    var expected = legal.GetValueOrDefault((f, s)) ?? legal.GetValueOrDefault((f, s + (ever ? "+" : "-"))) ?? (check ? null : legal.GetValueOrDefault((f, s + "!")));
                    var next = Lifecycle.Next(state, fact, ever, check)?.ToString();
                    if (expected != next)
                    {
                        differences.Add($"{f} from {s}{(ever ? " ever commissioned" : "")}{(check ? " checked" : "")}: {next ?? "illegal"}, not {expected ?? "illegal"}");
                    }
                }
            }
        }
        Assert.Empty(differences);
    }

    [Fact]
    public void The_numbers_of_states_are_those_of_open_scs_and_never_change() =>
        Assert.Equal(
            "Pool 1, Allocated 2, Voided 3, Encoded 4, Scrapped 6, Commissioned 7, Sampled 8, Decommissioned 9, Destroyed 10, Shipped 11, Unused 101, Rejected 102, Returned 103",
            string.Join(", ", Enum.GetValues<UnitState>().Select(s => $"{s} {(short)s}")));

    [Fact]
    public void Facts_of_one_instant_are_taken_in_the_order_of_the_lines() =>
        Assert.Equal(
            "UNUSED ENCODE SCRAP REJECT REWORK_OK COMMISSION UNPACK SAMPLE DECOMMISSION DESTROY PACK SHIP",
            string.Join(' ', Enum.GetValues<FactKind>()
                .Where(f => f is not (FactKind.Allocate or FactKind.Void or FactKind.Release or FactKind.Hold or FactKind.VoidShip or FactKind.Receive or FactKind.Return or FactKind.Observe))
                .Order().Select(Lifecycle.Word)));

    [Fact]
    public void A_unit_goes_the_way_of_a_line_fact_by_fact()
    {
        var story = new Story(allocationCheck: true);
        foreach (var (fact, state) in new[]
        {
            (FactKind.Allocate, UnitState.Allocated), (FactKind.Encode, UnitState.Encoded), (FactKind.Reject, UnitState.Rejected), (FactKind.Commission, UnitState.Commissioned),
            (FactKind.Reject, UnitState.Rejected), (FactKind.ReworkOk, UnitState.Commissioned), (FactKind.Sample, UnitState.Sampled), (FactKind.Decommission, UnitState.Decommissioned),
            (FactKind.Destroy, UnitState.Destroyed),
        })
        {
            story.State(fact, Said.Pack(1));
            Assert.Equal(state, story[Said.Pack(1)].State);
        }
        Assert.Empty(story.Findings);
    }

    [Fact]
    public void A_fact_that_may_not_follow_moves_nothing_and_holds_the_unit()
    {
        var story = new Story();
        story.State(FactKind.Encode, Said.Pack(1));
        story.State(FactKind.Sample, Said.Pack(1));
        Assert.Equal(["unit.illegal_transition: U000001"], story.Findings);
        Assert.Equal(UnitState.Encoded, story[Said.Pack(1)].State);
        Assert.Equal(["unit.illegal_transition"], story[Said.Pack(1)].Holds);
    }

    [Theory]
    [InlineData(FactKind.Commission)]
    [InlineData(FactKind.Encode)]
    [InlineData(FactKind.Unused)]
    public void A_number_that_was_not_given_out_is_a_fault_only_where_that_is_checked(FactKind fact)
    {
        var (strict, open) = (new Story(allocationCheck: true), new Story());
        strict.State(fact, Said.Pack(1));
        open.State(fact, Said.Pack(1));
        Assert.Equal(["unit.not_allocated: U000001"], strict.Findings);
        Assert.Equal(UnitState.Pool, strict[Said.Pack(1)].State);
        Assert.Empty(open.Findings);
        Assert.NotEqual(UnitState.Pool, open[Said.Pack(1)].State);
    }

    [Theory]
    [InlineData(FactKind.Void)]
    [InlineData(FactKind.Decommission)]
    [InlineData(FactKind.Destroy)]
    public void A_unit_that_has_ended_is_never_commissioned_again_and_its_sighting_is_told(FactKind end)
    {
        var story = new Story();
        story.State(end == FactKind.Void ? FactKind.Allocate : FactKind.Commission, Said.Pack(1));
        story.State(end, Said.Pack(1));
        var ended = story[Said.Pack(1)].State;
        story.State(FactKind.Commission, Said.Pack(1));
        story.State(FactKind.Observe, Said.Pack(1));
        Assert.Equal([end == FactKind.Void ? "unit.illegal_transition: U000001" : "unit.duplicate_commission: U000001", "unit.illegal_transition: U000001"], story.Findings);
        Assert.Equal(ended, story[Said.Pack(1)].State);
    }
}
