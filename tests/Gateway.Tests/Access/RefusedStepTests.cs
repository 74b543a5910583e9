using System.Reflection;
using System.Text.RegularExpressions;
using Epcis;
using Gateway.Access;
using Gateway.Alarms;
using Gateway.Audit;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Devices;
using Gateway.Exceptions;
using Gateway.Intake;
using Gateway.Lines;
using Gateway.MasterData;
using Gateway.Operations;
using Gateway.Partners;
using Gateway.Serials;
using Gateway.Validation;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Tests.Access;

/// <summary>Every step of every record with states, in every state that does not allow it: it changes nothing, and the trail tells of it once.</summary>
[Requirement("P11-24")]
public sealed partial class RefusedStepTests : IAsyncLifetime
{
    private const string Why = "because";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    // States of what no person steps through.
    private static readonly string[] NobodySteps = ["capture", "validation_state", "validation_node", "device_state", "device_message", "alarm_notice", "hub_message", "hub_message_market", "hub_reconciliation", "hub_order"]; // an order's state is that of packs

    // Taken whatever the state is, or what begins a record, or looks at it.
    private static readonly string[] NoSteps =
    [
        "AddAsync", "CreateAsync", "BeginAsync", "DraftAsync", "FindAsync", "ListAsync", "CountAsync", "StoryAsync", "CountActiveAsync", "LinesAsync", "EntriesAsync", "OpenDaysAsync", "OfEntryAsync", "RecordAsync", "SignableAsync", "AlertsAsync", "GrantsAsync", "ReportAsync",
        "AddRouteAsync", "RoutesAsync", "ImportAsync", "MakeAsync", "UnlockAsync", "ResetSecondFactorAsync", "ResetPasswordAsync", "VerifyIdentityAsync", "EndSessionsAsync",
        "PlanAsync", "ClearanceAsync", "QualityResumeAsync", "AcceptanceAsync", "OfAsync", "QualifiedAsync", "NeedAsync", "ExceptionAsync", "PreviewAsync", "TestAsync", "SetNeedAsync",
    ];

    private Outbox _outbox = default!;
    private AccountsOf _accounts = default!;
    private Actor _anna = default!, _ben = default!;
    private long _session;

    /// <param name="Entity">As the trail names it.</param>
    /// <param name="States">Each with what puts the one record there.</param>
    private sealed record Machine(string Entity, string Key, (string State, string Put)[] States, Step[] Steps);

    /// <param name="Name">As the trail names it; of a signed one, its meaning.</param>
    /// <param name="Method">What takes it.</param>
    /// <param name="Allowed">States that it starts from.</param>
    /// <param name="Take">With the version seen; true when it was taken.</param>
    private sealed record Step(string Name, Delegate Method, string[] Allowed, Func<int?, Task<bool>> Take, bool HasVersion = false, bool IsSigned = false);

    public async ValueTask InitializeAsync()
    {
        _outbox = await Outbox.CreateAsync();
        await _outbox.AddAsync(await _outbox.AddPartnerAsync("https://example.org"), 1, 1);
        _accounts = new AccountsOf(_outbox.Database.Gateway);
        await _accounts.AddAsync("anna", "officer");
        await _accounts.AddTemporaryAsync("carl", "administrator");
        await _accounts.People.VerifyIdentityAsync(AccountsOf.Admin, "anna", "identity card", Ct);
        var holder = (await _accounts.HolderAsync(await _accounts.SignInAsync("anna")))!;
        (_anna, _session) = (holder.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value);
        _ben = AccountsOf.Admin with { Id = "person:ben" };
        await using var work = await _outbox.Database.Gateway.BeginAsync(AccountsOf.Admin, Ct);
        await ExceptionRecords.OpenAsync(work, new ExceptionFacts("X", Severity.Error, "x"), new ExceptionSource("capture", "1", 1, null), []);
        await ApiKeys.CreateAsync(work, 1, "operator", "line 2", "gwl");
        await work.CommitAsync();
        await PutAsync("""
            insert into operation (party_id, request_key, kind, partner_id, partner_name, filter, filter_words, reason, actor, actor_name, actor_role, method, origin, rate, total, created_at)
            values (1, 'k', 'retry', 1, 'p', '', '', 'r', 'a', 'a', 'a', 'm', 'o', 1, 1, now());
            insert into line_fence (line_id, party_id, fence) values (1, 1, 1);
            insert into device_command (party_id, line_id, device_id, type, reason, reason_class, fence, issued_by, issued_by_name, issued_at, deadline) values (1, 1, 1, 'identify', 'r', 'operator', 1, 'x', 'x', now(), now());
            insert into device (party_id, name, line_id, kind, registered_at) values (1, 'plc1', 1, 'plc', now());
            insert into device_qualification (device_id, party_id, number, kind, serial, line_id, station, iq_reference, oq_reference, pq_reference, firmware, config_hash, challenge_interval, valid_until, change_reference, reason, qualified_by, qualified_by_name, qualified_at, signature)
            values (1, 1, 1, 'plc', '', 1, '', 'i', 'o', 'p', 'f', 'c', '1 day', '2030-01-01', '', 'r', 'x', 'x', now(), 1);
            insert into mapping (name, version, title, text, sha256, approved_at, approved_by, approved_by_name, reason) values ('f1-unit-csv', 1, 't', 'x', sha256('x'), now(), 'x', 'x', 'r');
            insert into alarm (kind, subject, severity, raised_as, sentence, link, since, raised_at, last_seen_at) values ('alarm.late', 'x', 'error', 's', 's', '', now(), now(), now());
            insert into alarm_silence (kind, subject, reason, made_at, made_by, until) values ('*', '*', 'r', now(), 'x', now() + interval '10 days');
            insert into alarm_target (name, channel, address, added_at) values ('t', 'email', 'a@example.com', now());
            insert into breaker (partner_id, party_id) values (1, 2);
            insert into licence (partner_id, party_id, kind, number, issuer, region, valid_from, valid_until, checked_at, checked_by) values (1, 2, 'dispenser', '1', 'b', 'US', '2020-01-01', '2030-01-01', now(), 'x');
            insert into validation_baseline (title, reason, fingerprint, drafted_by, drafted_by_name, drafted_at) values ('t', 'r', 'f', 'person:ben', 'b', now());
            insert into validation_change (title, why, impact, risk, tests, concerns, drafted_by, drafted_by_name, drafted_at) values ('t', 'w', 'i', 'r', 't', '{x}', 'person:ben', 'b', now());
            insert into access_review (party_id, reason, began_at, began_by, began_by_name) values (1, 'r', now(), 'person:ben', 'b');
            insert into access_review_line (review_id, party_id, kind, subject, name, party, roles, permissions, granted_by, unused) values (1, 1, 'person', 'carl', 'c', 'p', '{}', '{}', '{}', false);
            insert into audit_review (party_id, from_at, to_at, up_to_ord, entries, own_entries, epoch, size, root, began_at, reviewer, reviewer_name) values (1, now() - interval '1 day', now(), 1, 1, 0, 1, 1, '', now(), 'person:anna', 'a');
            insert into line (party_id, code, name, site, read_point, time_zone) values (1, 'PL01', 'l', '9521234000013', 'urn:x', 'UTC');
            insert into run (party_id, line_id, gtin, lot, expiry, quantity, planned_at) values (1, 1, '09521321000018', 'L1', '2030-01-01', 10, now());
            insert into product (gtin, version, party_id, name, ndc, markets, manufacturer, dosage_form, strength, net_content, mixed_lots, withdrawn, changed_by, changed_by_name, reason)
            values ('09521321000018', 3, 1, 'P', '', '', '', '', '', '', false, false, 'a', 'a', 'r');
            insert into hub_alert_case (party_id, partner_id, code, product, lot, serial, first_at, last_at) values (1, 1, 'A3', '09521321000018', 'L', 'S', now(), now());
            insert into serial_pool (party_id, gtin, source, alphabet, length, low_percent, low_minutes, stock) values (1, '09521321000018', 'external', '0123456789', 12, 20, 15, 0);
            insert into serial_grant (party_id, pool_id, request_id, request_sha, quantity) values (1, 1, 'x', sha256('x'), 1);
            insert into serial_number (item, grant_id, pool_id, party_id, state, serial) values (9521321000018, 1, 1, 1, 1, '000000000001');
            """);
    }

    public async ValueTask DisposeAsync() => await _outbox.DisposeAsync();

    [Fact]
    public async Task A_step_that_the_state_of_a_record_does_not_allow_changes_nothing_and_is_one_entry()
    {
        var database = _outbox.Database;
        var walked = 0;
        foreach (var machine in await MachinesAsync())
        {
            foreach (var (state, put) in machine.States)
            {
                await PutAsync(put);
                foreach (var step in machine.Steps)
                {
                    var isAllowed = step.Allowed.Contains(state);
                    if (isAllowed && !step.HasVersion)
                    {
                        continue;
                    }
                    var what = $"{step.Name} of {machine.Entity} {state}";
                    var (before, entries) = (await EverythingAsync(), await LastEntryAsync());
                    Assert.False(await step.Take(isAllowed ? 99 : null), what);
                    Assert.True(await EverythingAsync() == before, $"{what} has changed something.");
                    var told = await database.ScalarAsync<string>($"""
                        select coalesce(string_agg(concat_ws('|', action, entity, entity_key, actor, reason, new->>'step', new->>'found', new->>'expected', new->>'refusal'), E'\n'), '') from audit_entry where ord > {entries}
                        """);
                    if (step.IsSigned)
                    {
                        Assert.Matches($@"^refused\|signing\|.* version 1, {step.Name}\|person:anna\|.+$", told); // what signing refuses, P11-40
                    }
                    else
                    {
                        var expected = isAllowed ? "99\\|" : "";
                        Assert.Matches($@"^refused\|{machine.Entity}\|{machine.Key}\|[a-z:]+\|{Why}\|{step.Name}\|{Regex.Escape(state)}[^|\n]*\|{expected}[^|\n]+\.$", told);
                        // Again and again, it is told once an hour.
                        entries = await LastEntryAsync();
                        Assert.False(await step.Take(isAllowed ? 99 : null), what);
                        Assert.Equal(entries, await LastEntryAsync());
                    }
                    walked++;
                }
            }
        }
        Assert.True(walked > 60, $"{walked} steps");
        await database.AdvanceAsync(TimeSpan.FromMinutes(61));
        var last = await LastEntryAsync();
        await new Baselines(database.Gateway).WithdrawAsync(_ben, 1, Why, Ct);
        Assert.NotEqual(last, await LastEntryAsync());
        // What is nowhere has no state.
        last = await LastEntryAsync();
        Assert.NotNull((await _outbox.Node().GetRequiredService<DeliveryDecisions>().RetryAsync(_ben, 999, null, Why, Ct)).Refusal);
        Assert.NotNull((await _accounts.People.GrantAsync(_ben, "carl", "nothing", Why, Ct)).Refusal);
        Assert.Equal(last, await LastEntryAsync());
    }

    [Fact]
    public async Task No_state_and_no_step_is_forgotten_here()
    {
        var machines = await MachinesAsync();
        await using var connection = new NpgsqlConnection(_outbox.Database.AdministratorConnectionString);
        var states = Dapper.SqlMapper.Query<(string Table, string Check)>(connection, """
            select c.relname, coalesce(max(pg_get_constraintdef(k.oid)), '') from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'state' left join pg_constraint k on k.conrelid = c.oid and pg_get_constraintdef(k.oid) like 'CHECK ((state = ANY %'
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition group by c.relname
            """).Where(t => t.Check.Length > 0).ToDictionary(t => t.Table, t => Quoted().Matches(t.Check).Select(m => m.Groups[1].Value).ToList());
        Assert.NotEmpty(states);
        Assert.Equal([], states.Keys.Except(NobodySteps).Except(machines.Select(m => m.Entity)));
        Assert.All(states.Where(s => !NobodySteps.Contains(s.Key)), s => Assert.Equal([], s.Value.Except(machines.Where(m => m.Entity == s.Key).SelectMany(m => m.States).Select(x => x.State.Split(':')[0]))));

        var steps = machines.SelectMany(m => m.Steps).Select(s => s.Method.Method).ToList();
        Assert.Equal([], DeliveryDecisions.Steps.Except(machines.Single(m => m.Entity == "delivery").Steps.Select(s => s.Name)));
        Assert.Equal([], ExceptionDecisions.Steps.Except(machines.Single(m => m.Entity == "exception").Steps.Select(s => s.Name)));
        var classes = steps.Select(s => s.DeclaringType!).Distinct().ToList();
        Assert.True(classes.Count >= 10, string.Join(", ", classes));
        var forgotten = from type in classes
                        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
                        where method.GetParameters() is [{ ParameterType: var first }, ..] && (first == typeof(Actor) || first == typeof(Work)) && !NoSteps.Contains(method.Name) && !steps.Contains(method)
                        select $"{type.Name}.{method.Name}";
        // The work of an operation decides as a person does, and a go-live is signed in whatever state the partner is.
        Assert.Equal(["DeliveryDecisions.DecideAsync"], forgotten);
    }

    private async Task<List<Machine>> MachinesAsync()
    {
        var database = _outbox.Database;
        var node = _outbox.Node();
        var (licences, profiles) = (node.GetRequiredService<Licences>(), node.GetRequiredService<PartnerProfiles>());
        var (alarms, silences) = (new AlarmDecisions(database.Gateway), new AlarmSilences(database.Gateway));
        var targets = new AlarmTargets(database.Gateway, new AlarmSecrets(new Microsoft.AspNetCore.DataProtection.EphemeralDataProtectionProvider()), Options.Create(new AlarmOptions()));
        var target = (await targets.ListAsync(_ben, Ct)).Single();
        var (deliveries, operations, partners) = (node.GetRequiredService<DeliveryDecisions>(), node.GetRequiredService<OperationControl>(), node.GetRequiredService<PartnerDirectory>());
        var (exceptions, baselines, changes) = (new ExceptionDecisions(database.Gateway), new Baselines(database.Gateway), new ChangeRecords(database.Gateway));
        var (keys, people, access, audit, masterData) = (new ApiKeys(database.Gateway), new People(database.Gateway), new AccessReviews(database.Gateway), new AuditReviews(database.Gateway), new ChangeMasterData(database.Gateway));
        var (exception, key) = (await database.ScalarAsync<Guid>("select public_id from exception"), await database.ScalarAsync<string>("select key_id from api_key"));
        var (pools, grants, back) = (new SerialPools(database.Gateway, new KnownMasterData(new MasterDataRecords(database.Gateway))), new GrantNumbers(database.Gateway), new GiveBackNumbers(database.Gateway));
        var lists = new ImportNumbers(database.Gateway, new KnownMasterData(new MasterDataRecords(database.Gateway)));
        var (pool, grant, number) = (await database.ScalarAsync<Guid>("select public_id from serial_pool"), await database.ScalarAsync<Guid>("select public_id from serial_grant"), new GiveBackRequest(Gtin: "09521321000018", Serials: ["000000000001"], Reason: Why));
        var carl = (await database.ScalarAsync<int>("select person_id from person where user_name = 'carl'")).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var (run, masterRecords) = (await database.ScalarAsync<Guid>("select public_id from run"), new KnownMasterData(new MasterDataRecords(database.Gateway)));
        var balances = new RunBalances(database.Gateway, masterRecords);
        var (records, counts) = (new RunRecords(database.Gateway, balances), new RunCounts(database.Gateway, balances));
        var runs = new RunSteps(database.Gateway, records, counts);
        var lines = new LineRegister(database.Gateway);
        var clear = new ClearanceItem[] { new("clear", true) };
        var difference = new RunDifference("x", "x", 1, null);
        const string Run = "update run set started_at = case when '{0}' in ('planned', 'ready', 'cancelled') then null else now() end, state = '{0}'";
        var (commands, cmd, plc) = (new DeviceCommandAnswers(database.Gateway), await database.ScalarAsync<Guid>("select public_id from device_command"), new SpeakingDevice(1, 1, 1, "plc1"));
        var (devices, qualifications) = (new DeviceService(database.Gateway), new DeviceQualifications(database.Gateway));
        var mappings = new Mappings(database.Gateway, Options.Create(new IntakeOptions { Mappings = Repository.File("mappings") }));
        var channel = new ChannelSetup("https", "https://example.net", null, [], new ChannelSettings());
        const string Due = "update delivery set state = 'due', dead_reason = null, held_by = null, held_why = null, lease_token = null, finished_at = null; ";
        const string Baseline = """
            update validation_baseline set reviewed_by = 'x', reviewed_by_name = 'x', reviewed_at = now(), approved_by = 'y', approved_by_name = 'y', approved_at = now(), effective_at = now(), ended_at = null, state =
            """;
        const string Decided = "update exception set decided_at = now(), decided_by = 'x', decided_why = 'y', state = ";
        const string Signed = """
            delete from signature; insert into signature (party_id, person_id, session_id, record_type, record_id, version, title, content_sha256, meaning, sentence, signer, signer_name, signer_role, signed_at, zone, components, statement_version, nonce, canonical)
            values (1, 99, 99, 'TYPE', '1', 1, 't', '', 'approval', 's', 'person:ben', 'b', 'r', now(), 'UTC', 'password', 1, gen_random_uuid(), '')
            """;
        return
        [
            new("delivery", "1",
                [("due", Due), ("held", Due + "update delivery set held_by = 'x', held_why = 'y'"), ("being sent", Due + "update delivery set lease_token = gen_random_uuid()"), ("dead", Due + "update delivery set state = 'dead', dead_reason = 'refused'"),
                 ("delivered", Due + "update delivery set state = 'delivered'"), ("closed", Due + "update delivery set state = 'closed', dead_reason = 'refused'")],
                [
                    Delivery("retry", deliveries.RetryAsync, "due", "dead"), Delivery("resume", deliveries.ResumeAsync, "held"), Delivery("close", deliveries.CloseAsync, "dead", "held"),
                    Delivery("reopen", deliveries.ReopenAsync, "closed"), Delivery("replay", deliveries.ReplayAsync, "delivered"),
                    new("hold", deliveries.HoldAsync, ["due"], async v => (await deliveries.HoldAsync(_ben, 1, v, Why, null, Ct)).Refusal is null, HasVersion: true),
                ]),
            new("exception", exception.ToString(),
                [("open", "update exception set state = 'open', decided_at = null, decided_by = null, decided_why = null"), ("resolved", Decided + "'resolved'"), ("dismissed", Decided + "'dismissed'")],
                [
                    Exception("resolve", exceptions.ResolveAsync, "open"), Exception("dismiss", exceptions.DismissAsync, "open"), Exception("reopen", exceptions.ReopenAsync, "resolved", "dismissed"),
                    Exception("note", exceptions.NoteAsync, "open", "resolved", "dismissed"),
                    new("assign", exceptions.AssignAsync, ["open"], async v => await exceptions.AssignAsync(_ben, exception, v, Why, "x", Ct) is null, HasVersion: true),
                ]),
            new("operation", "1",
                [("running", "update operation set state = 'running'"), ("paused", "update operation set state = 'paused', pause_reason = 'x'"), ("cancelled", "update operation set state = 'cancelled', pause_reason = null, finished_at = now()"),
                 ("finished", "update operation set state = 'finished'")],
                [
                    new("pause", operations.PauseAsync, ["running"], _ => operations.PauseAsync(_ben, 1, Why, Ct)), new("resume", operations.ResumeAsync, ["paused"], _ => operations.ResumeAsync(_ben, 1, Why, Ct)),
                    new("cancel", operations.CancelAsync, ["running", "paused"], _ => operations.CancelAsync(_ben, 1, Why, Ct)),
                ]),
            new("partner", "1",
                [("active", "update partner set state = 'active'"), ("paused", "update partner set state = 'paused', pause_reason = 'x'"), ("paused: " + GoLive.Waiting, $"update partner set pause_reason = '{GoLive.Waiting.Replace("'", "''", StringComparison.Ordinal)}'"), ("paused: " + Licences.Waiting, $"update partner set pause_reason = '{Licences.Waiting.Replace("'", "''", StringComparison.Ordinal)}'"),
                 ("practice", "update partner set state = 'practice', pause_reason = null"), ("draft", "update partner set state = 'draft', pause_reason = null")],
                [
                    new("practice", partners.SetPracticeAsync, ["active", "paused", "paused: " + GoLive.Waiting, "paused: " + Licences.Waiting, "draft"], async _ => await partners.SetPracticeAsync(_ben, 1, true, Why, Ct) is null),
                    new("profile", profiles.SetAsync, ["active", "paused", "paused: " + GoLive.Waiting, "paused: " + Licences.Waiting, "practice", "draft"], async v => await profiles.SetAsync(_ben, 1, new PartnerProfile(), Why, Ct, v ?? 0) is null, HasVersion: true),
                    new("end practice", partners.SetPracticeAsync, ["practice"], async _ => await partners.SetPracticeAsync(_ben, 1, false, Why, Ct) is null),
                    new("pause", partners.SetPausedAsync, ["active", "paused: " + GoLive.Waiting, "paused: " + Licences.Waiting], _ => partners.SetPausedAsync(_ben, 1, true, Why, Ct)),
                    new("resume", partners.SetPausedAsync, ["paused"], _ => partners.SetPausedAsync(_ben, 1, false, Why, Ct)),
                    new("channel", partners.SetChannelAsync, ["active", "paused", "paused: " + GoLive.Waiting, "paused: " + Licences.Waiting, "practice", "draft"], async v => await partners.SetChannelAsync(_ben, 1, channel, v ?? 1, Why, Ct) is null, HasVersion: true),
                ]),
            new("alarm", "1",
                [("raised", "update alarm set cleared_at = null, acknowledged_at = null, acknowledged_by = null, acknowledged_why = null"), ("acknowledged", "update alarm set acknowledged_at = now(), acknowledged_by = 'x', acknowledged_why = 'y'"),
                 ("cleared", "update alarm set cleared_at = now()")],
                [new("acknowledge", alarms.AcknowledgeAsync, ["raised"], async v => await alarms.AcknowledgeAsync(_ben, 1, v, Why, Ct) is null, HasVersion: true)]),
            new("alarm_silence", "1",
                [("stands", "update alarm_silence set ended_at = null, ended_by = null"), ("ended", "update alarm_silence set ended_at = now(), ended_by = 'x'")],
                [new("end", silences.EndAsync, ["stands"], async _ => await silences.EndAsync(_ben, 1, Why, Ct) is null)]),
            new("alarm_target", target.TargetId.ToString(),
                [("told", "update alarm_target set removed_at = null"), ("removed", "update alarm_target set removed_at = now()")],
                [
                    new("change", targets.ChangeAsync, ["told"], async v => await targets.ChangeAsync(_ben, target, new AlarmTargetRequest("n", null, "b@example.com", null, Why, v), Ct) is null, HasVersion: true),
                    new("remove", targets.RemoveAsync, ["told"], async v => await targets.RemoveAsync(_ben, target.TargetId, v, Why, Ct) is null, HasVersion: true),
                ]),
            new("licence", "1",
                [("recorded", "update licence set withdrawn = false"), ("withdrawn", "update licence set withdrawn = true")],
                [
                    new("check", licences.CheckAsync, ["recorded"], async _ => await licences.CheckAsync(_ben, 1, 1, Why, Ct) is null),
                    new("withdraw", licences.WithdrawAsync, ["recorded"], async _ => await licences.WithdrawAsync(_ben, 1, 1, Why, Ct) is null),
                ]),
            new("partner", "1",
                [("served", "update partner set state = 'active'"), ("left alone", "update breaker set open_until = now() + interval '2 days'"), ("left alone, being tried", "update breaker set probe = gen_random_uuid()")],
                [new("try now", deliveries.TryNowAsync, ["left alone"], _ => deliveries.TryNowAsync(_ben, 1, Why, Ct))]),
            new("validation_baseline", "1",
                [("reviewed", Baseline + "'reviewed'"), ("approved", Baseline + "'approved'"), ("effective", Baseline + "'effective'"), ("superseded", Baseline + "'superseded'"), ("draft", Baseline + "'draft'"), ("withdrawn", Baseline + "'withdrawn'")],
                [
                    new("take effect", baselines.TakeEffectAsync, ["approved"], async _ => await baselines.TakeEffectAsync(_ben, 1, Why, Ct) is null),
                    new("withdraw", baselines.WithdrawAsync, ["draft", "reviewed", "approved"], async _ => await baselines.WithdrawAsync(_ben, 1, Why, Ct) is null),
                    Signs("baseline reviewed", Baselines.ReviewedAsync, () => baselines.SignableAsync(_anna, 1, Ct), "draft"),
                    Signs("baseline approved", Baselines.ApprovedAsync, () => baselines.SignableAsync(_anna, 1, Ct), "reviewed"),
                ]),
            new("validation_change", "CR-0001",
                [("draft", "update validation_change set state = 'draft'"), ("approved", "update validation_change set state = 'approved'"), ("done", "update validation_change set state = 'done'"), ("withdrawn", "update validation_change set state = 'withdrawn'")],
                [
                    new("done", changes.DoneAsync, ["approved"], async _ => await changes.DoneAsync(_ben, "CR-0001", Why, Ct) is null),
                    new("withdraw", changes.WithdrawAsync, ["draft"], async _ => await changes.WithdrawAsync(_ben, "CR-0001", Why, Ct) is null),
                    Signs("change approved", ChangeRecords.ApprovedAsync, () => changes.SignableAsync(_anna, "CR-0001", Ct), "draft"),
                ]),
            new("access_review_line", "1",
                [("open", "delete from signature"), ("keep", "update access_review_line set decision = 'keep', decided_by = 'x', decided_by_name = 'x', decided_at = now()"), ("keep, signed", Signed.Replace("TYPE", AccessReviews.RecordType, StringComparison.Ordinal))],
                [
                    new("decide", access.DecideAsync, ["open", "keep"], async _ => await access.DecideAsync(_ben, 1, 1, true, Why, Ct) is null),
                    Signs(AccessReviews.Meaning, AccessReviews.SignedAsync, () => access.RecordAsync(_anna, 1, Ct), "keep", "keep, signed"),
                ]),
            new("audit_review", "1",
                [("open", "delete from signature"), ("in order", "update audit_review set conclusion = 'in order'"), ("signed", Signed.Replace("TYPE", AuditReviews.RecordType, StringComparison.Ordinal))],
                [
                    new("conclude", audit.ConcludeAsync, ["open", "in order"], async _ => await audit.ConcludeAsync(_anna, 1, false, Why, Ct) is null),
                    Signs(AuditReviews.Meaning, AuditReviews.SignedAsync, () => audit.RecordAsync(_anna, 1, Ct), "in order", "signed"),
                ]),
            new("api_key", key,
                [("active", "update api_key set expires_at = null"), ("expired", "update api_key set expires_at = now() - interval '1 day'"), ("revoked", "update api_key set revoked_at = now()")],
                [
                    new("rotate", keys.RotateAsync, ["active"], async _ => (await keys.RotateAsync(_ben with { Reason = Why }, key, TimeSpan.Zero, Ct)).Change == KeyChange.Done),
                    new("revoke", keys.RevokeAsync, ["active", "expired"], async _ => await keys.RevokeAsync(_ben with { Reason = Why }, key, Ct) == KeyChange.Done),
                ]),
            new("hub_alert_case", "1",
                [("open", "update hub_alert_case set state = 'open', closing = null"), ("investigating", "update hub_alert_case set state = 'investigating', closing = null"),
                 ("closed", "update hub_alert_case set state = 'closed', closing = 'false alert', root_cause = 'not ours', reason = 'r', decided_by = 'x', decided_at = now()")],
                [new("decide", new Gateway.Hub.AlertCases(database.Gateway).DecideAsync, ["open", "investigating"], async v => await new Gateway.Hub.AlertCases(database.Gateway).DecideAsync(_ben, 1, v, new Gateway.Hub.AlertDecision("investigating", Why), Ct) is null, HasVersion: true)]),
            new("person", carl,
                [("active", "select"), ("disabled", "update person set state = 'disabled' where user_name = 'carl'")],
                [
                    new("disable", people.DisableAsync, ["active"], async _ => (await people.DisableAsync(_ben, "carl", Why, Ct)).Refusal is null),
                    new("enable", people.EnableAsync, ["disabled"], async _ => (await people.EnableAsync(_ben, "carl", Why, Ct)).Refusal is null),
                    new("revoke officer", people.RevokeAsync, [], async _ => (await people.RevokeAsync(_ben, "carl", "officer", Why, Ct)).Refusal is null), // he has it not
                    new("grant officer", people.GrantAsync, [], async _ => (await people.GrantAsync(_ben, "carl", "officer", Why, Ct)).Refusal is null), // nor may an administrator
                ]),
            new("serial_pool", pool.ToString(),
                [("active", "update serial_pool set state = 'active'"), ("closed", "update serial_pool set state = 'closed'")],
                [
                    new("close", pools.CloseAsync, ["active"], async v => await pools.CloseAsync(_ben, pool, v, Why, Ct) is null, HasVersion: true),
                    new("request", grants.RunAsync, ["active"], async _ => (await grants.RunAsync(_ben with { Reason = Why }, new SerialRequest("y", "09521321000018", Quantity: 1, Pool: pool), Ct)).Granted is not null),
                    new("import", lists.RunAsync, ["active"], async _ => (await lists.RunAsync(_ben, pool, "1"u8.ToArray(), Why, Ct))!.Refusal is null),
                ]),
            new("serial_grant", grant.ToString(),
                [("open", "update serial_grant set state = 'open'"), ("acknowledged", "update serial_grant set state = 'acknowledged', acknowledged_at = now()")],
                [new("acknowledge", grants.AcknowledgeAsync, ["open", "acknowledged"], async _ => await grants.AcknowledgeAsync(_ben, grant, Ct) is not null)]),
            new("serial_number", "010952132100001821000000000001",
                [("in the pool", "update serial_number set state = 0, grant_id = null"), ("allocated", "update serial_number set state = 1, grant_id = 1"), ("unused", "update serial_number set state = 2"), ("voided", "update serial_number set state = 3"), ("encoded", "update serial_number set state = 4")],
                [
                    new("return", back.ReturnAsync, ["allocated", "unused"], async _ => (await back.ReturnAsync(_ben, number, Ct)).Sentence is null),
                    new("void", back.VoidAsync, ["in the pool", "allocated", "unused"], async _ => (await back.VoidAsync(_ben, number, Ct)).Sentence is null),
                ]),
            new("run", run.ToString(),
                [.. ((string[])["running", "paused", "ended", "reconciled", "closed", "cancelled", "planned", "ready"]).Select(s => (s, Run.Replace("{0}", s, StringComparison.Ordinal)))],
                [
                    Walks("ready", runs.ReadyAsync, "planned"), Walks("start", runs.StartAsync, "ready"), Walks("resume", runs.ResumeAsync, "paused"), Walks("end", runs.EndAsync, "running", "paused"),
                    Walks("reconcile", runs.ReconcileAsync, "ended"), Walks("close", runs.CloseAsync, "reconciled"), Walks("cancel", runs.CancelAsync, "planned", "ready"),
                    new("pause", runs.PauseAsync, ["running"], async v => await runs.PauseAsync(_ben, run, v, Why, "blocked", Ct) is null, HasVersion: true),
                    new("report a counter", counts.ReportAsync, ["running", "paused", "ended", "reconciled"], async _ => await counts.ReportAsync(_ben with { Reason = Why }, run, "CAM1", "good", 1, Ct) is null),
                    new("count", counts.CountAsync, ["running", "paused", "ended", "reconciled"], async _ => await counts.CountAsync(_ben with { Reason = Why }, run, "pallets", 1, null, Ct) is null),
                    Signs(RunSteps.Clearance, RunSteps.Cleared(clear), () => runs.ClearanceAsync(_anna, run, clear, Ct), "planned", "ready"),
                    Signs(RunSteps.QualityResume, RunSteps.QualityResumed(Why), () => runs.QualityResumeAsync(_anna, run, Why, Ct)),
                    Signs(RunSteps.Acceptance, RunSteps.Accepted(difference, Why), () => runs.AcceptanceAsync(_anna, run, difference, Why, Ct), "ended", "reconciled"),
                ]),
            new("line", "PL01", [("present", "select")], [new("change", lines.PutAsync, ["present"], async v => (await lines.PutAsync(_ben, "PL01", new LineRequest("l", "9521234000013", "urn:x", "UTC", null, null, null, Why, v), Ct)).Line is not null, HasVersion: true)]),
            new("device_command", cmd.ToString(),
                [.. ((string[])["queued", "sent", "acked", "done", "failed", "rejected", "expired", "superseded"]).Select(s => (s, $"update device_command set state = '{s}', ended_at = case when '{s}' not in ('queued', 'sent', 'acked') then now() end"))],
                [
                    new("ack", commands.AckAsync, ["sent", "acked"], async _ => (await commands.AckAsync(_ben with { Reason = Why }, plc, cmd, 1, Ct)).Refusal is null),
                    new("complete", commands.CompleteAsync, ["sent", "acked", "done"], async _ => (await commands.CompleteAsync(_ben with { Reason = Why }, plc, cmd, 1, "done", null, null, Ct)).Refusal is null),
                ]),
            new("device", "plc1",
                [("in service", "update device set withdrawn = false"), ("withdrawn", "update device set withdrawn = true")],
                [
                    new("withdraw", devices.WithdrawAsync, ["in service"], async _ => await devices.WithdrawAsync(_ben, 1, Why, Ct) is null),
                    new("restore", devices.RestoreAsync, ["withdrawn"], async _ => await devices.RestoreAsync(_ben, 1, Why, Ct) is null),
                ]),
            new("device_qualification", "1",
                [.. ((string[])["effective", "superseded", "revoked"]).Select(s => (s, $"update device_qualification set state = '{s}', ended_at = case when '{s}' <> 'effective' then now() end"))],
                [new("revoke", qualifications.RevokeAsync, ["effective"], async _ => await qualifications.RevokeAsync(_ben, 1, Why, Ct) is null)]),
            new("mapping", "f1-unit-csv",
                [("approved", "update mapping set withdrawn_at = null, withdrawn_by_name = null"), ("withdrawn", "update mapping set withdrawn_at = now(), withdrawn_by_name = 'x'")],
                [
                    new("approve", mappings.ApproveAsync, [], async _ => await mappings.ApproveAsync(_ben, "f1-unit-csv", Why, Ct) is null),
                    new("withdraw", mappings.WithdrawAsync, ["approved"], async _ => await mappings.WithdrawAsync(_ben, "f1-unit-csv", 1, Why, Ct) is null),
                ]),
            new("product", "09521321000018", [("present", "select")], [new("change", masterData.RunAsync, ["present"], async v => await ChangeAsync(v) is null, HasVersion: true)]),
        ];

        Step Delivery(string name, Func<Actor, long, int?, string, CancellationToken, Task<Decided>> decide, params string[] allowed) =>
            new(name, decide, allowed, async v => (await decide(_ben, 1, v, Why, Ct)).Refusal is null, HasVersion: true);

        Step Exception(string name, Func<Actor, Guid, int?, string, CancellationToken, Task<string?>> decide, params string[] allowed) =>
            new(name, decide, allowed, async v => await decide(_ben, exception, v, Why, Ct) is null, HasVersion: true);

        Step Signs(string meaning, Func<Work, Signature, Task<string?>> effect, Func<Task<SignableRecord?>> record, params string[] allowed) =>
            new(meaning, effect, allowed, async _ => await SignAsync((await record())!, meaning, effect) is null, IsSigned: true);

        Step Walks(string name, Func<Actor, Guid, int?, string?, CancellationToken, Task<string?>> walk, params string[] allowed) =>
            new(name, walk, allowed, async v => await walk(_ben, run, v, Why, Ct) is null, HasVersion: true);

        async Task<int?> ChangeAsync(int? version)
        {
            var wanted = new WantedMasterData();
            wanted.Products.Add(new Wanted<Product>(new Product("09521321000018") { Name = "P" }, p => p with { Name = "Another" }, _ => default));
            return (await masterData.RunAsync(_ben with { Reason = Why }, wanted, dryRun: false, version, Ct)).PresentVersion;
        }
    }

    private async Task<string?> SignAsync(SignableRecord record, string meaning, Func<Work, Signature, Task<string?>> effect)
    {
        using var signing = _accounts.Signing;
        var begun = await signing.BeginAsync(_anna, _session, record, meaning, Ct);
        return begun.Refusal ?? (await signing.SignAsync(_anna, _session, begun.Nonce!.Value, new SigningSecret("anna", AccountsOf.Good, null, 1), effect, Ct)).Refusal;
    }

    // As nobody can: without triggers, foreign keys and the ways from one state to the next.
    private Task PutAsync(string sql) => _outbox.Database.ExecuteAsync($"set session_replication_role = replica; select set_config('app.reason', 'r', false); {sql}; reset session_replication_role");

    private Task<long> LastEntryAsync() => _outbox.Database.ScalarAsync<long>("select max(ord) from audit_entry");

    // Every row of every table but the trail, and what signing keeps of an attempt.
    private async Task<string> EverythingAsync() => await _outbox.Database.ScalarAsync<string>(await _outbox.Database.ScalarAsync<string>("""
        select string_agg(format('select %L || coalesce(string_agg(t::text, E''\n'' order by t::text), '''') as rows from %I t', relname, relname), ' union all ' order by relname) from pg_class
        where relnamespace = 'public'::regnamespace and relkind = 'r' and not relispartition and relname not in ('audit_entry', 'session', 'signature_challenge')
        """) is var tables ? $"select string_agg(rows, E'\\n' order by rows) from ({tables}) everything" : "");

    [GeneratedRegex("'([^']+)'")]
    private static partial Regex Quoted();
}
