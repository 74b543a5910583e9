using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gateway.Journeys.Faults;

/// <summary>FT-36: whoever is slow, endless or ambiguous is cut off cleanly, and the others are answered meanwhile.</summary>
public sealed class SlowHttpTests(SlowHttpTests.ImpatientGateway impatient) : IClassFixture<SlowHttpTests.ImpatientGateway>
{
    private readonly TestGateway _gateway = impatient.Gateway;

    /// <summary>A gateway that waits no longer than its settings allow, so that nobody sleeps here.</summary>
    public sealed class ImpatientGateway : IAsyncLifetime
    {
        public TestGateway Gateway { get; private set; } = null!;

        public async ValueTask InitializeAsync() =>
            Gateway = await TestGateway.StartAsync(new Dictionary<string, string?> { ["Http:HeadersTimeout"] = "00:00:02", ["Http:BodyGracePeriod"] = "00:00:02", ["Http:MinBodyBytesPerSecond"] = "1000" });

        public ValueTask DisposeAsync() => Gateway.DisposeAsync();
    }

    [Fact]
    public async Task Headers_that_never_end_are_cut_off_while_others_are_answered()
    {
        var ct = TestContext.Current.CancellationToken;
        var slow = await Task.WhenAll(Enumerable.Range(0, FaultScale.Of(50, 1000)).Select(_ => Wire.OpenAsync(_gateway.Url, "GET /health/live HTTP/1.1\r\nHost: gateway\r\nX-A: ")));
        await OthersAreAnsweredAsync();
        foreach (var wire in slow)
        {
            Assert.Equal(408, await wire.StatusAsync(ct));
            wire.Dispose();
        }
    }

    [Fact]
    public async Task A_body_that_drips_ends_with_408_and_leaves_nothing()
    {
        var ct = TestContext.Current.CancellationToken;
        foreach (var framing in (string[])["Content-Length: 100000\r\n\r\n<a", "Transfer-Encoding: chunked\r\n\r\n2\r\n<a\r\n"])
        {
            using var wire = await Wire.OpenAsync(_gateway.Url, Post(framing));
            await OthersAreAnsweredAsync();
            var answer = await wire.AnswerAsync(ct);
            Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
            Assert.Contains("GW-CAP-14", answer, StringComparison.Ordinal);
        }
        Assert.Equal(0L, await _gateway.Database.ScalarAsync<long>("select count(*) from document where length = 2"));
    }

    [Theory]
    [InlineData("100 k of headers", 431)]
    [InlineData("a thousand headers", 431)]
    [InlineData("a line of 100 k", 414)]
    [InlineData("no host", 400)]
    [InlineData("two hosts", 400)]
    [InlineData("a folded header", 400)]
    [InlineData("a space before the colon", 400)]
    [InlineData("a bare carriage return", 400)]
    [InlineData("a NUL in a header", 400)]
    [InlineData("what is no HTTP", 400)]
    public async Task Headers_beyond_the_rules_are_refused(string what, int status)
    {
        using var wire = await Wire.OpenAsync(_gateway.Url, what switch
        {
            "100 k of headers" => Get(string.Concat(Enumerable.Range(0, 90).Select(n => $"X-{n}: {new string('a', 1100)}\r\n"))),
            "a thousand headers" => Get(string.Concat(Enumerable.Range(0, 1000).Select(n => $"X-{n}: a\r\n"))),
            "a line of 100 k" => $"GET /{new string('a', 100_000)} HTTP/1.1\r\nHost: gateway\r\n\r\n",
            "no host" => "GET /health/live HTTP/1.1\r\n\r\n",
            "two hosts" => Get("Host: other\r\n"),
            "a folded header" => Get("X-A: a\r\n b\r\n"),
            "a space before the colon" => Get("X-A : a\r\n"),
            "a bare carriage return" => Get("X-A: a\rX-B: b\r\n"),
            "a NUL in a header" => Get("X-A: a\0b\r\n"),
            _ => "\u0016\u0003\u0001 hello\r\n\r\n",
        });
        Assert.Equal(status, await wire.StatusAsync(TestContext.Current.CancellationToken));
        await OthersAreAnsweredAsync();
    }

    // Each pair is read differently by some proxy: what follows must never be taken for a request of its own.
    [Theory]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked, identity\r\n\r\n")]
    [InlineData("Transfer-Encoding: identity\r\n\r\n")]
    [InlineData("Transfer-Encoding: xchunked\r\n\r\n")]
    [InlineData("Content-Length: 5\r\nContent-Length: 6\r\n\r\n")]
    [InlineData("Content-Length: 5, 5\r\n\r\n")]
    [InlineData("Content-Length: -1\r\n\r\n")]
    [InlineData("Content-Length: 0x5\r\n\r\n")]
    [InlineData("Content-Length: 99999999999999999999\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n-1\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n")]
    public async Task An_ambiguous_length_is_refused_and_the_connection_closed(string framing)
    {
        using var wire = await Wire.OpenAsync(_gateway.Url, Post(framing) + "abcde" + Get(""));
        var answer = await wire.AnswerAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Equal(1, answer.Split("HTTP/1.1 ").Length - 1);
    }

    [Fact]
    public async Task A_length_beside_chunks_never_lets_a_second_request_through()
    {
        // RFC 9112, section 6.3: chunks win, and the connection is closed behind the answer.
        using var wire = await Wire.OpenAsync(_gateway.Url, Post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n") + Get(""));
        var answer = await wire.AnswerAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, answer.Split("HTTP/1.1 ").Length - 1);
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_shorter_than_its_length_is_not_captured()
    {
        var before = await _gateway.Database.ScalarAsync<long>("select count(*) from document");
        using (var wire = await Wire.OpenAsync(_gateway.Url, Post("Content-Length: 1000\r\n\r\n<whole/>")))
        {
            wire.EndSending();
            var answer = await wire.AnswerAsync(TestContext.Current.CancellationToken);
            Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal), answer);
        }
        await OthersAreAnsweredAsync();
        Assert.Equal(before, await _gateway.Database.ScalarAsync<long>("select count(*) from document"));
    }

    [Fact]
    public async Task Idle_connections_keep_nobody_else_waiting()
    {
        var idle = await Task.WhenAll(Enumerable.Range(0, FaultScale.Of(1000, 9000)).Select(_ => Wire.OpenAsync(_gateway.Url, "")));
        await OthersAreAnsweredAsync();
        foreach (var wire in idle)
        {
            wire.Dispose();
        }
    }

    [Fact]
    public async Task Connections_beyond_the_limit_are_closed_and_the_rest_is_served()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var narrow = await TestGateway.StartAsync(new Dictionary<string, string?> { ["Http:MaxConnections"] = "5" });
        var open = new List<Wire>();
        for (var n = 0; n < 5; n++)
        {
            open.Add(await Wire.OpenAsync(narrow.Url, Get("")));
            Assert.Equal(200, await open[n].StatusAsync(ct));
        }
        using (var sixth = await Wire.OpenAsync(narrow.Url, Get("")))
        {
            Assert.Equal("", await sixth.AnswerAsync(ct));
        }
        open.ForEach(w => w.Dispose());
        await Eventually.TrueAsync(async () =>
        {
            using var again = await Wire.OpenAsync(narrow.Url, Get("Connection: close\r\n"));
            return (await again.AnswerAsync(ct)).StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal);
        });
    }

    private async Task OthersAreAnsweredAsync()
    {
        using var client = _gateway.Client("officer");
        using var answer = await client.GetAsync(new Uri("capture", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static string Get(string headers) => "GET /health/live HTTP/1.1\r\nHost: gateway\r\n" + headers + "\r\n";

    private string Post(string framing) => $"POST /capture HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {_gateway.Keys["cmo"]}\r\nContent-Type: application/xml\r\n{framing}";

    /// <summary>A bare connection, for what no HTTP client would send.</summary>
    private sealed class Wire(Socket socket) : IDisposable
    {
        public static async Task<Wire> OpenAsync(Uri url, string text)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, url.Port);
            await socket.SendAsync(Encoding.Latin1.GetBytes(text));
            return new Wire(socket);
        }

        public void EndSending() => socket.Shutdown(SocketShutdown.Send);

        public async Task<int> StatusAsync(CancellationToken ct)
        {
            var line = new byte[12];
            var read = 0;
            while (read < line.Length && await ReceiveAsync(line.AsMemory(read), ct) is var more and > 0)
            {
                read += more;
            }
            Assert.Equal("HTTP/1.1", Encoding.Latin1.GetString(line, 0, Math.Min(read, 8)));
            return int.Parse(Encoding.Latin1.GetString(line, 9, 3), CultureInfo.InvariantCulture);
        }

        /// <summary>All that comes until the gateway closes the connection.</summary>
        public async Task<string> AnswerAsync(CancellationToken ct)
        {
            var answer = new StringBuilder();
            var buffer = new byte[8192];
            while (await ReceiveAsync(buffer, ct) is var read and > 0)
            {
                answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
            return answer.ToString();
        }

        private async Task<int> ReceiveAsync(Memory<byte> buffer, CancellationToken ct)
        {
            try
            {
                return await socket.ReceiveAsync(buffer, ct);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                return 0; // closed while our bytes were still on their way
            }
        }

        public void Dispose() => socket.Dispose();
    }
}
