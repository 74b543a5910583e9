using Gateway.Access;
using Gateway.Database;
using Gateway.Devices;
using Gateway.Tests.Access;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;

namespace Gateway.Tests.Devices;

/// <summary>LINES.md section 12: a device is qualified by a signature, as it was when it was tested, and is not when it is another.</summary>
public sealed class QualificationTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly QualificationRequest First = new("IQ-1", "OQ-1", "PQ-1", "1.0", "c0ffee", 12, new DateOnly(2199, 1, 31), null, "New camera.");

    [Fact]
    public async Task A_device_is_qualified_by_a_signature_and_only_a_change_reference_and_another_signature_qualify_it_anew()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        await device.BeatAsync(DateTimeOffset.UtcNow);
        var anna = await Officer.OfAsync(gateway, "anna");
        Assert.Equal("cam-1 is not qualified.", await BlocksAsync(gateway));
        Assert.Null(await anna.QualifyAsync(First));
        Assert.Null(await BlocksAsync(gateway));
        Assert.Equal("The device was qualified before: say under which change it is qualified anew.", await anna.QualifyAsync(First with { Firmware = "1.1" }));
        Assert.Null(await anna.QualifyAsync(First with { Firmware = "1.1", ChangeReference = "CR-0007" }));
        Assert.Equal("cam-1 runs firmware 1.0 and is qualified with 1.1.", await BlocksAsync(gateway));
        await device.BeatAsync(DateTimeOffset.UtcNow, firmware: "1.1");
        Assert.Null(await BlocksAsync(gateway));
        var all = await gateway.Get<DeviceQualifications>().OfAsync(anna.Actor, 1, Ct);
        Assert.Equal(["2 effective", "1 superseded"], all.Select(q => $"{q.Number} {q.State}"));
        Assert.Equal("1 device qualified person:anna, 2 device qualified person:anna", await gateway.Database.ScalarAsync<string>("select string_agg(version || ' ' || meaning || ' ' || signer, ', ' order by signature_id) from signature where record_type = 'device qualification'"));

        var qualifications = gateway.Get<DeviceQualifications>();
        Assert.Null(await qualifications.RevokeAsync(anna.Actor, 1, "The lens was changed.", Ct));
        Assert.Equal("cam-1 is not qualified.", await BlocksAsync(gateway));
        Assert.Equal("The device has no qualification in effect.", await qualifications.RevokeAsync(anna.Actor, 1, "again", Ct));
        Assert.Equal("2 revoke revoked", await gateway.Database.ScalarAsync<string>("select concat_ws(' ', entity_key, new ->> 'step', new ->> 'found') from audit_entry where action = 'refused' and entity = 'device_qualification'"));
    }

    [Fact]
    public async Task A_qualification_ends_with_its_last_day_and_an_offline_or_withdrawn_device_is_told_apart()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        var anna = await Officer.OfAsync(gateway, "anna");
        Assert.Null(await anna.QualifyAsync(First with { ValidUntil = DateOnly.FromDateTime(DateTime.UtcNow.AddDays(1)) }));
        Assert.Equal("cam-1 has sent no heartbeat yet, so its clock is not known.", await BlocksAsync(gateway));
        await device.BeatAsync(DateTimeOffset.UtcNow);
        await gateway.WatchAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("cam-1 is offline.", await BlocksAsync(gateway));
        await gateway.Database.AdvanceAsync(TimeSpan.FromDays(2));
        Assert.StartsWith("The qualification of cam-1 ended on ", await BlocksAsync(gateway), StringComparison.Ordinal);
        Assert.Equal([(await BlocksAsync(gateway))!], (await new Gateway.Validation.ReadValidation(gateway.Database.Gateway).ReadAsync(anna.Actor, Ct)).UnqualifiedDevices);

        var service = gateway.Get<DeviceService>();
        Assert.Null(await service.WithdrawAsync(anna.Actor, 1, "scrapped", Ct));
        Assert.Equal("The device is withdrawn already.", await service.WithdrawAsync(anna.Actor, 1, "scrapped", Ct));
        await using (var work = await gateway.Database.Gateway.BeginAsync(anna.Actor, Ct))
        {
            Assert.Empty(await DeviceReadiness.OfLineAsync(work, 1));
        }
        Assert.Equal("401 GW-ACC-01", TestDevice.Told(await device.SendAsync(1)));
        using var client = gateway.Client(gateway.OperatorKey);
        using var refused = await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(client, "api/devices/register", DeviceGateway.Registration("cam-1"), Ct);
        Assert.Contains("cam-1 has been withdrawn", await refused.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.Null(await service.RestoreAsync(anna.Actor, 1, "found again", Ct));
        Assert.Equal("1 []  0", TestDevice.Told(await (await gateway.RegisterAsync()).SendAsync(1)));
    }

    [Theory]
    [InlineData("serial", "S-2", "cam-1 is another device than the qualified one: camera with the serial number S-2, and camera S-1 was qualified.")]
    [InlineData("kind", "scanner", "cam-1 is another device than the qualified one: scanner with the serial number S-1, and camera S-1 was qualified.")]
    [InlineData("station", "", "cam-1 stands at another place than it was qualified for: line PL01, station –, and not line PL01, station S1.")]
    [InlineData("line", "PL02", "cam-1 stands at another place than it was qualified for: line PL02, station S1, and not line PL01, station S1.")]
    public async Task What_registers_as_another_device_or_at_another_place_is_not_qualified(string member, string value, string sentence)
    {
        await using var gateway = await DeviceGateway.StartAsync();
        await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into line (party_id, code, name, site, read_point, time_zone) select party_id, 'PL02', 'Line 2', site, read_point || '2', time_zone from line where code = 'PL01'");
        await (await gateway.RegisterAsync()).BeatAsync(DateTimeOffset.UtcNow);
        var anna = await Officer.OfAsync(gateway, "anna");
        Assert.Null(await anna.QualifyAsync(First));
        Assert.Null((await gateway.Get<DeviceList>().FindAsync(anna.Actor, "cam-1", null, Ct))!.Blocks);
        var other = System.Text.Json.JsonSerializer.SerializeToNode(DeviceGateway.Registration("cam-1"))!;
        other[member] = value;
        Assert.Equal(200, await RegisterAsync());
        Assert.Equal(sentence, (await gateway.Get<DeviceList>().FindAsync(anna.Actor, "cam-1", null, Ct))!.Blocks);
        Assert.Null(await anna.QualifyAsync(First with { ChangeReference = "CR-0008" }));
        Assert.Null((await gateway.Get<DeviceList>().FindAsync(anna.Actor, "cam-1", null, Ct))!.Blocks);

        async Task<int> RegisterAsync()
        {
            using var client = gateway.Client(gateway.OperatorKey);
            using var answer = await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(client, "api/devices/register", other, Ct);
            return (int)answer.StatusCode;
        }
    }

    [Fact]
    public async Task A_device_stays_on_its_line_while_a_lot_is_on_it_and_another_one_in_its_place_is_told()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into line (party_id, code, name, site, read_point, time_zone) select party_id, 'PL02', 'Line 2', site, read_point || '2', time_zone from line where code = 'PL01'");
        var device = await gateway.RegisterAsync();
        Assert.Null(await (await Officer.OfAsync(gateway, "anna")).QualifyAsync(First));
        await gateway.RunAsync();
        using var client = gateway.Client(gateway.OperatorKey);
        using var refused = await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(client, "api/devices/register", DeviceGateway.Registration("cam-1", "PL02"), Ct);
        Assert.Equal(409, (int)refused.StatusCode);
        Assert.Contains("cam-1 belongs to line PL01, where lot L1 is running: it goes to line PL02 when that has ended.", await refused.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from audit_entry where action = 'refused' and entity = 'device' and new ->> 'step' = 'register'"));
        Assert.Equal("1 []  0", TestDevice.Told(await device.SendAsync(1))); // it goes on where it is
        var other = System.Text.Json.JsonSerializer.SerializeToNode(DeviceGateway.Registration("cam-1"))!;
        other["serial"] = "S-2";
        using var another = await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(client, "api/devices/register", other, Ct);
        Assert.Equal(200, (int)another.StatusCode);
        Assert.Equal("device.unqualified open 1", await gateway.ExceptionsAsync());
        await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update run set state = 'ended', ended_at = gateway_now()");
        await gateway.RegisterAsync(line: "PL02");
    }

    [Fact]
    public async Task No_statement_of_the_application_qualifies_a_device_without_its_signature_or_changes_one_that_is()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        await gateway.RegisterAsync();
        await gateway.RegisterAsync("cam-2");
        var anna = await Officer.OfAsync(gateway, "anna");
        Assert.Null(await anna.QualifyAsync(First));
        const string columns = "kind, serial, line_id, station, iq_reference, oq_reference, pq_reference, firmware, config_hash, challenge_interval, valid_until, change_reference, reason, qualified_by, qualified_by_name, qualified_at, signature";
        await using var connection = await Database.RowSecurityAttackTests.ConnectAsync(gateway.Database, "gateway_app");
        var wrong = new List<string>();
        foreach (var (attack, state) in ((string, string)[])
        [
            // The right person's signature, of another device and of the next number.
            ($"insert into device_qualification (device_id, party_id, number, {columns}) select 2, party_id, 1, {columns} from device_qualification", "GW044"),
            ($"update device_qualification set state = 'revoked', ended_at = now(); insert into device_qualification (device_id, party_id, number, {columns}) select device_id, party_id, 2, {columns.Replace(", change_reference", ", 'x'", StringComparison.Ordinal)} from device_qualification", "GW044"),
            // And of a device that is another by now.
            ($"update device set serial = 'S-2' where device_id = 1; update device_qualification set state = 'revoked', ended_at = now(); insert into device_qualification (device_id, party_id, number, {columns}) select device_id, party_id, 2, {columns.Replace(", change_reference", ", 'x'", StringComparison.Ordinal)} from device_qualification", "GW044"),
            ("update device_qualification set valid_until = '2300-01-01'", PostgresErrorCodes.InsufficientPrivilege),
            ("update device_qualification set state = 'revoked', ended_at = now(); update device_qualification set state = 'effective', ended_at = null", "GW044"),
            ("delete from device_qualification", PostgresErrorCodes.InsufficientPrivilege),
            ("update device_message set body = ''", PostgresErrorCodes.InsufficientPrivilege),
            ("delete from device_message", PostgresErrorCodes.InsufficientPrivilege),
            ("update device_registration set firmware = 'x'", PostgresErrorCodes.InsufficientPrivilege),
        ])
        {
            await using var command = new NpgsqlCommand($"begin; select set_config('app.party', '*', true), set_config('app.actor', 'person:anna', true); {attack}; commit", connection);
            try
            {
                await command.ExecuteNonQueryAsync(Ct);
                wrong.Add($"allowed: {attack}");
            }
            catch (PostgresException e)
            {
                wrong.AddRange(e.SqlState == state ? [] : [$"{e.SqlState} {e.MessageText}: {attack}"]);
            }
            await using var rollback = new NpgsqlCommand("rollback", connection);
            await rollback.ExecuteNonQueryAsync(Ct);
        }
        Assert.Equal("", string.Join("\n", wrong));
    }

    private static async Task<string?> BlocksAsync(DeviceGateway gateway)
    {
        await using var work = await gateway.Database.Gateway.BeginAsync(Actor.System("test"), Ct);
        return Assert.Single(await DeviceReadiness.OfLineAsync(work, 1)).Blocks;
    }

    /// <summary>An officer in a session, who signs.</summary>
    private sealed record Officer(DeviceGateway Gateway, AccountsOf Accounts, string User, Actor Actor, long Session)
    {
        public static async Task<Officer> OfAsync(DeviceGateway gateway, string user)
        {
            var accounts = new AccountsOf(gateway.Database.Gateway, new EphemeralDataProtectionProvider());
            await accounts.AddAsync(user, "officer");
            Assert.Null((await accounts.People.VerifyIdentityAsync(AccountsOf.Admin, user, "identity card", Ct)).Refusal);
            var holder = await accounts.HolderAsync(await accounts.SignInAsync(user));
            return new Officer(gateway, accounts, user, holder!.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value);
        }

        public async Task<string?> QualifyAsync(QualificationRequest request)
        {
            var qualifications = Gateway.Get<DeviceQualifications>();
            using var signing = Accounts.Signing;
            var begun = await signing.BeginAsync(Actor, Session, (await qualifications.SignableAsync(Actor, 1, request, Ct))!, DeviceQualifications.Meaning, Ct);
            return begun.Refusal ?? (await signing.SignAsync(Actor, Session, begun.Nonce!.Value, new SigningSecret(User, AccountsOf.Good, null, 1), (work, signature) => DeviceQualifications.QualifiedAsync(work, signature, 1, request), Ct)).Refusal;
        }
    }
}
