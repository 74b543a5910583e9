using System.Globalization;
using Epcis;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.Xml;
using Gateway.Units;

namespace Gateway.Hub.EpcisReport;

/// <summary>A message of packs as an EPCIS 1.2 document: one event that commissions them, with lot and expiry.</summary>
internal static class EpcisReportMessages
{
    private const string MasterData = "urn:epcglobal:cbv:mda";

    private static readonly Dictionary<string, string> s_namespaces = new() { ["cbvmda"] = MasterData };

    /// <summary>An event is one record, so the message is in memory while it is written: it is small.</summary>
    public static async Task WriteAsync(PackDataMessage message, IAsyncEnumerable<string> serials, Stream to, CancellationToken ct)
    {
        var epcs = new List<string>(message.Count);
        await foreach (var serial in serials.WithCancellation(ct))
        {
            epcs.Add(UnitKey.ToEpc($"01{message.Product.Gtin}21{serial}", message.PrefixLength));
        }
        var time = message.Timestamp.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var told = new ObjectEvent
        {
            EventTime = new DateTimeOffset(DateTime.SpecifyKind(message.Timestamp, DateTimeKind.Utc)), EventTimeText = time, EventTimeZoneOffset = "+00:00", EventId = $"urn:uuid:{message.CorrelationId}", Action = EventAction.Add,
            EpcList = epcs, BizStep = "urn:epcglobal:cbv:bizstep:commissioning", Disposition = "urn:epcglobal:cbv:disp:active",
            Ilmd =
            [
                new Extension(MasterData, "cbvmda", "lotNumber") { Text = message.Lot },
                new Extension(MasterData, "cbvmda", "itemExpirationDate") { Text = message.Expiry.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) },
            ],
        };
        var findings = new Findings();
        await using var xml = new XmlDocumentWriter(to, DocumentForm.Xml12, findings);
        xml.Begin(new DocumentHeader { DocumentType = "EPCISDocument", SchemaVersion = "1.2", CreationDate = time, Namespaces = s_namespaces });
        await xml.CopyAsync(told, s_namespaces, ct);
        await xml.EndAsync(ct);
        if (findings.All.FirstOrDefault(f => f.Severity == Severity.Error) is { } wrong)
        {
            throw new InvalidOperationException($"The report cannot be written: {wrong.Message}");
        }
    }
}
