using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gateway.Access;
using Gateway.Shipments;

namespace Gateway.Host.Commands;

/// <summary><c>gateway reconcile</c>: per partner and lot what was captured, sent and acknowledged, and with <c>unreported</c> the serial numbers that nothing tells. Exit 1 when there is a gap.</summary>
public static class ReconcileCommand
{
    private const int PageSize = 1_000;

    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create()
    {
        var partner = new Option<string?>("--partner") { Description = "Only the partner with this GLN." };
        var gtin = new Option<string?>("--gtin") { Description = "Only this product." };
        var lot = new Option<string?>("--lot") { Description = "Only this lot." };
        var gaps = new Option<bool>("--gaps") { Description = "Only lots with a gap." };
        var csv = new Option<bool>("--csv") { Description = "As a table with a header." };
        var json = new Option<bool>("--json") { Description = "One JSON object per lot." };
        var command = new Command("reconcile", "Per partner and lot: captured, sent, acknowledged.") { partner, gtin, lot, gaps, csv, json, Unreported() };
        command.SetAction(async (parsed, ct) =>
        {
            var filter = ShipmentEndpoints.Read(parsed.GetValue(partner), parsed.GetValue(gtin), parsed.GetValue(lot), parsed.GetValue(gaps) ? "true" : null, out var wrong);
            if (wrong is not null)
            {
                throw new WrongUseException($"--{wrong}");
            }
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var reconciliation = new Reconciliation(database.Gateway);
            var (even, after) = (true, (ReconciliationCursor?)null);
            if (parsed.GetValue(csv))
            {
                await Console.Out.WriteLineAsync(ReconciliationCsv.Header);
            }
            while (await reconciliation.ListAsync(CommandLine, filter, after, PageSize, ct) is { Count: > 0 } page)
            {
                foreach (var l in page)
                {
                    even &= l.IsEven;
                    await Console.Out.WriteLineAsync(parsed.GetValue(csv) ? ReconciliationCsv.Row(l) : parsed.GetValue(json) ? JsonSerializer.Serialize(l, JsonSerializerOptions.Web) : Text(l));
                }
                after = ReconciliationCursor.Of(page[^1]);
            }
            return even ? 0 : 1;
        });
        return command;
    }

    private static Command Unreported()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object per serial number." };
        var command = new Command("unreported", "The serial numbers that are shipped and that no document which a partner took tells.") { json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var (serials, any, next) = (new UnreportedSerials(database.Gateway), false, (string?)null);
            do
            {
                var page = (await serials.ListAsync(CommandLine, next, PageSize, ct))!.Value;
                foreach (var s in page.Items)
                {
                    any = true;
                    await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(s, JsonSerializerOptions.Web)
                        : Plain($"{s.Epc}  lot {s.Lot ?? "-"}  to {s.PartnerName}  {(s.Delivery is { } d ? string.Create(CultureInfo.InvariantCulture, $"delivery {d} {s.State}") : "in no document")}"));
                }
                next = page.Next;
            }
            while (next is not null);
            return any ? 1 : 0;
        });
        return command;
    }

    private static string Text(ReconciledLot l) => Plain(string.Create(CultureInfo.InvariantCulture,
        $"{l.Partner} {l.PartnerName}  lot {l.Lot} of {l.Gtin}: {l.Captured} captured, {l.Sent} sent, {l.Acknowledged} acknowledged, {l.Received} received, {l.Assumed} assumed; {(l.IsEven ? l.Waiting > 0 ? $"{l.Waiting} on the way" : "even" : $"GAP: {l.Unsent} in no document, {l.Refused} not sent, {l.Miscounted} counted otherwise")}"));

    // What a document says may hold what a terminal would obey.
    private static string Plain(string line) => string.Concat(line.Select(c => char.IsControl(c) ? ' ' : c));
}
