using Epcis.Events;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Access;
using Gateway.Units;
using static Gateway.Tests.Units.Said;

namespace Gateway.Tests.Units;

/// <summary>The ledger in the database: what captures make of it, in whatever order and cut into whatever documents.</summary>
public sealed class StoredLedgerTests
{
    private const int Histories = 20;

    [Fact]
    public async Task A_packed_pallet_that_ships_is_its_row_and_its_contents_go_with_it()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        var found = await ledger.CaptureAsync(
            At(0, Commissioned(Packs(1, 20))), At(1, Commissioned(null, [Case(1), Case(2), Case(3), Case(4)])), At(2, Commissioned(null, [Pallet(1)])),
            At(3, Packed(Case(1), Packs(1, 5))), At(4, Packed(Case(2), Packs(6, 5))), At(5, Packed(Case(3), Packs(11, 5))), At(6, Packed(Case(4), Packs(16, 5))),
            At(7, Packed(Pallet(1), Case(1), Case(2), Case(3), Case(4))), At(8, Shipped(Pallet(1))));
        Assert.Equal("", found);
        Assert.Equal("11", await ledger.OfAsync(Pallet(1), "state"));
        Assert.Equal("7", await ledger.OfAsync(Pack(7), "state"));
        Assert.Equal(UnitKey.Of(Pallet(1)), await ledger.OfAsync(Pack(7), "select p.key from unit c join unit p on p.unit_id = c.parent_id where c.unit_id = unit.parent_id"));
        Assert.Equal("L1", await ledger.OfAsync(Pack(7), "select lot from lot l where l.lot_id = unit.lot_id"));
        Assert.Equal("4 5", await ledger.OfAsync(Pallet(1), "children || ' ' || (select children from unit where key = '" + UnitKey.Of(Case(1)) + "')"));
        Assert.Equal(25L, (await ledger.HoldsAsync()).Units);
    }

    [Fact]
    public async Task Documents_one_after_the_other_make_what_one_document_makes()
    {
        EpcisEvent[] events =
        [
            At(0, Commissioned(Packs(1, 10))), At(1, Commissioned(null, [Case(1), Case(2)])), At(2, Packed(Case(1), Packs(1, 5))), At(3, Packed(Case(2), Packs(6, 4))),
            At(4, Unpacked(Plant, Case(1))), At(5, Held(Pack(1))), At(6, Packed(Case(1), Packs(2, 4))), At(7, Shipped(Case(2))), At(8, Received(Wholesaler, Case(2))), At(9, Shipped(Pack(1))),
        ];
        await using var one = await LedgerGateway.StartAsync();
        var found = await one.CaptureAsync(events);
        Assert.Equal("agg.short_not_flagged, unit.held", found);
        await using var many = await LedgerGateway.StartAsync();
        foreach (var e in events)
        {
            await many.CaptureAsync(e);
        }
        Assert.Equal(await one.TextAsync(), await many.TextAsync());
        Assert.Equal(2L, await many.Gateway.Database.ScalarAsync<long>("select count(*) from exception"));
        await one.HoldsAsync();
        await many.HoldsAsync();
    }

    [Fact]
    public async Task What_comes_before_its_predecessor_waits_for_it()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        Assert.Equal("unit.waiting", await ledger.CaptureAsync(At(2, Packed(Case(1), Packs(1, 5)))));
        Assert.Equal("5", await ledger.OfAsync(Case(1), "flags | 1"));
        Assert.Equal(0L, await ledger.Gateway.Database.ScalarAsync<long>("select count(*) from exception"));
        await ledger.HoldsAsync();
        Assert.Equal("", await ledger.CaptureAsync(At(0, Commissioned(Packs(1, 5))), At(1, Commissioned(Case(1)))));
        Assert.Equal("5", await ledger.OfAsync(Case(1), "children"));
        Assert.Equal("", await ledger.OfAsync(Case(1), "holds"));
        await ledger.HoldsAsync();
    }

    [Fact]
    public async Task A_correction_leaves_what_it_alone_would_have_made()
    {
        var wrong = At(0, Commissioned("L9", [Pack(1), Pack(2)]));
        var right = At(0, Commissioned("L1", [Pack(1), Pack(2)]));
        await using var ledger = await LedgerGateway.StartAsync();
        await ledger.CaptureAsync(wrong);
        await ledger.CaptureAsync(At(1, Held(Pack(1))));
        var declaration = wrong with { ErrorDeclaration = new ErrorDeclaration { DeclarationTime = Start.AddDays(1), Reason = "incorrect_data", CorrectiveEventIds = [right.EventId!] } };
        Assert.Equal("", await ledger.CaptureAsync(declaration, right));
        await using var alone = await LedgerGateway.StartAsync();
        await alone.CaptureAsync(right, At(1, Held(Pack(1))));
        Assert.Equal(await alone.TextAsync(), await ledger.TextAsync());
        await ledger.HoldsAsync();

        await ledger.CaptureAsync(right with { ErrorDeclaration = new ErrorDeclaration { DeclarationTime = Start.AddDays(1), Reason = "incorrect_data" } });
        await ledger.CaptureAsync(At(2, Commissioned(Pack(2))));
        Assert.Equal("1", await ledger.OfAsync(Pack(1), "state")); // held before anything of how it came to be
        await ledger.HoldsAsync();
    }

    [Fact]
    public async Task A_declaration_that_comes_before_its_event_takes_it_back_all_the_same()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        var wrong = At(0, Commissioned(Pack(1)));
        await ledger.CaptureAsync(wrong with { ErrorDeclaration = new ErrorDeclaration { DeclarationTime = Start.AddDays(1), Reason = "did_not_occur" } });
        await ledger.CaptureAsync(wrong);
        Assert.Equal(0L, await ledger.Gateway.Database.ScalarAsync<long>("select count(*) from unit"));
        await ledger.HoldsAsync();
    }

    [Fact]
    public async Task Nobody_takes_back_what_another_party_said()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        using var other = await ledger.Gateway.SignInAsync("Second CMO");
        var said = At(0, Commissioned(Pack(1)));
        await ledger.CaptureAsync(said);
        await ledger.CaptureAsync([said with { ErrorDeclaration = new ErrorDeclaration { DeclarationTime = Start.AddDays(1), Reason = "did_not_occur" } }], other);
        Assert.Equal("7", await ledger.OfAsync(Pack(1), "state"));
        await ledger.HoldsAsync();
    }

    [Fact]
    public async Task The_same_event_of_two_parties_is_one()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        using var other = await ledger.Gateway.SignInAsync("Second CMO");
        var said = At(0, Commissioned(Pack(1)));
        await ledger.CaptureAsync(said);
        Assert.Equal("", await ledger.CaptureAsync([said], other));
        Assert.Equal("", await ledger.OfAsync(Pack(1), "holds"));
        await ledger.HoldsAsync();
    }

    [Fact]
    public async Task A_large_document_that_repeats_a_serial_number_is_looked_at_twice()
    {
        await using var ledger = await LedgerGateway.StartAsync(knowsProducts: false);
        await ledger.CaptureAsync(At(0, Commissioned(Pack(1_500))));
        Assert.Equal("unit.duplicate_commission", await ledger.CaptureAsync(At(1, Commissioned(Packs(1, 3_000)))));
        Assert.Equal(3_000L, await ledger.Gateway.Database.ScalarAsync<long>("select count(*) from unit"));
        Assert.Equal("unit.duplicate_commission", await ledger.OfAsync(Pack(1_500), "holds"));
        await ledger.HoldsAsync();
    }

    [Fact]
    public async Task One_unit_in_every_spelling_is_one_unit()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        const string link = "https://id.gs1.org/01/09521234001010/10/L1/21/U000001?17=280831";
        await ledger.CaptureAsync(At(3, Held(link)));
        await ledger.CaptureAsync(At(2, Seen(Plant, "https://example.org/way/01/09521234001010/21/U000001")));
        await ledger.CaptureAsync(At(1, Seen(Plant, "urn:epc:id:sgtin:95212340.00101.U000001")));
        Assert.Equal("", await ledger.CaptureAsync(At(0, Commissioned(Pack(1)))));
        Assert.Equal("7 non_sellable_other", await ledger.OfAsync(Pack(1), "state || ' ' || holds"));
        Assert.Equal(1, (await ledger.HoldsAsync()).Units);
    }

    [Fact]
    public async Task What_a_refused_document_says_changes_no_unit()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        await ledger.CaptureAsync(At(0, Commissioned(Packs(1, 5))));
        var before = await ledger.TextAsync();
        var id = await ledger.AcceptAsync([At(1, Held(Packs(1, 5))), At(2, Aggregation(EventAction.Add, "packing", Line, null!, Pack(1)))]);
        Assert.True(await ledger.Gateway.ProcessAsync());
        Assert.Equal("refused", await ledger.Gateway.Database.ScalarAsync<string>($"select state from capture where public_id = '{id}'"));
        Assert.Equal(before, await ledger.TextAsync());
        await ledger.HoldsAsync();
    }

    [Fact]
    public async Task A_row_that_somebody_changed_is_named()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        await ledger.CaptureAsync(At(0, Commissioned(Packs(1, 5))), At(1, Commissioned(null, [Case(1)])), At(2, Packed(Case(1), Packs(1, 5))));
        Assert.Null((await ledger.VerifyAsync()).Difference);

        await ledger.Gateway.Database.ExecuteAsync($"update unit set state = 10 where key = '{UnitKey.Of(Pack(3))}'");
        var difference = (await ledger.VerifyAsync()).Difference!;
        Assert.Equal(Pack(3), difference.Epc);
        Assert.StartsWith("state DESTROYED", difference.Stored, StringComparison.Ordinal);
        Assert.StartsWith("state COMMISSIONED", difference.Rebuilt, StringComparison.Ordinal);

        await ledger.Gateway.Database.ExecuteAsync($"update unit set state = 7, key = key || 'X' where key = '{UnitKey.Of(Pack(3))}'");
        Assert.Equal(Pack(3), (await ledger.VerifyAsync()).Difference!.Epc);
        await ledger.Gateway.Database.ExecuteAsync($"delete from unit where key = '{UnitKey.Of(Pack(3))}X'");
        difference = (await ledger.VerifyAsync()).Difference!;
        Assert.Equal((Pack(3), null), (difference.Epc, difference.Stored));
        ledger.Gateway.Database.HasEventsOrUnitsByHand = true;
    }

    [Fact]
    public async Task A_past_moment_is_what_was_said_until_then()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        await ledger.CaptureAsync(
            At(0, Commissioned(Packs(1, 5))), At(1, Commissioned(null, [Case(1), Pallet(1)])), At(3, Packed(Case(1), Packs(1, 5))), At(4, Packed(Pallet(1), Case(1))), At(5, Shipped(Pallet(1))),
            At(7, Received(Wholesaler, Pallet(1))), At(8, Unpacked(Wholesaler, Pallet(1))), At(9, Unpacked(Wholesaler, Case(1), Pack(2))));
        using var past = ledger.Past();
        async Task<string> AtAsync(int minutes) => (await past.FindAsync(Actor.System("test"), UnitKey.Of(Pack(2))!, Start.AddMinutes(minutes), CancellationToken.None))!.Facts is not { } unit ? "nothing"
            : $"{unit.State} in {unit.Containers.ElementAtOrDefault(0)?.Epc} in {unit.Containers.ElementAtOrDefault(1)?.Epc} at {unit.Location}";
        Assert.Equal("nothing", await AtAsync(-1));
        Assert.Equal($"Commissioned in  in  at {Line}", await AtAsync(2));
        Assert.Equal($"Commissioned in {Case(1)} in  at {Line}", await AtAsync(3));
        Assert.Equal($"Shipped in {Case(1)} in {Pallet(1)} at {Plant}", await AtAsync(6));
        Assert.Equal($"Commissioned in {Case(1)} in {Pallet(1)} at {Wholesaler}", await AtAsync(7));
        Assert.Equal($"Commissioned in {Case(1)} in  at {Wholesaler}", await AtAsync(8));
        Assert.Equal($"Commissioned in  in  at {Wholesaler}", await AtAsync(9));
    }

    [Fact]
    public async Task Units_stay_as_they_are_when_a_year_of_events_is_archived()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        await ledger.CaptureAsync(At(0, Commissioned("L1", Packs(1, 5), expiry: "2028-08-31")), At(1, Commissioned(null, [Case(1)])), At(2, Packed(Case(1), Packs(1, 5))));
        var year = (await ledger.Gateway.Database.ScalarAsync<DateTime>("select gateway_now()")).Year;
        await RefusedAsync("six full years");
        await ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromDays(366 * 7));
        await ledger.Gateway.Database.ScalarAsync<int>("select make_event_partitions(0)");
        await ledger.Gateway.Database.ExecuteAsync("update lot set expiry = gateway_now()::date - 300");
        await RefusedAsync("a year after the last of its lots expires");
        await ledger.Gateway.Database.ExecuteAsync("update lot set expiry = '2028-08-31' where expiry is not null");
        var before = await ledger.TextAsync();
        Assert.Equal($"event_y{year}, event_epc_y{year}, event_class_y{year}", await ledger.Gateway.Database.ScalarAsync<string>($"select archive_events({year})"));

        Assert.Equal(before, await ledger.TextAsync());
        Assert.Equal(6, (await ledger.HoldsAsync()).Archived);
        Assert.Equal("", await ledger.CaptureAsync(At(60 * 24 * 2_600, Shipped(Case(1)))));
        Assert.Equal("11", await ledger.OfAsync(Case(1), "state"));
        Assert.Equal("unit.archived", await ledger.CaptureAsync(At(1, Held(Pack(1)))));
        Assert.Equal("", await ledger.OfAsync(Pack(1), "holds"));
        await ledger.HoldsAsync();

        async Task RefusedAsync(string why) =>
            Assert.Contains(why, (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => ledger.Gateway.Database.ScalarAsync<string>($"select archive_events({year})"))).MessageText, StringComparison.Ordinal);
    }

    /// <summary>Random histories, mostly impossible ones, in random order, cut into random documents, some events taken back.</summary>
    [Fact]
    public async Task Whatever_comes_in_whatever_order_the_rows_are_what_the_naive_ledger_says()
    {
        await using var ledger = await LedgerGateway.StartAsync(caseHolds: UnitBookProperties.CaseHolds, palletHolds: UnitBookProperties.PalletHolds);
        var cases = (from history in UnitBookProperties.History.Generator from order in Gen.Shuffle(history) from cuts in Gen.ArrayOf(Gen.Choose(0, 2), 30) from gone in Gen.ArrayOf(Gen.Choose(0, 5), 30) select (order, cuts, gone)).Sample(Histories, 20);
        foreach (var (order, cuts, gone) in cases)
        {
            await ledger.ForgetAsync();
            // Between facts of one kind at one moment, arrival decides.
            var told = order.Select((m, i) => m with { Number = i + 1 }).ToList();
            var taken = told.Where((_, i) => gone[i % gone.Length] == 0).ToList();
            var events = told.Select(m => m.Event.Event).Concat(taken.Select(m => m.Event.Event with { ErrorDeclaration = new ErrorDeclaration { DeclarationTime = Start.AddDays(1), Reason = "incorrect_data" } })).ToList();
            for (var (i, n) = (0, 0); i < events.Count; n++)
            {
                var size = Math.Min(1 + cuts[n % cuts.Length] * 2, events.Count - i);
                await ledger.CaptureAsync(events.GetRange(i, size), null);
                i += size;
            }
            var naive = NaiveLedger.Of(told.Except(taken), UnitBookProperties.CaseHolds, UnitBookProperties.PalletHolds);
            await ledger.HoldsAsync();
            Assert.Equal(naive.Tell(UnitBookProperties.s_units), NaiveLedger.Tell(await BookAsync(ledger)));
        }
    }

    private static async Task<UnitBook> BookAsync(LedgerGateway ledger)
    {
        await using var work = await ledger.Gateway.Database.Gateway.BeginAsync(Actor.System("test"), CancellationToken.None);
        var book = new UnitBook();
        await new UnitRows(work, new UnitReferences(work)).LoadAsync(book, [.. UnitBookProperties.s_units.Select(u => UnitKey.Of(u)!)], [], CancellationToken.None);
        return book;
    }
}
