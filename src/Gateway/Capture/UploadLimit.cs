using Gateway.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Capture;

/// <summary>
/// Bounds what is received at once, so that excess is answered before memory or disk suffers. Nobody waits for room:
/// a waiting request holds a connection and may wait for one that itself waits.
/// </summary>
internal sealed partial class UploadLimit(IOptions<CaptureOptions> options, ILogger<UploadLimit> log)
{
    private readonly CaptureOptions _options = options.Value;
    private readonly Lock _lock = new();
    private int _uploads;
    private int _large;
    private long _largeBytes;

    /// <exception cref="BodyRefusedException">There are enough already.</exception>
    public Upload Enter()
    {
        lock (_lock)
        {
            if (_uploads == _options.MaxUploads)
            {
                throw Busy();
            }
            _uploads++;
        }
        return new Upload(this);
    }

    private BodyRefusedException Busy()
    {
        TurnedAway(_uploads, _large, _largeBytes);
        return new BodyRefusedException(Problems.Busy());
    }

    [LoggerMessage(1030, LogLevel.Warning, "A document is turned away: {Uploads} are being received or checked, {Large} of them large with {LargeBytes} bytes.")]
    private partial void TurnedAway(int uploads, int large, long largeBytes);

    [LoggerMessage(1031, LogLevel.Error, "A document is turned away: the temporary folder cannot take it.")]
    private partial void FolderFull(Exception cause);

    /// <summary>One document's share. Small ones take none of the bytes.</summary>
    public sealed class Upload(UploadLimit limit) : IDisposable
    {
        // Room is asked for in steps: a sender that does not tell its length cannot be reserved for at once.
        private const long Step = 4 << 20;
        private long _reserved;
        private bool _left;

        /// <summary>Makes room for so many bytes in all, told or received.</summary>
        /// <exception cref="BodyRefusedException">There is no room.</exception>
        public void Reserve(long bytes)
        {
            if (bytes <= limit._options.MaxBytesInMemory || bytes <= _reserved)
            {
                return;
            }
            lock (limit._lock)
            {
                var isNew = _reserved == 0;
                var more = Math.Max(bytes, Math.Min(_reserved + Step, limit._options.MaxBytes)) - _reserved;
                if (isNew && limit._large == limit._options.MaxLargeUploads || limit._largeBytes + more > limit._options.MaxLargeUploadBytes)
                {
                    throw limit.Busy();
                }
                limit._large += isNew ? 1 : 0;
                limit._largeBytes += more;
                _reserved += more;
            }
        }

        /// <summary>The temporary folder refused the bytes: it is full, or it may not be written.</summary>
        public BodyRefusedException NoRoom(Exception cause)
        {
            limit.FolderFull(cause);
            return new BodyRefusedException(Problems.NoRoomForBody(), cause);
        }

        public void Dispose()
        {
            lock (limit._lock)
            {
                if (_left)
                {
                    return;
                }
                _left = true;
                limit._uploads--;
                limit._large -= _reserved > 0 ? 1 : 0;
                limit._largeBytes -= _reserved;
            }
        }
    }
}
