using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gateway.Hub;
using Gateway.Units;

namespace Gateway.Host.Commands;

/// <summary>States of packs, recalls and withdrawals. What can never be taken back is signed in the dashboard, by people.</summary>
public static partial class HubCommand
{
    private static Option<bool> DryRun() => new("--dry-run") { Description = "Only counts what would be told." };

    private static Option<string[]> Markets() => new("--market") { Description = "A market, two capital letters; repeatable. Left out: all.", AllowMultipleArgumentsPerToken = true };

    private static Command Change()
    {
        var (gtin, lot, hub, reason, dryRun, json) = (Gtin(), Lot(), Hub(), Reason(), DryRun(), Json());
        var state = new Option<string>("--state") { Description = $"{string.Join(", ", PackStates.All)}.", Required = true };
        var undo = new Option<bool>("--undo") { Description = "The packs are in that state no more." };
        var location = new Option<string>("--location") { Description = "GLN of where it is done; an undo only there.", Required = true };
        var serials = new Option<string[]>("--serial") { Description = "A serial number, repeatable; case counts.", AllowMultipleArgumentsPerToken = true };
        var file = new Option<FileInfo?>("--serials") { Description = "A file with a serial number in each line." };
        var command = new Command("change", "Tells the hub that packs are in a state, or with --undo: are in it no more.") { gtin, lot, state, undo, location, serials, file, reason, dryRun, hub, json };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, at) =>
        {
            var named = (parsed.GetValue(serials) ?? []).ToList();
            if (parsed.GetValue(file) is { } path)
            {
                try
                {
                    named.AddRange((await File.ReadAllLinesAsync(path.FullName, ct)).Select(l => l.Trim()).Where(l => l.Length > 0));
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    throw new WrongUseException($"{path.Name}: {e.Message}");
                }
            }
            var ask = new StateAsk(LotEndpoints.KeyOf(parsed.GetValue(gtin)!), parsed.GetValue(lot)!, named, parsed.GetValue(state)!, parsed.GetValue(undo), parsed.GetValue(location)!);
            return await TellAsync(await services.GetRequiredService<PlaceOrders>().ChangeAsync(CommandLine, at, ask, parsed.GetValue(reason)!, parsed.GetValue(dryRun), ct), parsed.GetValue(json));
        }));
        return command;
    }

    private static Command Recall()
    {
        var (gtin, lot, hub, reason, dryRun, json, markets) = (Gtin(), Lot(), Hub(), Reason(), DryRun(), Json(), Markets());
        var confirm = new Option<string?>("--confirm") { Description = "The lot number once more." };
        var command = new Command("recall", "Asks for the recall of a lot, for ever; two people sign it in the dashboard.") { gtin, lot, markets, confirm, reason, dryRun, hub, json };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, at) => await TellAsync(await services.GetRequiredService<PlaceOrders>().RecallAsync(
            CommandLine, at, LotEndpoints.KeyOf(parsed.GetValue(gtin)!), parsed.GetValue(lot)!, parsed.GetValue(markets), parsed.GetValue(confirm), parsed.GetValue(reason)!, parsed.GetValue(dryRun), ct), parsed.GetValue(json))));
        return command;
    }

    private static Command Withdraw()
    {
        var (gtin, hub, reason, dryRun, json, markets) = (Gtin(), Hub(), Reason(), DryRun(), Json(), Markets());
        var confirm = new Option<string?>("--confirm") { Description = "The GTIN of 14 digits once more." };
        var command = new Command("withdraw", "Asks for the withdrawal of a product with all its lots, for ever; two people sign it in the dashboard.") { gtin, markets, confirm, reason, dryRun, hub, json };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, at) => await TellAsync(await services.GetRequiredService<PlaceOrders>().WithdrawAsync(
            CommandLine, at, LotEndpoints.KeyOf(parsed.GetValue(gtin)!), parsed.GetValue(markets), parsed.GetValue(confirm), parsed.GetValue(reason)!, parsed.GetValue(dryRun), ct), parsed.GetValue(json))));
        return command;
    }

    private static Command Orders()
    {
        var gtin = new Option<string?>("--gtin") { Description = "Only of this product." };
        var lot = new Option<string?>("--lot") { Description = "Only of this lot." };
        var open = new Option<bool>("--open") { Description = "Only what is not finished." };
        var undoable = new Option<bool>("--undoable") { Description = "Only what can be undone still and not for ever, the next to run out first." };
        var (hub, json) = (Hub(), Json());
        var command = new Command("orders", "What the hub was told of packs that it has, newest first. Exit 1 when something was not done.") { gtin, lot, open, undoable, hub, json };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, at) =>
        {
            var filter = new OrderFilter(parsed.GetValue(gtin) is { } g ? LotEndpoints.KeyOf(g) : null, parsed.GetValue(lot), Open: parsed.GetValue(open), Undoable: parsed.GetValue(undoable));
            var (before, good) = ((int?)null, true);
            while (await services.GetRequiredService<HubOrders>().ListAsync(CommandLine, at.PartnerId, filter, before, 200, ct) is { Count: > 0 } page)
            {
                foreach (var o in page)
                {
                    good &= o.Status != "failed";
                    await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(OrderEndpoints.View(o), JsonSerializerOptions.Web)
                        : Plain(string.Create(CultureInfo.InvariantCulture, $"{o.Id}  {o.Kind}{(o.State is { } s ? $" {s}" : "")}  {o.Gtin}{(o.Lot is { } l ? $" lot {l}" : "")}  {o.Units} packs  {o.Status}{(o.UndoUntil is { } until ? $"  undo until {until:yyyy-MM-dd HH:mm} UTC" : "")}{(o.EndedWhy is { } why ? $"  {why}" : "")}")));
                }
                before = page[^1].Id;
                if (filter.Undoable)
                {
                    break; // what runs out next, no more
                }
            }
            return good ? 0 : 1;
        }));
        return command;
    }

    private static Command Notices()
    {
        var (order, hub, json) = (new Argument<int>("ORDER") { Description = "The number of a recall or withdrawal, as gateway hub orders lists it." }, Hub(), Json());
        var command = new Command("notices", "Who had units when they were recalled, and how he was told. Exit 1 until everybody is told, or when the gateway cannot tell somebody.") { order, hub, json };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, _) =>
        {
            var orders = services.GetRequiredService<HubOrders>();
            if (await orders.FindAsync(CommandLine, parsed.GetValue(order), ct) is not { Kind: OrderKinds.Recall or OrderKinds.Withdrawal } found)
            {
                throw new WrongUseException("There is no such recall or withdrawal.");
            }
            if (found.ToldAt is null)
            {
                await Console.Error.WriteLineAsync(found.Status is "asked" or "ended" ? "Nobody is told: it is not signed, or was ended." : "Who has units is not known yet.");
                return 1;
            }
            var good = true;
            foreach (var n in await orders.NoticesAsync(CommandLine, parsed.GetValue(order), ct))
            {
                good &= n.IsGood;
                await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(n, JsonSerializerOptions.Web)
                    : Plain(string.Create(CultureInfo.InvariantCulture, $"{n.Gln ?? n.Holder ?? "nobody that is named"}{(n.Name is { } name ? $" {name}" : "")}  {n.Units} units  {(n.Untold is { } why ? $"not told: {why}" : n.Refused > 0 ? $"not told: {n.Refused} documents were refused, or not sent" : n.Deliveries.Count == 0 ? "is being told" : string.Join(", ", n.Deliveries.Select(d => $"delivery {d.Id} {d.State}")))}")));
            }
            return good ? 0 : 1;
        }));
        return command;
    }

    private static Command Decide(string verb, string what)
    {
        var (order, hub, reason) = (new Argument<int>("ORDER") { Description = "The order's number, as gateway hub orders lists it." }, Hub(), Reason());
        var command = new Command(verb, what) { order, reason, hub };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, _) =>
        {
            var orders = services.GetRequiredService<PlaceOrders>();
            if (await (verb == "decline" ? orders.DeclineAsync(CommandLine, parsed.GetValue(order), parsed.GetValue(reason)!, ct) : orders.AgainAsync(CommandLine, parsed.GetValue(order), parsed.GetValue(reason)!, ct)) is not { } refusal)
            {
                return 0;
            }
            await Console.Error.WriteLineAsync(Plain(refusal));
            return 1;
        }));
        return command;
    }

    private static async Task<int> TellAsync(Placed placed, bool asJson)
    {
        if (placed.Refusal is { } refusal)
        {
            await Console.Error.WriteLineAsync(Plain(refusal));
            return 1;
        }
        await Console.Out.WriteLineAsync(asJson ? JsonSerializer.Serialize(placed, JsonSerializerOptions.Web)
            : Plain(string.Create(CultureInfo.InvariantCulture, $"{(placed.Order is { } order ? $"order {order}: " : "")}{placed.Units} packs in {string.Join(", ", placed.Markets)}{(placed.Needs > 0 ? $"; told when {placed.Needs} {(placed.Needs == 1 ? "person has" : "people have")} signed it in the dashboard" : "")}")));
        return 0;
    }
}
