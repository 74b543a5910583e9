namespace Gateway.Host.Simulate;

/// <summary>What a trading partner says to have received, as an EPCIS 1.2 document of its own.</summary>
/// <param name="at">When the goods were received, and the document made.</param>
public sealed class ReceiptDocument(SimulatedParty receiver, DateTimeOffset at)
{
    private readonly List<(Guid Id, string[] Epcs, string Disposition)> _events = [];

    /// <param name="epcs">What is named: a container stands for all that is in it.</param>
    /// <param name="disposition">A word of CBV: in what state it came.</param>
    public void Add(Guid id, IEnumerable<string> epcs, string disposition) => _events.Add((id, [.. epcs], disposition));

    public byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        using (var xml = new EpcisXmlWriter(bytes))
        {
            xml.StartDocument(at);
            xml.Start("EPCISBody");
            xml.Start("EventList");
            foreach (var (id, epcs, disposition) in _events)
            {
                xml.EventStart("ObjectEvent", at, $"urn:uuid:{id}");
                xml.Epcs("epcList", epcs);
                xml.WhyAndWhere("OBSERVE", "receiving", disposition, receiver.Site.Sgln, receiver.Site.Sgln);
                xml.End();
            }
            xml.EndDocument();
        }
        return bytes.ToArray();
    }
}
