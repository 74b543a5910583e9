using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Gateway.Access;
using Gateway.Host;
using Gateway.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace Gateway.Journeys.Devices;

/// <summary>A device on a real socket: told of its commands on each channel, and answering.</summary>
public sealed class DeviceCommandJourneys
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_device_hears_a_command_and_answers_it_over_http()
    {
        await using var gateway = await StartAsync();
        using var device = gateway.Client("operator");
        var waiting = device.GetFromJsonAsync<JsonElement>("api/devices/plc1/commands?after=0&wait=25", Ct);
        var issued = await IssueAsync(gateway, "identify", "operator");
        var polled = await waiting;
        var command = polled.GetProperty("commands")[0];
        Assert.Equal(["cmdId", "deadline", "device", "fence", "issuedAt", "issuedBy", "line", "number", "params", "reason", "reasonClass", "type"], command.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.Equal((issued, "plc1", "L1", "identify", 7), (command.GetProperty("cmdId").GetGuid(), Text(command, "device"), Text(command, "line"), Text(command, "type"), command.GetProperty("params").GetProperty("lamp").GetInt32()));
        Assert.Equal(command.GetProperty("number").GetInt64(), polled.GetProperty("after").GetInt64());

        Assert.Equal((422, "GW-HTTP-06"), await PostAsync(device, $"api/devices/plc1/commands/{issued}/ack", new { }));
        Assert.Equal((404, "GW-HTTP-01"), await PostAsync(device, $"api/devices/nobody/commands/{issued}/ack", new { fence = 1 }));
        Assert.Equal((404, "GW-HTTP-01"), await PostAsync(device, $"api/devices/cam1/commands/{issued}/ack", new { fence = 1 }));
        Assert.Equal((409, "cmd.stale_fence"), await PostAsync(device, $"api/devices/plc1/commands/{issued}/ack", new { fence = 0 }));
        Assert.Equal((200, "acked"), await PostAsync(device, $"api/devices/plc1/commands/{issued}/ack", new { fence = 1 }));
        Assert.Equal((422, "GW-HTTP-06"), await PostAsync(device, $"api/devices/plc1/commands/{issued}/complete", new { fence = 1, outcome = "perhaps" }));
        Assert.Equal((200, "done"), await PostAsync(device, $"api/devices/plc1/commands/{issued}/complete", new { fence = 1, outcome = "done", state = "Idle", detail = "blinked" }));
        Assert.Equal((409, "cmd.ended"), await PostAsync(device, $"api/devices/plc1/commands/{issued}/complete", new { fence = 1, outcome = "failed" }));
        Assert.Equal((422, "GW-HTTP-06"), await PostAsync(device, "api/devices/plc1/state", new { state = "Sleeping", at = "2026-01-01T00:00:00Z" }));
        using var officer = gateway.Client("officer");
        Assert.Equal(("done", "Idle", "blinked"), await officer.GetFromJsonAsync<JsonElement>($"api/commands/{issued}", Ct) is var row ? (Text(row, "state"), Text(row, "machineState"), Text(row, "detail")) : default);
        Assert.Equal(1, (await officer.GetFromJsonAsync<JsonElement>("api/lines/L1/commands", Ct)).GetProperty("items").GetArrayLength());
        Assert.Empty((await device.GetFromJsonAsync<JsonElement>("api/devices/plc1/commands", Ct)).GetProperty("commands").EnumerateArray());
        using var foreigner = gateway.Client("cmo");
        Assert.Equal((404, "GW-HTTP-01"), await PostAsync(foreigner, "api/lines/L1/commands", new { device = "plc1", type = "end", reason = "why", reasonClass = "operator" }));
        Assert.Equal((404, "GW-HTTP-01"), await PostAsync(foreigner, $"api/devices/plc1/commands/{issued}/ack", new { fence = 1 }));
    }

    [Fact]
    public async Task Events_go_on_after_the_last_that_the_device_heard_also_when_the_gateway_was_started_anew_meanwhile()
    {
        await using var database = await TestDatabase.CreateAsync();
        var keys = await TestGateway.MakeKeysAsync(database);
        await LinesAsync(database);
        string last;
        Guid first, second;
        await using (var host = await HostAsync(database))
        {
            first = await IssueAsync(host.Url, keys["operator"], "allocate");
            await using var events = await EventStream.OpenAsync(host.Url, keys["operator"], null);
            var heard = await events.NextAsync();
            Assert.Equal(("command", first), (heard["event"], Command(heard).GetProperty("cmdId").GetGuid()));
            last = heard["id"];
            Assert.Equal(200, (await PostAsync(host.Url, keys["operator"], $"api/devices/plc1/commands/{first}/ack", new { fence = 1 })).Status);
            second = await IssueAsync(host.Url, keys["operator"], "identify");
            Assert.Equal(second, Command(await events.NextAsync()).GetProperty("cmdId").GetGuid()); // told, and lost with the device's memory
        }
        await using (var host = await HostAsync(database))
        {
            await using var events = await EventStream.OpenAsync(host.Url, keys["operator"], last);
            var third = await IssueAsync(host.Url, keys["operator"], "clearBuffer");
            var heard = new List<Guid>();
            while (!heard.Contains(third))
            {
                heard.Add(Command(await events.NextAsync()).GetProperty("cmdId").GetGuid());
            }
            Assert.Contains(second, heard);
            Assert.DoesNotContain(first, heard);
        }
    }

    [Fact]
    public async Task A_quiet_stream_shows_that_it_lives_and_ends_after_its_time()
    {
        await using var gateway = await TestGateway.StartAsync(("Commands:KeepAlive", "00:00:00.300"), ("Commands:StreamFor", "00:00:02"));
        await LinesAsync(gateway.Database);
        using var device = gateway.Client("operator");
        var all = await device.GetStringAsync("api/devices/plc1/commands/stream", Ct);
        Assert.StartsWith("retry: 1000\n\n", all, StringComparison.Ordinal);
        Assert.Contains(": still here\n\n", all, StringComparison.Ordinal);
        using var wrong = new HttpRequestMessage(HttpMethod.Get, "api/devices/plc1/commands/stream") { Headers = { { "Last-Event-ID", "x" } } };
        Assert.Equal(400, (int)(await device.SendAsync(wrong, Ct)).StatusCode);
        using var nobody = await device.GetAsync("api/devices/nobody/commands/stream", Ct);
        Assert.Equal(404, (int)nobody.StatusCode);
    }

    [Fact]
    public async Task A_web_socket_tells_the_same_commands_and_takes_the_answers()
    {
        await using var gateway = await StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {gateway.Keys["operator"]}");
        await socket.ConnectAsync(new Uri($"ws://{gateway.Url.Authority}/api/devices/plc1/commands/socket"), Ct);
        var issued = await IssueAsync(gateway, "identify", "operator");
        var command = await HearAsync(socket);
        Assert.Equal(issued, command.GetProperty("cmdId").GetGuid());
        Assert.Equal((409, "cmd.stale_fence"), await SayAsync(new { answer = "ack", cmdId = issued, fence = 0 }));
        Assert.Equal((200, "acked"), await SayAsync(new { answer = "ack", cmdId = issued, fence = 1 }));
        Assert.Equal((200, "rejected"), await SayAsync(new { answer = "complete", cmdId = issued, fence = 1, outcome = "rejected", detail = "no lamp" }));
        Assert.Equal((404, null), await SayAsync(new { answer = "ack", cmdId = Guid.NewGuid(), fence = 1 }));
        Assert.Equal((422, null), await SayAsync(new { answer = "perhaps" }));
        Assert.Equal((422, null), await SayAsync("what"));

        // What is told again keeps its id and gets a number behind all others; who comes again says which he has heard.
        var next = await IssueAsync(gateway, "identify", "operator");
        var number = (await HearAsync(socket)).GetProperty("number").GetInt64();
        await gateway.Database.AdvanceAsync(TimeSpan.FromSeconds(2));
        var again = await HearAsync(socket);
        Assert.Equal((next, true), (again.GetProperty("cmdId").GetGuid(), again.GetProperty("number").GetInt64() > number));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", Ct);

        using var browser = new ClientWebSocket();
        browser.Options.SetRequestHeader("Authorization", $"Bearer {gateway.Keys["operator"]}");
        browser.Options.SetRequestHeader("Origin", "https://evil.example");
        await Assert.ThrowsAsync<WebSocketException>(() => browser.ConnectAsync(new Uri($"ws://{gateway.Url.Authority}/api/devices/plc1/commands/socket"), Ct));

        async Task<(int, string?)> SayAsync(object message)
        {
            await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, Ct);
            var answer = await HearAsync(socket);
            var word = answer.GetProperty("code").GetString() ?? answer.GetProperty("state").GetString();
            return (answer.GetProperty("status").GetInt32(), word == "" ? null : word);
        }
    }

    [Fact]
    public async Task A_pause_without_proof_is_an_alarm_and_what_was_made_is_held_and_a_key_cannot_let_the_line_go_on()
    {
        await using var gateway = await StartAsync();
        var at = await gateway.Database.ScalarAsync<DateTime>("select gateway_now()");
        using (var sender = gateway.Client("operator"))
        {
            using var content = new StringContent($$"""
                {"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-01-01T00:00:00Z", "epcisBody": {"eventList": [
                {"type": "ObjectEvent", "eventTime": "{{at:yyyy-MM-dd'T'HH:mm:ss.fff}}Z", "eventTimeZoneOffset": "+00:00", "epcList": ["urn:epc:id:sgtin:9521234.001010.1"], "action": "ADD", "bizStep": "commissioning", "disposition": "active",
                 "readPoint": {"id": "urn:epc:id:sgln:9521234.00010.L1"}, "ilmd": {"cbvmda:lotNumber": "A", "cbvmda:itemExpirationDate": "2039-01-31"} } ] } }
                """, Encoding.UTF8, "application/ld+json");
            using var answer = await sender.PostAsync("capture", content, Ct);
            Assert.Equal(202, (int)answer.StatusCode);
        }
        await IssueAsync(gateway, "pause", "quality", at.AddMinutes(-1));
        await gateway.Database.AdvanceAsync(TimeSpan.FromSeconds(10));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from unit where holds <> ''") == 1);
        using var officer = gateway.Client("officer");
        var exception = (await officer.GetFromJsonAsync<JsonElement>("api/exceptions?code=pause.unproved", Ct)).GetProperty("items")[0];
        Assert.Equal(("error", "device", "plc1"), (Text(exception, "severity"), Text(exception.GetProperty("source"), "kind"), Text(exception.GetProperty("source"), "id")));
        Assert.Equal((403, "cmd.not_signed"), await PostAsync(officer, "api/lines/L1/commands", new { device = "plc1", type = "resume", reason = "It is fine.", reasonClass = "quality" }));
    }

    [Fact]
    public async Task A_simulated_device_finds_that_the_gateway_keeps_to_the_contract_of_commands()
    {
        await using var gateway = await StartAsync();
        using var device = gateway.Client("operator");
        var outcomes = new List<Host.Simulate.DeviceCaseOutcome>();
        await foreach (var outcome in new Host.Simulate.DeviceCheck(device, "L1", "plc1").RunCommandsAsync(Ct))
        {
            outcomes.Add(outcome);
        }
        Assert.Equal("", string.Join("\n", outcomes.Where(o => o.Verdict != "pass").Select(o => $"{o.Case}: {o.Expected}; {o.Got}")));
        Assert.True(outcomes.Count >= 15, $"{outcomes.Count} cases");

        // Of a device that nobody knows nothing is said to be right.
        await foreach (var outcome in new Host.Simulate.DeviceCheck(device, "L1", "nobody").RunCommandsAsync(Ct))
        {
            Assert.True(outcome.Verdict != "pass" || outcome.Expected is "404" or "422", outcome.Case);
        }
    }

    [Fact]
    public async Task A_simulated_device_that_registers_finds_that_the_gateway_keeps_to_the_whole_contract()
    {
        await using var gateway = await StartAsync();
        using var plant = gateway.Client("operator");
        var outcomes = new List<Host.Simulate.DeviceCaseOutcome>();
        await foreach (var outcome in new Host.Simulate.DeviceCheck(plant, "L1").RunAsync(Ct))
        {
            outcomes.Add(outcome);
        }
        Assert.Equal("", string.Join("\n", outcomes.Where(o => o.Verdict != "pass").Select(o => $"{o.Case}: {o.Expected}; {o.Got}")));
        Assert.True(outcomes.Count >= 36, $"{outcomes.Count} cases");
    }

    [Fact]
    public async Task A_token_opens_the_commands_of_its_own_device_and_a_heartbeat_tells_of_them_and_proves_a_pause()
    {
        await using var gateway = await StartAsync();
        using var plant = gateway.Client("operator");
        var tokens = new Dictionary<string, string>();
        foreach (var name in (string[])["plc1", "cam1"])
        {
            using var answer = await plant.PostAsJsonAsync("api/devices/register", new { deviceId = name, kind = "plc", firmware = "1", configHash = "c0ffee", line = "L1" }, Ct);
            tokens[name] = Text(await answer.Content.ReadFromJsonAsync<JsonElement>(Ct), "token");
        }
        using HttpClient plc = ClientOf(gateway.Url, tokens["plc1"]), camera = ClientOf(gateway.Url, tokens["cam1"]);
        Assert.Equal(0, (await BeatAsync("Execute")).GetProperty("commandsWaiting").GetInt32());
        var pause = await IssueAsync(gateway, "pause", "quality");
        Assert.Equal(404, (int)(await camera.GetAsync("api/devices/plc1/commands", Ct)).StatusCode);
        Assert.Equal((404, "GW-HTTP-01"), await PostAsync(camera, $"api/devices/plc1/commands/{pause}/ack", new { fence = 1 }));
        Assert.Equal((404, "GW-HTTP-01"), await PostAsync(camera, "api/devices/plc1/state", new { state = "Held", at = DateTimeOffset.UtcNow }));
        Assert.Equal(1, (await BeatAsync("Execute")).GetProperty("commandsWaiting").GetInt32());
        Assert.Equal(1, (await plc.GetFromJsonAsync<JsonElement>("api/devices/plc1/commands", Ct)).GetProperty("commands").GetArrayLength());
        Assert.Equal((200, "acked"), await PostAsync(plc, $"api/devices/plc1/commands/{pause}/ack", new { fence = 1 }));
        Assert.Equal(0, (await BeatAsync("Holding")).GetProperty("commandsWaiting").GetInt32());
        Assert.Equal("acked awaited", await StateAsync());
        await BeatAsync("Held");
        Assert.Equal("done proved", await StateAsync());
        // Said again, it is no news.
        var told = await gateway.Database.ScalarAsync<DateTime>("select received_at from device_state");
        await BeatAsync("Held");
        Assert.Equal(told, await gateway.Database.ScalarAsync<DateTime>("select received_at from device_state"));
        // A controller in front of machines relays for those of its own party.
        Assert.Equal(200, (int)(await plant.GetAsync("api/devices/plc1/commands", Ct)).StatusCode);

        Task<string> StateAsync() => gateway.Database.ScalarAsync<string>("select state || ' ' || proof from device_command");

        async Task<JsonElement> BeatAsync(string state)
        {
            using var answer = await plc.PostAsJsonAsync("api/devices/plc1/heartbeat", new { ep = 1, t0 = DateTimeOffset.UtcNow, firmware = "1", configHash = "c0ffee", state, lastSeq = 0, buffered = 0 }, Ct);
            Assert.Equal(200, (int)answer.StatusCode);
            return await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
        }
    }

    private static async Task<TestGateway> StartAsync()
    {
        var gateway = await TestGateway.StartAsync();
        await LinesAsync(gateway.Database);
        return gateway;
    }

    private static Task LinesAsync(TestDatabase database) => database.ExecuteAsync("""
        do $$ begin perform set_config('app.actor', 'test', false); end $$;
        insert into line (party_id, code, name, site, read_point, time_zone) select party_id, 'L1', 'Line', '9521234000105', 'urn:epc:id:sgln:9521234.00010.L1', 'Europe/Zurich' from party where kind = 'organisation';
        insert into device (party_id, name, line_id, kind, registered_at) select party_id, d, line_id, 'plc', gateway_now() from line, unnest('{plc1,cam1}'::text[]) d
        """);

    private static async Task<Guid> IssueAsync(TestGateway gateway, string type, string reasonClass, DateTime? triggerAt = null) => await IssueAsync(gateway.Url, gateway.Keys["operator"], type, reasonClass, triggerAt);

    private static async Task<Guid> IssueAsync(Uri url, string key, string type, string reasonClass = "operator", DateTime? triggerAt = null)
    {
        using var client = ClientOf(url, key);
        using var answer = await client.PostAsJsonAsync("api/lines/L1/commands", new { device = "plc1", type, reason = "because", reasonClass, triggerAt, @params = new { lamp = 7 } }, Ct);
        var body = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode == System.Net.HttpStatusCode.Created, body);
        return JsonDocument.Parse(body).RootElement.GetProperty("cmdId").GetGuid();
    }

    private static async Task<(int Status, string? Word)> PostAsync(Uri url, string key, string path, object body)
    {
        using var client = ClientOf(url, key);
        return await PostAsync(client, path, body);
    }

    // With the code of a refusal, or the state that was answered.
    private static async Task<(int Status, string? Word)> PostAsync(HttpClient client, string path, object body)
    {
        using var answer = await client.PostAsJsonAsync(path, body, Ct);
        var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Ct)).RootElement;
        return ((int)answer.StatusCode, (json.TryGetProperty("code", out var code) ? code : json.GetProperty("state")).GetString());
    }

    private static HttpClient ClientOf(Uri url, string key) => new() { BaseAddress = url, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private static JsonElement Command(Dictionary<string, string> heard) => JsonDocument.Parse(heard["data"]).RootElement;

    private static async Task<JsonElement> HearAsync(ClientWebSocket socket)
    {
        var buffer = new byte[64 << 10];
        using var within = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var received = await socket.ReceiveAsync(buffer, within.Token);
        return JsonDocument.Parse(buffer.AsMemory(0, received.Count)).RootElement;
    }

    private static async Task<Hosted> HostAsync(TestDatabase database)
    {
        var running = await RunningDatabase.OpenAsync(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:Gateway"] = database.AdministratorConnectionString }).Build(), CancellationToken.None);
        var app = GatewayHost.Build(running, TestGateway.Settings);
        await app.StartAsync(Ct);
        return new Hosted(app, running);
    }

    private sealed record Hosted(WebApplication App, RunningDatabase Running) : IAsyncDisposable
    {
        public Uri Url => new(App.Urls.First());

        public async ValueTask DisposeAsync()
        {
            await App.StopAsync();
            await App.DisposeAsync();
            await Running.DisposeAsync();
        }
    }

    /// <summary>Server-sent events, read as they come.</summary>
    private sealed class EventStream(HttpClient client, StreamReader reader) : IAsyncDisposable
    {
        public static async Task<EventStream> OpenAsync(Uri url, string key, string? last)
        {
            var client = ClientOf(url, key);
            var request = new HttpRequestMessage(HttpMethod.Get, "api/devices/plc1/commands/stream");
            if (last is not null)
            {
                request.Headers.Add("Last-Event-ID", last);
            }
            var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
            Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
            return new EventStream(client, new StreamReader(await answer.Content.ReadAsStreamAsync(Ct)));
        }

        public async Task<Dictionary<string, string>> NextAsync()
        {
            using var within = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            var fields = new Dictionary<string, string>();
            while (true)
            {
                var line = await reader.ReadLineAsync(within.Token) ?? throw new IOException("The stream has ended.");
                if (line.Length == 0 && fields.ContainsKey("data"))
                {
                    return fields;
                }
                if (line.IndexOf(": ", StringComparison.Ordinal) is > 0 and var colon)
                {
                    fields[line[..colon]] = line[(colon + 2)..];
                }
            }
        }

        public ValueTask DisposeAsync()
        {
            reader.Dispose();
            client.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
