using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Gateway.Host.Commands;

namespace Gateway.Journeys.Faults;

/// <summary>One gateway for the tests of a class, and a socket that hostile documents name: nobody may ever connect to it.</summary>
public sealed class AttackedGateway : IAsyncLifetime
{
    private readonly TcpListener _trap = new(IPAddress.Loopback, 0);
    private int _documents;

    public TestGateway Gateway { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _trap.Start();
        Gateway = await TestGateway.StartAsync();
    }

    /// <summary>Writes the trap's address in the place of <c>TRAP</c>, and a serial of its own in that of <c>SERIAL</c>.</summary>
    public string Arm(string document) => document
        .Replace("TRAP", $"http://{_trap.LocalEndpoint}/secret", StringComparison.Ordinal)
        .Replace("SERIAL", FormattableString.Invariant($"{Interlocked.Increment(ref _documents)}"), StringComparison.Ordinal);

    /// <summary>Every entry point must refuse the document, for the same reason.</summary>
    public async Task IsRefusedAsync(byte[] document, string mediaType, string code)
    {
        var (status, captured) = await PostAsync("capture", document, mediaType);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(("GW-CAP-05", code), (captured.GetProperty("code").GetString(), captured.GetProperty("findings")[0].GetProperty("code").GetString()));
        var (checkStatus, check) = await PostAsync("api/check", document, mediaType);
        Assert.Equal((HttpStatusCode.OK, false, code), (checkStatus, check.GetProperty("valid").GetBoolean(), check.GetProperty("findings")[0].GetProperty("code").GetString()));
        Assert.Equal(1, await VerdictOfCommandAsync(document));
        Assert.Equal(0L, await Gateway.Database.ScalarAsync<long>($"select event_count::bigint from capture where public_id = '{captured.GetProperty("captureID").GetString()}'"));
        NobodyCalled();
    }

    /// <summary>A document that only looks hostile is captured, and nothing it names is fetched.</summary>
    public async Task IsAcceptedAsync(byte[] document, string mediaType)
    {
        var (checkStatus, check) = await PostAsync("api/check", document, mediaType);
        Assert.True(checkStatus == HttpStatusCode.OK && check.GetProperty("valid").GetBoolean(), check.GetRawText());
        var (status, job) = await PostAsync("capture", document, mediaType);
        Assert.True(status == HttpStatusCode.Accepted, job.GetRawText());
        Assert.Equal(0, await VerdictOfCommandAsync(document));
        var done = await Gateway.JobAsync(new Uri($"capture/{job.GetProperty("captureID").GetString()}", UriKind.Relative));
        Assert.True(done.GetProperty("success").GetBoolean(), done.GetRawText());
        NobodyCalled();
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, byte[] document, string mediaType, string? encoding = null)
    {
        using var client = Gateway.Client("cmo");
        using var content = new ByteArrayContent(document);
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        if (encoding is not null)
        {
            content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        }
        using var answer = await client.PostAsync(new Uri(path, UriKind.Relative), content);
        return (answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement);
    }

    public void NobodyCalled() => Assert.False(_trap.Pending(), "The gateway connected to an address that a document named.");

    public async ValueTask DisposeAsync()
    {
        // The trap would have caught a call.
        using (var caller = new TcpClient())
        {
            await caller.ConnectAsync((IPEndPoint)_trap.LocalEndpoint);
            await Eventually.TrueAsync(() => Task.FromResult(_trap.Pending()));
        }
        _trap.Dispose();
        await Gateway.DisposeAsync();
    }

    private static async Task<int> VerdictOfCommandAsync(byte[] document)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, document);
        try
        {
            return await Verbs.RunAsync(["check", "--json", file]);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
