namespace Gateway.Intake;

/// <summary>The mappings' files, which stand beside the executable.</summary>
public static class MappingFiles
{
    private const string Extension = ".yaml";

    /// <summary>Their folder where no setting names another.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "mappings");

    /// <summary>The names of the mappings in a folder, in alphabetical order.</summary>
    public static IReadOnlyList<string> Names(string? folder = null) => !Directory.Exists(folder ?? Folder) ? []
        : [.. Directory.GetFiles(folder ?? Folder, "*" + Extension).Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];

    /// <summary>The path of a mapping by its name, or of a file; null when there is neither.</summary>
    public static string? Find(string mapping)
    {
        var named = Path.Combine(Folder, mapping + Extension);
        return mapping.IndexOfAny(['/', '\\']) < 0 && File.Exists(named) ? named : File.Exists(mapping) ? mapping : null;
    }
}
