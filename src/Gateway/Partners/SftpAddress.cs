using System.Text.RegularExpressions;

namespace Gateway.Partners;

/// <summary>The address of an SFTP partner, <c>sftp://user@host:port/folder</c>.</summary>
/// <param name="Folder">Absolute; from where the login begins when the address says <c>/~/folder</c>, which is then without its head.</param>
public sealed partial record SftpAddress(string User, string Host, int Port, string Folder)
{
    public const int UsualPort = 22;

    /// <returns>Why the text is no such address, or null.</returns>
    public static string? Refuse(string url, out SftpAddress address)
    {
        address = new("", "", UsualPort, "/");
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme != "sftp" || uri.Host.Length == 0)
        {
            return "The URL of an sftp channel is sftp://user@host:port/folder.";
        }
        var user = Uri.UnescapeDataString(uri.UserInfo);
        if (!UserName().IsMatch(user))
        {
            return user.Contains(':', StringComparison.Ordinal) ? "The URL must not hold a password: the partner's server takes the private key." : "The URL names the user of the partner's server: sftp://user@host/folder.";
        }
        if (uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            return "The URL of an sftp channel ends with its folder.";
        }
        var folder = Uri.UnescapeDataString(uri.AbsolutePath);
        folder = folder.StartsWith("/~/", StringComparison.Ordinal) ? folder[3..] : folder;
        folder = folder.Length == 0 ? "." : folder.Length > 1 ? folder.TrimEnd('/') : folder;
        if (folder != "." && !FileNames.IsSafeFolder(folder))
        {
            return "The folder of the URL holds no quotes, patterns, empty parts, parts that begin with a dash, or parts .. that lead upwards.";
        }
        address = new(user, uri.IdnHost, uri.Port > 0 ? uri.Port : UsualPort, folder);
        return null;
    }

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,99}$")]
    private static partial Regex UserName();
}
