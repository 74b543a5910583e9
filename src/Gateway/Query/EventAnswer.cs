using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Epcis;
using Epcis.Formats;
using Epcis.Formats.JsonLd;
using Epcis.Formats.Xml;
using Gateway.Access;
using Gateway.Database;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gateway.Query;

/// <summary>Streams events as an EPCISQueryDocument: JSON as it was rendered at capture, XML written from that rendering.</summary>
internal static partial class EventAnswer
{
    private const string QueryName = "SimpleEventQuery";
    private const int EventsAtOnce = 20;

    /// <param name="eventIds">In the order of the answer, which is theirs.</param>
    public static async Task WriteAsync(HttpResponse response, GatewayDatabase database, Actor actor, long[] eventIds, DateTime now, AnswerForm form, ILogger log, CancellationToken ct)
    {
        response.ContentType = form.MediaType;
        var rows = ReadAsync(database, actor, eventIds, ct);
        if (form.IsXml)
        {
            await WriteXmlAsync(response.Body, rows, now, form.Cbv, log, ct);
            return;
        }
        await using var document = new JsonQueryDocumentWriter(response.Body);
        document.Begin(QueryName, now);
        await foreach (var (body, recordTime) in rows)
        {
            await document.EventAsync(WithRecordTime(body, recordTime), ct);
        }
        await document.EndAsync(ct);
    }

    /// <summary>Some events at a time, each time in a transaction of its own: who reads slowly holds no connection and no snapshot.</summary>
    private static async IAsyncEnumerable<(string Body, DateTime RecordTime)> ReadAsync(GatewayDatabase database, Actor actor, long[] eventIds, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var some in eventIds.Chunk(EventsAtOnce))
        {
            var events = new List<(string, DateTime)>(some.Length);
            await using (var work = await database.BeginAsync(actor, ct))
            {
                await using var select = new NpgsqlCommand("select body, record_time from event where event_id = any($1) order by event_id", work.Connection, work.Transaction) { Parameters = { new() { Value = some } } };
                await using var rows = await select.ExecuteReaderAsync(ct);
                while (await rows.ReadAsync(ct))
                {
                    events.Add((rows.GetString(0), rows.GetDateTime(1)));
                }
            }
            foreach (var one in events)
            {
                yield return one;
            }
        }
    }

    private static async Task WriteXmlAsync(Stream stream, IAsyncEnumerable<(string Body, DateTime RecordTime)> rows, DateTime now, CbvSpelling cbv, ILogger log, CancellationToken ct)
    {
        var findings = new Findings();
        await using var document = new XmlQueryDocumentWriter(stream, findings, cbv);
        document.Begin(QueryName, now);
        await foreach (var (body, recordTime) in rows)
        {
            using var reader = JsonEpcisReader.ReadBareEvent(new MemoryStream(Encoding.UTF8.GetBytes(body)), ReaderLimits.Default);
            // What is stored was rendered here from a checked event, so it is one.
            if (!reader.Read())
            {
                throw new InvalidOperationException($"A stored event cannot be read: {reader.Findings.All.FirstOrDefault()?.Message}");
            }
            var told = findings.ErrorCount;
            await document.EventAsync(reader.Current, recordTime, reader.Header.Namespaces, ct);
            if (findings.ErrorCount > told || reader.Findings.HasErrors)
            {
                NotSaidInXml(log, reader.Current.EventId, (reader.Findings.HasErrors ? reader.Findings : findings).All[^1].Code);
            }
        }
        await document.EndAsync(ct);
    }

    // The rendering is stored without recordTime, which is known only when it is stored; it begins with '{' and is not empty.
    private static byte[] WithRecordTime(string body, DateTime recordTime) =>
        Encoding.UTF8.GetBytes(string.Concat("{\"recordTime\":\"", recordTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture), "\",", body.AsSpan(1)));

    [LoggerMessage(1201, LogLevel.Warning, "Event {EventId} was answered as XML, which cannot say all of it: {Code}.")]
    private static partial void NotSaidInXml(ILogger log, string? eventId, string code);
}
