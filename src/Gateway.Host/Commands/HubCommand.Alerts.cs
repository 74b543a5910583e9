using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gateway.Hub;
using Gateway.Units;

namespace Gateway.Host.Commands;

/// <summary>Alerts of national systems, and what a person decides about them.</summary>
public static partial class HubCommand
{
    private static Command Alerts()
    {
        var (code, country, gtin, lot) = (new Option<string?>("--code") { Description = "Only of this code, such as A68." }, new Option<string?>("--country") { Description = "Only of this market." }, new Option<string?>("--gtin") { Description = "Only of this product." }, new Option<string?>("--lot") { Description = "Only of this lot, as it was told." });
        var (state, hub, json) = (new Option<string?>("--state") { Description = "open, investigating, closed, or unsettled for what is not closed." }, Hub(), Json());
        state.AcceptOnlyFromAmong("open", "investigating", "closed", "unsettled");
        var command = new Command("alerts", "The cases of alerts, newest first. Exit 1 when some of them are not closed.") { code, country, state, gtin, lot, hub, json };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, at) =>
        {
            var (before, settled) = ((int?)null, true);
            var filter = new AlertFilter(parsed.GetValue(code), parsed.GetValue(country), parsed.GetValue(state), parsed.GetValue(gtin) is { } g ? LotEndpoints.KeyOf(g) : null, parsed.GetValue(lot));
            while (await services.GetRequiredService<AlertCases>().ListAsync(CommandLine, at.PartnerId, filter, before, 200, ct) is { Count: > 0 } page)
            {
                foreach (var c in page)
                {
                    settled &= c.State == "closed";
                    await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(c, JsonSerializerOptions.Web)
                        : Plain(string.Create(CultureInfo.InvariantCulture, $"{c.Id}  {c.State}  {c.Code} {string.Join(",", c.Markets)}  {c.Product} lot {c.Lot} serial {c.Serial}  {c.Alerts} alerts, last {c.LastAt:yyyy-MM-dd HH:mm:ss} UTC  {c.RootCause ?? c.Cause}: {c.Reason ?? c.Finding}")));
                }
                before = page[^1].Id;
            }
            return settled ? 0 : 1;
        }));
        return command;
    }

    private static Command Alert()
    {
        var id = new Argument<int>("CASE") { Description = "The case's number, as hub alerts prints it." };
        var state = new Option<string>("--state") { Description = "open, investigating or closed. What is closed stays closed.", Required = true };
        state.AcceptOnlyFromAmong("open", "investigating", "closed");
        var closing = new Option<string?>("--closing") { Description = "How a case that is closed has ended." };
        closing.AcceptOnlyFromAmong([.. RootCause.Closings]);
        var cause = new Option<string?>("--root-cause") { Description = "The root cause; without it what is proposed is confirmed." };
        cause.AcceptOnlyFromAmong([.. RootCause.All]);
        var (hub, reason) = (Hub(), Reason());
        var decide = new Command("decide", "Says what becomes of a case.") { id, state, closing, cause, reason, hub };
        decide.SetAction((parsed, ct) => RunAsync(parsed.GetValue(hub), ct, async (services, _) =>
        {
            var decision = new AlertDecision(parsed.GetValue(state), parsed.GetValue(reason), parsed.GetValue(closing), parsed.GetValue(cause));
            if (await services.GetRequiredService<AlertCases>().DecideAsync(CommandLine, parsed.GetValue(id), null, decision, ct) is { } refusal)
            {
                await Console.Error.WriteLineAsync(Plain(refusal));
                return 1;
            }
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Case {parsed.GetValue(id)} is {decision.State}."));
            return 0;
        }));
        return new Command("alert", "One case of alerts.") { decide };
    }
}
