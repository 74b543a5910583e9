namespace Gateway.Partners;

/// <summary>The folders of this machine that files may go to: below a root that the operator names, and by no link out of it.</summary>
public static class AllowedFolders
{
    /// <returns>Why the address is not a folder that may be written, or null.</returns>
    /// <param name="folder">Its path.</param>
    public static string? Refuse(string url, IReadOnlyList<string> roots, out string folder)
    {
        folder = "";
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeFile || uri.Host.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            return "The URL of a folder is file:///root/folder.";
        }
        if (roots.Count == 0)
        {
            return "The channel folder is not available: the operator allows no folder (Delivery:Folders).";
        }
        if (uri.LocalPath.Any(char.IsControl))
        {
            return "The URL holds control characters.";
        }
        var path = folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(uri.LocalPath));
        return roots.Any(root => IsBelow(path, Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)))) ? null : "The folder lies below none that the operator allows (Delivery:Folders), or a link leads out of it.";
    }

    // The root may be a link, for it is the operator's; what lies below it is others'.
    private static bool IsBelow(string path, string root)
    {
        for (var part = path; part.Length > root.Length; part = Path.GetDirectoryName(part)!)
        {
            if (new DirectoryInfo(part).LinkTarget is not null)
            {
                return false;
            }
            if (Path.GetDirectoryName(part) == root)
            {
                return true;
            }
        }
        return path == root;
    }
}
