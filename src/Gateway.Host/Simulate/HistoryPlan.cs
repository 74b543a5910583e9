using System.Globalization;

namespace Gateway.Host.Simulate;

/// <summary>How much history a demonstration has.</summary>
public sealed record HistorySize(int Days, int Shipments, int Held)
{
    /// <summary>With the corrected ones about 4,200 documents.</summary>
    public static HistorySize Full { get; } = new(14, 4_100, 214);
}

/// <summary>One document of the demonstration's past.</summary>
/// <param name="Number">From 1 on, in the order of time.</param>
/// <param name="Shipper">The place in <see cref="DemonstrationCast.Shippers"/>.</param>
public sealed record PlannedDocument(long Number, DateTime At, int Shipper, DemonstrationPartner Partner, ShipmentPlan Shipment)
{
    /// <summary>Set when it waits for its partner's new certificate: how many waited before it.</summary>
    public int? HeldBehind { get; init; }

    /// <summary>Its partner took it and has not told the result.</summary>
    public bool IsUnanswered { get; init; }

    /// <summary>It came after its partner's licence had lapsed, and waits for another.</summary>
    public bool IsUnlicensed { get; init; }

    /// <summary>Its partner refused it for good.</summary>
    public bool IsRefusedByPartner { get; init; }

    /// <summary>What it corrects: a refused document's number. Null: nothing, or somebody has still to look at that one.</summary>
    public long? Settles { get; init; }
}

/// <summary>What a partner told in one document to have received.</summary>
/// <param name="Whole">Shipments of which everything came.</param>
/// <param name="Part">One of which a case is missing.</param>
/// <param name="Damaged">One that came damaged.</param>
public sealed record PlannedReceipt(DateTime At, DemonstrationPartner Partner, IReadOnlyList<ShipmentPlan> Whole, ShipmentPlan? Part, ShipmentPlan? Damaged);

/// <summary>
/// The demonstration's past, document by document: busy by day, quieter at night and on weekends, one lot a day at each of three
/// shippers. The same start and seed give the same plan, so that a history cut short goes on as it began.
/// </summary>
public sealed class HistoryPlan
{
    private const int RefusedEvery = 45;

    // The first ones are the samples', which whoever reads the README sends.
    private const int Reserved = RefusedEvery;
    private static readonly TimeSpan Corrected = TimeSpan.FromHours(1);
    private static readonly DateOnly FirstExpiry = new(2028, 7, 31);

    private readonly DateTime _start;
    private readonly DateTime _end;
    private readonly HistorySize _size;
    private readonly Random _random;
    private readonly (DateTime From, DateTime Until) _outage;

    private HistoryPlan(DateTime start, HistorySize size, int seed)
    {
        (_start, _end, _size, _random, _outage) = (start, start.AddDays(size.Days), size, new Random(seed), OutageBefore(start.AddDays(size.Days)));
        Documents = WithStories(Number(Shipments()));
        Receipts = [.. ReceiptsOf(Documents)];
    }

    /// <summary>In the order of time; the last hour is the one the demonstration starts in.</summary>
    public IReadOnlyList<PlannedDocument> Documents { get; }

    /// <summary>What partners have received of it, in the order of time, each at a whole hour. A history of a day has none.</summary>
    public IReadOnlyList<PlannedReceipt> Receipts { get; }

    /// <summary>How many of them lie before the hour the demonstration starts in.</summary>
    public int WholeHours => Documents.TakeWhile(d => d.At < _end).Count();

    /// <summary>From when on the licence of the partner without one was valid no more, as <see cref="DemonstrationPartner.LicensedDays"/> has it.</summary>
    private DateTime Lapsed => _end.Date.AddDays(DemonstrationCast.Partners.Single(p => p.Past == PastManner.Unlicensed).LicensedDays!.Value + 1);

    /// <param name="start">A whole hour.</param>
    public static HistoryPlan Make(DateTime start, HistorySize size, int seed) => new(start, size, seed);

    /// <summary>The last night that was over an hour ago: 02:10 to 05:40.</summary>
    public static (DateTime From, DateTime Until) OutageBefore(DateTime end)
    {
        var night = end.AddHours(-7).Date;
        return (night.AddHours(2).AddMinutes(10), night.AddHours(5).AddMinutes(40));
    }

    private static double Busy(DateTime hour)
    {
        var ofDay = hour.Hour switch { >= 7 and < 17 => 1.0, >= 5 and < 21 => 0.6, _ => 0.3 };
        return hour.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? ofDay * 0.4 : ofDay;
    }

    private List<ShipmentPlan> Shipments()
    {
        var hours = Enumerable.Range(0, _size.Days * 24 + 1).Select(h => _start.AddHours(h)).ToList();
        var perWeight = _size.Shipments / hours.SkipLast(1).Sum(Busy);
        var shipments = new List<ShipmentPlan>();
        double due = 0;
        foreach (var hour in hours)
        {
            due += Busy(hour) * perWeight;
            var times = Enumerable.Range(0, (int)due).Select(_ => hour.AddMilliseconds(_random.Next(3_600_000))).Order().ToList();
            due -= times.Count;
            foreach (var at in times)
            {
                shipments.Add(Ship(Reserved + shipments.Count + 1, at));
            }
        }
        return shipments;
    }

    private ShipmentPlan Ship(int sequence, DateTime at)
    {
        var day = Math.Min((at - _start).Days, _size.Days - 1);
        var shipper = _random.Next(DemonstrationCast.Shippers.Count);
        var lot = day * DemonstrationCast.Shippers.Count + shipper;
        var isOut = at >= _outage.From && at < _outage.Until && _random.Next(2) == 0;
        return new ShipmentPlan(
            sequence, DemonstrationCast.Shippers[shipper], (isOut ? DemonstrationCast.Partners.First(p => p.Past == PastManner.OutLastNight) : Choose()).Party, new DateTimeOffset(at, TimeSpan.Zero),
            string.Create(CultureInfo.InvariantCulture, $"D{_start.AddDays(day):yyMMdd}{(char)('A' + shipper)}"), FirstExpiry.AddDays(lot))
        {
            Product = DemonstrationCast.Products[lot % DemonstrationCast.Products.Count],
        };
    }

    private DemonstrationPartner Choose()
    {
        var drawn = _random.Next(DemonstrationCast.Partners.Sum(p => p.Share));
        return DemonstrationCast.Partners.First(p => (drawn -= p.Share) < 0);
    }

    /// <summary>
    /// Some lack the parents of their cases, one of them in the last hours; each is corrected an hour later, with the same events.
    /// </summary>
    private List<PlannedDocument> Number(List<ShipmentPlan> shipments)
    {
        var planted = shipments.First(s => s.ShippedAt >= _end.AddHours(-3)).Sequence;
        // Three units of one of the last lots stay behind, and nobody has said why.
        Change(1, _end.AddHours(-30), s => s with { LooseUnits = 3 });
        // The partner whose documents are composed has begun today: of its first shipment nobody has told how one unit was made, and the last document tells of units that stayed. More follow where more were shipped lately.
        var composed = DemonstrationCast.Partners.Single(p => p.Past == PastManner.Composed).Party;
        Change(1, _end.AddHours(-5), s => s with { Partner = composed, UntoldUnits = 1 });
        Change(1, _end, s => s with { Partner = composed, LooseUnits = 2 });
        Change(2, _end, s => s.ShippedAt < _end.AddHours(-4) ? s : s with { Partner = composed });
        var documents = new List<(DateTime At, ShipmentPlan Shipment)>();
        foreach (var shipment in shipments)
        {
            var at = shipment.ShippedAt.UtcDateTime;
            var isRefused = shipment.Sequence == planted || shipment.Sequence % RefusedEvery == 0 && at + Corrected < _end.AddHours(-3);
            documents.Add((at, shipment with { OmitCaseParent = isRefused }));
            if (isRefused)
            {
                documents.Add((at + Corrected, shipment));
            }
        }
        return [.. documents.OrderBy(d => d.At).Select((d, place) => new PlannedDocument(
            place + 1, d.At, Place(DemonstrationCast.Shippers, d.Shipment.Shipper), DemonstrationCast.Partners.First(p => p.Party == d.Shipment.Partner), d.Shipment))];

        // The last ones before a moment that have no part in another story.
        void Change(int count, DateTime before, Func<ShipmentPlan, ShipmentPlan> change)
        {
            for (var i = shipments.Count - 1; i >= 0 && count > 0; i--)
            {
                var (s, to) = (shipments[i], DemonstrationCast.Partners.First(p => p.Party == shipments[i].Partner));
                if (s.ShippedAt < before && s.LooseUnits == 0 && s.Sequence % RefusedEvery != 0 && s.Sequence != planted && to is { Past: PastManner.Well or PastManner.FailsTwice or PastManner.Slow, TellsReceipts: false })
                {
                    shipments[i] = change(s);
                    count--;
                }
            }
        }
    }

    /// <summary>The story of the expired certificate is counted back from the end; the started hour has no part in it, since its length differs.</summary>
    private List<PlannedDocument> WithStories(List<PlannedDocument> documents)
    {
        documents.RemoveAll(d => d.At >= _end && !d.Partner.IsShippedTo);
        var unknown = documents.FindLast(d => d.Partner.Past == PastManner.RefusedALot && d.At < _end.AddHours(-1))?.Shipment.Lot;
        var refused = documents.Where(d => d.Shipment.OmitCaseParent && d.At < _end.AddHours(-4)).Select(d => d.Shipment.Sequence).ToHashSet();
        var numbers = documents.Select((d, place) => (d, Number: place + 1L)).Where(n => n.d.Shipment.OmitCaseParent).ToDictionary(n => n.d.Shipment.Sequence, n => n.Number);
        var held = documents.Where(d => d.Partner.Past == PastManner.Expired && !d.Shipment.OmitCaseParent).TakeLast(_size.Held).Select((d, behind) => (d.Number, behind)).ToDictionary(h => h.Number, h => h.behind);
        return [.. documents.Select((d, place) => d with
        {
            Number = place + 1,
            HeldBehind = held.TryGetValue(d.Number, out var behind) ? behind : null,
            IsUnanswered = d.Partner.Past == PastManner.FallenSilent && d.At >= _end.AddHours(-26),
            IsUnlicensed = d.Partner.Past == PastManner.Unlicensed && d.At >= Lapsed,
            IsRefusedByPartner = d.Partner.Past == PastManner.RefusedALot && d.Shipment.Lot == unknown,
            Settles = !d.Shipment.OmitCaseParent && refused.Contains(d.Shipment.Sequence) ? numbers[d.Shipment.Sequence] : null,
        })];
    }

    /// <summary>A document a day: what left until six hours before has arrived. In the last one something is missing, and something came damaged.</summary>
    private IEnumerable<PlannedReceipt> ReceiptsOf(IReadOnlyList<PlannedDocument> documents)
    {
        var told = (from day in Enumerable.Range(1, _size.Days > 1 ? _size.Days : 0)
                    from partner in DemonstrationCast.Partners
                    where partner.TellsReceipts
                    let at = _start.AddDays(day).AddHours(-2)
                    let arrived = documents.Where(d => d.Partner == partner && !d.Shipment.OmitCaseParent && d.At >= at.AddHours(-30) && d.At < at.AddHours(-6)).Select(d => d.Shipment).ToList()
                    where arrived.Count > 0
                    select (Partner: partner, At: at, Arrived: arrived)).ToList();
        // After a quiet weekend the last document may be too short for both.
        var last = told.FindLastIndex(t => t.Partner.Past == PastManner.OutLastNight && t.Arrived.Count > 2);
        return told.Select((t, place) => place == last ? new PlannedReceipt(t.At, t.Partner, t.Arrived[..^2], t.Arrived[^1], t.Arrived[^2]) : new PlannedReceipt(t.At, t.Partner, t.Arrived, null, null));
    }

    private static int Place<T>(IReadOnlyList<T> list, T item)
    {
        var place = 0;
        while (!Equals(list[place], item))
        {
            place++;
        }
        return place;
    }
}
