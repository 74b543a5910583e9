namespace Gateway.Bench;

/// <summary>Files of the repository that a comparison needs, found upwards from where the program lies.</summary>
internal static class Repository
{
    /// <returns><see langword="null"/> when there is no such file or folder in any folder above.</returns>
    public static string? Find(params string[] relative)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine([folder.FullName, .. relative]);
            if (Path.Exists(path))
            {
                return path;
            }
        }
        return null;
    }
}
