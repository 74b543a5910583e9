namespace Gateway.Devices;

/// <summary>A device as its status row has it, held for the transaction.</summary>
internal sealed record DeviceStream
{
    public int DeviceId { get; init; }
    public int PartyId { get; init; }
    public int LineId { get; init; }
    public string Name { get; init; } = "";
    public string KeyId { get; init; } = "";
    public int Epoch { get; init; }
    public long LastSeq { get; init; }
    public double OffsetMs { get; init; }
    public Sequence Sequence { get; set; } = new(0, []);
}

/// <summary>A post against what its device had said before: what of it is new, what had come, and what contradicts it.</summary>
internal sealed class TakenPost(MessagePost post, PostRefusal refusal, DeviceStream? stream = null)
{
    private readonly List<(DeviceMessage Message, string State, DateTime CorrectedAt)> _fresh = [];
    private readonly List<long> _rejected = [];

    public MessagePost Post { get; } = post;
    public PostRefusal Refusal { get; private set; } = refusal;
    public DeviceStream? Stream { get; } = stream;
    public IReadOnlyList<(DeviceMessage Message, string State, DateTime CorrectedAt)> Fresh => _fresh;
    public IReadOnlyList<long> Rejected => _rejected;
    public int Duplicates { get; private set; }

    /// <param name="known">SHA-256 of what is stored already.</param>
    public static TakenPost Of(MessagePost post, DeviceStream stream, Dictionary<(int DeviceId, long Seq), byte[]> known, DateTime now)
    {
        var epoch = post.Messages[0].Epoch;
        var taken = new TakenPost(post, epoch < stream.Epoch ? PostRefusal.EpochStale : epoch > stream.Epoch ? PostRefusal.EpochUnknown : PostRefusal.None, stream);
        if (taken.Refusal != PostRefusal.None)
        {
            return taken;
        }
        var fresh = new SortedDictionary<long, DeviceMessage>();
        foreach (var message in post.Messages)
        {
            var before = known.GetValueOrDefault((stream.DeviceId, message.Seq)) ?? fresh.GetValueOrDefault(message.Seq)?.Sha256;
            if (before is null)
            {
                fresh.Add(message.Seq, message);
            }
            else if (before.AsSpan().SequenceEqual(message.Sha256))
            {
                taken.Duplicates++;
            }
            else
            {
                taken._rejected.Add(message.Seq);
            }
        }
        foreach (var seq in fresh.Keys)
        {
            if (seq - stream.Sequence.Last > DeviceLimits.MaxAhead)
            {
                taken.Refusal = PostRefusal.Scattered;
                return taken;
            }
            stream.Sequence.Take(seq);
        }
        if (stream.Sequence.Missing.Count() > DeviceLimits.MaxMissingRanges)
        {
            taken.Refusal = PostRefusal.Scattered;
            return taken;
        }
        foreach (var (seq, message) in fresh)
        {
            // LINES.md section 7: corrected is the device's time less the offset.
            var corrected = message.At.AddMilliseconds(-stream.OffsetMs);
            taken._fresh.Add((message, corrected > now + DeviceLimits.Future ? "quarantined" : seq > stream.Sequence.WaitsAfter ? "waiting" : "ready", corrected));
        }
        return taken;
    }

    public MessagesAnswer Answer(int maxAsked) => new(Stream!.Sequence.AckedThrough, [.. Stream.Sequence.Missing.Take(maxAsked).Select(m => (long[])[m.From, m.To])],
        [.. _rejected.Select(seq => new RejectedMessage(seq, DeviceCodes.Conflict))], Duplicates);
}
