namespace Gateway.Partners;

/// <summary>What an address of a partner may be; read from the section of delivery, which checks it again when it connects.</summary>
public sealed class PartnerOptions
{
    public const string Section = "Delivery";

    /// <summary>Lets private addresses and http pass: the demonstration and tests only.</summary>
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>The ports that addresses may name; none listed means 443, and 22 for SFTP.</summary>
    public int[] AllowedPorts { get; init; } = [];

    /// <summary>The roots below which partners' folders of this machine lie; none listed means that there are none.</summary>
    public string[] Folders { get; init; } = [];
}

/// <summary>Section <c>Partners</c> of the configuration.</summary>
public sealed class GoLiveOptions
{
    public const string Section = "Partners";

    /// <summary>Whether a partner waits, paused, until the version of its setup is signed for go-live.</summary>
    public bool GoLiveNeedsSignature { get; init; }
}
