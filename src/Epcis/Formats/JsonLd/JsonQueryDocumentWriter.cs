using System.Text.Json;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// Streams an EPCISQueryDocument around events that are already rendered: begin, any number of events, end. Memory holds
/// one event and a small buffer, so a page may be of any size.
/// </summary>
public sealed class JsonQueryDocumentWriter(Stream stream) : IAsyncDisposable
{
    private const int FlushAtBytes = 32 << 10;
    private readonly Utf8JsonWriter _json = new(stream, JsonEventWriter.Options);

    /// <param name="subscriptionId">For the delivery of a subscription.</param>
    public void Begin(string queryName, DateTimeOffset creationDate, string? subscriptionId = null)
    {
        _json.WriteStartObject();
        JsonEventWriter.Context(_json, new Dictionary<string, string>());
        _json.WriteString("type", JsonHeaderParser.QueryDocument);
        _json.WriteString("schemaVersion", "2.0");
        _json.WriteString("creationDate", JsonEventWriter.Instant(creationDate));
        _json.WriteStartObject("epcisBody");
        _json.WriteStartObject("queryResults");
        _json.WriteString("queryName", queryName);
        if (subscriptionId is not null)
        {
            _json.WriteString("subscriptionID", subscriptionId);
        }
        _json.WriteStartObject("resultsBody");
        _json.WriteStartArray("eventList");
    }

    /// <param name="rendered">What <see cref="JsonEventWriter"/> made.</param>
    public async ValueTask EventAsync(ReadOnlyMemory<byte> rendered, CancellationToken ct)
    {
        _json.WriteRawValue(rendered.Span, skipInputValidation: true);
        if (_json.BytesPending >= FlushAtBytes)
        {
            await _json.FlushAsync(ct).ConfigureAwait(false);
        }
    }

    /// <summary>Closes the document; without it what was written is cut short.</summary>
    public async ValueTask EndAsync(CancellationToken ct)
    {
        _json.WriteEndArray();
        for (var level = 0; level < 4; level++)
        {
            _json.WriteEndObject();
        }
        await _json.FlushAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Lets go of the buffer, and closes nothing of the document. The stream remains the caller's.</summary>
    public ValueTask DisposeAsync() => _json.DisposeAsync();
}
