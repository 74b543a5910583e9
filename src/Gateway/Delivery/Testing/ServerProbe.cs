using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Gateway.Delivery.Channels;
using Gateway.Http;
using Gateway.Partners;

namespace Gateway.Delivery.Testing;

/// <summary>The way to a partner's server, step by step, as its channel would go it.</summary>
internal sealed class ServerProbe(DeliveryOptions options, string privateRanges) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private System.Net.IPAddress[] _addresses = [];
    private NetworkStream? _stream;

    /// <summary>What the server showed; null before, or when there is none.</summary>
    public ServedCertificate? Certificate { get; private set; }

    public async Task ReachAsync(TestSteps steps, string host, int port, int usualPort, CancellationToken ct)
    {
        await steps.TakeAsync("dns", Limit, token => LookUpAsync(host, token), ct);
        await steps.TakeAsync("tcp", Limit, token => ConnectAsync(port, usualPort, token), ct);
    }

    private async Task<StepOutcome> LookUpAsync(string host, CancellationToken ct)
    {
        try
        {
            _addresses = await OutgoingAddress.LookUpAsync(host, ct);
        }
        catch (SocketException)
        {
            return StepOutcome.Fail("dns", Verdict.Network, $"The name {host} is not known.");
        }
        var networks = OutgoingAddress.Networks(privateRanges);
        var seen = string.Join(", ", _addresses.Take(8).Select(a => $"{a}{(PublicAddress.Is(a) ? "" : OutgoingAddress.MayBeCalled(a, networks, options.Outgoing) ? " (private, allowed)" : " (private, not allowed)")}"));
        return _addresses.Length == 0 ? StepOutcome.Fail("dns", Verdict.Network, $"The name {host} has no address.")
            : _addresses.All(a => OutgoingAddress.MayBeCalled(a, networks, options.Outgoing)) ? StepOutcome.Pass($"{host} is {seen}.")
            : StepOutcome.Fail("private-address", Verdict.Ours, $"{host} is {seen}.");
    }

    private async Task<StepOutcome> ConnectAsync(int port, int usualPort, CancellationToken ct)
    {
        if (!PublicAddress.IsPortAllowed(port, options.AllowedPorts, options.AllowPrivateAddresses, usualPort))
        {
            return StepOutcome.Fail("port-not-allowed", Verdict.Ours, string.Create(CultureInfo.InvariantCulture, $"Port {port} is not among the allowed ports."));
        }
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(_addresses, port, ct);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            return StepOutcome.Fail("connect", Verdict.Network, string.Create(CultureInfo.InvariantCulture, $"Port {port} was not reached: {e.SocketErrorCode}."));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        var server = (IPEndPoint)socket.RemoteEndPoint!;
        // The socket speaks both versions of the protocol, and has an address of the older one in a form of the newer.
        var seen = $"Connected to {(server.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(server.Address.MapToIPv4(), server.Port) : server)}.";
        _stream = new NetworkStream(socket, ownsSocket: true);
        return StepOutcome.Pass(seen);
    }

    public Task SecureAsync(TestSteps steps, Uri url, CancellationToken ct) => url.Scheme == Uri.UriSchemeHttps
        ? steps.TakeAsync("tls", Limit, token => HandshakeAsync(url, token), ct)
        : steps.TakeAsync("tls", Limit, _ => Task.FromResult(StepOutcome.None("The address is http: nothing is encrypted.")), ct);

    private async Task<StepOutcome> HandshakeAsync(Uri url, CancellationToken ct)
    {
        // What is wrong is noted, not thrown: whether the handshake passes exceptions on is no promise of its own.
        BadCertificateException? bad = null;
        await using var tls = new SslStream(_stream!, leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = url.IdnHost,
                RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                {
                    try
                    {
                        CertificateCheck.Refuse(url.Authority, url.IdnHost, certificate, chain, errors);
                    }
                    catch (BadCertificateException e)
                    {
                        bad = e;
                    }
                    return bad is null;
                },
            }, ct);
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            Certificate = bad is { Code: "certificate-expired" } ? bad.Served : null; // another that is bad may be anybody's
            return bad is not null ? StepOutcome.Fail(bad.Code, Verdict.Theirs, bad.Message) : StepOutcome.Fail("tls", Verdict.Theirs, $"No secure connection came about: {KeptAnswer.Of((e.InnerException ?? e).Message)}");
        }
        Certificate = CertificateCheck.Served(url.Authority, tls.RemoteCertificate!);
        var days = (Certificate.NotAfter - DateTime.UtcNow).Days;
        return StepOutcome.Pass(string.Create(CultureInfo.InvariantCulture,
            $"{tls.SslProtocol} with {tls.NegotiatedCipherSuite}. {Certificate.Subject}, issued by {Certificate.Issuer}, ends on {Certificate.NotAfter:yyyy-MM-dd}, in {days} days. No client certificate was shown."));
    }

    public async ValueTask DisposeAsync()
    {
        if (_stream is not null)
        {
            await _stream.DisposeAsync();
        }
    }
}
