using System.Net;
using System.Net.Sockets;

namespace Gateway.Http;

/// <summary>Which addresses the gateway may call: none that leads into its own network.</summary>
public static class PublicAddress
{
    // Each also holds what it can hide: 6to4 and NAT64 carry IPv4 addresses inside.
    private static readonly IPNetwork[] Blocked =
    [
        .. ((string[])
        [
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
            "::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8", "2002::/16", "64:ff9b::/96", "64:ff9b:1::/48",
        ]).Select(n => IPNetwork.Parse(n)),
    ];

    public static bool Is(IPAddress address) =>
        !address.IsIPv4MappedToIPv6
        && address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6
        && !Blocked.Any(network => network.Contains(address));

    // The networks of an organisation, of which some may be opened for a partner; never the machine itself or its link.
    private static readonly IPNetwork[] Organisation = [.. ((string[])["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]).Select(n => IPNetwork.Parse(n))];

    /// <param name="allowedPorts">None listed means the usual one.</param>
    /// <param name="usual">The port of the protocol.</param>
    public static bool IsPortAllowed(int port, IReadOnlyCollection<int> allowedPorts, bool allowPrivate, int usual = 443) =>
        allowPrivate || (allowedPorts.Count == 0 ? port == usual : allowedPorts.Contains(port));

    /// <returns>Whether what stands instead of a name is an address that may not be called.</returns>
    public static bool IsForbiddenLiteral(string host, bool allowPrivate, IReadOnlyList<string> privateRanges) =>
        !allowPrivate && IPAddress.TryParse(host, out var address) && !Is(address) && !privateRanges.Any(r => IPNetwork.Parse(r).Contains(address));

    /// <returns>Why the text is not a private network that can be opened for a partner, or null.</returns>
    public static string? RefuseRange(string range) =>
        IPNetwork.TryParse(range, out var network) && Organisation.Any(o => o.Contains(network.BaseAddress) && o.PrefixLength <= network.PrefixLength)
            ? null
            : $"{range} is not a network within 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7.";

    /// <returns>Why the URL cannot be a partner's, or null. Addresses behind names are checked when connecting.</returns>
    public static string? Refuse(string url, bool allowPrivate, IReadOnlyCollection<int> allowedPorts, IReadOnlyList<string> privateRanges)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
        {
            return "The URL is not absolute.";
        }
        if (uri.Scheme != Uri.UriSchemeHttps && !(allowPrivate && uri.Scheme == Uri.UriSchemeHttp))
        {
            return "The URL must be https.";
        }
        if (uri.UserInfo.Length > 0)
        {
            return "The URL must not hold a user or password; send the token apart.";
        }
        if (!IsPortAllowed(uri.Port, allowedPorts, allowPrivate))
        {
            return $"Port {uri.Port} is not among the allowed ports.";
        }
        return IsForbiddenLiteral(uri.DnsSafeHost, allowPrivate, privateRanges) ? "The URL leads to a private address." : null;
    }
}
