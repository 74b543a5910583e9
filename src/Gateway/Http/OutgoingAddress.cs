using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Http;

/// <summary>An address was about to be called that must not be.</summary>
/// <param name="code">As the attempt names it.</param>
public sealed class ForbiddenAddressException(string code, string message) : IOException(message)
{
    public string Code { get; } = code;
}

/// <summary>The server's certificate does not prove that it is the one that was called.</summary>
/// <param name="code">As the attempt names it.</param>
public sealed class UntrustedCertificateException(string code) : AuthenticationException($"The certificate of the server is not trusted ({code}).")
{
    public string Code { get; } = code;
}

/// <summary>Where calls may go besides public addresses at the usual port.</summary>
public sealed record OutgoingRules(bool AllowPrivateAddresses, IReadOnlyCollection<int> AllowedPorts);

/// <summary>Looks a name up when it is called: what is connected to is what was checked, so a name that changes its address between the two gains nothing.</summary>
internal static class OutgoingAddress
{
    /// <exception cref="ForbiddenAddressException">The port is not allowed, or one of the addresses is private.</exception>
    /// <exception cref="SocketException">The name is not known.</exception>
    public static async Task<IPAddress[]> ResolveAsync(string host, int port, int usualPort, IReadOnlyList<IPNetwork> privateRanges, OutgoingRules rules, CancellationToken ct)
    {
        if (!PublicAddress.IsPortAllowed(port, rules.AllowedPorts, rules.AllowPrivateAddresses, usualPort))
        {
            throw new ForbiddenAddressException("port-not-allowed", $"Port {port} is not among the allowed ports.");
        }
        var addresses = await LookUpAsync(host, ct);
        return addresses.Length > 0 && addresses.All(a => MayBeCalled(a, privateRanges, rules))
            ? addresses
            : throw new ForbiddenAddressException("private-address", $"{host} resolves to a private address.");
    }

    /// <exception cref="SocketException">The name is not known.</exception>
    public static async Task<IPAddress[]> LookUpAsync(string host, CancellationToken ct) => IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, ct);

    public static bool MayBeCalled(IPAddress address, IReadOnlyList<IPNetwork> privateRanges, OutgoingRules rules) =>
        rules.AllowPrivateAddresses || PublicAddress.Is(address) || privateRanges.Any(r => r.Contains(address));

    /// <summary>The networks of a partner, as its row spells them.</summary>
    public static IReadOnlyList<IPNetwork> Networks(string ranges) => [.. ranges.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(r => IPNetwork.Parse(r))];

    /// <summary>A client that connects only to what was checked, follows no redirect, and takes nothing from its surroundings.</summary>
    /// <param name="adjust">What the caller wants besides; it must take none of these away.</param>
    public static HttpClient MakeClient(OutgoingRules rules, IReadOnlyList<IPNetwork> privateRanges, Action<SocketsHttpHandler>? adjust = null)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            Credentials = null,
            PreAuthenticate = false,
            ActivityHeadersPropagator = null,
            AutomaticDecompression = DecompressionMethods.None,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            MaxResponseHeadersLength = 64,
            SslOptions = { RemoteCertificateValidationCallback = (_, _, chain, errors) => errors == SslPolicyErrors.None ? true : throw new UntrustedCertificateException(Code(chain, errors)) },
            ConnectCallback = (context, ct) => ConnectAsync(context.DnsEndPoint, rules, privateRanges, ct),
        };
        adjust?.Invoke(handler);
        var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("gateway");
        return client;
    }

    // A clock or a renewal mends what has expired; nothing but another certificate mends the others.
    private static string Code(X509Chain? chain, SslPolicyErrors errors) =>
        errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? "tls-name"
        : chain?.ChainStatus is [_, ..] found && found.All(s => s.Status == X509ChainStatusFlags.NotTimeValid) ? "tls-expired" : "tls-untrusted";

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint endPoint, OutgoingRules rules, IReadOnlyList<IPNetwork> privateRanges, CancellationToken ct)
    {
        var addresses = await ResolveAsync(endPoint.Host, endPoint.Port, 443, privateRanges, rules, ct);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, endPoint.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
