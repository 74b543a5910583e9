namespace Gateway.Capture;

/// <summary>Files that others lay into folders: which of them stand still, and where they go when they are done with.</summary>
internal sealed class FolderFiles
{
    private const int MostNames = 10_000;
    private readonly Dictionary<string, (long Length, string Changed)> _seen = new(StringComparer.Ordinal);

    /// <summary>Whether its sender is still at it, by its name: hidden, or as programs call what they have not finished.</summary>
    public static bool IsUnfinished(string name) =>
        name.StartsWith('.') || name.EndsWith('~') || Path.GetExtension(name).ToLowerInvariant() is ".part" or ".partial" or ".filepart" or ".tmp" or ".temp";

    /// <summary>Whether a file is as it was at the look before. What this says of a file counts for the next look.</summary>
    public bool StandsStill(string path, long length, string changed)
    {
        var now = (length, changed);
        var still = _seen.TryGetValue(path, out var before) && before == now;
        _seen[path] = now;
        return still;
    }

    /// <summary>Forgets what is no longer there, below one folder.</summary>
    public void Forget(string folder, IReadOnlySet<string> present)
    {
        foreach (var gone in _seen.Keys.Where(p => p.StartsWith(folder, StringComparison.Ordinal) && !present.Contains(p)).ToList())
        {
            _seen.Remove(gone);
        }
    }

    /// <summary>
    /// Moves a file into a folder beside it. What lies there is never overwritten: the name is counted on. What has taken the file's place
    /// since it was looked at is another file, that nobody has read: it is put back.
    /// </summary>
    /// <param name="file">As it was looked at.</param>
    /// <param name="mark">Stands before the ending of its name.</param>
    /// <returns>Where it is now.</returns>
    /// <exception cref="IOException">It is another file by now.</exception>
    public static string Move(FileInfo file, string to, string? mark)
    {
        var (length, changed) = (file.Length, file.LastWriteTimeUtc);
        var folder = Directory.CreateDirectory(Path.Combine(file.DirectoryName!, to));
        if (folder.LinkTarget is not null)
        {
            throw new IOException($"The folder {to} beside {file.Name} is a link: files are moved into none.");
        }
        var stem = Path.GetFileNameWithoutExtension(file.Name) + (mark is null ? "" : "." + mark);
        for (var count = 1; count <= MostNames; count++)
        {
            var target = Path.Combine(folder.FullName, $"{stem}{(count == 1 ? "" : $".{count}")}{file.Extension}");
            if (Path.Exists(target) || Path.Exists(target + ".why.txt"))
            {
                continue;
            }
            try
            {
                File.Move(file.FullName, target, overwrite: false);
                if (new FileInfo(target) is var moved && (moved.Length != length || moved.LastWriteTimeUtc != changed))
                {
                    PutBack(target, file.FullName);
                    throw new IOException($"{file.Name} is another file than was read.");
                }
                return target;
            }
            catch (IOException) when (Path.Exists(target) && Path.Exists(file.FullName))
            {
                // Another node was faster with the name.
            }
        }
        throw new IOException($"There are too many files like {file.Name} in {to}.");
    }

    // Where its name is somebody's again, it stands beside it, and is taken at the next look like any other.
    private static void PutBack(string target, string path)
    {
        try
        {
            File.Move(target, path, overwrite: false);
        }
        catch (IOException) when (Path.Exists(path))
        {
            File.Move(target, Path.Combine(Path.GetDirectoryName(path)!, $"{Path.GetFileNameWithoutExtension(path)}.{Guid.NewGuid():N}{Path.GetExtension(path)}"), overwrite: false);
        }
    }

    /// <summary>Whether a file is still as it was looked at.</summary>
    public static bool IsAsSeen(FileInfo file) => new FileInfo(file.FullName) is { Exists: true } now && now.Length == file.Length && now.LastWriteTimeUtc == file.LastWriteTimeUtc;

    /// <summary>Moves a file aside that is never taken, with the reason beside it.</summary>
    public static void Refuse(FileInfo file, string why) => File.WriteAllText(Move(file, "refused", null) + ".why.txt", why + Environment.NewLine);
}
