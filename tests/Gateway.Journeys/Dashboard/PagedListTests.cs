using System.Net;
using System.Text.RegularExpressions;

namespace Gateway.Journeys.Dashboard;

/// <summary>Lists of settings and partners come in pages that their addresses name.</summary>
public sealed class PagedListTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("settings/people", "href=\"settings/people/(p[0-9]+)\"", 120, 3, "120 people may sign in", """
        insert into person (party_id, user_name, display_name, password_hash, must_change, created_at)
        select party_id, 'p' || n, 'Somebody', 'x', false, now() from party, generate_series(1, 120) n where kind = 'organisation'
        """)]
    [InlineData("settings/keys?show=ended", "<td class=\"mono\">([0-9a-f]{16})</td>", 120, 3, "9 keys are active", """
        insert into api_key (key_id, party_id, role, name, secret_hash, created_at, revoked_at)
        select lpad(n::text, 16, '0'), party_id, 'operator', 'k' || n % 7, sha256('k'), now(), now() from party, generate_series(1, 120) n where kind = 'organisation'
        """)]
    [InlineData("settings/roles", "<th title=\"made\">([a-z0-9-]+)</th>", 20, 3, "29 roles", "insert into role (role, description) select 'role-' || n, 'made' from generate_series(1, 20) n")]
    [InlineData("partners", "href=\"partners/([0-9]+)\"", 120, 3, "1 of 120 partners needs a look: Partner 5.", """
        insert into party (kind, name) select 'partner', 'many' from generate_series(1, 120);
        insert into partner (party_id, name, format, channel, url, state, created_at)
        select party_id, 'Partner ' || row_number() over (order by party_id) % 40, '1.2-xml', 'https', 'https://partner.example', case when row_number() over (order by party_id) = 5 then 'paused' else 'active' end, now()
        from party where name = 'many'
        """)]
    public async Task Every_row_is_on_exactly_one_page_and_the_sentence_counts_all(string address, string row, int rows, int pages, string sentence, string insert)
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false);" + insert);
        using var chief = await FormClient.SignInAsync(gateway, "administrator");
        var (seen, visited) = (new List<string>(), 0);
        for (var next = address; next is not null; visited++)
        {
            using var answer = await chief.GetAsync(next);
            var html = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync(Ct));
            Assert.Contains(sentence, html, StringComparison.Ordinal);
            seen.AddRange(Regex.Matches(html, row).Select(m => m.Groups[1].Value));
            Assert.Equal(visited > 0, html.Contains($"href=\"{address}\">First</a>", StringComparison.Ordinal));
            next = Regex.Match(html, "href=\"([^\"]+)\">Next</a>") is { Success: true } link ? link.Groups[1].Value : null;
        }
        Assert.Equal((rows, rows, pages), (seen.Count, seen.Distinct().Count(), visited));
    }
}
