using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;

namespace Gateway.Validation;

/// <summary>
/// The files that a node runs: its program and the runtimes below it, each by its SHA-256. They are read whole each time, because size
/// and time of a file can be set to what they were; nodes of one process share a reading.
/// </summary>
public static class ProgramFiles
{
    private static readonly SemaphoreSlim OneAtATime = new(1, 1);
    private static (string LeftOut, long At, IReadOnlyDictionary<string, string> Files) s_last = ("", 0, new Dictionary<string, string>());

    // Settings are told one by one by their values. In the files they stand beside what belongs to a node, and beside secrets.
    private static bool IsSettings(string name) => name.StartsWith("appsettings", StringComparison.OrdinalIgnoreCase) && name.EndsWith(".json", StringComparison.OrdinalIgnoreCase);

    /// <param name="dataDirectory">Left out when it stands below the program's directory: what is in it changes with each document.</param>
    /// <param name="maxAge">A reading of this process that is younger will do.</param>
    public static async Task<IReadOnlyDictionary<string, string>> ReadAsync(string dataDirectory, TimeSpan maxAge, CancellationToken ct)
    {
        var (program, data) = (Folder(AppContext.BaseDirectory), Folder(dataDirectory));
        // Of nodes of one process that keep their data elsewhere, whatever each calls its own, the reading is the same.
        var leftOut = data != program && data.StartsWith(program, StringComparison.Ordinal) ? data : "";
        await OneAtATime.WaitAsync(ct);
        try
        {
            if (s_last.At == 0 || s_last.LeftOut != leftOut || TimeProvider.System.GetElapsedTime(s_last.At) >= maxAge)
            {
                var at = TimeProvider.System.GetTimestamp();
                s_last = (leftOut, at, await Task.Run(() => Read(program, leftOut, ct), ct));
            }
            return s_last.Files;
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    private static ConcurrentDictionary<string, string> Read(string program, string leftOut, CancellationToken ct)
    {
        var files = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        Add(files, "program", program, leftOut, ct);
        // A program that carries its runtime has it below its own directory.
        foreach (var (name, folder) in (IEnumerable<(string, string)>)[("runtime", Folder(RuntimeEnvironment.GetRuntimeDirectory())), ("aspnet", Folder(Path.GetDirectoryName(typeof(WebApplication).Assembly.Location)!))])
        {
            if (!folder.StartsWith(program, StringComparison.Ordinal))
            {
                Add(files, name, folder, "", ct);
            }
        }
        // What was not published takes its styles and scripts from where they were built.
        var n = 0;
        foreach (var root in BuiltStaticFiles(program))
        {
            Add(files, $"static{++n}", Folder(root), "", ct);
        }
        return files;
    }

    private static void Add(ConcurrentDictionary<string, string> files, string prefix, string folder, string leftOut, CancellationToken ct)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }
        foreach (var file in Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false }))
        {
            ct.ThrowIfCancellationRequested();
            if (leftOut.Length > 0 && file.StartsWith(leftOut, StringComparison.Ordinal) || IsSettings(Path.GetFileName(file)))
            {
                continue;
            }
            files[$"{prefix} {Path.GetRelativePath(folder, file).Replace('\\', '/')}"] = Hash(file);
        }
    }

    private static string Hash(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16, FileOptions.SequentialScan);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "cannot be read"; // no validated file is like that
        }
    }

    private static IReadOnlyList<string> BuiltStaticFiles(string program)
    {
        var map = Path.Combine(program, "Gateway.Host.staticwebassets.runtime.json");
        if (!File.Exists(map))
        {
            return [];
        }
        using var read = JsonDocument.Parse(File.ReadAllText(map));
        return [.. read.RootElement.GetProperty("ContentRoots").EnumerateArray().Select(r => r.GetString()!).Where(r => !Folder(r).StartsWith(program, StringComparison.Ordinal))];
    }

    private static string Folder(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) + Path.DirectorySeparatorChar;
}
