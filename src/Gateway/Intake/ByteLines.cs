using System.Buffers;

namespace Gateway.Intake;

/// <summary>The lines of a stream as bytes, without their ends (LF or CRLF): where bytes count, or are kept as they came.</summary>
internal sealed class ByteLines(Stream bytes) : IDisposable
{
    /// <summary>A line that is longer is no line.</summary>
    public const int MaxLength = 4 << 20;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
    private int _start, _end;
    private bool _isOver;

    /// <summary>The line that was found; good until the next.</summary>
    public ReadOnlyMemory<byte> Line { get; private set; }

    /// <summary>The last line had an end.</summary>
    public bool IsEnded { get; private set; }

    /// <exception cref="FileRefusedException">A line is longer than any.</exception>
    public bool Next()
    {
        for (var looked = _start; ;)
        {
            var at = _buffer.AsSpan(looked, _end - looked).IndexOf((byte)'\n');
            if (at >= 0)
            {
                Take(looked + at, looked + at + 1, true);
                return true;
            }
            looked = _end;
            if (_isOver)
            {
                if (_start == _end)
                {
                    return false;
                }
                Take(_end, _end, false);
                return true;
            }
            looked -= Fill();
        }
    }

    private void Take(int end, int next, bool isEnded)
    {
        Line = _buffer.AsMemory(_start, (isEnded && end > _start && _buffer[end - 1] == '\r' ? end - 1 : end) - _start);
        (_start, IsEnded) = (next, isEnded);
    }

    /// <returns>By how many bytes what is kept has moved to the front.</returns>
    private int Fill()
    {
        var moved = 0;
        if (_end == _buffer.Length)
        {
            if (_start == 0)
            {
                if (_buffer.Length >= MaxLength)
                {
                    throw new FileRefusedException(IntakeCodes.Malformed, FormattableString.Invariant($"a line is longer than {MaxLength} bytes"));
                }
                var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
                _buffer.AsSpan(0, _end).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = larger;
            }
            else
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (moved, _start, _end) = (_start, 0, _end - _start);
            }
        }
        var read = bytes.Read(_buffer, _end, _buffer.Length - _end);
        _isOver = read == 0;
        _end += read;
        return moved;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);
}
