using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Npgsql;

namespace Gateway.Database;

/// <summary>
/// Many rows into one table by binary COPY (PostgreSQL, COPY, "Binary Format"), put together in memory row by row: Npgsql's importer asks about
/// the type of each value, which for two million small values costs more than the values. A row has its values in the order of the columns.
/// Nothing is stored unless <see cref="CompleteAsync"/> returns.
/// </summary>
internal sealed class BinaryCopy : IAsyncDisposable
{
    private const int SendAt = 32 * 1024;
    private static readonly DateTime s_epoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly NpgsqlRawCopyStream _stream;
    private readonly ArrayBufferWriter<byte> _rows = new(2 * SendAt);
    private readonly short _columns;
    private bool _isComplete;

    private BinaryCopy(NpgsqlRawCopyStream stream, short columns) => (_stream, _columns) = (stream, columns);

    /// <param name="columns">Their names, parted by commas.</param>
    public static async Task<BinaryCopy> BeginAsync(Work work, string table, string columns, CancellationToken ct)
    {
        var copy = new BinaryCopy(await work.Connection.BeginRawBinaryCopyAsync($"copy {table} ({columns}) from stdin (format binary)", ct), (short)(1 + columns.Count(c => c == ',')));
        // The signature, no flags, no extension.
        copy._rows.Write("PGCOPY\n"u8);
        copy._rows.Write((ReadOnlySpan<byte>)[0xff, (byte)'\r', (byte)'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        return copy;
    }

    /// <summary>Begins the next row, and sends those before when there are many.</summary>
    public async ValueTask StartRowAsync(CancellationToken ct)
    {
        if (_rows.WrittenCount >= SendAt)
        {
            await SendAsync(ct);
        }
        Write16(_columns);
    }

    public void Write(long value)
    {
        var at = Value(8);
        BinaryPrimitives.WriteInt64BigEndian(at, value);
    }

    public void Write(int value)
    {
        var at = Value(4);
        BinaryPrimitives.WriteInt32BigEndian(at, value);
    }

    public void Write(short value)
    {
        var at = Value(2);
        BinaryPrimitives.WriteInt16BigEndian(at, value);
    }

    public void Write(long? value)
    {
        if (value is { } some)
        {
            Write(some);
        }
        else
        {
            WriteNull();
        }
    }

    public void Write(int? value)
    {
        if (value is { } some)
        {
            Write(some);
        }
        else
        {
            WriteNull();
        }
    }

    /// <param name="moment">Of UTC.</param>
    public void Write(DateTime moment) => Write((moment.Ticks - s_epoch.Ticks) / TimeSpan.TicksPerMicrosecond);

    public void Write(string? text)
    {
        if (text is null)
        {
            WriteNull();
            return;
        }
        var at = _rows.GetSpan(4 + Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = Encoding.UTF8.GetBytes(text, at[4..]);
        BinaryPrimitives.WriteInt32BigEndian(at, length);
        _rows.Advance(4 + length);
    }

    public async Task CompleteAsync(CancellationToken ct)
    {
        Write16(-1);
        await SendAsync(ct);
        await _stream.FlushAsync(ct);
        _isComplete = true;
        await _stream.DisposeAsync(); // the server's answer to all of it
    }

    public async ValueTask DisposeAsync()
    {
        if (!_isComplete)
        {
            _isComplete = true;
            try
            {
                await _stream.CancelAsync();
                await _stream.DisposeAsync();
            }
            catch (Exception e) when (e is NpgsqlException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
            {
                // The connection is lost, and whoever lost it has been told.
            }
        }
    }

    private async ValueTask SendAsync(CancellationToken ct)
    {
        await _stream.WriteAsync(_rows.WrittenMemory, ct);
        _rows.ResetWrittenCount();
    }

    private void WriteNull()
    {
        BinaryPrimitives.WriteInt32BigEndian(_rows.GetSpan(4), -1);
        _rows.Advance(4);
    }

    private void Write16(short value)
    {
        BinaryPrimitives.WriteInt16BigEndian(_rows.GetSpan(2), value);
        _rows.Advance(2);
    }

    private Span<byte> Value(int length)
    {
        var at = _rows.GetSpan(4 + length)[..(4 + length)];
        BinaryPrimitives.WriteInt32BigEndian(at, length);
        _rows.Advance(4 + length);
        return at[4..];
    }
}
