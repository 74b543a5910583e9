using Gateway.Host.Simulate;

namespace Gateway.Journeys.Demonstration;

public sealed class HistoryPlanTests
{
    private const int Seed = 20261120;

    /// <summary>Each hour of a day, and each day of a week.</summary>
    public static TheoryData<DateTime> Starts => [.. Enumerable.Range(0, 24).Select(n => new DateTime(2026, 11, 2 + n % 7, n, 0, 0, DateTimeKind.Utc))];

    [Theory]
    [MemberData(nameof(Starts))]
    public void A_full_history_tells_its_stories_whenever_it_starts(DateTime start)
    {
        var plan = HistoryPlan.Make(start, HistorySize.Full, Seed);
        var end = start.AddDays(14);
        var whole = plan.Documents.Take(plan.WholeHours).ToList();

        Assert.InRange(whole.Count, 4_150, 4_300);
        Assert.Equal(42, plan.Documents.Select(d => d.Shipment.Lot).Distinct().Count());
        Assert.Equal(plan.Documents.Select((_, place) => place + 1L), plan.Documents.Select(d => d.Number));
        Assert.Equal(plan.Documents.OrderBy(d => d.At), plan.Documents);
        var held = plan.Documents.Where(d => d.HeldBehind is not null).ToList();
        Assert.Equal(Enumerable.Range(0, 214), held.Select(d => d.HeldBehind!.Value));
        Assert.True(held[0].At > end.AddDays(-6), "After seven days a delivery is given up.");
        Assert.All(held, d => Assert.True(d.At < end && d.Partner.Past == PastManner.Expired && !d.Shipment.OmitCaseParent));
        Assert.Contains(plan.Documents, d => d.IsUnanswered && d.At < end.AddHours(-4));
        Assert.All(plan.Documents.Where(d => d.IsUnanswered), d => Assert.InRange(d.At, end.AddHours(-26), end));
        Assert.Single(plan.Documents.Where(d => d.IsRefusedByPartner).Select(d => d.Shipment.Lot).Distinct());
        Assert.True(plan.Documents.Count(d => d.IsRefusedByPartner) >= 2, "The partner that did not know a product refused next to nothing.");
        Assert.Contains(plan.Documents, d => d.IsUnlicensed);
        Assert.All(plan.Documents.Where(d => d.IsUnlicensed), d => Assert.InRange(d.At, end.AddDays(-3), end));
        var composed = plan.Documents.Where(d => d.Partner.Past == PastManner.Composed).ToList();
        Assert.InRange(composed.Count, 2, 4);
        Assert.True(Assert.Single(composed, d => d.Shipment.UntoldUnits == 1).At < end.AddHours(-5));
        Assert.Single(composed, d => d.Shipment.LooseUnits == 2);
        var (from, until) = HistoryPlan.OutageBefore(end);
        Assert.InRange(until, end.AddHours(-26), end.AddHours(-1));
        Assert.True(plan.Documents.Count(d => d.Partner.Past == PastManner.OutLastNight && d.At >= from && d.At < until) >= 3, "Nothing came while the partner was out.");
    }

    [Theory]
    [MemberData(nameof(Starts))]
    public void A_partner_tells_of_what_has_reached_it_and_of_no_shipment_twice(DateTime start)
    {
        var plan = HistoryPlan.Make(start, HistorySize.Full, Seed);
        var told = plan.Receipts.SelectMany(r => (IEnumerable<(PlannedReceipt Receipt, ShipmentPlan Shipment)>)[.. r.Whole.Select(s => (r, s)), .. r.Part is { } part ? [(r, part)] : Array.Empty<(PlannedReceipt, ShipmentPlan)>(), .. r.Damaged is { } damaged ? [(r, damaged)] : Array.Empty<(PlannedReceipt, ShipmentPlan)>()]).ToList();
        Assert.Equal(told.Count, told.Select(t => t.Shipment.Sequence).Distinct().Count());
        Assert.All(told, t => Assert.True(t.Shipment.ShippedAt.UtcDateTime < t.Receipt.At.AddHours(-5) && t.Shipment.Partner == t.Receipt.Partner.Party));
        Assert.Single(plan.Receipts, r => r.Part is not null && r.Damaged is not null);
        Assert.Equal(plan.Receipts.OrderBy(r => r.At), plan.Receipts);
    }

    [Theory]
    [MemberData(nameof(Starts))]
    public void Each_refused_document_is_corrected_an_hour_later_and_one_of_them_in_the_last_hours(DateTime start)
    {
        var plan = HistoryPlan.Make(start, HistorySize.Full, Seed);
        var refused = plan.Documents.Where(d => d.Shipment.OmitCaseParent).ToList();
        Assert.InRange(refused.Count, 42, 168);
        Assert.All(refused, r =>
        {
            var corrected = Assert.Single(plan.Documents, d => d.Shipment.Sequence == r.Shipment.Sequence && !d.Shipment.OmitCaseParent);
            Assert.Equal(r.At.AddHours(1), corrected.At);
            Assert.Equal(r.At < start.AddDays(14).AddHours(-4) ? (long?)r.Number : null, corrected.Settles);
        });
        Assert.Contains(refused, r => r.At >= start.AddDays(14).AddHours(-3) && r.At.AddHours(1) < start.AddDays(14));
    }

    [Fact]
    public void The_short_histories_of_tests_tell_their_stories_in_each_hour_of_the_week()
    {
        var missing = new List<string>();
        foreach (var end in Enumerable.Range(0, 168).Select(h => new DateTime(2026, 11, 2, 0, 0, 0, DateTimeKind.Utc).AddHours(h)))
        {
            var (day, two, three) = (Of(end, DemonstrationHistoryTests.Day), Of(end, DemonstrationHistoryTests.TwoDays), Of(end, DemonstrationHistoryTests.ThreeDays));
            var (from, until) = HistoryPlan.OutageBefore(end);
            Must(day.Documents.Count(d => d.HeldBehind is not null) == 12, "twelve held");
            Must(day.Documents.Count(d => d.At < end) is >= 145 and <= 165, "about 150 documents");
            Must(two.Documents.Any(d => d.IsUnanswered && d.At < end.AddHours(-4)), "one unanswered");
            Must(two.Documents.Any(d => d.Partner.Past == PastManner.OutLastNight && !d.Shipment.OmitCaseParent && d.At >= from && d.At < until), "one in the night");
            Must(three.Receipts.Count(r => r.Part is not null && r.Damaged is not null) == 1, "something missing and damaged");
            Must(three.Receipts.Any(r => r.Partner.Past == PastManner.OutLastNight && r.Whole.Count > 0), "something received");
            Must(three.Documents.Any(d => d.IsRefusedByPartner && !d.Shipment.OmitCaseParent), "something refused by a partner");
            Must(three.Documents.Count(d => d.Settles is not null) > 5, "six corrected");
            void Must(bool holds, string what) => missing.AddRange(holds ? [] : (string[])[$"{end:ddd HH}: {what}"]);
        }
        Assert.Equal([], missing);

        static HistoryPlan Of(DateTime end, HistorySize size) => HistoryPlan.Make(end.AddDays(-size.Days), size, Seed);
    }

    [Fact]
    public void A_day_of_the_week_is_busier_than_its_night_and_than_the_weekend()
    {
        var documents = HistoryPlan.Make(new DateTime(2026, 11, 2, 0, 0, 0, DateTimeKind.Utc), HistorySize.Full, Seed).Documents;
        int Of(DayOfWeek day, int from, int until) => documents.Count(d => d.At.DayOfWeek == day && d.At.Hour >= from && d.At.Hour < until);
        Assert.True(Of(DayOfWeek.Wednesday, 8, 16) > 2 * Of(DayOfWeek.Wednesday, 21, 24) / 3 * 8);
        Assert.True(Of(DayOfWeek.Wednesday, 0, 24) > 2 * Of(DayOfWeek.Sunday, 0, 24));
    }

    [Fact]
    public void The_same_start_makes_the_same_plan()
    {
        var start = new DateTime(2026, 11, 2, 5, 0, 0, DateTimeKind.Utc);
        Assert.Equal(HistoryPlan.Make(start, HistorySize.Full, Seed).Documents, HistoryPlan.Make(start, HistorySize.Full, Seed).Documents);
    }
}
