using System.Globalization;

namespace Gateway.Journeys.Dashboard;

/// <summary>Every number is a door to exactly its rows.</summary>
public sealed class DoorTests(FilledGateway filled) : IClassFixture<FilledGateway>
{
    // A number in a link, or in the cell of the row whose first link it belongs to; of a partner's day, in what the cell says of itself.
    private const string Doors = """
        () => {
          const number = text => /[0-9][0-9,]*/.exec(text)?.[0].replaceAll(",", "");
          const found = [];
          for (const a of document.querySelectorAll("main :is(.figures, .conserve, td.num) a[href]")) {
            found.push([number((a.querySelector("b") ?? a).textContent), a.href]);
          }
          for (const a of document.querySelectorAll("main a.cell")) {
            found.push([number(a.ariaLabel.split(": ")[1].replace(/.* of /, "")), a.href]);
          }
          for (const tr of document.querySelectorAll("main table:not(.strip) tbody tr")) {
            const cell = tr.querySelector("td.num"), a = tr.querySelector("td:nth-child(-n+2) a[href]");
            if (cell && a && !cell.querySelector("a")) {
              found.push([number(cell.textContent), a.href]);
            }
          }
          return found.filter(([n]) => n !== undefined).map(([n, href]) => n + " " + href);
        }
        """;

    // Rows as the server writes them, page by page.
    private const string Rows = """
        async address => {
          let rows = 0;
          for (let pages = 0; address && pages < 100; pages++) {
            const page = new DOMParser().parseFromString(await (await fetch(address, { headers: { accept: "text/html" } })).text(), "text/html");
            const tables = page.querySelectorAll("main table:has(tbody tr)");
            rows += tables.length === 0 || page.querySelector("main .empty") ? 0 : [...tables].at(-1).querySelectorAll("tbody tr:has(td + td)").length;
            const older = [...page.querySelectorAll("main .pager a")].find(a => ["Older", "Next"].includes(a.textContent.trim()));
            address = older && new URL(older.getAttribute("href"), document.baseURI).href;
          }
          return rows;
        }
        """;

    [Fact]
    public async Task A_number_leads_to_a_list_of_just_so_many_rows()
    {
        var gateway = filled.Gateway;
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var wrong = new List<string>();
        var counted = new Dictionary<string, int>();
        var doors = 0;
        var partners = await gateway.Database.ScalarAsync<int[]>("select array_agg(partner_id order by partner_id) from partner");
        Assert.True(partners.Length >= 12, $"{partners.Length} partners");
        string[] pages = ["today", $"today?day={DateTime.UtcNow.AddDays(-1):yyyy-MM-dd}", "deliveries?view=groups", "deliveries?view=all", "captures", "exceptions", "exceptions?state=open", "partners", "routing", .. partners.Select(n => $"partners/{n}")];
        foreach (var address in pages)
        {
            var (found, off) = await LookAsync(address);
            // What the clock finds out between the number and its list stands in both the next time.
            for (var again = 0; again < 3 && off.Count > 0; again++)
            {
                off.ForEach(o => counted.Remove(o.Split(' ')[^1]));
                (found, off) = await LookAsync(address);
            }
            doors += found;
            wrong.AddRange(off);
        }
        SignedInBrowser.None(wrong);
        Assert.True(doors > 100 && counted.Values.Count(r => r > 0) > 30, $"{doors} doors, {counted.Values.Count(r => r > 0)} with rows");
        browser.NothingWentWrong();

        async Task<(int Doors, List<string> Wrong)> LookAsync(string address)
        {
            await browser.GoAsync(address);
            var off = new List<string>();
            var found = await browser.Page.EvaluateAsync<string[]>(Doors);
            foreach (var door in found)
            {
                var (number, href) = (int.Parse(door.Split(' ')[0], CultureInfo.InvariantCulture), door.Split(' ')[1]);
                if (!counted.TryGetValue(href, out var rows))
                {
                    rows = counted[href] = await browser.Page.EvaluateAsync<int>(Rows, href);
                }
                if (rows != number)
                {
                    off.Add($"{address}: {number} leads to {rows} rows: {href}");
                }
            }
            return (found.Length, off);
        }
    }
}
