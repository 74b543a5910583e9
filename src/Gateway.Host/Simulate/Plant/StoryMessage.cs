using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gateway.Host.Simulate.Plant;

/// <summary>How a message travels.</summary>
[Flags]
public enum Travel
{
    Well = 0,
    Twice = 1,

    /// <summary>After those that follow it.</summary>
    Behind = 2,

    /// <summary>Never.</summary>
    Lost = 4,

    /// <summary>With another content afterwards.</summary>
    Contradicted = 8,

    /// <summary>When all others have come.</summary>
    Late = 16,

    /// <summary>Its store was lost before it was sent.</summary>
    Forgotten = 32,
}

/// <summary>Something that a device says in a story. Its bytes are the same whenever they are sent.</summary>
/// <param name="at">Milliseconds since the story began.</param>
/// <param name="ids">The element strings of what it is about.</param>
public sealed class StoryMessage(string device, long at, string type, IReadOnlyList<(string Name, object Value)> members, IReadOnlyList<string> ids)
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Device { get; } = device;

    /// <summary>Milliseconds since the story began.</summary>
    public long At { get; } = at;

    /// <summary>The element strings of what it is about.</summary>
    public IReadOnlyList<string> Ids { get; } = ids;

    /// <summary>From 0: how often the device had lost its store.</summary>
    public int Epoch { get; set; }

    /// <summary>From 1 in each epoch.</summary>
    public long Seq { get; set; }

    /// <summary>What the device's clock was ahead, in milliseconds.</summary>
    public double ClockError { get; set; }

    public Travel Travel { get; set; }

    /// <param name="start">When the story began, by a clock that is right.</param>
    /// <param name="firstEpoch">What the gateway calls the device's first epoch of the story.</param>
    /// <param name="contradicted">With another content under the same number.</param>
    /// <param name="before">Numbers of the story's epoch that were told in an epoch which the gateway has ended.</param>
    public ReadOnlyMemory<byte> Render(DateTimeOffset start, int firstEpoch, bool contradicted = false, long before = 0)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(bytes, s_json))
        {
            json.WriteStartObject();
            json.WriteString("dev", Device);
            json.WriteNumber("ep", firstEpoch + Epoch);
            json.WriteNumber("seq", Seq - before);
            json.WriteString("ts", start.AddMilliseconds(At + ClockError).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteNumber("mono", At);
            json.WriteString("typ", type);
            foreach (var (name, value) in members)
            {
                Write(json, name, name == "pass" && contradicted ? !(bool)value : value);
            }
            if (contradicted)
            {
                json.WriteBoolean("again", true);
            }
            json.WriteEndObject();
        }
        return bytes.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter json, string name, object value)
    {
        switch (value)
        {
            case bool b:
                json.WriteBoolean(name, b);
                break;
            case int n:
                json.WriteNumber(name, n);
                break;
            case IEnumerable<string> list:
                json.WriteStartArray(name);
                foreach (var item in list)
                {
                    json.WriteStringValue(item);
                }
                json.WriteEndArray();
                break;
            default:
                json.WriteString(name, (string)value);
                break;
        }
    }
}
