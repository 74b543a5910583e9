using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Devices;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Devices;

/// <summary>A line of the organisation with two devices, and the classes that command it, as one node has them.</summary>
internal sealed class CommandLine : IAsyncDisposable
{
    public static readonly IOptions<CommandOptions> Options = Microsoft.Extensions.Options.Options.Create(new CommandOptions());
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private CommandLine(TestDatabase database) => Database = database;

    public TestDatabase Database { get; }
    public DeviceCommandIssuing Issuing => new(Database.Gateway, Options);
    public DeviceCommandAnswers Answers => new(Database.Gateway);
    public DeviceCommandList List => new(Database.Gateway);

    /// <summary>A node's own, so that any number may take a turn.</summary>
    public DeviceCommandExpiry Expiry => new(Database.Gateway, Options);

    public static Actor Operator { get; } = new("person:otto", "Otto", "operator", 1, "password", "test") { Sees = "*" };
    public static Actor Machine { get; } = new("key:plc", "plc key", "operator", 1, "key", "test") { Sees = "*" };
    public SpeakingDevice Plc { get; private set; } = default!;
    public SpeakingDevice Camera { get; private set; } = default!;

    public static async Task<CommandLine> CreateAsync()
    {
        var line = new CommandLine(await TestDatabase.CreateAsync());
        await line.Database.ExecuteAsync(Lines("We", "organisation", "L1", "plc1", "cam1"));
        var access = new DeviceAccess(line.Database.Gateway);
        (line.Plc, line.Camera) = ((await access.SpeakerAsync(Machine, "plc1", Ct))!, (await access.SpeakerAsync(Machine, "cam1", Ct))!);
        return line;
    }

    /// <summary>SQL for a party with one line and its devices.</summary>
    public static string Lines(string party, string kind, string code, params string[] devices) => $"""
        do $$ begin perform set_config('app.actor', 'test', false); end $$;
        insert into party (kind, name) select '{kind}', '{party}' where not exists (select from party where name = '{party}');
        insert into line (party_id, code, name, site, read_point, time_zone) select party_id, '{code}', 'Line', '9521234000105', 'urn:epc:id:sgln:9521234.00010.{code}', 'Europe/Zurich' from party where name = '{party}';
        insert into device (party_id, name, line_id, kind, registered_at) select l.party_id, d, line_id, 'plc', gateway_now() from line l join party p using (party_id), unnest('{"{" + string.Join(",", devices) + "}"}'::text[]) d where l.code = '{code}' and p.name = '{party}';
        """;

    public static CommandRequest Request(string type, string reasonClass = "operator", string device = "plc1", string reason = "because", DateTimeOffset? since = null, string parameters = "{}") =>
        new(device, type, JsonSerializer.Deserialize<JsonElement>(parameters), reason, reasonClass, since);

    public async Task<Guid> IssueAsync(string type, string reasonClass = "operator", string device = "plc1", DateTimeOffset? since = null)
    {
        var issued = await Issuing.IssueAsync(Operator, "L1", Request(type, reasonClass, device, since: since), Ct);
        Assert.Null(issued.Refusal);
        return issued.CmdId!.Value;
    }

    /// <summary>The device hears of what there is, and acknowledges all.</summary>
    public async Task HearAsync(SpeakingDevice? device = null, bool acks = true)
    {
        foreach (var command in await List.TakeAsync(Machine, device ?? Plc, 0, Ct))
        {
            if (acks)
            {
                Assert.Null((await Answers.AckAsync(Machine, device ?? Plc, command.CmdId, command.Fence, Ct)).Refusal);
            }
        }
    }

    public async Task<CommandRow> RowAsync(Guid cmdId) => (await List.FindAsync(Operator, cmdId, Ct))!;

    public Task<DateTime> NowAsync() => Database.ScalarAsync<DateTime>("select gateway_now()");

    /// <summary>Code and severity of the open exceptions of devices, with their sources.</summary>
    public Task<string> ExceptionsAsync() => Database.ScalarAsync<string>("select coalesce(string_agg(concat_ws(' ', code, severity, source_id), ', ' order by exception_id), '') from exception where source_kind = 'device'");

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
