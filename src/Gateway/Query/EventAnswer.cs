using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Epcis;
using Epcis.Conversion;
using Epcis.Formats;
using Epcis.Formats.JsonLd;
using Epcis.Formats.Xml;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Gateway.Units;
using Gateway.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gateway.Query;

/// <summary>
/// Streams events as an EPCISQueryDocument: JSON as it was rendered at capture, unless identifiers are to be spelled otherwise;
/// XML written from that rendering.
/// </summary>
internal static partial class EventAnswer
{
    private const string QueryName = "SimpleEventQuery";
    private const int EventsAtOnce = 20;

    /// <param name="eventIds">In the order of the answer, which is theirs.</param>
    /// <param name="prefixes">Say how long the company prefix of a Digital Link is; where they do not, it is not guessed.</param>
    public static async Task WriteAsync(HttpResponse response, GatewayDatabase database, Actor actor, long[] eventIds, DateTime now, AnswerForm form, CompanyPrefixes prefixes, ILogger log, CancellationToken ct)
    {
        response.ContentType = form.MediaType;
        response.Headers[EpcisHeaders.EpcFormatName] = form.Epc;
        var rows = ReadAsync(database, actor, eventIds, ct);
        // What is not translated is counted; the caller sees it in the answer itself.
        var untranslated = new Findings(limit: 0);
        var translation = new IdentifierTranslation(new ConversionOptions(form.IsXml ? DocumentForm.Xml20 : DocumentForm.JsonLd20) { EpcFormat = form.EpcFormat, CompanyPrefixes = prefixes }, untranslated);
        if (form.IsXml)
        {
            response.Headers[EpcisHeaders.CbvFormatName] = form.Cbv;
            await WriteXmlAsync(response.Body, rows, now, form.CbvSpelling, translation, log, ct);
        }
        else
        {
            await WriteJsonAsync(response.Body, rows, now, form.EpcFormat, translation, log, ct);
        }
        if (untranslated.Dropped > 0)
        {
            NotTranslated(log, untranslated.Dropped, form.Epc);
        }
    }

    /// <summary>Some events at a time, each time in a transaction of its own: who reads slowly holds no connection and no snapshot.</summary>
    private static async IAsyncEnumerable<(string Body, DateTime RecordTime)> ReadAsync(GatewayDatabase database, Actor actor, long[] eventIds, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var some in eventIds.Chunk(EventsAtOnce))
        {
            var events = await database.ReadAsync<(string, DateTime)>(actor, "select body, record_time from event where event_id = any(@some) order by event_id", new { some }, ct);
            foreach (var one in events)
            {
                yield return one;
            }
        }
    }

    private static async Task WriteJsonAsync(Stream stream, IAsyncEnumerable<(string Body, DateTime RecordTime)> rows, DateTime now, EpcFormat format, IdentifierTranslation translation, ILogger log, CancellationToken ct)
    {
        await using var document = new JsonQueryDocumentWriter(stream);
        document.Begin(QueryName, now);
        await foreach (var (body, recordTime) in rows)
        {
            await document.EventAsync(WithRecordTime(MayChange(body, format) ? Translated(body, translation, log) : body, recordTime), ct);
        }
        await document.EndAsync(ct);
    }

    /// <summary>What has no identifier of the other spelling is answered as it is, without being read.</summary>
    private static bool MayChange(string body, EpcFormat format) => format switch
    {
        EpcFormat.AlwaysDigitalLink => body.Contains("urn:epc:", StringComparison.OrdinalIgnoreCase),
        EpcFormat.AlwaysEpcUrn => true,
        _ => false,
    };

    /// <summary>The event in the other spelling; as it is stored when it does not read back without fault, for nothing of it may be lost.</summary>
    private static string Translated(string body, IdentifierTranslation translation, ILogger log)
    {
        using var reader = Opened(body);
        if (reader.Findings.HasErrors)
        {
            NotReadBack(log, reader.Current.EventId, reader.Findings.All[^1].Code);
            return body;
        }
        return Encoding.UTF8.GetString(JsonEventWriter.ToUtf8(translation.Of(reader.Current), recordTime: null, reader.Header.Namespaces));
    }

    private static async Task WriteXmlAsync(
        Stream stream, IAsyncEnumerable<(string Body, DateTime RecordTime)> rows, DateTime now, CbvSpelling cbv, IdentifierTranslation translation, ILogger log, CancellationToken ct)
    {
        var findings = new Findings();
        await using var document = new XmlQueryDocumentWriter(stream, findings, cbv);
        document.Begin(QueryName, now);
        await foreach (var (body, recordTime) in rows)
        {
            using var reader = Opened(body);
            var told = findings.ErrorCount;
            await document.EventAsync(translation.Of(reader.Current), recordTime, reader.Header.Namespaces, ct);
            if (findings.ErrorCount > told || reader.Findings.HasErrors)
            {
                NotSaidInXml(log, reader.Current.EventId, (reader.Findings.HasErrors ? reader.Findings : findings).All[^1].Code);
            }
        }
        await document.EndAsync(ct);
    }

    /// <summary>A reader that stands on the stored event.</summary>
    private static JsonEpcisReader Opened(string body)
    {
        var reader = JsonEpcisReader.ReadBareEvent(new MemoryStream(Encoding.UTF8.GetBytes(body)), StoredEvents.Limits);
        // What is stored was rendered here from a checked event, so it is one.
        return reader.Read() ? reader : throw new InvalidOperationException($"A stored event cannot be read: {reader.Findings.All.FirstOrDefault()?.Message}");
    }

    // The rendering is stored without recordTime, which is known only when it is stored; it begins with '{' and is not empty.
    private static byte[] WithRecordTime(string body, DateTime recordTime) =>
        Encoding.UTF8.GetBytes(string.Concat("{\"recordTime\":\"", recordTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture), "\",", body.AsSpan(1)));

    [LoggerMessage(1201, LogLevel.Warning, "Event {EventId} was answered as XML, which cannot say all of it: {Code}.")]
    private static partial void NotSaidInXml(ILogger log, string? eventId, string code);

    [LoggerMessage(1202, LogLevel.Information, "{Count} identifiers of an answer stayed as they were captured: EPCIS-OUT-09, asked for as {Format}.")]
    private static partial void NotTranslated(ILogger log, int count, string format);

    [LoggerMessage(1203, LogLevel.Warning, "Event {EventId} was answered as it is stored, because it does not read back without fault: {Code}.")]
    private static partial void NotReadBack(ILogger log, string? eventId, string code);
}
