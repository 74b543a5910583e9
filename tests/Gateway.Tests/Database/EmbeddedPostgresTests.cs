using Gateway.Database;

namespace Gateway.Tests.Database;

public sealed class EmbeddedPostgresTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_data_directory_below_a_folder_that_only_root_enters_works_and_is_found_again()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root drops to another account.");
        var closed = Directory.CreateTempSubdirectory("gateway-closed-").FullName; // 0700
        var data = Path.Combine(closed, "data");
        string? home = null;
        try
        {
            await using (var first = await EmbeddedPostgres.StartAsync(data, Ct, "fsync=off"))
            {
                await first.EnsureDatabaseAsync("kept", Ct);
            }
            home = new DirectoryInfo(Path.Combine(data, "elsewhere")).LinkTarget;
            Assert.StartsWith("/var/lib/gateway/", home, StringComparison.Ordinal);

            await using var again = await EmbeddedPostgres.StartAsync(data, Ct, "fsync=off");
            await using var connection = new Npgsql.NpgsqlConnection(again.ConnectionString("kept"));
            await connection.OpenAsync(Ct);
        }
        finally
        {
            Directory.Delete(closed, recursive: true);
            if (home is not null)
            {
                Directory.Delete(home, recursive: true);
            }
        }
    }

    [Fact]
    public async Task A_data_directory_that_only_its_owner_may_enter_is_opened_for_the_server()
    {
        var data = Directory.CreateTempSubdirectory("gateway-own-").FullName; // 0700
        try
        {
            await using var server = await EmbeddedPostgres.StartAsync(data, Ct, "fsync=off");
            Assert.True(Directory.Exists(Path.Combine(data, "postgres", "base")));
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }
}
