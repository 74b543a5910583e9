using Gateway.Partners;

namespace Gateway.Tests.Delivery;

/// <summary>Documents into a folder of this machine: whole or not at all, once, and never out of what the operator allows.</summary>
public sealed class FolderChannelTests : IDisposable
{
    private const string Last = "select concat_ws(' ', code, verdict) from attempt order by delivery_id desc, number desc limit 1";
    private readonly string _root = Directory.CreateTempSubdirectory("gateway-folders-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task A_document_is_written_once_and_one_of_its_name_with_other_content_is_not_touched()
    {
        await using var outbox = await Outbox.CreateAsync();
        var folder = Directory.CreateDirectory(Path.Combine(_root, "acme")).FullName;
        await outbox.AddAsync(await outbox.AddPartnerAsync($"file://{folder}", "folder"), 1, 1);
        await outbox.Database.ExecuteAsync("""do $$ begin perform set_config('app.actor', 'test', false); end $$; update partner set channel_settings = '{"fileName": "gw-{document}", "triggerFile": "{stem}.done"}'""");
        var node = outbox.Node(("Folders:0", _root));
        await Outbox.TurnAsync(node);
        Assert.Equal("ok ok", await outbox.Database.ScalarAsync<string>(Last));
        Assert.Equal(["gw-1.done", "gw-1.xml"], Files(folder));
        Assert.Equal("p1 1:1", await File.ReadAllTextAsync(Path.Combine(folder, "gw-1.xml")));

        // As after a crash between the rename and the record; and what a dead attempt left is gone.
        await File.WriteAllTextAsync(Path.Combine(folder, ".gw-1.xml.0123.part"), "p1");
        await AgainAsync();
        Assert.Equal("ok ok", await outbox.Database.ScalarAsync<string>(Last));
        Assert.Equal(["gw-1.done", "gw-1.xml"], Files(folder));

        await File.WriteAllTextAsync(Path.Combine(folder, "gw-1.xml"), "p1 2:2");
        await AgainAsync();
        Assert.Equal("name-taken ours", await outbox.Database.ScalarAsync<string>(Last));
        Assert.Equal("p1 2:2", await File.ReadAllTextAsync(Path.Combine(folder, "gw-1.xml")));
        Assert.Equal(["gw-1.done", "gw-1.xml"], Files(folder));

        async Task AgainAsync()
        {
            await outbox.Database.ExecuteAsync("update delivery set state = 'due', finished_at = null, due_at = gateway_now()");
            await Outbox.TurnAsync(node);
        }
    }

    [Fact]
    public async Task Nothing_is_written_where_the_operator_allows_nothing_and_a_missing_folder_is_tried_again()
    {
        await using var outbox = await Outbox.CreateAsync();
        var folder = Path.Combine(_root, "acme");
        await outbox.AddAsync(await outbox.AddPartnerAsync($"file://{folder}", "folder"), 1, 1);
        await Outbox.TurnAsync(outbox.Node());
        Assert.Equal("folder-not-allowed ours", await outbox.Database.ScalarAsync<string>(Last));
        await outbox.Database.AdvanceAsync(TimeSpan.FromHours(1));
        var node = outbox.Node(("Folders:0", _root));
        await Outbox.TurnAsync(node);
        Assert.Equal("no-folder ours", await outbox.Database.ScalarAsync<string>(Last));
        Directory.CreateDirectory(folder);
        await outbox.Database.AdvanceAsync(TimeSpan.FromHours(1));
        await Outbox.TurnAsync(node);
        Assert.Single(Files(folder));
    }

    [Fact]
    public void A_folder_is_allowed_below_a_root_and_by_no_way_out_of_it()
    {
        var inside = Directory.CreateDirectory(Path.Combine(_root, "a", "b")).FullName;
        Directory.CreateSymbolicLink(Path.Combine(_root, "out"), "/tmp");
        Directory.CreateDirectory(_root + "-beside");
        try
        {
            Assert.Null(Refusal($"file://{inside}"));
            Assert.Null(Refusal($"file://{_root}"));
            Assert.Null(Refusal($"file://{inside}/not-yet"));
            Assert.NotNull(Refusal($"file://{_root}/../"));
            Assert.NotNull(Refusal($"file://{_root}/a/%2e%2e/%2e%2e/etc"));
            Assert.NotNull(Refusal($"file://{_root}-beside"));
            Assert.NotNull(Refusal($"file://{_root}/out"));
            Assert.NotNull(Refusal($"file://{_root}/out/deeper"));
            Assert.NotNull(Refusal($"file://server{_root}"));
            Assert.NotNull(Refusal($"file://{_root}/a%00b"));
            Assert.NotNull(Refusal("/etc"));
            Assert.NotNull(Refusal("https://example.org"));
        }
        finally
        {
            Directory.Delete(_root + "-beside");
        }

        string? Refusal(string url) => AllowedFolders.Refuse(url, [_root], out _);
    }

    private static IEnumerable<string> Files(string folder) => new DirectoryInfo(folder).GetFiles().Select(f => f.Name).Order(StringComparer.Ordinal);
}
