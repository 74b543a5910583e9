using Gateway.Access;
using Gateway.Database;
using Gateway.Http;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Gateway.Capture;

/// <summary>What became of one file of a form.</summary>
/// <param name="Problem">Why nothing of it is stored; null when it is, or when it was only checked.</param>
public sealed record UploadedFile(string Name, ProblemDetails? Problem = null)
{
    /// <summary>The capture made of it.</summary>
    public Guid? CaptureId { get; init; }

    /// <summary>The same bytes had come before: <see cref="CaptureId"/> is what they became then.</summary>
    public bool IsRepeat { get; init; }

    /// <summary>What the checks said, when it was only checked.</summary>
    public CheckedDocument? Checked { get; init; }
    public SourceExcerpts Source { get; init; } = SourceExcerpts.None;
    public long Length { get; init; }
    public string Sha256 { get; init; } = "";
}

/// <summary>
/// Takes the files of a plain form, one after the other and straight from the connection, to where POST /capture and
/// POST /api/check take theirs: same limits, same acceptance, same answer to the same bytes.
/// </summary>
public sealed class UploadFiles
{
    /// <summary>Files of one form; more come in another.</summary>
    public const int MaxFiles = 50;

    // The form's own field, which its page writes before the files.
    private const string TokenField = "__RequestVerificationToken";
    private const int MaxTokenLength = 4096;

    private readonly AcceptCapture _accept;
    private readonly UploadLimit _uploads;
    private readonly IAntiforgery _antiforgery;
    private readonly AntiforgeryOptions _antiforgeryOptions;
    private readonly CaptureOptions _options;
    private readonly CheckDocument _check;

    internal UploadFiles(AcceptCapture accept, UploadLimit uploads, IAntiforgery antiforgery, IOptions<AntiforgeryOptions> antiforgeryOptions, IOptions<CaptureOptions> options, CheckDocument check) =>
        (_accept, _uploads, _antiforgery, _antiforgeryOptions, _options, _check) = (accept, uploads, antiforgery, antiforgeryOptions.Value, options.Value, check);

    /// <summary>Captures every file.</summary>
    public Task<(IReadOnlyList<UploadedFile> Files, ProblemHttpResult? Problem)> CaptureAsync(HttpContext context, CancellationToken ct) =>
        EachAsync(context, (name, body) => CaptureAsync(name, body, context.Actor(), ct), ofAnyType: false, ct);

    /// <summary>Checks every file and stores nothing.</summary>
    public Task<(IReadOnlyList<UploadedFile> Files, ProblemHttpResult? Problem)> CheckAsync(HttpContext context, CancellationToken ct) =>
        EachAsync(context, (name, body) => CheckAsync(name, body, context.Actor(), ct), ofAnyType: false, ct);

    private async Task<UploadedFile> CaptureAsync(string name, ReceivedBody body, Actor actor, CancellationToken ct)
    {
        try
        {
            var (answer, problem) = await _accept.AcceptAsync(body, key: null, errorBehaviour: "rollback", actor, ct);
            return answer is null
                ? new UploadedFile(name, ((ProblemHttpResult)problem!).ProblemDetails)
                : new UploadedFile(name) { CaptureId = answer.PublicId, IsRepeat = answer.IsReplay };
        }
        catch (CommitUnknownException)
        {
            return new UploadedFile(name, Problems.FileOutcomeUnknown().ProblemDetails);
        }
    }

    private async Task<UploadedFile> CheckAsync(string name, ReceivedBody body, Actor actor, CancellationToken ct)
    {
        var found = await _check.CheckAsync(body, actor, ct);
        await using var document = body.Decoded(_options);
        var source = await SourceExcerpts.ReadAsync(document, found.Findings.Select(f => (f.Where?.Line ?? 0, f.Where?.Column ?? 0)), ct);
        return new UploadedFile(name) { Checked = found, Source = source };
    }

    /// <returns>The files in their order; or a problem of the form itself, before which nothing was taken.</returns>
    /// <summary>Takes each file of a form as a slice wants it taken.</summary>
    /// <param name="ofAnyType">They are files of lines, whose mapping says what they are.</param>
    internal async Task<(IReadOnlyList<UploadedFile> Files, ProblemHttpResult? Problem)> EachAsync(HttpContext context, Func<string, ReceivedBody, Task<UploadedFile>> take, bool ofAnyType, CancellationToken ct)
    {
        var request = context.Request;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || type.MediaType != "multipart/form-data" || HeaderUtilities.RemoveQuotes(type.Boundary) is not { Length: > 0 and <= 200 } boundary)
        {
            return ([], Problems.NoFiles());
        }
        // Each file has the limit of a capture, and their number one of its own.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }
        var files = new List<UploadedFile>();
        // A file that is too large is read away for as long again, so that those behind it are still taken.
        var parts = new MultipartReader(boundary.ToString(), request.Body) { BodyLengthLimit = Math.Min(_options.MaxBytes, long.MaxValue / 2) * 2 };
        try
        {
            if (!await IsOurFormAsync(context, await parts.ReadNextSectionAsync(ct), ct))
            {
                return ([], Problems.FormOutOfDate());
            }
            while (await parts.ReadNextSectionAsync(ct) is { } part)
            {
                // A field left empty comes as a file without a name.
                if (part.AsFileSection() is not { FileName.Length: > 0 } file)
                {
                    continue;
                }
                if (files.Count == MaxFiles)
                {
                    files.Add(new UploadedFile("Further files", Problems.TooManyFiles(MaxFiles).ProblemDetails));
                    break;
                }
                files.Add(await OneAsync(NameOf(file.FileName), part.Body, take, ofAnyType, ct));
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            files.Add(new UploadedFile("The rest of the form", Problems.BodyNotReceived(400, "The form ends early, or cannot be read.").ProblemDetails));
        }
        return files.Count == 0 ? (files, Problems.NoFiles()) : (files, null);
    }

    private async Task<UploadedFile> OneAsync(string name, Stream file, Func<string, ReceivedBody, Task<UploadedFile>> take, bool ofAnyType, CancellationToken ct)
    {
        try
        {
            await using var body = await ReceivedBody.ReceiveFileAsync(file, _uploads, _options, ct, ofAnyType);
            return await take(name, body) with { Length = body.Length, Sha256 = Convert.ToHexStringLower(body.Sha256) };
        }
        catch (BodyRefusedException refused)
        {
            return new UploadedFile(name, refused.Answer.ProblemDetails);
        }
    }

    // The framework would look for the token by reading the whole form to disk, so it is handed over as the header it looks at first.
    private async Task<bool> IsOurFormAsync(HttpContext context, MultipartSection? first, CancellationToken ct)
    {
        if (first?.AsFormDataSection() is not { Name: TokenField })
        {
            return false;
        }
        var bytes = new byte[MaxTokenLength];
        var length = await first.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct);
        var token = System.Text.Encoding.ASCII.GetString(bytes, 0, length);
        if (length is 0 or MaxTokenLength || token.Any(char.IsControl))
        {
            return false;
        }
        context.Request.Headers[_antiforgeryOptions.HeaderName!] = token;
        return await _antiforgery.IsRequestValidAsync(context);
    }

    // Some browsers send a whole path.
    private static string NameOf(string fileName) => fileName[(fileName.LastIndexOfAny(['/', '\\']) + 1)..] is { Length: > 0 } name ? name : "unnamed";
}
