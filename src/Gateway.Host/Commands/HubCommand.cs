using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Hub;
using Gateway.MasterData;
using Gateway.Partners;
using Gateway.Units;

namespace Gateway.Host.Commands;

/// <summary><c>gateway hub</c>: product data, releases and what each market holds. The running gateway sends what is decided here. Exit 1 when a rule forbids it, or something is not confirmed.</summary>
public static partial class HubCommand
{
    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create() => new("hub", "What is reported to hubs: products, lots, and what is not confirmed.") { Product(), Products(), Lots(), Release("release", "Releases a lot: its good packs are reported."), Release("resend", "Sends again what the hub could not store, and nothing else."), Unreported(), Change(), Recall(), Withdraw(), Orders(), Notices(), Decide("decline", "Declines an order that was not told yet."), Decide("again", "Tells again what the hub has not done of an order."), Alerts(), Alert(), Reconcile(), Differences() };

    private static Option<string?> Hub() => new("--hub") { Description = "The hub's GLN; may be left out where there is only one." };

    private static Option<string> Reason()
    {
        var reason = new Option<string>("--reason") { Description = "Why; it is kept.", Required = true };
        reason.Validators.Add(r =>
        {
            if (string.IsNullOrWhiteSpace(r.GetValue(reason)))
            {
                r.AddError("--reason is empty.");
            }
        });
        return reason;
    }

    private static Argument<string> Gtin() => new("GTIN") { Description = "The product: 8 to 14 digits." };

    private static Argument<string> Lot() => new("LOT") { Description = "The lot number; case counts." };

    private static Option<bool> Json() => new("--json") { Description = "One JSON object per line." };

    private static Command Product()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "The product's data as JSON, as POST /api/hub/products takes them." };
        var (hub, reason) = (Hub(), Reason());
        var command = new Command("product", "Tells the hub a further version of a product's data.") { file, hub, reason };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, at) =>
        {
            ProductData product;
            try
            {
                await using var stream = parsed.GetValue(file)!.OpenRead();
                product = await JsonSerializer.DeserializeAsync<ProductData>(stream, JsonSerializerOptions.Web, ct) ?? throw new JsonException("It is empty.");
            }
            catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
            {
                throw new WrongUseException($"{parsed.GetValue(file)!.Name}: {e.Message}");
            }
            var (version, wrong) = await services.GetRequiredService<ProductVersions>().AddAsync(CommandLine, at, product, parsed.GetValue(reason)!, ct);
            foreach (var sentence in wrong)
            {
                await Console.Error.WriteLineAsync(sentence);
            }
            if (wrong.Count == 0)
            {
                await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{product.Gtin} version {version}"));
            }
            return wrong.Count == 0 ? 0 : 1;
        }));
        return command;
    }

    private static Command Products()
    {
        var gtin = new Option<string?>("--gtin") { Description = "Only this product." };
        var (hub, json) = (Hub(), Json());
        var command = new Command("products", "The versions of products' data, newest first.") { gtin, hub, json };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, at) =>
        {
            int? before = null;
            while (await services.GetRequiredService<ProductVersions>().ListAsync(CommandLine, at.PartnerId, parsed.GetValue(gtin) is { } g ? LotEndpoints.KeyOf(g) : null, before, 200, ct) is { Count: > 0 } page)
            {
                foreach (var p in page)
                {
                    await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(HubEndpoints.View(p), JsonSerializerOptions.Web)
                        : Plain(string.Create(CultureInfo.InvariantCulture, $"{p.Gtin} version {p.Version}  {p.State}  {string.Join(" ", p.Markets.Select(m => $"{m.Country}:{m.State}"))}  {p.Content.Name}")));
                }
                before = page[^1].Id;
            }
            return 0;
        }));
        return command;
    }

    private static Command Lots()
    {
        var gtin = new Option<string?>("--gtin") { Description = "Only of this product." };
        var (hub, json) = (Hub(), Json());
        var command = new Command("lots", "The released lots and what each market holds, newest first. Exit 1 when a hub has not stored something.") { gtin, hub, json };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, at) =>
        {
            var (before, good) = ((int?)null, true);
            while (await services.GetRequiredService<HubLots>().ListAsync(CommandLine, at.PartnerId, parsed.GetValue(gtin) is { } g ? LotEndpoints.KeyOf(g) : null, null, before, 200, ct) is { Count: > 0 } page)
            {
                foreach (var l in page)
                {
                    good &= l.State != "failed";
                    await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(HubEndpoints.View(l), JsonSerializerOptions.Web)
                        : Plain(string.Create(CultureInfo.InvariantCulture, $"{l.Gtin} lot {l.Lot}  {l.State}  {l.Units} packs, {l.Failed} not stored  {string.Join(" ", l.Markets.Select(m => $"{m.Country}:{m.Confirmed}"))}")));
                }
                before = page[^1].Id;
            }
            return good ? 0 : 1;
        }));
        return command;
    }

    private static Command Release(string verb, string what)
    {
        var (gtin, lot, hub, reason, dryRun, json) = (Gtin(), Lot(), Hub(), Reason(), new Option<bool>("--dry-run") { Description = "Only counts what would be reported." }, Json());
        var command = new Command(verb, what) { gtin, lot, hub, reason, json };
        if (verb == "release")
        {
            command.Add(dryRun);
        }
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, at) =>
        {
            var release = services.GetRequiredService<ReleaseLot>();
            var (key, number) = (LotEndpoints.KeyOf(parsed.GetValue(gtin)!), parsed.GetValue(lot)!);
            var outcome = verb == "resend" ? await release.ResendAsync(CommandLine, at, key, number, parsed.GetValue(reason)!, ct)
                : parsed.GetValue(dryRun) ? await release.LookAsync(CommandLine, at, key, number, ct)
                : await release.RunAsync(CommandLine, at, key, number, parsed.GetValue(reason)!, ct);
            if (outcome.Refusal is { } refusal)
            {
                await Console.Error.WriteLineAsync(Plain(refusal));
                return 1;
            }
            await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(outcome, JsonSerializerOptions.Web)
                : Plain(string.Create(CultureInfo.InvariantCulture, $"{outcome.Units} packs{(outcome.LeftOut is { Count: > 0 } left ? $"; left out: {string.Join(", ", left.Select(l => $"{l.Value} {l.Key}"))}" : "")}")));
            return 0;
        }));
        return command;
    }

    private static Command Unreported()
    {
        var (gtin, lot, hub, json) = (Gtin(), Lot(), Hub(), Json());
        var country = new Option<string>("--country") { Description = "The market: two capital letters.", Required = true };
        var command = new Command("unreported", "The packs of a lot that are commissioned and that a market has not confirmed. Exit 1 when there are any.") { gtin, lot, country, hub, json };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, at) =>
        {
            var after = (string?)null;
            while (true)
            {
                if (await services.GetRequiredService<UnreportedPacks>().ListAsync(CommandLine, at.PartnerId, LotEndpoints.KeyOf(parsed.GetValue(gtin)!), parsed.GetValue(lot)!, parsed.GetValue(country)!, after, 5_000, ct) is not { } page)
                {
                    throw new WrongUseException($"{parsed.GetValue(country)} is no market of the lot.");
                }
                if (page.Count == 0)
                {
                    break;
                }
                foreach (var p in page)
                {
                    await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(p, JsonSerializerOptions.Web) : Plain(string.Create(CultureInfo.InvariantCulture, $"{p.Serial}  {p.Why}  commissioned {p.Since:yyyy-MM-dd HH:mm:ss} UTC")));
                }
                after = page[^1].Serial;
            }
            return after is null ? 0 : 1;
        }));
        return command;
    }

    private static Command Reconcile()
    {
        var (gtin, lot, hub, noWait, json) = (Gtin(), Lot(), Hub(), new Option<bool>("--no-wait") { Description = "Only asks for it." }, Json());
        var command = new Command("reconcile", "Compares what each market holds of a lot with what we believe it holds; the running gateway does it. Exit 1 when they differ, or the hub does not tell.") { gtin, lot, hub, noWait, json };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, at) =>
        {
            var reconciliations = services.GetRequiredService<HubReconciliations>();
            var (key, number) = (LotEndpoints.KeyOf(parsed.GetValue(gtin)!), parsed.GetValue(lot)!);
            if (await reconciliations.AskAsync(CommandLine, at, services.GetRequiredService<Hubs>().Of(at.Protocol).Traits, key, number, ct) is { } refusal)
            {
                await Console.Error.WriteLineAsync(Plain(refusal));
                return 1;
            }
            if (parsed.GetValue(noWait))
            {
                return 0;
            }
            var id = (await services.GetRequiredService<HubLots>().FindAsync(CommandLine, at.PartnerId, key, number, ct))!.Id;
            LotReconciliation run;
            while ((run = (await reconciliations.OfLotAsync(CommandLine, id, ct)).Newest!).State == "waiting")
            {
                await Task.Delay(500, ct);
            }
            if (parsed.GetValue(json))
            {
                await Console.Out.WriteLineAsync(JsonSerializer.Serialize(HubEndpoints.View(run), JsonSerializerOptions.Web));
            }
            else if (run.State == "failed")
            {
                await Console.Error.WriteLineAsync(Plain($"{run.Code}: {run.Text}"));
            }
            else
            {
                foreach (var m in run.Markets)
                {
                    await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{m.Country}  believed {m.Believed}, held {m.Held}, under way {m.UnderWay}  missing {m.Missing}, unexpected {m.Unexpected}, other state {m.State}"));
                }
            }
            return run.State == "done" && run.Markets.All(m => m.Differences == 0) ? 0 : 1;
        }));
        return command;
    }

    private static Command Differences()
    {
        var (gtin, lot, hub, json) = (Gtin(), Lot(), Hub(), Json());
        var country = new Option<string?>("--country") { Description = "Only of this market: two capital letters." };
        var command = new Command("differences", "The packs of a lot of which a market holds something else than we believe. Exit 1 when there are any.") { gtin, lot, country, hub, json };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, at) =>
        {
            var (key, number) = (LotEndpoints.KeyOf(parsed.GetValue(gtin)!), parsed.GetValue(lot)!);
            if (await services.GetRequiredService<HubLots>().FindAsync(CommandLine, at.PartnerId, key, number, ct) is not { } found)
            {
                throw new WrongUseException($"The lot {number} of {key} is not released.");
            }
            if (parsed.GetValue(country) is { } asked && found.Markets.All(m => m.Country != asked))
            {
                throw new WrongUseException($"{asked} is no market of the lot.");
            }
            var after = (long?)null;
            while (await services.GetRequiredService<HubReconciliations>().DifferencesAsync(CommandLine, found.Id, parsed.GetValue(country), after, 5_000, ct) is { Count: > 0 } page)
            {
                foreach (var d in page)
                {
                    await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(d, JsonSerializerOptions.Web)
                        : Plain(string.Create(CultureInfo.InvariantCulture, $"{d.Country}  {d.Serial}  {d.Kind}  believed {d.Believed ?? "none"}, held {d.Held ?? "none"}  since {d.FoundAt:yyyy-MM-dd HH:mm:ss} UTC")));
                }
                after = page[^1].Id;
            }
            return after is null ? 0 : 1;
        }));
        return command;
    }

    private static async Task<int> RunAsync(string? gln, CancellationToken ct, Func<IServiceProvider, HubPartner, Task<int>> run)
    {
        await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
        var services = new ServiceCollection().AddSingleton<IConfiguration>(GatewayHost.Configuration()).AddSingleton(database.Gateway).AddLogging().AddPartners().AddMasterData().AddDelivery().AddHub();
        services.AddKeyRing(GatewayHost.Configuration(), DataDirectory.Path);
        await using var provider = services.BuildServiceProvider();
        return await provider.GetRequiredService<Hubs>().OneAsync(CommandLine, gln, ct) is { } hub
            ? await run(provider, hub)
            : throw new WrongUseException(gln is null ? "Give --hub, the GLN of the hub that is meant: there is more than one, or none is set up yet." : $"There is no hub {gln}.");
    }

    // What a hub or a document says may hold what a terminal would obey.
    private static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
