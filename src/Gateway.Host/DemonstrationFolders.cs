using Gateway.Host.Simulate;

namespace Gateway.Host;

/// <summary>The folders of partners that take files, and those into which partners lay theirs, below the data directory of a demonstration.</summary>
/// <param name="root">Its real path.</param>
public sealed class DemonstrationFolders(string root)
{
    /// <summary>Made when it is missing: what is for the partner.</summary>
    public string Outgoing(DemonstrationPartner partner) => Made(Path.Combine(root, partner.Path, "for-partner"));

    /// <summary>Made when it is missing: what is from the partner.</summary>
    public string Incoming(DemonstrationPartner partner) => Made(Path.Combine(root, partner.Path, "from-partner"));

    /// <summary>What a gateway is told of them.</summary>
    public IEnumerable<KeyValuePair<string, string?>> Settings
    {
        get
        {
            yield return new("Delivery:Folders:0", root);
            foreach (var (partner, n) in DemonstrationCast.Partners.Where(p => p is { Channel: DemonstrationCast.Folder, TellsReceipts: true }).Select((p, n) => (p, n)))
            {
                yield return new($"Capture:Inbound:{n}:Folder", Incoming(partner));
                yield return new($"Capture:Inbound:{n}:Party", partner.Party.Owner.Gln);
            }
        }
    }

    private static string Made(string folder) => Directory.CreateDirectory(folder).FullName;
}
