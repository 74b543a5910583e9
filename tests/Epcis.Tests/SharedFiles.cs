namespace Epcis.Tests;

/// <summary>The standards' papers and samples, which stand beside the repository and are not part of it.</summary>
public static class SharedFiles
{
    /// <summary>The repository's own folder.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The folder <c>shared</c> beside the repository; <see langword="null"/> when it is absent.</summary>
    public static string? Root { get; } = FindShared();

    /// <summary>The full path of a shared file or folder; skips the test when it is absent.</summary>
    public static string Require(string relative)
    {
        var path = Root is null ? null : Path.Combine(Root, relative);
        Assert.SkipUnless(File.Exists(path) || Directory.Exists(path), $"The shared file {relative} is not beside this repository.");
        return path!;
    }

    private static string FindRepository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Gateway.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run from outside the repository.");
        }
        return folder;
    }

    private static string? FindShared()
    {
        var shared = Path.GetFullPath(Path.Combine(Repository, "..", "shared"));
        return Directory.Exists(shared) ? shared : null;
    }
}
