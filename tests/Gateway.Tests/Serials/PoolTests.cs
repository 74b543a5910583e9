using System.Numerics;
using System.Text;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.MasterData;
using Gateway.Serials;

namespace Gateway.Tests.Serials;

/// <summary>LINES.md section 4: what pools there can be, how their numbers are made, and the lists that come from outside.</summary>
public sealed class PoolTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_number_that_stands_on_a_pack_is_neither_made_nor_imported_whoever_told_of_it()
    {
        await using var plant = await SerialPlant.CreateAsync();
        var external = await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Source: "external", Alphabet: "0123456789", Length: 12));
        await OnPackAsync(plant, "01" + SerialPlant.Gtin + "21000000000002");
        var taken = (await plant.Import.RunAsync(plant.Officer, external.Id, System.Text.Encoding.UTF8.GetBytes("000000000001\n000000000002\n000000000003"), "given", default))!;
        Assert.Equal("GW-SER-05 2: 000000000002 stands on a unit already: no number is given out twice.", string.Join("\n", taken.Findings.All.Select(f => $"{f.Code} {f.Where.Line}: {f.Message}")));
        Assert.Equal(0L, await plant.Database.ScalarAsync<long>("select count(*) from serial_number"));

        // Logistic units of a range of ten, of which four stand on pallets; and those of a product, of which none can be hit by chance.
        var pool = await plant.PoolAsync(new PoolRequest(SsccPrefix: "39521321", Ordered: true, RangeFrom: 0, RangeTo: 9));
        foreach (var n in (int[])[0, 3, 4, 9])
        {
            await OnPackAsync(plant, "00" + pool.SsccOf(n));
        }
        var given = await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SsccPrefix: "39521321", Quantity: 6));
        Assert.Equal(((int[])[1, 2, 5, 6, 7, 8]).Select(n => pool.SsccOf(n)), given.Numbers);
    }

    // Of another party's.
    private static Task OnPackAsync(SerialPlant plant, string key) => plant.Database.ExecuteAsync(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"""
        set session_replication_role = replica;
        insert into unit_row (unit_id, first_event, last_event, last_at, party_id, head, state, flags, level, last_kind, prefix_length, key, hash)
        select coalesce(max(unit_id), 0) + 1, 1, 1, now(), {plant.OtherCmo.PartyId}, {Gateway.Units.UnitKey.Head(key)}, 7, 1, 1, 7, 7, '{key}', {Gateway.Units.UnitKey.Hash(key)} from unit_row
        """));

    [Fact]
    public async Task At_most_one_in_ten_thousand_possible_values_is_issued_whichever_pool_it_came_from()
    {
        await using var plant = await SerialPlant.CreateAsync();
        // 7 digits: 1,000 of them.
        var refused = await plant.Pools.MakeAsync(plant.Officer, new PoolRequest(SerialPlant.Gtin, Alphabet: "0123456789", Length: 3, Reason: "short"), Ct);
        Assert.Equal("Of 1,000 possible values at most one in 10,000 may be issued, which is 0; 0 of this product are issued already. Take a longer number or a larger alphabet.", refused.Refusal);
        Assert.True(refused.IsGuessable);
        Assert.Equal(1, (await plant.PoolAsync(new PoolRequest(SerialPlant.OtherGtin, Alphabet: "0123456789", Length: 4, Stock: 0))).Most); // the edge
        var pool = await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Alphabet: "0123456789", Length: 7, Stock: 600));
        Assert.Equal((1_000L, "nothing is issued yet"), (pool.Most, pool.Guess));
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Party: "CMO One", Stock: 0));
        await plant.GrantAsync(plant.Cmo, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 500));
        await new RefillPools(plant.Database.Gateway).RunAsync(Ct);
        Assert.Equal(500L, (await plant.Pools.FindAsync(plant.Officer, pool.Id, Ct))!.Left); // and not 600
        Assert.Equal(SerialRefusal.Dry, (await plant.Grants.RunAsync(plant.Officer, new SerialRequest("r2", SerialPlant.Gtin, Quantity: 501), Ct)).Refusal);
        var granted = await plant.GrantAsync(plant.Officer, new SerialRequest("r2", SerialPlant.Gtin, Quantity: 500));
        Assert.Equal("1 in 10,000", granted.Guess);
        Assert.Equal(SerialRefusal.Dry, (await plant.Grants.RunAsync(plant.Officer, new SerialRequest("r3", SerialPlant.Gtin, Quantity: 1), Ct)).Refusal);
        Assert.True((await plant.Pools.MakeAsync(plant.Officer, new PoolRequest(SerialPlant.Gtin, Alphabet: "0123456789", Length: 7, Reason: "more"), Ct)).IsGuessable);
        Assert.Equal("1 in 3,656,158,440,062", SerialSpace.Guess(BigInteger.Pow(36, 10), 1_000));
    }

    [Fact]
    public async Task Numbers_are_random_in_every_character_neither_sorted_nor_in_the_order_in_which_they_were_made()
    {
        await using var plant = await SerialPlant.CreateAsync();
        var pool = await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Stock: 4_000));
        await new RefillPools(plant.Database.Gateway).RunAsync(Ct);
        foreach (var part in (string[])["stock", "made"])
        {
            var numbers = (await plant.GrantAsync(plant.Officer, new SerialRequest(part, SerialPlant.Gtin, Quantity: 4_000))).Numbers;
            Assert.All(numbers, n => Assert.Equal(SerialSpace.DefaultLength, n.Length));
            // Each character at each place about equally often: 4,000 of 34 are 118 on average, and a fair die stays within 60 of that.
            for (var place = 0; place < SerialSpace.DefaultLength; place++)
            {
                var counts = SerialSpace.DefaultAlphabet.Select(c => numbers.Count(n => n[place] == c)).ToArray();
                Assert.All(counts, c => Assert.InRange(c, 58, 178));
            }
            // Of two neighbours the second is the larger one half of the time, and its first character follows the other's no more often than chance.
            Assert.InRange(numbers.Zip(numbers.Skip(1)).Count(p => string.CompareOrdinal(p.First, p.Second) < 0), 1_800, 2_200);
            Assert.InRange(numbers.Zip(numbers.Skip(1)).Count(p => p.First[0] == p.Second[0]), 60, 180);
        }
        // Nor is what lies in stock in the order of the numbers, so that who knows one grant knows nothing of the band of the next.
        Assert.NotEqual(0L, pool.Most);
        var inRows = await plant.Database.ScalarAsync<long>("select count(*) from (select serial < lag(serial) over (order by ctid) as down from serial_number) n where down");
        Assert.InRange(inRows, 3_500, 4_500);
    }

    [Theory]
    [InlineData("^[0-9A-HJKMNP-TV-Z]{12}$", "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 12)]
    [InlineData("^[0-9]{13}$", "0123456789", 13)]
    [InlineData(@"^\d{10,14}$", "0123456789", 14)]
    [InlineData("[A-F0-9]{8}", "0123456789ABCDEF", 8)]
    [InlineData("^A[0-9]{8}$", null, 0)]
    [InlineData("^[0-9]+$", null, 0)]
    [InlineData("^[^0-9]{8}$", null, 0)]
    [InlineData("^[0-9]{21}$", null, 0)]
    public void A_products_serial_pattern_says_alphabet_and_length_where_it_is_that_simple(string pattern, string? alphabet, int length) =>
        Assert.Equal(alphabet is null ? null : (alphabet, length), SerialSpace.OfPattern(pattern) is { } found ? (string.Concat(found.Alphabet.Order()), found.Length) : ((string, int)?)null);

    [Fact]
    public async Task A_pool_has_the_form_of_its_products_serial_pattern_and_another_is_refused()
    {
        await using var plant = await SerialPlant.CreateAsync();
        await ProductAsync(plant, SerialPlant.Gtin, "^[0-9A-F]{10}$");
        await ProductAsync(plant, SerialPlant.OtherGtin, "^X[0-9]{11}$");
        var pool = await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin));
        Assert.Equal(("0123456789ABCDEF", 10), (pool.Alphabet, pool.Length));
        Assert.All((await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 100))).Numbers, n => Assert.Matches("^[0-9A-F]{10}$", n));
        foreach (var (request, why) in ((PoolRequest, string)[])
            [
                (new(SerialPlant.Gtin, Length: 12), "do not match the product's serial pattern"), (new(SerialPlant.OtherGtin), "do not match the product's serial pattern"),
                (new(SerialPlant.Gtin, Alphabet: "AAB"), "each once"), (new(SerialPlant.Gtin, Alphabet: "AB€"), "GS1 allows no '€'"), (new(SerialPlant.Gtin, Length: 21), "1 to 20"), (new("1"), "GTIN"),
                (new(), "gtin"), (new(SerialPlant.Gtin, Ordered: true), "random"), (new(SerialPlant.Gtin, Source: "found"), "source"), (new(SerialPlant.Gtin, Party: "Nobody"), "no party named Nobody"),
                (new(SerialPlant.Gtin, Source: "external", Stock: 5), "ahead"), (new(SsccPrefix: "12"), "7 to 16"), (new(SsccPrefix: "19521321", RangeFrom: 5, RangeTo: 4), "go from 0 to 999999999"),
                (new(SerialPlant.Gtin, LowPercent: 101), "lowPercent"), (new(SsccPrefix: "19521321", Length: 4), "18 digits"),
            ])
        {
            Assert.Contains(why, (await plant.Pools.MakeAsync(plant.Officer, request with { Reason = "test" }, Ct)).Refusal, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Logistic_units_have_whole_ssccs_of_a_range_in_order_or_at_random_and_none_twice()
    {
        await using var plant = await SerialPlant.CreateAsync();
        await plant.PoolAsync(new PoolRequest(SsccPrefix: "19521321", Ordered: true, RangeFrom: 100, RangeTo: 129));
        var first = (await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SsccPrefix: "19521321", Quantity: 10))).Numbers;
        Assert.Equal(Enumerable.Range(100, 10).Select(n => $"19521321{n:D9}"), first.Select(n => n[..17]));
        Assert.All(first, n => Assert.True(CheckDigit.Completes(n)));
        // Of the same prefix at random within a range that the first shares, asked by the company prefix alone.
        await plant.PoolAsync(new PoolRequest(SsccPrefix: "19521321", Party: "CMO One", RangeFrom: 90, RangeTo: 139, Stock: 0));
        var second = (await plant.GrantAsync(plant.Cmo, new SerialRequest("r1", SsccPrefix: "9521321", Quantity: 40))).Numbers;
        Assert.Equal(40, second.Except(first).Distinct().Count());
        // What the others had is passed over; what is left is too little.
        Assert.Equal(SerialRefusal.Dry, (await plant.Grants.RunAsync(plant.Officer, new SerialRequest("r2", SsccPrefix: "19521321", Quantity: 20), Ct)).Refusal);
        Assert.Equal(50L, await plant.Database.ScalarAsync<long>("select count(distinct serial) from serial_number"));
        Assert.Null((await plant.Pools.ListAsync(plant.Cmo, null, null, 9, Ct))[0].Guess);
    }

    [Fact]
    public async Task The_last_number_of_a_range_is_found_however_many_of_the_others_are_taken()
    {
        await using var plant = await SerialPlant.CreateAsync();
        // All but the last of each range were given out by another pool.
        await plant.PoolAsync(new PoolRequest(SsccPrefix: "19521321", Party: "CMO One", Ordered: true, RangeFrom: 0, RangeTo: 1_998));
        Assert.Equal(1_999, (await plant.GrantAsync(plant.Cmo, new SerialRequest("r1", SsccPrefix: "19521321", Quantity: 1_999))).Numbers.Count);
        await plant.PoolAsync(new PoolRequest(SsccPrefix: "19521321", Ordered: true, RangeFrom: 0, RangeTo: 1_999));
        Assert.StartsWith("19521321000001999", Assert.Single((await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SsccPrefix: "19521321", Quantity: 1))).Numbers), StringComparison.Ordinal);
        await plant.PoolAsync(new PoolRequest(SsccPrefix: "19521321", RangeFrom: 0, RangeTo: 2_000, Stock: 0));
        var pool = (await plant.Pools.ListAsync(plant.Officer, null, null, 9, Ct)).Single(p => !p.Ordered);
        Assert.StartsWith("19521321000002000", Assert.Single((await plant.GrantAsync(plant.Officer, new SerialRequest("r2", Pool: pool.Id, SsccPrefix: "19521321", Quantity: 1))).Numbers), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_from_an_authority_is_taken_whole_or_not_at_all_and_each_line_that_hinders_is_told()
    {
        await using var plant = await SerialPlant.CreateAsync();
        var pool = await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Source: "external", Alphabet: "0123456789", Length: 12));
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Party: "CMO One", Alphabet: "0123456789", Length: 12, Stock: 0));
        var others = (await plant.GrantAsync(plant.Cmo, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 1))).Numbers[0];
        var outcome = await ImportAsync(plant, pool, $"000000000001\n000000000002\n\n000000000001\n{others}\n12345\n00000000000X\n");
        Assert.Equal(["line 4 GW-SER-05", "line 6 GW-SER-06", "line 7 GW-SER-06"], outcome.Findings.All.Select(f => $"line {f.Where.Line} {f.Code}"));
        Assert.Equal("000000000001 stands in line 1 already.", outcome.Findings.All[0].Message);
        outcome = await ImportAsync(plant, pool, $"000000000001\n{others}\n");
        Assert.Equal(["line 2 GW-SER-05"], outcome.Findings.All.Select(f => $"line {f.Where.Line} {f.Code}"));
        Assert.Equal(0L, (await plant.Pools.FindAsync(plant.Officer, pool.Id, Ct))!.Made);

        outcome = await ImportAsync(plant, pool, $"serial,gtin\r\n000000000001,{SerialPlant.Gtin}\r\n000000000002,{SerialPlant.Gtin[1..]}\r\n");
        Assert.Equal((2, false), (outcome.Taken, outcome.IsReplayed));
        outcome = await ImportAsync(plant, pool, $"serial,gtin\r\n000000000001,{SerialPlant.Gtin}\r\n000000000002,{SerialPlant.Gtin[1..]}\r\n");
        Assert.Equal((2, true), (outcome.Taken, outcome.IsReplayed)); // the same bytes
        Assert.Equal(["line 2 GW-SER-06"], (await ImportAsync(plant, pool, $"gtin,serial\n{SerialPlant.OtherGtin},000000000003\n")).Findings.All.Select(f => $"line {f.Where.Line} {f.Code}"));
        Assert.Equal(["GW-SER-06"], (await ImportAsync(plant, pool, "\n")).Findings.All.Select(f => f.Code));
        Assert.Equal(["000000000001", "000000000002"], (await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 2))).Numbers.Order());

        // They count for guessing like generated ones; and only an external pool takes a list.
        var small = await plant.PoolAsync(new PoolRequest(SerialPlant.OtherGtin, Source: "external", Alphabet: "0123456789", Length: 4));
        Assert.Equal(["GW-SER-04"], (await ImportAsync(plant, small, "0001\n0002\n")).Findings.All.Select(f => f.Code));
        var generated = await plant.PoolAsync(new PoolRequest(SerialPlant.OtherGtin));
        Assert.Contains("external", (await ImportAsync(plant, generated, "A\n")).Refusal, StringComparison.Ordinal);
        var units = await plant.PoolAsync(new PoolRequest(SsccPrefix: "19521321", Source: "external"));
        Assert.Equal(["line 1", "line 2", "line 3"], (await ImportAsync(plant, units, "195213210000000011\n29521321000000001\n12\n19521321000000001" + CheckDigit.Of("19521321000000001"))).Findings.All.Select(f => $"line {f.Where.Line}"));
    }

    private static async Task<ImportOutcome> ImportAsync(SerialPlant plant, SerialPool pool, string text) => (await plant.Import.RunAsync(plant.Officer, pool.Id, Encoding.UTF8.GetBytes(text), "given", Ct))!;

    private static async Task ProductAsync(SerialPlant plant, string gtin, string pattern)
    {
        var wanted = new WantedMasterData();
        wanted.Products.Add(new Wanted<Product>(new Product(gtin), p => p with { Name = "P", SerialPattern = pattern }, _ => default));
        Assert.False((await new ChangeMasterData(plant.Database.Gateway).RunAsync(plant.Officer, wanted, dryRun: false, 0, Ct)).IsRefused);
    }
}
