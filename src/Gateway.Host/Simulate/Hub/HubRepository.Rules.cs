using System.Globalization;

namespace Gateway.Host.Simulate.Hub;

/// <summary>The rules of docs/hub.md.</summary>
internal sealed partial class HubRepository
{
    private const string Active = "Active", Locked = "Locked";
    private static readonly TimeSpan s_undoWithin = TimeSpan.FromDays(10);
    private static readonly string[] s_lasting = ["Destroyed", "Stolen"];

    private void Arrive(HubMessage message, DateTimeOffset now)
    {
        if (message.Scheme != (message.Product.Length == 14 ? "GTIN" : "PPN"))
        {
            Refuse(message, "wire", "A16", $"{message.Product} is no {message.Scheme}.", now);
            return;
        }
        var product = _products.GetValueOrDefault(message.Product);
        if (message.Kind == "ProductData")
        {
            ProductData(message, product, now);
        }
        else if (product is null || !product.Versions.TryGetValue(message.Version, out var version))
        {
            Refuse(message, "1", "A16", string.Create(CultureInfo.InvariantCulture, $"There is no version {message.Version} of the data of {message.Product}."), now);
        }
        else if (message.Kind == "ProductWithdrawal")
        {
            Withdrawal(message, product, now);
        }
        else if (message.Kind == "PackData")
        {
            PackData(message, product, version, now);
        }
        else if (!product.Lots.TryGetValue(message.Lot, out var lot))
        {
            Refuse(message, message.Kind == "LotRecall" ? "7" : "5", "A2", $"There is no lot {message.Lot} of {message.Product}.", now);
            AlertAll(message, null, version.Markets.Except(product.WithdrawalTold), "A2", now);
        }
        else if (Agrees(message, lot, now))
        {
            if (message.Kind == "LotRecall")
            {
                Recall(message, product, lot, now);
            }
            else
            {
                StateChange(message, product, lot, now);
            }
        }
    }

    /// <summary>Rules 1 and 3: a lot belongs to one version, and has one expiry.</summary>
    private bool Agrees(HubMessage message, HubLot lot, DateTimeOffset now)
    {
        if (lot.Version != message.Version)
        {
            Refuse(message, "1", "A16", string.Create(CultureInfo.InvariantCulture, $"The lot {lot.Id} belongs to version {lot.Version}."), now);
            return false;
        }
        if (lot.Expiry != message.Expiry)
        {
            Refuse(message, "3", "A52", $"The lot {lot.Id} expires {lot.Expiry}, not {message.Expiry}.", now);
            AlertAll(message, lot, lot.Markets.Except(lot.RecallTold), "A52", now);
            return false;
        }
        return true;
    }

    private void ProductData(HubMessage message, HubProduct? product, DateTimeOffset now)
    {
        product ??= _products[message.Product] = new HubProduct(message.Product, message.Scheme);
        // What a market did not take may be sent again as it was; the version is what it was then.
        var known = product.Versions.GetValueOrDefault(message.Version);
        if (known is not null && (known.Content != message.Content || known.IsDistributed || !known.Message.IsFinal))
        {
            Refuse(message, "1", "A16", string.Create(CultureInfo.InvariantCulture, $"There is a version {message.Version} of {message.Product} already, and none is overwritten."), now);
            return;
        }
        var version = known ?? (product.Versions[message.Version] = new HubProductVersion(message.Version, message.Content, message.Markets, message));
        Schedule(message, now, (country, _) => version.Distributed.Add(country));
    }

    private void PackData(HubMessage message, HubProduct product, HubProductVersion version, DateTimeOffset now)
    {
        if (!version.IsDistributed)
        {
            Refuse(message, "1", "A16", string.Create(CultureInfo.InvariantCulture, $"Version {version.Number} is not distributed in {string.Join(", ", version.Markets.Except(version.Distributed))}."), now);
            return;
        }
        if (!DateOnly.TryParseExact(message.Expiry, "yyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
        {
            Refuse(message, "3", "A16", $"{message.Expiry} is no date.", now);
            return;
        }
        if (!product.Lots.TryGetValue(message.Lot, out var lot))
        {
            product.Lots[message.Lot] = lot = new HubLot(product.Code, message.Lot, message.Version, message.Expiry, version.Markets);
        }
        else if (!Agrees(message, lot, now))
        {
            return;
        }
        message.Markets = [.. lot.Markets];
        Bar(message, product, lot, now);
        foreach (var serial in message.Serials)
        {
            if (options.Faults.FailureOf(serial) is { } failure)
            {
                Skip(message, serial, failure);
            }
        }
        Schedule(message, now, (country, at) =>
        {
            lot.Expect(message.Serials.Length);
            var change = lot.Add(new HubChange(Active, at, "", message.CorrelationId));
            foreach (var serial in message.Serials.Where(s => !message.Skipped.Contains(s)))
            {
                if (product.Lots.Values.Any(other => other != lot && other.Of(country, serial) is not null))
                {
                    Fail(message, serial, "A68", "4", $"The serial number {serial} is in another lot of the product.", at);
                }
                else if (lot.Of(country, serial) is null)
                {
                    lot.Set(country, serial, change);
                }
                else if (IsOlder(lot, serial, message, _ => true))
                {
                    Fail(message, serial, "A7", "4", $"The pack {serial} was sent before.", at);
                }
            }
        });
    }

    private void StateChange(HubMessage message, HubProduct product, HubLot lot, DateTimeOffset now)
    {
        message.Markets = [.. lot.Markets];
        Bar(message, product, lot, now);
        foreach (var serial in message.Serials)
        {
            if (options.Faults.FailureOf(serial) is { } failure)
            {
                Skip(message, serial, failure);
            }
            else if (!lot.IsEverywhere(serial))
            {
                var code = product.Lots.Values.Any(other => other != lot && other.Markets.Any(m => other.Of(m, serial) is not null)) ? "A68" : "A3";
                Skip(message, serial, new HubFailure(code, false));
                Violate(message, "5", $"The pack {serial} is not distributed in all markets of the lot.", now);
                foreach (var country in lot.Markets.Where(m => !message.Barred.ContainsKey(m) && lot.Of(m, serial) is null))
                {
                    Alert(message, lot, country, code, serial, now);
                }
            }
        }
        var wanted = message.IsUndo ? Active : message.State;
        var rule = message.IsUndo ? "6" : "5";
        Schedule(message, now, (country, at) =>
        {
            var change = lot.Add(new HubChange(wanted, at, message.Location, message.CorrelationId));
            foreach (var serial in message.Serials.Where(s => !message.Skipped.Contains(s)))
            {
                var pack = lot.Of(country, serial)!;
                if (pack.State == wanted)
                {
                    if (IsOlder(lot, serial, message, p => p.State == wanted))
                    {
                        Fail(message, serial, "A7", rule, $"The pack {serial} is {wanted} already.", at);
                        if (!message.IsUndo)
                        {
                            Alert(message, lot, country, "A7", serial, at);
                        }
                    }
                }
                else if (Obstacle(message, lot, pack, at) is { } obstacle)
                {
                    Fail(message, serial, "A24", rule, $"The pack {serial} {obstacle}.", at);
                    Alert(message, lot, country, "A24", serial, at);
                }
                else
                {
                    lot.Set(country, serial, change);
                }
            }
        });
    }

    /// <summary>Rules 5 and 6.</summary>
    private static string? Obstacle(HubMessage message, HubLot lot, HubChange pack, DateTimeOffset at) => message.IsUndo switch
    {
        false => pack.State == Active ? null : $"is {pack.State}, and state changes only from Active",
        _ when pack.State != message.State => $"is {pack.State}, not {message.State}",
        _ when lot.IsExpired(at) => "has expired, and nothing of it is undone",
        _ when s_lasting.Contains(pack.State) => $"is {pack.State}, which is never undone",
        _ when pack.Location != message.Location => $"was made {pack.State} at {pack.Location}, and is undone only there",
        _ when pack.State != Locked && at - pack.At > s_undoWithin => $"was made {pack.State} more than ten days ago",
        _ => null,
    };

    private void Recall(HubMessage message, HubProduct product, HubLot lot, DateTimeOffset now)
    {
        BarForeign(message, lot.Markets, now);
        Bar(message, product, lot, now);
        lot.RecallTold.UnionWith(message.Markets.Except(message.Barred.Keys));
        Schedule(message, now, (country, _) => lot.Recalled.Add(country), country => lot.RecallTold.Remove(country));
    }

    private void Withdrawal(HubMessage message, HubProduct product, DateTimeOffset now)
    {
        BarForeign(message, product.Versions.Values.SelectMany(v => v.Markets), now);
        Bar(message, product, null, now);
        product.WithdrawalTold.UnionWith(message.Markets.Except(message.Barred.Keys));
        Schedule(message, now, (country, _) => product.Withdrawn.Add(country), country => product.WithdrawalTold.Remove(country));
    }

    private void BarForeign(HubMessage message, IEnumerable<string> markets, DateTimeOffset now)
    {
        foreach (var country in message.Markets.Except(markets))
        {
            message.Barred[country] = ("A16", $"It is on no market of {country}.");
            Violate(message, "7", $"It is on no market of {country}.", now);
        }
    }

    /// <summary>Rule 7: where a recall or withdrawal was told, nothing changes any more, and neither is told again.</summary>
    private void Bar(HubMessage message, HubProduct product, HubLot? lot, DateTimeOffset now)
    {
        foreach (var country in message.Markets)
        {
            var ended = product.WithdrawalTold.Contains(country) ? "The product is withdrawn" : lot?.RecallTold.Contains(country) is true ? "The lot is recalled" : null;
            if (ended is not null)
            {
                message.Barred[country] = ("A24", $"{ended} in {country}: nothing of it changes there any more.");
                Violate(message, "7", $"{message.Kind} came, and yet: {ended} in {country}.", now);
            }
        }
    }

    /// <summary>Every market had it before this message; where one had not, the message mends that and is no repetition.</summary>
    private static bool IsOlder(HubLot lot, SerialNumber serial, HubMessage message, Func<HubChange, bool> has) =>
        lot.Markets.All(m => lot.Of(m, serial) is { } pack && has(pack) && pack.CorrelationId != message.CorrelationId);

    private static void Skip(HubMessage message, SerialNumber serial, HubFailure failure)
    {
        message.Failures.TryAdd(serial, failure);
        message.Skipped.Add(serial);
    }

    private void Fail(HubMessage message, SerialNumber serial, string code, string rule, string text, DateTimeOffset at)
    {
        message.Failures.TryAdd(serial, new HubFailure(code, false));
        Violate(message, rule, text, at);
    }

    private void AlertAll(HubMessage message, HubLot? lot, IEnumerable<string> countries, string code, DateTimeOffset now)
    {
        foreach (var country in message.Kind == "StateChange" ? countries : [])
        {
            foreach (var serial in message.Serials)
            {
                Alert(message, lot, country, code, serial, now);
            }
        }
    }
}
