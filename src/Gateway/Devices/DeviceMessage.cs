using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Unicode;

namespace Gateway.Devices;

/// <summary>One message of a device, in its own bytes.</summary>
/// <param name="At">By the device's clock.</param>
/// <param name="Mono">The device's monotonic clock in milliseconds.</param>
/// <param name="Body">The bytes that the device sent, from brace to brace.</param>
public sealed record DeviceMessage(int Epoch, long Seq, DateTime At, long Mono, string Type, ReadOnlyMemory<byte> Body, byte[] Sha256);

/// <summary>Reads a post of messages without changing a byte of them: {"messages":[{"dev","ep","seq","ts","mono","typ",…}]}.</summary>
public static class ReadMessages
{
    private const int MaxType = 60;

    private static readonly SearchValues<char> s_typeCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

    /// <returns>The messages, or a sentence that names the place of the first fault.</returns>
    public static (List<DeviceMessage>? Messages, string? Refusal, bool TooMany) Read(ReadOnlyMemory<byte> post, string device)
    {
        if (!Utf8.IsValid(post.Span))
        {
            return (null, "The body is not UTF-8.", false);
        }
        var messages = new List<DeviceMessage>();
        var reader = new Utf8JsonReader(post.Span);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject || !reader.Read() || reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals("messages")
                || !reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            {
                return (null, "The body is an object with the member messages, which is an array.", false);
            }
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                var place = string.Create(CultureInfo.InvariantCulture, $"messages[{messages.Count}]");
                if (messages.Count == DeviceLimits.MaxMessages)
                {
                    return (null, null, true);
                }
                if (reader.TokenType != JsonTokenType.StartObject)
                {
                    return (null, $"{place} is not an object.", false);
                }
                var (message, refusal) = Message(ref reader, post, device, place);
                if (refusal is not null)
                {
                    return (null, refusal, false);
                }
                messages.Add(message!);
            }
            if (!reader.Read() || reader.TokenType != JsonTokenType.EndObject || reader.Read())
            {
                return (null, "The body has something besides messages.", false);
            }
        }
        catch (JsonException e)
        {
            return (null, string.Create(CultureInfo.InvariantCulture, $"The body is not JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1} (messages[{messages.Count}])."), false);
        }
        var epochs = messages.FindIndex(m => m.Epoch != messages[0].Epoch);
        return messages.Count == 0 ? (null, "messages is empty.", false)
            : epochs > 0 ? (null, string.Create(CultureInfo.InvariantCulture, $"messages[{epochs}].ep is another than that of messages[0]: a post is of one epoch."), false)
            : (messages, null, false);
    }

    private static (DeviceMessage? Message, string? Refusal) Message(ref Utf8JsonReader reader, ReadOnlyMemory<byte> post, string device, string place)
    {
        var start = (int)reader.TokenStartIndex;
        string? dev = null, typ = null;
        int? epoch = null;
        long? seq = null, mono = null;
        DateTimeOffset? at = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.ValueTextEquals("dev") ? "dev" : reader.ValueTextEquals("ep") ? "ep" : reader.ValueTextEquals("seq") ? "seq"
                : reader.ValueTextEquals("ts") ? "ts" : reader.ValueTextEquals("mono") ? "mono" : reader.ValueTextEquals("typ") ? "typ" : "";
            reader.Read();
            if (name is "dev" && dev is not null || name is "ep" && epoch is not null || name is "seq" && seq is not null || name is "ts" && at is not null || name is "mono" && mono is not null || name is "typ" && typ is not null)
            {
                return (null, $"{place}.{name} stands twice.");
            }
            switch (name)
            {
                case "dev":
                    dev = reader.TokenType == JsonTokenType.String ? reader.GetString() : "";
                    break;
                case "typ":
                    typ = reader.TokenType == JsonTokenType.String ? reader.GetString() : "";
                    break;
                case "ep":
                    epoch = reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var e) ? e : 0;
                    break;
                case "seq":
                    seq = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var s) ? s : 0;
                    break;
                case "mono":
                    mono = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var m) ? m : -1;
                    break;
                case "ts":
                    at = Moment(ref reader) ?? DateTimeOffset.MinValue;
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        var refusal = dev is null ? "dev is missing." : dev != device ? "dev is another device than that of the address."
            : epoch is null ? "ep is missing." : epoch < 1 ? "ep is a whole number from 1."
            : seq is null ? "seq is missing." : seq < 1 ? "seq is a whole number from 1."
            : at is null ? "ts is missing." : at == DateTimeOffset.MinValue ? "ts is a moment with its zone, such as 2026-03-01T10:00:00.250Z."
            : mono is null ? "mono is missing." : mono < 0 ? "mono is a whole number of milliseconds, zero or more."
            : typ is null ? "typ is missing." : typ.Length is 0 or > MaxType || typ.AsSpan().ContainsAnyExcept(s_typeCharacters) ? $"typ is a word of at most {MaxType} letters, digits and _.-"
            : null;
        if (refusal is not null)
        {
            return (null, $"{place}.{refusal}");
        }
        var body = post[start..(int)reader.BytesConsumed];
        return (new DeviceMessage(epoch!.Value, seq!.Value, at!.Value.UtcDateTime, mono!.Value, typ!, body, SHA256.HashData(body.Span)), null);
    }

    // A moment without its zone is no moment.
    private static DateTimeOffset? Moment(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out var at) && at.Year is >= 2000 and <= 2199 && IsZoned(reader.GetString()!) ? at : null;

    private static bool IsZoned(string text) => text.EndsWith('Z') || text.Length > 19 && text[^6] is '+' or '-' && text.Contains('T', StringComparison.Ordinal);
}
