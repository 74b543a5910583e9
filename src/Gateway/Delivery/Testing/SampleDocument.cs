using System.Globalization;
using System.Security.Cryptography;
using Dapper;
using Epcis;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.JsonLd;
using Epcis.Formats.Xml;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Delivery.Testing;

/// <summary>
/// A document that says of itself that it is a test: its number begins with TEST, its one event has a member of its own that says so, observes and
/// ships nothing, and names a product under the prefix 952, which GS1 keeps for examples. It is stored as any document that is sent, so what went out is known for ever.
/// </summary>
internal sealed class SampleDocument(GatewayDatabase database)
{
    private const string Namespace = "urn:gateway:test", Prefix = "gwtest";

    /// <param name="format">The partner's.</param>
    public async Task<(long DocumentId, byte[] Sha256, long Length, string MediaType, DateTime At)> StoreAsync(Actor actor, Guid messageId, string format, string partnerGln, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        var (partyId, gln, at) = await work.Connection.QuerySingleAsync<(int, string?, DateTime)>("select party_id, gln, gateway_now() from party where kind = 'organisation'", transaction: work.Transaction);
        var bytes = await BytesAsync(messageId, format, gln ?? "", partnerGln, at, ct);
        var (sha256, mediaType) = (SHA256.HashData(bytes), format == "2.0-json" ? "application/ld+json" : "application/xml");
        var documentId = await work.Connection.ExecuteScalarAsync<long>("insert into document (party_id, sha256, length, media_type, received_at) values (@partyId, @sha256, @length, @mediaType, @at) returning document_id",
            new { partyId, sha256, length = (long)bytes.Length, mediaType, at }, work.Transaction);
        await work.Connection.ExecuteAsync("insert into document_chunk (document_id, party_id, ordinal, bytes) values (@documentId, @partyId, 0, @bytes)", new { documentId, partyId, bytes }, work.Transaction);
        await work.CommitAsync();
        return (documentId, sha256, bytes.Length, mediaType, at);
    }

    internal static async Task<byte[]> BytesAsync(Guid messageId, string format, string from, string to, DateTime at, CancellationToken ct)
    {
        var time = at.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var namespaces = new Dictionary<string, string> { [Prefix] = Namespace };
        var header = new DocumentHeader
        {
            DocumentType = "EPCISDocument", SchemaVersion = format == "1.2-xml" ? "1.2" : "2.0", CreationDate = time, Namespaces = namespaces,
            Sbdh = new StandardBusinessDocumentHeader
            {
                Senders = [new SbdhParty("GLN", from)], Receivers = [new SbdhParty("GLN", to)], InstanceIdentifier = $"TEST-{messageId}", Type = "Events", CreationDateAndTime = time,
            },
        };
        var sample = new ObjectEvent
        {
            EventTime = new DateTimeOffset(at, TimeSpan.Zero), EventTimeText = time, EventTimeZoneOffset = "+00:00", Action = EventAction.Observe,
            EpcList = [$"urn:epc:id:sgtin:9521321.000000.TEST-{messageId.ToString("N")[..12]}"], BizStep = "urn:epcglobal:cbv:bizstep:inspecting", Disposition = "urn:epcglobal:cbv:disp:in_progress",
            Extensions = [new Extension(Namespace, Prefix, "testDocument") { Text = "true" }],
        };
        var stream = new MemoryStream();
        var findings = new Findings();
        if (format == "2.0-json")
        {
            await using var json = new JsonDocumentWriter(stream, findings);
            json.Begin(header);
            await json.CopyAsync(sample, namespaces, ct);
            await json.EndAsync(ct);
        }
        else
        {
            await using var xml = new XmlDocumentWriter(stream, format == "1.2-xml" ? DocumentForm.Xml12 : DocumentForm.Xml20, findings);
            xml.Begin(header);
            await xml.CopyAsync(sample, namespaces, ct);
            await xml.EndAsync(ct);
        }
        return findings.All.FirstOrDefault(f => f.Severity == Severity.Error) is { } wrong ? throw new InvalidOperationException($"The sample cannot be written: {wrong.Message}") : stream.ToArray();
    }
}
