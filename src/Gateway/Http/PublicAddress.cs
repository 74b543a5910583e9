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

    /// <returns>Why the URL cannot be a partner's, or null. Addresses behind names are checked when connecting.</returns>
    public static string? Refuse(string url, bool allowPrivate)
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
        return !allowPrivate && IPAddress.TryParse(uri.DnsSafeHost, out var address) && !Is(address) ? "The URL leads to a private address." : null;
    }
}
