using System.Text;
using Epcis;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;
using Npgsql;

namespace Gateway.Tests.MasterData;

/// <summary>Master data on a real database: versions, files, two people at once, and what is refused.</summary>
public sealed class MasterDataTests
{
    private const string Unit = "09521234001010", Case = "59521234001015", Gln = "9521234000013";

    private const string Products = $"""
        gtin,name,level,holds,quantity,companyPrefixLength,serialPattern,markets,ndc
        {Case},"Demozol 20 mg, case",case,{Unit},5,7,^[0-9]+$,,
        {Unit},"Demozol 20 mg, 28 tablets",unit,,,7,^[0-9A-Z]+$,US DE,9521-0100-28
        """;

    private static readonly Actor Officer = Actor.System("test") with { Id = "person:ann", Name = "Ann", Reason = "first import" };

    private readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_makes_products_with_their_levels_and_the_same_again_does_nothing()
    {
        await using var database = await TestDatabase.CreateAsync();
        var first = await ImportAsync(database, Products);
        Assert.Equal((2, 0, 0, false), (first.Added, first.Changed, first.Unchanged, first.IsRefused));
        var again = await ImportAsync(database, Products);
        Assert.Equal((0, 0, 2), (again.Added, again.Changed, again.Unchanged));
        Assert.Equal(2L, await database.ScalarAsync<long>("select count(*) from product"));

        var records = new MasterDataRecords(database.Gateway);
        var unit = (await records.ProductAsync(Officer, Unit, _ct))!;
        Assert.Equal((1, "person:ann", "Ann", "first import", "DE US"), (unit.Version, unit.ChangedBy, unit.ChangedByName, unit.Reason, unit.Record.Markets));
        Assert.Equal([Unit, Case], (await records.PackAsync(Officer, Case, _ct)).Select(p => p.Record.Gtin));
        Assert.Equal([Unit, Case], (await records.PackAsync(Officer, Unit, _ct)).Select(p => p.Record.Gtin));

        var known = await new KnownMasterData(records).ReadAsync(_ct);
        var specification = known.Find(Case)!;
        Assert.Equal(("case", Unit, 5, false), (specification.Level, specification.Holds, specification.Quantity, specification.MixedLots));
        Assert.Null(known.Find("09521234009993"));
        Assert.Equal($"urn:epc:id:sgtin:9521234.000101.A1", Epc.Parse($"(01){Unit}(21)A1", known.Prefixes).Value!.ToUrn());
    }

    [Fact]
    public async Task Every_change_is_a_version_and_none_is_overwritten()
    {
        await using var database = await TestDatabase.CreateAsync();
        await ImportAsync(database, Products);
        var changed = await ImportAsync(database, $"gtin,quantity\n{Case},6\n", "the case is larger now");
        Assert.Equal((0, 1), (changed.Added, changed.Changed));
        Assert.Equal([new MemberChange("quantity", "5", "6")], Assert.Single(changed.Items).Changes);

        var versions = await new MasterDataRecords(database.Gateway).ProductVersionsAsync(Officer, Case, _ct);
        Assert.Equal([(2, 6, "the case is larger now"), (1, 5, "first import")], versions.Select(v => (v.Version, v.Record.Quantity!.Value, v.Reason)));
        Assert.Equal("Demozol 20 mg, case", versions[0].Record.Name);
        Assert.Equal(3L, await database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'product' and actor = 'person:ann'"));
        foreach (var attack in (string[])["update product set name = 'x'", "delete from product", "truncate product", "update location set name = 'x'"])
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(attack.StartsWith("update location", StringComparison.Ordinal)
                ? $"select set_config('app.actor', 'a', false), set_config('app.actor_name', 'a', false), set_config('app.reason', 'a', false); insert into location (gln, extension, version, party_id, name, kind, street, street2, city, state, postal_code, country, withdrawn) select '{Gln}', '', 1, party_id, 'n', 'place', '', '', '', '', '', '', false from party; {attack}"
                : attack));
            Assert.Equal("GW002", refused.SqlState);
        }
    }

    [Fact]
    public async Task A_dry_run_shows_the_difference_and_stores_nothing()
    {
        await using var database = await TestDatabase.CreateAsync();
        var shown = await ImportAsync(database, Products, dryRun: true);
        Assert.Equal((true, 2, false), (shown.DryRun, shown.Added, shown.IsRefused));
        Assert.Contains(new MemberChange("holds", null, Unit), shown.Items[0].Changes);
        Assert.Equal(0L, await database.ScalarAsync<long>("select count(*) from product"));
        Assert.Equal(0L, await database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'product'"));
    }

    [Fact]
    public async Task The_second_of_two_who_change_one_product_is_told()
    {
        await using var database = await TestDatabase.CreateAsync();
        await ImportAsync(database, Products);
        var change = new ChangeMasterData(database.Gateway);
        var outcomes = await Task.WhenAll(Enumerable.Range(1, 4).Select(n => change.RunAsync(Officer, Named($"name {n}"), dryRun: false, expected: 1, _ct)));
        Assert.Equal([null, 2, 2, 2], outcomes.Select(o => o.PresentVersion).Order());
        Assert.Equal(2, (await new MasterDataRecords(database.Gateway).ProductVersionsAsync(Officer, Unit, _ct)).Count);

        // Who wants what is there already has it, whatever he has seen.
        var present = (await new MasterDataRecords(database.Gateway).ProductAsync(Officer, Unit, _ct))!.Record.Name;
        var same = await change.RunAsync(Officer, Named(present), dryRun: false, expected: 1, _ct);
        Assert.Equal((null, 1), (same.PresentVersion, same.Unchanged));
    }

    [Theory]
    [InlineData("gtin,name,colour\n09521234001010,A,red\n", "masterdata.column_unknown", 1, 3)]
    [InlineData("gtin,name,name\n09521234001010,A,B\n", "masterdata.column_unknown", 1, 3)]
    [InlineData("name,gtin\nA,09521234001010\nB,09521234001011\n", "masterdata.value_wrong", 3, 2)]
    [InlineData("gtin,name\n09521234001010,A\n09521234001010,B\n", "masterdata.row_twice", 3, 1)]
    [InlineData("gtin,name\n09521234001010,A\n\"59521234001015\",\n", "masterdata.value_wrong", 3, 2)]
    [InlineData("gtin;name;quantity\n09521234001010;A;many\n", "masterdata.value_wrong", 2, 3)]
    [InlineData("gtin,name\n09521234001010,A\n59521234001015,B,C\n", "masterdata.file_unreadable", 3, 3)]
    [InlineData("gtin,name,serialPattern\n09521234001010,A,(a)\\1\n", "masterdata.value_wrong", 2, 3)]
    [InlineData("gtin,name,ndc\n09521234001010,A,9521010028\n", "masterdata.value_wrong", 2, 3)]
    [InlineData("gtin,name,level,holds,quantity\n59521234001015,A,case,09521234001010,5\n", "masterdata.pack_contradiction", 2, 4)]
    [InlineData("gtin,name,level,holds,quantity\n59521234001015,A,case,09521234001010,5\n09521234001010,B,pallet,,\n", "masterdata.pack_contradiction", 2, 4)]
    [InlineData("gln,name\n9521234000013,Plant\n9521234000014,B\n", "masterdata.value_wrong", 3, 1)]
    [InlineData("gln,name,country\n9521234000013,Plant,Germany\n", "masterdata.value_wrong", 2, 3)]
    [InlineData("serial,lot\n1,2\n", "masterdata.file_unreadable", 1, 1)]
    [InlineData("gtin,name\n", "masterdata.file_unreadable", 1, 1)]
    [InlineData("", "masterdata.file_unreadable", 1, 1)]
    public async Task A_file_with_a_fault_is_not_taken_at_all_and_the_fault_has_its_line_and_column(string file, string code, int line, int column)
    {
        await using var database = await TestDatabase.CreateAsync();
        var outcome = await ImportAsync(database, file);
        var fault = Assert.Single(outcome.Findings.All, f => f.Severity == Severity.Error);
        Assert.Equal((code, line, column), (fault.Code, fault.Where.Line, fault.Where.Column));
        Assert.Equal(0L, await database.ScalarAsync<long>("select (select count(*) from product) + (select count(*) from location)"));
    }

    [Fact]
    public async Task What_others_hold_cannot_become_of_a_higher_level_or_be_withdrawn()
    {
        await using var database = await TestDatabase.CreateAsync();
        await ImportAsync(database, Products);
        foreach (var file in (string[])[$"gtin,level\n{Unit},pallet\n", $"gtin,withdrawn\n{Unit},true\n"])
        {
            Assert.Equal("masterdata.pack_contradiction", Assert.Single((await ImportAsync(database, file)).Findings.All).Code);
        }
        Assert.Equal(2L, await database.ScalarAsync<long>("select count(*) from product"));
        Assert.False((await ImportAsync(database, $"gtin,withdrawn\n{Unit},true\n{Case},true\n")).IsRefused);
        Assert.Null((await new KnownMasterData(new MasterDataRecords(database.Gateway)).ReadAsync(_ct)).Find(Unit));
    }

    [Theory]
    [InlineData("dscsa-shipment.xml")]
    [InlineData("shipment-2.0.xml")]
    public async Task The_header_of_a_document_is_imported_and_levels_told_otherwise_stay(string sample)
    {
        await using var database = await TestDatabase.CreateAsync();
        var file = await File.ReadAllBytesAsync(Repository.File($"samples/{sample}"), _ct);
        var first = await ImportAsync(database, file);
        Assert.Equal("", string.Join("; ", first.Findings.All.Select(f => f.Message)));
        Assert.True(first.Added >= 4);
        var records = new MasterDataRecords(database.Gateway);
        var products = await records.ProductsAsync(Officer, null, 10, _ct);
        var (unit, pack) = (products[0].Record, products[1].Record);
        Assert.Equal((7, null), (unit.CompanyPrefixLength, unit.Level));
        Assert.NotEqual("", unit.Ndc);
        Assert.NotEqual("", unit.Manufacturer);
        var location = (await records.LocationsAsync(Officer, null, 10, _ct))[0].Record;
        Assert.Equal(("place", 7), (location.Kind, location.CompanyPrefixLength));
        Assert.StartsWith("urn:epc:id:sgln:", location.Sgln(), StringComparison.Ordinal);
        Assert.NotEqual("", location.City);

        Assert.False((await ImportAsync(database, $"gtin,level,holds,quantity\n{unit.Gtin},unit,,\n{pack.Gtin},case,{unit.Gtin},4\n")).IsRefused);
        var again = await ImportAsync(database, file);
        Assert.Equal((0, 0), (again.Added, again.Changed));
        Assert.Equal("case", (await records.ProductAsync(Officer, pack.Gtin, _ct))!.Record.Level);
    }

    [Fact]
    public async Task A_location_may_lie_within_another_and_lists_go_on_behind_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        await ImportAsync(database, $"gln,extension,name,kind,companyPrefixLength\n{Gln},PL04,Line 4,place,7\n{Gln},,Plant,both,7\n9521234000105,,Owner,party,\n");
        var records = new MasterDataRecords(database.Gateway);
        var all = await records.LocationsAsync(Officer, null, 10, _ct);
        Assert.Equal(["Plant", "Line 4", "Owner"], all.Select(l => l.Record.Name));
        Assert.Equal(["urn:epc:id:sgln:9521234.00001.0", "urn:epc:id:sgln:9521234.00001.PL04", null], all.Select(l => l.Record.Sgln()));
        Assert.Equal(["urn:epc:id:pgln:9521234.00001", null, "https://id.gs1.org/417/9521234000105"], all.Select(l => l.Record.Pgln()));
        Assert.Equal(["Line 4", "Owner"], (await records.LocationsAsync(Officer, (Gln, ""), 10, _ct)).Select(l => l.Record.Name));
        Assert.Single(await records.LocationVersionsAsync(Officer, Gln, "PL04", _ct));
    }

    [Fact]
    public async Task Another_party_neither_sees_nor_writes_master_data()
    {
        await using var database = await TestDatabase.CreateAsync();
        await ImportAsync(database, Products);
        var stranger = Officer with { Sees = "2" };
        Assert.Empty(await new MasterDataRecords(database.Gateway).ProductsAsync(stranger, null, 10, _ct));
        var refused = await Assert.ThrowsAsync<PostgresException>(() => new ChangeMasterData(database.Gateway).RunAsync(stranger, Named("mine"), dryRun: false, null, _ct));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    private static WantedMasterData Named(string name)
    {
        var wanted = new WantedMasterData();
        wanted.Products.Add(new Wanted<Product>(new Product(Unit), p => p with { Name = name }, _ => default));
        return wanted;
    }

    private Task<MasterDataOutcome> ImportAsync(TestDatabase database, string csv, string reason = "first import", bool dryRun = false) => ImportAsync(database, Encoding.UTF8.GetBytes(csv), reason, dryRun);

    private Task<MasterDataOutcome> ImportAsync(TestDatabase database, byte[] file, string reason = "first import", bool dryRun = false) =>
        new ChangeMasterData(database.Gateway).ImportAsync(Officer with { Reason = reason }, new MemoryStream(file), dryRun, _ct);
}
