using Epcis.Formats;

namespace Gateway.Host.Simulate;

/// <summary>A partner that takes its documents from a folder, and some time later lays into another what it has received.</summary>
public sealed class FolderPartner(SimulatedParty party, string from, string into, TimeProvider time)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan GoodsArriveAfter = TimeSpan.FromMinutes(1);

    /// <summary>Takes and tells until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(Every, time, ct);
            await ReceiveAsync(time.GetUtcNow(), ct);
        }
    }

    /// <summary>Takes what has lain there long enough, and tells of all of it in one document.</summary>
    public async Task ReceiveAsync(DateTimeOffset now, CancellationToken ct)
    {
        List<FileInfo> arrived = [.. new DirectoryInfo(from).GetFiles("*.xml").Where(f => f.Name[0] != '.' && f.LastWriteTimeUtc <= now - GoodsArriveAfter).OrderBy(f => f.LastWriteTimeUtc)];
        if (arrived.Count == 0)
        {
            return;
        }
        if (arrived.SelectMany(Shipped).ToList() is { Count: > 0 } epcs)
        {
            var receipt = new ReceiptDocument(party, now);
            receipt.Add(Guid.NewGuid(), epcs, "in_progress");
            var name = $"received-{now:yyyyMMddHHmmss}.xml";
            var hidden = Path.Combine(into, "." + name);
            await File.WriteAllBytesAsync(hidden, receipt.ToBytes(), ct);
            File.Move(hidden, Path.Combine(into, name));
        }
        arrived.ForEach(f => f.Delete());
    }

    // Whatever else somebody lays into the folder is nothing that was received.
    private static List<string> Shipped(FileInfo file)
    {
        var epcs = new List<string>();
        using var stream = file.OpenRead();
        using var reader = EpcisDocument.OpenUnvalidated(stream, ReaderLimits.Default);
        while (reader.Read())
        {
            if (reader.Current.BizStep?.EndsWith(":shipping", StringComparison.Ordinal) == true)
            {
                epcs.AddRange(reader.Current.Epcs.Select(e => e.Epc));
            }
        }
        return epcs;
    }
}
