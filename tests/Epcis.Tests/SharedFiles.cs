namespace Epcis.Tests;

/// <summary>The standards' papers and samples, which stand beside the repository and are not part of it.</summary>
public static class SharedFiles
{
    /// <summary>The folder <c>shared</c> beside the repository; <see langword="null"/> when it is absent.</summary>
    public static string? Root { get; } = Find();

    /// <summary>The full path of a shared file or folder; skips the test when it is absent.</summary>
    public static string Require(string relative)
    {
        var path = Root is null ? null : Path.Combine(Root, relative);
        Assert.SkipUnless(File.Exists(path) || Directory.Exists(path), $"The shared file {relative} is not beside this repository.");
        return path!;
    }

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Gateway.sln")))
            {
                var shared = Path.GetFullPath(Path.Combine(folder.FullName, "..", "shared"));
                return Directory.Exists(shared) ? shared : null;
            }
        }
        return null;
    }
}
