using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Gateway.TestSupport;

/// <summary>A mail server on a real socket: SMTP with STARTTLS, that answers as the test says and keeps what came.</summary>
public sealed class SmtpServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentQueue<Mail> _mails = new();
    private readonly bool _offersTls;
    private readonly Task _accepting;

    /// <param name="offersTls">Whether it answers STARTTLS, with a certificate that nobody has signed.</param>
    public SmtpServer(bool offersTls = false)
    {
        _offersTls = offersTls;
        Certificate = HttpsListener.Certificate("localhost", DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <param name="Lines">Headers and text, as they came.</param>
    /// <param name="IsEncrypted">It came over TLS.</param>
    public sealed record Mail(string From, IReadOnlyList<string> To, IReadOnlyList<string> Lines, bool IsEncrypted)
    {
        public string? Header(string name) => Lines.TakeWhile(l => l.Length > 0).FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();

        /// <summary>The text, decoded.</summary>
        public string Text
        {
            get
            {
                var body = string.Join('\n', Lines.SkipWhile(l => l.Length > 0).Skip(1));
                return Header("Content-Transfer-Encoding") == "base64" ? Encoding.UTF8.GetString(Convert.FromBase64String(body)) : body.Replace("=\n", "", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);
            }
        }
    }

    public X509Certificate2 Certificate { get; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public IReadOnlyList<Mail> Mails => [.. _mails];

    /// <summary>What is answered to a whole message: 250 takes it; 0 tears the connection down after it was kept.</summary>
    public int Answer { get; set; } = 250;

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                await TalkAsync(client);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException or SocketException)
        {
            // The other side is gone, or does not trust the certificate.
        }
    }

    private async Task TalkAsync(TcpClient client)
    {
        Stream stream = client.GetStream();
        var (from, to, isEncrypted) = ("", new List<string>(), false);
        await SayAsync(stream, "220 localhost ready");
        while (await ReadLineAsync(stream) is { } line)
        {
            var verb = line.Split(' ', ':')[0].ToUpperInvariant();
            switch (verb)
            {
                case "EHLO":
                    await SayAsync(stream, _offersTls && !isEncrypted ? "250-localhost\r\n250 STARTTLS" : "250 localhost");
                    break;
                case "STARTTLS":
                    await SayAsync(stream, "220 go ahead");
                    var secure = new SslStream(stream);
                    await secure.AuthenticateAsServerAsync(Certificate, false, false);
                    (stream, isEncrypted) = (secure, true);
                    break;
                case "MAIL":
                    (from, to) = (line, []);
                    await SayAsync(stream, "250 ok");
                    break;
                case "RCPT":
                    to.Add(line);
                    await SayAsync(stream, "250 ok");
                    break;
                case "DATA":
                    await SayAsync(stream, "354 end with a dot");
                    var lines = new List<string>();
                    while (await ReadLineAsync(stream) is { } text && text != ".")
                    {
                        lines.Add(text.StartsWith("..", StringComparison.Ordinal) ? text[1..] : text);
                    }
                    _mails.Enqueue(new Mail(from, to, lines, isEncrypted));
                    if (Answer == 0)
                    {
                        return;
                    }
                    await SayAsync(stream, Answer == 250 ? "250 taken" : $"{Answer} no");
                    break;
                case "QUIT":
                    await SayAsync(stream, "221 bye");
                    return;
                default:
                    await SayAsync(stream, "250 ok");
                    break;
            }
        }
    }

    private async Task SayAsync(Stream stream, string line) => await stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"), _end.Token);

    private async Task<string?> ReadLineAsync(Stream stream)
    {
        var bytes = new List<byte>();
        var one = new byte[1];
        while (await stream.ReadAsync(one, _end.Token) == 1)
        {
            if (one[0] == '\n')
            {
                return Encoding.UTF8.GetString([.. bytes]).TrimEnd('\r');
            }
            bytes.Add(one[0]);
        }
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        Certificate.Dispose();
        _end.Dispose();
    }
}
