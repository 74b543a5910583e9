using System.IO.Compression;
using System.Security.Cryptography;
using Gateway.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Gateway.Capture;

/// <summary>The body is refused with this answer, whatever the document says.</summary>
internal sealed class BodyRefusedException(ProblemHttpResult answer, Exception? cause = null) : IOException(answer.ProblemDetails.Detail, cause)
{
    public ProblemHttpResult Answer { get; } = answer;
}

/// <summary>A request's body as received, read once and outside any transaction: a slow sender must hold no snapshot.</summary>
internal sealed class ReceivedBody : IAsyncDisposable
{
    private readonly Stream _bytes;
    private readonly UploadLimit.Upload _upload;

    private ReceivedBody(Stream bytes, UploadLimit.Upload upload, byte[] sha256, string mediaType, bool isGzip) =>
        (_bytes, _upload, Sha256, MediaType, IsGzip) = (bytes, upload, sha256, mediaType, isGzip);

    public byte[] Sha256 { get; }
    public long Length => _bytes.Length;
    public string MediaType { get; }
    public bool IsGzip { get; }

    /// <exception cref="BodyRefusedException">Media type, encoding, size, no room, not arrived, or nothing at all.</exception>
    /// <param name="ofAnyType">The type of a line's file says nothing; its mapping does.</param>
    public static async Task<ReceivedBody> ReceiveAsync(HttpRequest request, UploadLimit uploads, CaptureOptions options, CancellationToken ct, bool ofAnyType = false)
    {
        // The limit is counted here, so that its answer is ours; and the server reads a refused body away for some seconds, so that its sender sees the answer.
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && !ofAnyType
            || !ofAnyType && type!.MediaType.Value?.ToLowerInvariant() is not ("application/xml" or "text/xml" or "application/json" or "application/ld+json"))
        {
            throw new BodyRefusedException(Problems.UnsupportedMediaType(request.ContentType));
        }
        var encoding = request.Headers.ContentEncoding.ToString().Trim().ToLowerInvariant();
        if (encoding is not ("" or "identity" or "gzip"))
        {
            throw new BodyRefusedException(Problems.UnsupportedEncoding(encoding));
        }
        if (request.ContentLength > options.MaxBytes)
        {
            throw new BodyRefusedException(Problems.CaptureTooLarge(options.MaxBytes));
        }
        return await ReadAsync(request.Body, request.ContentLength ?? 0, _ => (type?.MediaType.Value?.ToLowerInvariant() ?? "application/octet-stream", encoding == "gzip"), uploads, options, ct);
    }

    /// <summary>A file that a person chose. A browser tells its type by its name, which people give as they like, so its first bytes decide.</summary>
    /// <exception cref="BodyRefusedException">Size, no room, not arrived, or nothing at all.</exception>
    /// <param name="ofAnyType">It is a line's file, whose mapping says what it is.</param>
    public static Task<ReceivedBody> ReceiveFileAsync(Stream file, UploadLimit uploads, CaptureOptions options, CancellationToken ct, bool ofAnyType = false) =>
        ReadAsync(file, 0, bytes => TypeOf(bytes, options) is var (type, isGzip) && ofAnyType ? ("application/octet-stream", isGzip) : (type, isGzip), uploads, options, ct);

    private static async Task<ReceivedBody> ReadAsync(
        Stream body, long told, Func<Stream, (string MediaType, bool IsGzip)> typeOf, UploadLimit uploads, CaptureOptions options, CancellationToken ct)
    {
        var upload = uploads.Enter();
        Stream bytes = new MemoryStream();
        try
        {
            upload.Reserve(told);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[64 << 10];
            int read;
            while ((read = await ReadAsync(body, buffer, ct)) > 0)
            {
                if (bytes.Length + read > options.MaxBytes)
                {
                    throw new BodyRefusedException(Problems.CaptureTooLarge(options.MaxBytes));
                }
                upload.Reserve(bytes.Length + read);
                hash.AppendData(buffer, 0, read);
                try
                {
                    if (bytes is MemoryStream memory && bytes.Length + read > options.MaxBytesInMemory)
                    {
                        bytes = TemporaryFile();
                        memory.WriteTo(bytes);
                    }
                    await bytes.WriteAsync(buffer.AsMemory(0, read), ct);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    throw upload.NoRoom(e);
                }
            }
            if (bytes.Length == 0)
            {
                throw new BodyRefusedException(Problems.EmptyBody());
            }
            var (mediaType, isGzip) = typeOf(bytes);
            return new ReceivedBody(bytes, upload, hash.GetHashAndReset(), mediaType, isGzip);
        }
        catch
        {
            await bytes.DisposeAsync();
            upload.Dispose();
            throw;
        }
    }

    private static (string MediaType, bool IsGzip) TypeOf(Stream bytes, CaptureOptions options)
    {
        bytes.Position = 0;
        var isGzip = bytes.ReadByte() == 0x1f && bytes.ReadByte() == 0x8b;
        bytes.Position = 0;
        using Stream document = isGzip ? new InflatingStream(bytes, options) : new UnownedStream(bytes);
        // A JSON document is an object; white space and a byte order mark may stand before it.
        int first;
        do
        {
            first = document.ReadByte();
        }
        while (first is ' ' or '\t' or '\r' or '\n' or 0xEF or 0xBB or 0xBF);
        return (first == '{' ? "application/json" : "application/xml", isGzip);
    }

    private static async Task<int> ReadAsync(Stream body, byte[] buffer, CancellationToken ct)
    {
        try
        {
            return await body.ReadAsync(buffer, ct);
        }
        catch (IOException e) when (body is not FileStream) // what our own disk does not give is nobody's fault
        {
            throw new BodyRefusedException(e is BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout }
                ? Problems.BodyNotReceived(408, "The body came more slowly than the gateway waits for.")
                : Problems.BodyNotReceived(400, "The body ends early, or is not as long or in such chunks as its headers say."), e);
        }
    }

    /// <summary>The bytes from their start.</summary>
    public Stream Raw()
    {
        _bytes.Position = 0;
        return _bytes;
    }

    /// <summary>A copy of a small body.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Length];
        Raw().ReadExactly(bytes);
        return bytes;
    }

    /// <summary>The document from its start; disposing leaves the bytes.</summary>
    public Stream Decoded(CaptureOptions options) => IsGzip ? new InflatingStream(Raw(), options) : new UnownedStream(Raw());

    /// <summary>The hash of the document inflated.</summary>
    public byte[] ContentHash(CaptureOptions options)
    {
        if (!IsGzip)
        {
            return Sha256;
        }
        using var document = Decoded(options);
        return SHA256.HashData(document);
    }

    public async ValueTask DisposeAsync()
    {
        await _bytes.DisposeAsync();
        _upload.Dispose();
    }

    private static FileStream TemporaryFile()
    {
        var path = Path.Combine(Path.GetTempPath(), $"gateway-{Guid.NewGuid():N}");
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            BufferSize = 0, // a full disk is to be told by the write, not by a later flush
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        File.Delete(path); // it lives until it is closed, so not even a killed process leaves it behind
        return file;
    }
}

/// <summary>A stream that is only read forward; what remains of <see cref="Stream"/> is refused.</summary>
internal abstract class ForwardStream : Stream
{
    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public abstract override int Read(Span<byte> buffer);
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    public override void Flush()
    {
    }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>Lets a reader dispose its stream without losing the bytes.</summary>
internal sealed class UnownedStream(Stream inner) : ForwardStream
{
    public override int Read(Span<byte> buffer) => inner.Read(buffer);
}

/// <summary>
/// One gzip member, inflated within bounds of size and ratio, and proved to be whole at its end. Concatenated members, which
/// RFC 1952 allows, are refused: a cut between two of them would leave a whole body, and nothing would tell the loss.
/// </summary>
internal sealed class InflatingStream(Stream raw, CaptureOptions options) : ForwardStream
{
    private readonly GZipStream _gzip = new(raw, CompressionMode.Decompress, leaveOpen: true);
    private long _total;
    private BodyRefusedException? _refusal;

    public override int Read(Span<byte> buffer)
    {
        int read;
        try
        {
            read = _gzip.Read(buffer);
        }
        catch (InvalidDataException)
        {
            throw Refuse(Problems.BodyBroken("The body is not gzip, or its gzip is damaged."));
        }
        _total += read;
        if (_total > options.MaxBytes)
        {
            throw Refuse(Problems.CaptureTooLarge(options.MaxBytes));
        }
        if (_total > 1 << 20 && _total / options.MaxCompressionRatio > raw.Position)
        {
            throw Refuse(Problems.CompressionRatio(options.MaxCompressionRatio));
        }
        if (read == 0 && buffer.Length > 0 && !EndsWhole())
        {
            throw Refuse(Problems.BodyBroken("The gzip ends too early, or has more than one member."));
        }
        return read;
    }

    // The decompressor takes a truncated body for a whole one, so the length in the trailer is compared (RFC 1952, ISIZE).
    private bool EndsWhole()
    {
        if (raw.Length < 18)
        {
            return false;
        }
        var end = raw.Position;
        var size = new byte[4];
        raw.Position = raw.Length - 4;
        raw.ReadExactly(size);
        raw.Position = end;
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(size) == (uint)_total;
    }

    /// <summary>Reads on to the end, where truncation shows; then throws what stood in the way, which a parser may have taken for the end of its input.</summary>
    public void Finish(bool isBroken)
    {
        if (!isBroken)
        {
            CopyTo(Null);
        }
        if (_refusal is { } refusal)
        {
            throw refusal;
        }
    }

    private BodyRefusedException Refuse(ProblemHttpResult answer) => _refusal = new BodyRefusedException(answer);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _gzip.Dispose();
        }
        base.Dispose(disposing);
    }
}
