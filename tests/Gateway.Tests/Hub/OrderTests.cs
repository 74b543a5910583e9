using System.Xml;
using System.Xml.Schema;
using Gateway.Access;
using Gateway.Hub;
using Gateway.TestSupport;
using Gateway.Tests.Access;
using Gateway.Tests.Units;

namespace Gateway.Tests.Hub;

using static Said;

/// <summary>EU-FMD.md sections 4, 5 and 11: states of packs, undoing them, recalls and withdrawals. What a rule forbids is refused before anything is sent.</summary>
public sealed class OrderTests
{
    private const string Plant1 = "9521234000112", Elsewhere = "9521234000129";
    private static readonly (string, string)[] s_markets = [("DE", "distributed"), ("FR", "distributed")];
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_told_of_a_pack_before_every_market_has_it()
    {
        await using var story = await ReleasedAsync(isDistributed: false);
        Assert.Contains("is not released", (await ChangeAsync(story, "Exported", ["U000001"], lot: "L9")).Refusal, StringComparison.Ordinal);
        Assert.Equal("The pack U000001 is not in every market yet: nothing is told of a pack before that.", (await ChangeAsync(story, "Exported", ["U000001"])).Refusal);
        await story.ComposeAsync();
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, [("DE", "distributed"), ("FR", "pending")]);
        Assert.Contains("not in every market yet", (await ChangeAsync(story, "Exported", ["U000001"])).Refusal, StringComparison.Ordinal);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, s_markets);
        // Case counts, and nothing is done where a part of it is forbidden.
        Assert.Equal("The pack u000001 was not reported in this lot: case counts.", (await ChangeAsync(story, "Exported", ["U000001", "u000001"])).Refusal);
        Assert.Equal("0", await story.TextAsync("select count(*) from hub_order"));
        var placed = await ChangeAsync(story, "Exported", ["U000001", "U000002"]);
        Assert.Equal((null, 2, 0), (placed.Refusal, placed.Units, placed.Needs));
        // One order at a time is told of a pack.
        Assert.Contains("part of an order that is not finished", (await ChangeAsync(story, "Locked", ["U000002", "U000003"])).Refusal, StringComparison.Ordinal);
        await TellAsync(story);
        var told = Validated(await story.BytesAsync(await story.MessageAsync()));
        Assert.Equal("StateChange L1 Exported False 9521234000112 U000001 U000002", told);
        Assert.Equal("told", await StatusAsync(story));
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, s_markets);
        Assert.Equal("done", await StatusAsync(story));
        Assert.Equal("U000001 Exported U000002 Exported", await StatesAsync(story));
        Assert.Equal("2 packs (U000001 …) are Exported already: a state is changed only from Active. Undo it first, where that can be undone.", (await ChangeAsync(story, "Locked", ["U000001", "U000002"])).Refusal);
    }

    [Fact]
    public async Task S15_An_undo_is_taken_from_the_same_place_within_ten_days_of_the_hubs_own_confirmation()
    {
        await using var story = await ReleasedAsync();
        await DoneAsync(story, "Exported", ["U000001", "U000002"]);
        await DoneAsync(story, "Locked", ["U000003"]);
        Assert.Contains("are Exported, not Sample", (await UndoAsync(story, "Sample", ["U000001", "U000002"])).Refusal, StringComparison.Ordinal);
        Assert.Contains("is Active: there is no Exported to undo", (await UndoAsync(story, "Exported", ["U000004"])).Refusal, StringComparison.Ordinal);
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromDays(3));
        Assert.Equal($"The pack U000001 was made Exported at {Plant1}: that is undone only there.", (await UndoAsync(story, "Exported", ["U000001"], Elsewhere)).Refusal);
        Assert.Null((await UndoAsync(story, "Exported", ["U000001"])).Refusal);
        await TellAsync(story);
        Assert.Equal($"StateChange L1 Exported True {Plant1} U000001", Validated(await story.BytesAsync(await story.MessageAsync())));
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, s_markets);
        Assert.Equal("U000002 Exported U000003 Locked", await StatesAsync(story));
        // Day ten is the last, and a lock has none.
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromDays(7) + TimeSpan.FromMinutes(1));
        Assert.Matches("^The pack U000002 was confirmed as Exported at .* UTC: after 10 days it stays.$", (await UndoAsync(story, "Exported", ["U000002"])).Refusal);
        Assert.Null((await UndoAsync(story, "Locked", ["U000003"])).Refusal);
    }

    [Fact]
    public async Task The_ten_days_count_from_the_first_markets_confirmation_by_the_hubs_clock_and_again_before_it_is_told()
    {
        await using var story = await ReleasedAsync();
        Assert.Null((await ChangeAsync(story, "Sample", ["U000001"])).Refusal);
        await TellAsync(story);
        var nine = (await story.Ledger.Gateway.Database.ScalarAsync<DateTime>("select gateway_now()")).AddDays(-9.999);
        var message = await story.MessageAsync();
        await story.Get<TakeAnswer>().TakeAsync(HubStory.Person, story.Hub.PartnerId, new HubResult(message, HubStatus.Accepted, null, null, [new("DE", "distributed", nine.AddHours(5)), new("FR", "distributed", nine)], [], [1]), Ct);
        Assert.Null((await UndoAsync(story, "Sample", ["U000001"])).Refusal);
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(5));
        await TellAsync(story);
        Assert.Equal("ended", await StatusAsync(story));
        Assert.Contains("after 10 days it stays", await story.TextAsync("select message from exception where code = 'hub.order' and state = 'open'"), StringComparison.Ordinal);
        Assert.Equal("", await story.TextAsync("select string_agg(serial, ' ') from hub_pack where pending_order is not null"));
        Assert.Equal(message, await story.MessageAsync());
    }

    [Fact]
    public async Task What_can_never_be_undone_is_told_when_a_second_person_has_signed_it()
    {
        await using var story = await ReleasedAsync();
        var signers = await SignersAsync(story, "anna", "ben");
        var placed = await story.Get<PlaceOrders>().ChangeAsync(signers["anna"].Actor, story.Hub, new StateAsk(HubStory.Gtin, "L1", ["U000001"], "Destroyed", false, Plant1), "fell into the shredder", false, Ct);
        Assert.Equal((null, 1), (placed.Refusal, placed.Needs));
        Assert.Equal("Destroyed is never undone.", (await UndoAsync(story, "Destroyed", ["U000001"])).Refusal);
        await TellAsync(story);
        Assert.Equal("asked", await StatusAsync(story));
        Assert.Equal("hub.waits open", await story.TextAsync("select string_agg(code || ' ' || state, ',') from exception"));
        Assert.Equal("You made or changed this record, so somebody else must sign it.", await SignAsync(story, signers, "anna", placed.Order!.Value));
        // Not even whoever holds the database's connection tells it unsigned.
        var bypassed = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => story.Ledger.Gateway.Database.ExecuteAsync("select set_config('app.actor', 'x', false), set_config('app.party', '*', false); update hub_order set status = 'ready'"));
        Assert.Equal("It is told when it is signed.", bypassed.MessageText);
        Assert.Null(await SignAsync(story, signers, "ben", placed.Order!.Value));
        Assert.Equal("ready", await StatusAsync(story));
        Assert.Equal("hub.waits resolved", await story.TextAsync("select string_agg(code || ' ' || state, ',') from exception"));
        await TellAsync(story);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, s_markets);
        Assert.Equal("U000001 Destroyed", await StatesAsync(story));
        Assert.Equal("ben", await story.TextAsync("select split_part(signer, ':', 2) from signature"));
    }

    [Fact]
    public async Task S12_A_recall_is_approved_by_two_people_typed_told_once_and_nothing_is_told_after_it()
    {
        await using var story = await ReleasedAsync();
        var orders = story.Get<PlaceOrders>();
        var signers = await SignersAsync(story, "anna", "ben", "cora");
        Assert.Null((await ChangeAsync(story, "Exported", ["U000009"])).Refusal); // and not told yet
        var look = await orders.RecallAsync(signers["anna"].Actor, story.Hub, HubStory.Gtin, "L1", null, null, "", true, Ct);
        Assert.Equal((null, null, 10, "DE FR", 1), (look.Refusal, look.Order, look.Units, string.Join(' ', look.Markets), look.Needs));
        Assert.Contains("type the lot number L1", (await orders.RecallAsync(signers["anna"].Actor, story.Hub, HubStory.Gtin, "L1", null, "l1", "glass", false, Ct)).Refusal, StringComparison.Ordinal);
        Assert.Contains("IT: no market of the lot L1", (await orders.RecallAsync(signers["anna"].Actor, story.Hub, HubStory.Gtin, "L1", ["IT"], "L1", "glass", false, Ct)).Refusal, StringComparison.Ordinal);
        // Whoever asks with a key has answered for nothing: two people sign.
        var byKey = await orders.RecallAsync(HubStory.Person, story.Hub, HubStory.Gtin, "L1", ["FR"], "L1", "glass", false, Ct);
        Assert.Equal(2, byKey.Needs);
        Assert.Contains("asked for already", (await orders.RecallAsync(signers["anna"].Actor, story.Hub, HubStory.Gtin, "L1", null, "L1", "glass", false, Ct)).Refusal, StringComparison.Ordinal);
        Assert.Null(await SignAsync(story, signers, "ben", byKey.Order!.Value));
        Assert.Equal("asked", await story.TextAsync("select status from hub_order where kind = 'recall'"));
        Assert.Equal("You have signed this version already (hub order).", await SignAsync(story, signers, "ben", byKey.Order.Value));
        Assert.Null(await orders.DeclineAsync(signers["anna"].Actor, byKey.Order.Value, "both markets are meant", Ct));

        var placed = await orders.RecallAsync(signers["anna"].Actor, story.Hub, HubStory.Gtin, "L1", null, "L1", "glass", false, Ct);
        Assert.Null(await SignAsync(story, signers, "cora", placed.Order!.Value));
        Assert.Equal("The lot was recalled before this was told.", await story.TextAsync("select ended_why from hub_order where kind = 'state change'"));
        await TellAsync(story);
        Assert.Equal("LotRecall L1 glass DE FR", Validated(await story.BytesAsync(await story.MessageAsync())));
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, s_markets);
        Assert.Equal("done", await StatusAsync(story));

        Assert.Equal("The lot L1 is recalled, or its product withdrawn, in DE, FR: nothing is told of its packs any more.", (await ChangeAsync(story, "Locked", ["U000001"])).Refusal);
        Assert.Contains("nothing is told of its packs any more", (await story.ReleaseAsync()).Refusal, StringComparison.Ordinal);
        Assert.Contains("it is told once", (await orders.RecallAsync(signers["anna"].Actor, story.Hub, HubStory.Gtin, "L1", null, "L1", "again", false, Ct)).Refusal, StringComparison.Ordinal);
        Assert.Equal("The hub is told already: this cannot be declined any more.", (await orders.DeclineAsync(signers["ben"].Actor, placed.Order.Value, "why not", Ct))?.Replace("The order has ended already.", "The hub is told already: this cannot be declined any more.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_withdrawn_product_takes_no_lots_and_no_changes_any_more()
    {
        await using var story = await ReleasedAsync();
        var signers = await SignersAsync(story, "anna", "ben");
        var orders = story.Get<PlaceOrders>();
        Assert.Contains("type the GTIN", (await orders.WithdrawAsync(signers["anna"].Actor, story.Hub, HubStory.Gtin, ["FR"], "FR", "no licence", false, Ct)).Refusal, StringComparison.Ordinal);
        var placed = await orders.WithdrawAsync(signers["anna"].Actor, story.Hub, HubStory.Gtin, ["FR"], HubStory.Gtin, "no licence", false, Ct);
        Assert.Equal((null, 10), (placed.Refusal, placed.Units));
        Assert.Null(await SignAsync(story, signers, "ben", placed.Order!.Value));
        await TellAsync(story);
        // Behind everything of its lots: the pack data's message has not left in this story.
        Assert.Equal("ready", await StatusAsync(story));
        await story.Ledger.Gateway.Database.ExecuteAsync("select set_config('app.actor', 'x', false), set_config('app.party', '*', false); update delivery set state = 'delivered', receipt = 'received'; update hub_order set not_before = gateway_now()");
        await TellAsync(story);
        Assert.Equal("ProductWithdrawal  no licence FR", Validated(await story.BytesAsync(await story.MessageAsync())));
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, [("FR", "distributed")]);
        Assert.Contains("in FR: nothing is told", (await ChangeAsync(story, "Locked", ["U000001"])).Refusal, StringComparison.Ordinal);
        await story.Ledger.CaptureAsync(At(0, Commissioned("L2", Packs(101, 3))));
        Assert.Contains("withdrawn from FR, and version 1 of its data names it", (await story.ReleaseAsync("L2")).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_hub_calls_temporary_and_what_a_market_did_not_take_go_again_by_themselves_and_the_rest_waits_for_a_person()
    {
        await using var story = await ReleasedAsync();
        Assert.Null((await ChangeAsync(story, "Exported", ["U000001", "U000002", "U000003"])).Refusal);
        await TellAsync(story);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Partial, s_markets, new FailedPack("U000001", "T1", true), new FailedPack("U000002", "A24", false));
        Assert.Equal("U000003 Exported", await StatesAsync(story));
        Assert.Equal("told 3,ready 1", await story.TextAsync("select string_agg(status || ' ' || units, ',' order by hub_order_id) from hub_order"));
        Assert.Equal("U000001", await story.TextAsync("select string_agg(serial, ' ') from hub_pack where pending_order is not null"));
        await AgainAsync(story);
        Assert.Equal($"StateChange L1 Exported False {Plant1} U000001", Validated(await story.BytesAsync(await story.MessageAsync())));
        // A market that took nothing is told again; the other calls it known.
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, [("DE", "distributed"), ("FR", "failed")]);
        Assert.Equal("U000001 Exported U000003 Exported", await StatesAsync(story));
        await AgainAsync(story);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Partial, s_markets, new FailedPack("U000001", "A7", false));
        Assert.Equal("failed 3,failed 1,done 1", await story.TextAsync("select string_agg(status || ' ' || units, ',' order by hub_order_id) from hub_order"));
        Assert.Equal("1 with A24", await story.TextAsync("select split_part(rtrim(message, '.'), ': ', 2) from exception where code = 'hub.order' and state = 'open'"));
        Assert.Equal("U000002", await story.TextAsync("select right(string_agg(epc, ' '), 7) from exception_unit"));

        var root = int.Parse(await story.TextAsync("select min(hub_order_id) from hub_order"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Null(await story.Get<PlaceOrders>().AgainAsync(HubStory.Person, root, "the market has mended it", Ct));
        await TellAsync(story);
        Assert.Equal($"StateChange L1 Exported False {Plant1} U000002", Validated(await story.BytesAsync(await story.MessageAsync())));
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, s_markets);
        Assert.Equal("done", await story.TextAsync($"select status from hub_order where hub_order_id = {root}"));
        Assert.Equal("hub.order resolved", await story.TextAsync("select string_agg(code || ' ' || state, ',') from exception"));
        Assert.Equal("Nothing of this order has failed.", await story.Get<PlaceOrders>().AgainAsync(HubStory.Person, root, "again", Ct));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_each_market_has_taken_with_one_telling_or_another_is_not_told_once_more(bool isUndo)
    {
        await using var story = await ReleasedAsync();
        if (isUndo)
        {
            await DoneAsync(story, "Locked", ["U000001", "U000002"]);
        }
        Assert.Null((isUndo ? await UndoAsync(story, "Locked", ["U000001", "U000002"]) : await ChangeAsync(story, "Locked", ["U000001", "U000002"])).Refusal);
        await TellAsync(story);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Partial, [("DE", "distributed"), ("FR", "failed")], new FailedPack("U000002", "T1", true));
        Assert.Equal("U000001 market,U000002 T1", await story.TextAsync("select string_agg(serial || ' ' || fault, ',' order by serial) from hub_order_pack where fault is not null"));
        await AgainAsync(story);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, [("DE", "failed"), ("FR", "distributed")]);
        // U000001 came to DE first and to FR now; U000002 to FR alone.
        await AgainAsync(story);
        Assert.Equal($"StateChange L1 Locked {isUndo} {Plant1} U000002", Validated(await story.BytesAsync(await story.MessageAsync())));
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, [("DE", "distributed"), ("FR", "failed")]);
        Assert.Equal("0", await story.TextAsync("select count(*)::text from hub_order where status <> 'done' and repeats is null"));
        Assert.Equal(isUndo ? "" : "U000001 Locked U000002 Locked", await StatesAsync(story));
        Assert.Equal("", await story.TextAsync("select string_agg(serial, ' ') from hub_pack where pending_order is not null"));
        var order = (await story.Get<HubOrders>().ListAsync(HubStory.Person, story.Hub.PartnerId, new OrderFilter(), null, 1, Ct))[0];
        Assert.Equal(["DE distributed", "FR distributed"], order.Markets.Select(m => $"{m.Country} {m.State}"));
    }

    [Fact]
    public async Task What_was_given_up_is_told_of_and_what_the_hub_answers_all_the_same_counts()
    {
        await using var story = await ReleasedAsync();
        Assert.Null((await ChangeAsync(story, "Locked", ["U000001", "U000002"])).Refusal);
        await TellAsync(story);
        await story.Ledger.Gateway.Database.ExecuteAsync("select set_config('app.actor', 'x', false), set_config('app.party', '*', false); update delivery set state = 'dead', dead_reason = 'refused' where delivery_id = (select max(delivery_id) from hub_message)");
        await TellAsync(story);
        Assert.Equal("failed unsent", await story.TextAsync("select concat_ws(' ', status, (select string_agg(distinct fault, ',') from hub_order_pack)) from hub_order"));
        Assert.Equal("", await story.TextAsync("select string_agg(serial, ' ') from hub_pack where pending_order is not null"));
        Assert.Contains("given up", await story.TextAsync("select message from exception where code = 'hub.order' and state = 'open'"), StringComparison.Ordinal);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, s_markets);
        Assert.Equal("done", await StatusAsync(story));
        Assert.Equal("U000001 Locked U000002 Locked", await StatesAsync(story));
        Assert.Equal("resolved", await story.TextAsync("select state from exception where code = 'hub.order'"));
    }

    [Fact]
    public async Task What_is_being_told_again_is_not_told_a_third_time_and_only_of_its_own_packs()
    {
        await using var story = await ReleasedAsync();
        Assert.Null((await ChangeAsync(story, "Sample", ["U000001", "U000002"])).Refusal);
        await TellAsync(story);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Partial, s_markets, new FailedPack("U000002", "A24", false));
        var orders = story.Get<PlaceOrders>();
        var root = int.Parse(await story.TextAsync("select hub_order_id from hub_order"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Null(await orders.AgainAsync(HubStory.Person, root, "mended", Ct));
        Assert.Equal("It is being told again already: wait for the hub's answer.", await orders.AgainAsync(HubStory.Person, root, "mended", Ct));
        var smuggled = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => story.Ledger.Gateway.Database.ExecuteAsync("select set_config('app.actor', 'x', false), set_config('app.party', '*', false); insert into hub_order_pack (hub_order_id, party_id, serial) select hub_order_id, party_id, 'U000005' from hub_order where repeats is not null"));
        Assert.Equal("An order is repeated as it was.", smuggled.MessageText);
        await TellAsync(story);
        Assert.Equal($"StateChange L1 Sample False {Plant1} U000002", Validated(await story.BytesAsync(await story.MessageAsync())));
    }

    [Fact]
    public async Task What_was_told_of_a_pack_since_is_not_told_again_by_an_older_order()
    {
        await using var story = await ReleasedAsync();
        var orders = story.Get<PlaceOrders>();
        Assert.Null((await ChangeAsync(story, "Sample", ["U000001", "U000002", "U000003"])).Refusal);
        await TellAsync(story);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Partial, s_markets, new FailedPack("U000001", "A16", false), new FailedPack("U000002", "A16", false), new FailedPack("U000003", "A16", false));
        var root = int.Parse(await story.TextAsync("select hub_order_id from hub_order"), System.Globalization.CultureInfo.InvariantCulture);
        await DoneAsync(story, "Sample", ["U000001"]);
        Assert.Null((await ChangeAsync(story, "Locked", ["U000002"])).Refusal); // and not answered
        Assert.Null(await orders.AgainAsync(HubStory.Person, root, "mended", Ct));
        Assert.Equal("U000003", await story.TextAsync("select string_agg(p.serial, ' ') from hub_order_pack p join hub_order o using (hub_order_id) where o.repeats is not null"));
        Assert.Equal("U000002 Locked", await story.TextAsync("select p.serial || ' ' || o.state from hub_pack p join hub_order o on o.hub_order_id = p.pending_order where p.serial = 'U000002'"));
    }

    private static async Task<HubStory> ReleasedAsync(bool isDistributed = true)
    {
        var story = await HubStory.StartAsync(knowsProducts: false);
        await story.ProductKnownAsync("DE", "FR");
        await story.Ledger.CaptureAsync(At(0, Commissioned(Packs(1, 10))));
        Assert.Null((await story.ReleaseAsync()).Refusal);
        if (isDistributed)
        {
            Assert.Equal(1, await story.ComposeAsync());
            await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, s_markets);
        }
        return story;
    }

    private static Task<Placed> ChangeAsync(HubStory story, string state, string[] serials, string lot = "L1") => story.Get<PlaceOrders>().ChangeAsync(HubStory.Person, story.Hub, new StateAsk(HubStory.Gtin, lot, serials, state, false, Plant1), "why", false, Ct);

    private static Task<Placed> UndoAsync(HubStory story, string state, string[] serials, string location = Plant1) => story.Get<PlaceOrders>().ChangeAsync(HubStory.Person, story.Hub, new StateAsk(HubStory.Gtin, "L1", serials, state, true, location), "a mistake", false, Ct);

    private static async Task DoneAsync(HubStory story, string state, string[] serials)
    {
        Assert.Null((await ChangeAsync(story, state, serials)).Refusal);
        await TellAsync(story);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, s_markets);
    }

    private static async Task AgainAsync(HubStory story)
    {
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromHours(1));
        await TellAsync(story);
    }

    private static async Task TellAsync(HubStory story)
    {
        while (await story.Get<ComposeOrder>().RunAsync(Ct))
        {
        }
    }

    private static Task<string> StatusAsync(HubStory story) => story.TextAsync("select status from hub_order order by hub_order_id desc limit 1");

    private static Task<string> StatesAsync(HubStory story) => story.TextAsync("select string_agg(serial || ' ' || state, ' ' order by serial) from hub_pack where state is not null");

    private static async Task<Dictionary<string, (Actor Actor, long Session)>> SignersAsync(HubStory story, params string[] names)
    {
        var accounts = new AccountsOf(story.Database);
        var signers = new Dictionary<string, (Actor, long)>();
        foreach (var name in names)
        {
            await accounts.AddAsync(name, "officer");
            await accounts.People.VerifyIdentityAsync(AccountsOf.Admin, name, "identity card", Ct);
            var holder = await accounts.HolderAsync(await accounts.SignInAsync(name));
            signers[name] = (holder!.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value);
        }
        return signers;
    }

    private static async Task<string?> SignAsync(HubStory story, Dictionary<string, (Actor Actor, long Session)> signers, string name, int order)
    {
        var (accounts, orders, (actor, session)) = (new AccountsOf(story.Database), story.Get<PlaceOrders>(), signers[name]);
        var begun = await accounts.Signing.BeginAsync(actor, session, (await orders.RecordAsync(actor, order, Ct))!, PlaceOrders.Meaning, Ct);
        return begun.Nonce is { } nonce ? (await accounts.Signing.SignAsync(actor, session, nonce, new SigningSecret(name, AccountsOf.Good, null, 1), orders.SignedAsync, Ct)).Refusal : begun.Refusal;
    }

    /// <summary>The message in a line, after the schema has found nothing in it.</summary>
    private static string Validated(byte[] bytes)
    {
        var schemas = new XmlSchemaSet();
        schemas.Add(null, Path.Combine(Repository.Root, "schemas/hub/hub.xsd"));
        var settings = new XmlReaderSettings { ValidationType = ValidationType.Schema, Schemas = schemas };
        using var xml = XmlReader.Create(new MemoryStream(bytes), settings);
        var (words, root) = (new List<string?>(), "");
        while (xml.Read())
        {
            if (xml.NodeType == XmlNodeType.Element)
            {
                switch (xml.LocalName)
                {
                    case "Lot": words.Add(xml.GetAttribute("id")); break;
                    case "Change": words.AddRange([xml.GetAttribute("state"), XmlConvert.ToBoolean(xml.GetAttribute("undo")!).ToString(), xml.GetAttribute("location")]); break;
                    case "Market": words.Add(xml.GetAttribute("country")); break;
                    case "Reason" or "Sn": xml.Read(); words.Add(xml.Value); break;
                    case "Product" or "Packs": break;
                    default: root = xml.LocalName; break;
                }
            }
        }
        return root == "ProductWithdrawal" ? $"{root}  {string.Join(' ', words)}" : $"{root} {string.Join(' ', words)}";
    }
}
