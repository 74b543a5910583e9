using Gateway.MasterData;

namespace Gateway.Intake;

/// <summary>A line, as events name its place.</summary>
/// <param name="ReadPoint">The EPC URI of the line.</param>
/// <param name="BizLocation">That of its site; null when it is not known.</param>
public sealed record LinePlace(string ReadPoint, string? BizLocation);

/// <summary>What a file is read with, besides its mapping.</summary>
/// <param name="Known">Products and company prefixes.</param>
/// <param name="ReceivedAt">The gateway's clock when the file came.</param>
/// <param name="DocumentHash">SHA-256 of the file: events are named by it, so that the same file says the same events.</param>
public sealed record IntakeContext(MasterDataSnapshot Known, DateTimeOffset ReceivedAt, byte[] DocumentHash)
{
    /// <summary>Places by the codes of lines.</summary>
    public IReadOnlyDictionary<string, LinePlace> Lines { get; init; } = new Dictionary<string, LinePlace>();

    /// <summary>The line that the file came from, when it does not say so itself.</summary>
    public string? Line { get; init; }

    /// <summary>The site's time zone, for mappings that leave it to the site: <c>header.site-zone</c> has it.</summary>
    public string? SiteZone { get; init; }

    /// <summary>How far ahead of the gateway's clock a time may lie.</summary>
    public TimeSpan FutureTolerance { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>Which of some EPCs have been commissioned before, as far as the ledger knows.</summary>
    public Func<IReadOnlyList<string>, IReadOnlySet<string>> EverCommissioned { get; init; } = _ => new HashSet<string>();

    /// <summary>More events are not made of one file: they are numbered within it.</summary>
    public int MaxEvents { get; init; } = 1_000_000;

    /// <summary>More records are not taken in one file.</summary>
    public int MaxRecords { get; init; } = 1_000_000;
}
