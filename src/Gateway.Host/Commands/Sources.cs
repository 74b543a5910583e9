using Epcis.Formats;
using Gateway.Http;

namespace Gateway.Host.Commands;

/// <summary>Documents that a verb reads from files or from the standard input.</summary>
internal static class Sources
{
    /// <summary>A stream that can be read more than once; the standard input (<c>-</c>) or a pipe is spooled, for a document may be larger than memory.</summary>
    public static async Task<FileStream> OpenAsync(string file, CancellationToken ct)
    {
        if (file == "-")
        {
            await using var input = Console.OpenStandardInput();
            return await SpoolAsync(input, ct);
        }
        var stream = File.Exists(file) ? File.OpenRead(file) : throw new WrongUseException($"There is no file {file}.");
        if (stream.CanSeek)
        {
            return stream;
        }
        await using (stream)
        {
            return await SpoolAsync(stream, ct);
        }
    }

    private static async Task<FileStream> SpoolAsync(Stream input, CancellationToken ct)
    {
        var spool = new FileStream(Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
        await input.CopyToAsync(spool, ct);
        return spool;
    }

    /// <summary>A reader of the stream from its beginning, which checks as capture does.</summary>
    public static EpcisReader Reader(FileStream stream)
    {
        stream.Position = 0;
        return EpcisDocument.OpenDocumentOrEvent(stream, ReaderLimits.Default);
    }

    public static string Describe(FindingView f) =>
        $"  {f.Severity} {f.Code}{(f.Where is { Line: > 0 } at ? $" at {(at.Pointer is { Length: > 0 } p ? p + ", " : "")}line {at.Line}, column {at.Column}" : "")}: {f.Message}{(f.Got is { } got ? $" ({got})" : "")}";
}
