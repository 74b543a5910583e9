using System.Net;
using Gateway.Http;

namespace Gateway.Delivery.Channels;

/// <summary>An address was about to be called that must not be.</summary>
/// <param name="code">As the attempt names it.</param>
public sealed class ForbiddenAddressException(string code, string message) : IOException(message)
{
    public string Code { get; } = code;
}

/// <summary>Looks a name up when it is called: what is connected to is what was checked, so a name that changes its address between the two gains nothing.</summary>
internal static class OutgoingAddress
{
    /// <exception cref="ForbiddenAddressException">The port is not allowed, or one of the addresses is private.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The name is not known.</exception>
    public static async Task<IPAddress[]> ResolveAsync(string host, int port, int usualPort, IReadOnlyList<IPNetwork> privateRanges, DeliveryOptions options, CancellationToken ct)
    {
        if (!PublicAddress.IsPortAllowed(port, options.AllowedPorts, options.AllowPrivateAddresses, usualPort))
        {
            throw new ForbiddenAddressException("port-not-allowed", $"Port {port} is not among the allowed ports.");
        }
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, ct);
        return addresses.Length > 0 && (options.AllowPrivateAddresses || addresses.All(a => PublicAddress.Is(a) || privateRanges.Any(r => r.Contains(a))))
            ? addresses
            : throw new ForbiddenAddressException("private-address", $"{host} resolves to a private address.");
    }

    /// <summary>The networks of a partner, as its row spells them.</summary>
    public static IReadOnlyList<IPNetwork> Networks(string ranges) => [.. ranges.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(r => IPNetwork.Parse(r))];
}
