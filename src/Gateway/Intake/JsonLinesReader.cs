using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Gateway.Intake;

/// <summary>
/// One JSON object a line, in the order of arrival, each with a type. Messages that number themselves count once: the same again is told,
/// another content under the number of an earlier one is set aside, and what never came is told at the end (LINES.md section 6). A record's number is its line.
/// </summary>
internal sealed class JsonLinesReader(FileForm form) : SourceReader(form)
{
    private const int MaxDevices = 1_000;
    private readonly Dictionary<(string Device, string Epoch), Dictionary<long, UInt128>> _heard = [];
    private readonly Dictionary<(string Device, string Epoch), TimeSpan> _clocks = [];

    public override IEnumerable<SourceRecord> Read(Stream bytes)
    {
        var context = NoHeader;
        var line = 0;
        using var lines = new ByteLines(bytes);
        while (lines.Next())
        {
            line++;
            var text = lines.Line;
            if (line == 1 && text.Span.StartsWith(Encoding.UTF8.Preamble))
            {
                if (Form.ByteOrderMark == "forbidden")
                {
                    throw new FileRefusedException(IntakeCodes.Encoding, "a byte order mark stands at its beginning");
                }
                text = text[Encoding.UTF8.Preamble.Length..];
            }
            if (text.Span.IndexOfAnyExcept((byte)' ', (byte)'\t') < 0)
            {
                continue;
            }
            var record = Record(text, line, context, lines.IsEnded);
            if (record.Fault is null && (!IsNews(record, text.Span) || IsClock(record)))
            {
                continue;
            }
            if (record.Kind == Form.ContextType)
            {
                context = record.Values;
            }
            yield return record;
        }
        TellGaps();
    }

    private SourceRecord Record(ReadOnlyMemory<byte> text, int line, IReadOnlyDictionary<string, string> context, bool isEnded)
    {
        try
        {
            using var json = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 8 });
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                return Faulty("A message is an object.");
            }
            var values = new Dictionary<string, string>(StringComparer.Ordinal);
            Dictionary<string, IReadOnlyList<string>>? lists = null;
            foreach (var member in json.RootElement.EnumerateObject())
            {
                if (member.Value.ValueKind == JsonValueKind.Array)
                {
                    (lists ??= [])[member.Name] = [.. member.Value.EnumerateArray().Select(v => TextOf(v) ?? "")];
                }
                else if (TextOf(member.Value) is { } value)
                {
                    values[member.Name] = value;
                }
            }
            var record = new SourceRecord(line, values.GetValueOrDefault(Form.Type, ""), context) { Lists = lists, ClockOffset = ClockOf(values) };
            foreach (var (name, value) in values)
            {
                record.Values[name] = value;
            }
            return record;
        }
        catch (JsonException e) when (!isEnded)
        {
            throw new FileRefusedException(IntakeCodes.Truncated, FormattableString.Invariant($"line {line} ends in the middle, at its byte {e.BytePositionInLine + 1}"));
        }
        catch (JsonException e)
        {
            return Faulty(FormattableString.Invariant($"It is no JSON, from its byte {e.BytePositionInLine + 1}."));
        }
        catch (Exception e) when (e is InvalidOperationException or DecoderFallbackException)
        {
            // A file of another encoding is refused; half of a character that is written as an escape is a fault of its message.
            return System.Text.Unicode.Utf8.IsValid(text.Span) ? Faulty("It has half of a character that takes two.")
                : throw new FileRefusedException(IntakeCodes.Encoding, FormattableString.Invariant($"line {line} is no UTF-8"));
        }

        SourceRecord Faulty(string why) => new(line, "", context) { Fault = new IntakeFault(IntakeCodes.Record, why) };
    }

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => null,
    };

    private (string Device, string Epoch)? DeviceOf(Dictionary<string, string> values) =>
        Form.Sequence is var (device, epoch, _) && values.TryGetValue(device, out var name) ? (name, values.GetValueOrDefault(epoch, "")) : null;

    private TimeSpan ClockOf(Dictionary<string, string> values) => DeviceOf(values) is { } device ? _clocks.GetValueOrDefault(device) : default;

    private bool IsClock(SourceRecord record)
    {
        if (Form.Clock is not var (type, offset) || record.Kind != type)
        {
            return false;
        }
        if (DeviceOf(record.Values) is { } device && double.TryParse(record.Values.GetValueOrDefault(offset), NumberStyles.Float, CultureInfo.InvariantCulture, out var milliseconds) && Math.Abs(milliseconds) < 1e12)
        {
            _clocks[device] = TimeSpan.FromMilliseconds(milliseconds);
        }
        return true;
    }

    // What is compared is the message as it was sent: two spellings of the same are two contents.
    private bool IsNews(SourceRecord record, ReadOnlySpan<byte> text)
    {
        if (Form.IsSequenceChecked || DeviceOf(record.Values) is not { } device || !long.TryParse(record.Values.GetValueOrDefault(Form.Sequence!.Value.Sequence), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return true;
        }
        if (!_heard.TryGetValue(device, out var heard))
        {
            if (_heard.Count >= MaxDevices)
            {
                throw new FileRefusedException(IntakeCodes.TooMany, FormattableString.Invariant($"more than {MaxDevices} devices and epochs"));
            }
            _heard.Add(device, heard = []);
        }
        Span<byte> hash = stackalloc byte[32];
        System.Security.Cryptography.SHA256.HashData(text.TrimEnd(" \t"u8), hash);
        var content = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash);
        if (heard.TryAdd(number, content))
        {
            return true;
        }
        (string, object)[] more = [("device", device.Device), ("epoch", Numbered(device.Epoch)), ("seq", number)];
        Findings.Add(heard[number] == content
            ? new IntakeFinding(IntakeCodes.Duplicate, record.Row, FormattableString.Invariant($"Message {number} of {device.Device} came before."))
            : new IntakeFinding(IntakeCodes.Conflict, record.Row, FormattableString.Invariant($"Message {number} of {device.Device} came before with another content; the first stands."), More: more));
        return false;
    }

    private void TellGaps()
    {
        foreach (var (device, heard) in _heard)
        {
            long expected = 1;
            foreach (var number in heard.Keys.Order())
            {
                if (number > expected)
                {
                    Findings.Add(new IntakeFinding(IntakeCodes.Gap, null, FormattableString.Invariant($"Of {device.Device}, messages {expected} to {number - 1} are missing."),
                        More: [("device", device.Device), ("epoch", Numbered(device.Epoch)), ("from", expected), ("to", number - 1)]));
                }
                expected = number + 1;
            }
        }
    }

    private static object Numbered(string epoch) => long.TryParse(epoch, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : epoch;
}
