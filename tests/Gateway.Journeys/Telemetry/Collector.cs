using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gateway.Journeys.Telemetry;

/// <summary>A span as it came over the wire.</summary>
public sealed record Span(string TraceId, string SpanId, string ParentSpanId, string Name, IReadOnlyDictionary<string, string> Tags);

/// <summary>An OTLP collector on a loopback socket: keeps what is posted, and reads as much protobuf as the tests ask about.</summary>
public sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Path, byte[] Body)> _posts = new();

    private Collector(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    public IReadOnlyList<Span> Spans => [.. Bodies("/v1/traces").SelectMany(SpansOf)];

    /// <summary>Everything posted as Latin-1, to look for words that must be there or must not.</summary>
    public string Text => string.Concat(_posts.Select(p => Encoding.Latin1.GetString(p.Body)));

    public IReadOnlyList<string> Metrics => [.. Bodies("/v1/metrics").SelectMany(b => Inside(b, 1, 2, 2)).Select(m => Text1(m, 1)).Distinct()];

    public static async Task<Collector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var collector = new Collector(app);
        app.MapPost("/{**path}", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            collector._posts.Enqueue((request.Path, body.ToArray()));
            return Results.Bytes([], "application/x-protobuf");
        });
        await app.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private IEnumerable<byte[]> Bodies(string path) => _posts.Where(p => p.Path == path).Select(p => p.Body);

    // ExportTraceServiceRequest.resource_spans(1) > scope_spans(2) > spans(2): trace_id 1, span_id 2, parent_span_id 4, name 5, attributes 9.
    private static IEnumerable<Span> SpansOf(byte[] body) => Inside(body, 1, 2, 2).Select(s => new Span(Hex(s, 1), Hex(s, 2), Hex(s, 4), Text1(s, 5),
        Inside(s, 9).GroupBy(a => Text1(a, 1)).ToDictionary(a => a.Key, a => Inside(a.First(), 2).Select(v => Text1(v, 1)).FirstOrDefault(""))));

    private static IEnumerable<byte[]> Inside(byte[] message, params int[] path) =>
        path.Length == 0 ? [message] : Fields(message).Where(f => f.Number == path[0]).SelectMany(f => Inside(f.Bytes, path[1..]));

    private static string Hex(byte[] message, int field) => Convert.ToHexStringLower(Fields(message).FirstOrDefault(f => f.Number == field).Bytes ?? []);

    private static string Text1(byte[] message, int field) => Encoding.UTF8.GetString(Fields(message).FirstOrDefault(f => f.Number == field).Bytes ?? []);

    /// <summary>The length-delimited fields of a message; numbers are passed over.</summary>
    private static List<(int Number, byte[] Bytes)> Fields(byte[] message)
    {
        var fields = new List<(int, byte[])>();
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message, ref at);
            switch (key & 7)
            {
                case 0:
                    Varint(message, ref at);
                    break;
                case 1:
                    at += sizeof(double);
                    break;
                case 2:
                    var length = (int)Varint(message, ref at);
                    fields.Add(((int)(key >> 3), message[at..(at + length)]));
                    at += length;
                    break;
                default:
                    at += sizeof(float);
                    break;
            }
        }
        return fields;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = message[at++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }
    }
}
