using System.Buffers;
using System.Text.Json;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// Tokens and whole values from a stream, through a buffer that grows only as far as one value needs. All refusals leave
/// here with their place. The stream stays its owner's; no value is looked into once this is disposed.
/// </summary>
internal sealed class JsonSource(Stream stream, ReaderLimits limits) : IDisposable
{
    /// <summary>One value, an event above all, is held in memory; more than this is no event but an attack.</summary>
    public const int MaxValueBytes = 64 << 20;

    private readonly JsonTreeBuilder _builder = new(limits);
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
    private int _start;
    private int _end;
    private bool _ended;
    private bool _begun;
    private long _total;
    private int _line = 1;
    private int _column = 1;

    // One more than allowed, so that our own check, which names the limit, sees the depth first.
    private JsonReaderState _state = new(new JsonReaderOptions { MaxDepth = limits.MaxDepth + 2 });

    /// <summary>Where the walk through the document is, for the place of a refusal.</summary>
    public string Pointer { get; set; } = "";

    /// <summary>Text of the member name that <see cref="Next"/> found.</summary>
    public string Name { get; private set; } = "";

    /// <summary>Where the next byte stands.</summary>
    public Place Here => new(_line, _column, Pointer);

    /// <summary>The next token; <see cref="JsonTokenType.None"/> at the end of the document.</summary>
    public JsonTokenType Next()
    {
        while (true)
        {
            var reader = Reader();
            try
            {
                if (reader.Read())
                {
                    if (reader.TokenType is JsonTokenType.PropertyName)
                    {
                        Name = JsonTreeBuilder.TextOf(ref reader, limits.MaxNameLength, "A member name");
                    }
                    else if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                    {
                        _builder.CheckDepth(ref reader);
                    }
                    var token = reader.TokenType;
                    Consume((int)reader.BytesConsumed, reader.CurrentState);
                    return token;
                }
            }
            catch (JsonException malformed)
            {
                throw Malformed(malformed);
            }
            catch (JsonRefusal refusal)
            {
                throw At(refusal, (int)reader.TokenStartIndex);
            }
            if (_ended)
            {
                return JsonTokenType.None;
            }
            Fill();
        }
    }

    /// <summary>What the next token is, without moving: a value may be walked into or taken whole.</summary>
    public JsonTokenType Peek()
    {
        while (true)
        {
            var reader = Reader();
            try
            {
                if (reader.Read())
                {
                    return reader.TokenType;
                }
            }
            catch (JsonException malformed)
            {
                throw Malformed(malformed);
            }
            if (_ended)
            {
                return JsonTokenType.None;
            }
            Fill();
        }
    }

    /// <summary>Takes the next value whole; <see langword="null"/> when the array or object ends instead.</summary>
    public JsonTree? Take()
    {
        _builder.Begin();
        // What is built of the value stays built while more of it arrives.
        var (built, state) = (0, _state);
        while (true)
        {
            var reader = Reader(built, state);
            try
            {
                if (_builder.Build(ref reader, built))
                {
                    built += (int)reader.BytesConsumed;
                    var tree = _builder.Root is { } root ? new JsonTree(_buffer, _start, built, root, Pointer, _line, _column) : null;
                    Consume(built, reader.CurrentState);
                    return tree;
                }
            }
            catch (JsonException malformed)
            {
                throw Malformed(malformed);
            }
            catch (JsonRefusal refusal)
            {
                throw At(refusal, built + (int)reader.TokenStartIndex);
            }
            if (_ended)
            {
                throw new JsonRefusal(JsonCodes.Malformed, "The document ends too early.", Here);
            }
            built += (int)reader.BytesConsumed;
            state = reader.CurrentState;
            Fill();
        }
    }

    private Utf8JsonReader Reader() => Reader(0, _state);

    /// <param name="from">Where it begins, from the first byte that is not consumed.</param>
    private Utf8JsonReader Reader(int from, JsonReaderState state)
    {
        if (!_begun)
        {
            _begun = true;
            Begin();
        }
        return new Utf8JsonReader(_buffer.AsSpan(_start.._end)[from..], _ended, state);
    }

    /// <summary>A byte order mark is allowed; the .NET reader does not know it.</summary>
    private void Begin()
    {
        while (_end < 3 && !_ended)
        {
            ReadMore();
        }
        if (_buffer.AsSpan(0, _end).StartsWith("\uFEFF"u8))
        {
            _start = 3;
        }
    }

    private void Consume(int consumed, JsonReaderState state)
    {
        _state = state;
        Advance(_buffer.AsSpan(_start, consumed));
        _start += consumed;
    }

    private void Advance(ReadOnlySpan<byte> bytes)
    {
        var last = bytes.LastIndexOf((byte)'\n');
        if (last < 0)
        {
            _column += bytes.Length;
            return;
        }
        _line += bytes.Count((byte)'\n');
        _column = bytes.Length - last;
    }

    /// <summary>Doubles what is there before another try, so that a slow stream does not make the tries quadratic.</summary>
    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= MaxValueBytes)
            {
                throw new JsonRefusal(JsonCodes.Limit, FormattableString.Invariant($"One value is larger than {MaxValueBytes} bytes."), Here);
            }
            Grow();
        }
        var wanted = Math.Min(_buffer.Length, Math.Max(_end * 2, 256));
        while (_end < wanted && !_ended)
        {
            ReadMore();
        }
    }

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        _buffer.AsSpan(0, _end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    public void Dispose()
    {
        _builder.Dispose();
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = []; // a second disposal must not give it back twice
        }
    }

    private void ReadMore()
    {
        var read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _ended = read == 0;
        _end += read;
        _total += read;
        if (_total > limits.MaxBytes)
        {
            throw new JsonRefusal(JsonCodes.Limit, FormattableString.Invariant($"The document is larger than {limits.MaxBytes} bytes."), Here);
        }
    }

    private JsonRefusal Malformed(JsonException malformed) => new(
        JsonCodes.Malformed,
        "This is not well-formed JSON.",
        new Place((int)(malformed.LineNumber ?? 0) + 1, (int)(malformed.BytePositionInLine ?? 0) + 1, Pointer));

    private JsonRefusal At(JsonRefusal refusal, int offset)
    {
        Advance(_buffer.AsSpan(_start, offset));
        return new JsonRefusal(refusal.Code, refusal.Message, Here);
    }
}
