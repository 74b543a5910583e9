using System.Text.Json.Serialization;
using Gateway.Http;

namespace Gateway.Partners;

/// <summary>A partner's channel as it is asked for.</summary>
/// <param name="Token">The bearer token of https and epcis; the API key at a hub that speaks epcis.</param>
/// <param name="PrivateRanges">Private networks that the address may lie in.</param>
/// <param name="HostKey">The key of the partner's SFTP server: type and base64.</param>
/// <param name="PrivateKey">Ours at the partner's SFTP server, in OpenSSH's form.</param>
/// <param name="Protocol">What a hub speaks.</param>
/// <param name="ClientCertificate">Ours at a hub that speaks emvs, with its private key, in PEM.</param>
/// <param name="Authority">The certificates, in PEM, that the hub's must descend from; none: those that this machine trusts.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChannelRequest(
    string? Kind, string? Url, string? Token = null, string[]? PrivateRanges = null, string? HostKey = null, string? PrivateKey = null, string? FileName = null, bool? ReplaceByRename = null,
    string? TriggerFile = null, string? ResponseFolder = null, string? AcceptPattern = null, string? RejectPattern = null, InboundSettings? Inbound = null,
    string? Protocol = null, string? ClientCertificate = null, string? Authority = null);

/// <summary>A channel that was looked at and can be.</summary>
/// <param name="Secret">The token, the private key, or the certificate with its key; null: none, or the one that is there.</param>
public sealed record ChannelSetup(string Kind, string Url, string? Secret, string[] PrivateRanges, ChannelSettings Settings)
{
    /// <returns>Why the channel cannot be so, or null.</returns>
    /// <param name="hasKey">The partner has a private key already, and the request may leave it out.</param>
    public static string? Refuse(ChannelRequest? request, PartnerOptions options, bool hasKey, out ChannelSetup setup)
    {
        setup = new("", request?.Url ?? "", request?.Token, request?.PrivateRanges ?? [], new ChannelSettings());
        if (request?.Kind is not ("https" or "epcis" or "sftp" or "folder" or "hub"))
        {
            return request?.Kind is "as2" or "soap" ? $"The channel {request.Kind} is not available yet; use https, epcis, sftp, folder or hub." : "channel.kind is https, epcis, sftp, folder or hub.";
        }
        if (setup.PrivateRanges.Length > 50)
        {
            return "channel.privateRanges holds at most 50 networks.";
        }
        if (setup.PrivateRanges.Select(PublicAddress.RefuseRange).FirstOrDefault(refusal => refusal is not null) is { } badRange)
        {
            return badRange;
        }
        setup = setup with { Kind = request.Kind };
        if (RefuseForeign(request) is { } foreign)
        {
            return foreign;
        }
        return request.Kind switch
        {
            "sftp" => RefuseSftp(request, options, hasKey, ref setup),
            "hub" => PublicAddress.Refuse(setup.Url, options.AllowPrivateAddresses, options.AllowedPorts, setup.PrivateRanges) ?? RefuseHub(request, hasKey, ref setup),
            "folder" => AllowedFolders.Refuse(setup.Url, options.Folders, out _) ?? RefuseFiles(request, ref setup),
            _ => PublicAddress.Refuse(setup.Url, options.AllowPrivateAddresses, options.AllowedPorts, setup.PrivateRanges),
        };
    }

    // What a channel would not heed is said, not dropped: whoever sends it means something by it.
    private static string? RefuseForeign(ChannelRequest request)
    {
        (string Name, object? Value, bool Fits)[] members =
        [
            ("token", request.Token, request.Kind is "https" or "epcis" || request is { Kind: "hub", Protocol: "epcis" }), ("privateRanges", request.PrivateRanges is [] ? null : request.PrivateRanges, request.Kind != "folder"),
            ("hostKey", request.HostKey, request.Kind == "sftp"), ("privateKey", request.PrivateKey, request.Kind == "sftp"), ("fileName", request.FileName, request.Kind is "sftp" or "folder"),
            ("replaceByRename", request.ReplaceByRename, request.Kind == "sftp"), ("triggerFile", request.TriggerFile, request.Kind is "sftp" or "folder"), ("responseFolder", request.ResponseFolder, request.Kind == "sftp"),
            ("acceptPattern", request.AcceptPattern, request.Kind == "sftp"), ("rejectPattern", request.RejectPattern, request.Kind == "sftp"), ("inbound", request.Inbound, request.Kind == "sftp"),
            ("protocol", request.Protocol, request.Kind == "hub"), ("clientCertificate", request.ClientCertificate, request.Kind == "hub" && request.Protocol != "epcis"), ("authority", request.Authority, request.Kind == "hub"),
        ];
        return members.Where(m => m is { Value: not null, Fits: false }).Select(m => $"channel.{m.Name} is nothing that the channel {request.Kind} knows.").FirstOrDefault();
    }

    private static string? RefuseHub(ChannelRequest request, bool hasKey, ref ChannelSetup setup)
    {
        if (!ChannelSettings.HubProtocols.Contains(request.Protocol))
        {
            return $"channel.protocol is {string.Join(" or ", ChannelSettings.HubProtocols)}.";
        }
        if (!setup.Url.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            return "A hub is spoken to over https only.";
        }
        var secret = request.Protocol == "epcis" ? request.Token : request.ClientCertificate;
        if (secret is null && !hasKey)
        {
            return request.Protocol == "epcis" ? "channel.token is missing: the API key." : "channel.clientCertificate is missing.";
        }
        if (request.Token is { } key && (key.Length is 0 or > 500 || key.Any(c => c is <= ' ' or >= (char)127)))
        {
            return "channel.token is 1 to 500 visible characters of ASCII.";
        }
        if (TlsIdentity.Refuse(request.ClientCertificate, request.Authority) is { } unusable)
        {
            return unusable;
        }
        setup = setup with { Secret = secret, Settings = new ChannelSettings { Protocol = request.Protocol, Authority = request.Authority } };
        return null;
    }

    private static string? RefuseSftp(ChannelRequest request, PartnerOptions options, bool hasKey, ref ChannelSetup setup)
    {
        if (SftpAddress.Refuse(setup.Url, out var address) is { } badUrl)
        {
            return badUrl;
        }
        if (!PublicAddress.IsPortAllowed(address.Port, options.AllowedPorts, options.AllowPrivateAddresses, SftpAddress.UsualPort))
        {
            return $"Port {address.Port} is not among the allowed ports.";
        }
        if (PublicAddress.IsForbiddenLiteral(address.Host, options.AllowPrivateAddresses, setup.PrivateRanges))
        {
            return "The URL leads to a private address.";
        }
        if (SshKeys.RefuseHostKey(request.HostKey, out var hostKey) is { } badHostKey)
        {
            return badHostKey;
        }
        setup = setup with { Settings = setup.Settings with { HostKey = hostKey, ReplaceByRename = request.ReplaceByRename ?? false, ResponseFolder = request.ResponseFolder, AcceptPattern = request.AcceptPattern, RejectPattern = request.RejectPattern, Inbound = request.Inbound } };
        if (request.PrivateKey is not null || !hasKey)
        {
            if (SshKeys.RefusePrivateKey(request.PrivateKey, out var privateKey) is { } badPrivateKey)
            {
                return badPrivateKey;
            }
            setup = setup with { Secret = privateKey };
        }
        if (request.ResponseFolder is { } responses && !FileNames.IsSafeFolder(responses))
        {
            return "channel.responseFolder is a folder of the partner's server, without quotes, patterns, or parts .. that lead upwards.";
        }
        if (request.ResponseFolder is null && (request.AcceptPattern ?? request.RejectPattern) is not null)
        {
            return "channel.acceptPattern and channel.rejectPattern need channel.responseFolder.";
        }
        if ((request.AcceptPattern ?? "{name}.ack") == (request.RejectPattern ?? "{name}.err"))
        {
            return "channel.acceptPattern and channel.rejectPattern are different names.";
        }
        if (request.Inbound is { } inbound && (inbound.Folder is null || !FileNames.IsSafeFolder(inbound.Folder) || inbound.Archive is { } archive && (!FileNames.IsSafeFolder(archive) || archive == inbound.Folder)))
        {
            return "channel.inbound has a folder and, when files are not to be deleted, an archive: two folders of the partner's server, without quotes, patterns, or parts .. that lead upwards.";
        }
        if (request.Inbound?.Folder is { } fetched && (Same(fetched, new Uri(setup.Url).AbsolutePath) || request.ResponseFolder is { } answers && Same(fetched, answers)))
        {
            return "channel.inbound.folder is another folder than that of url and than responseFolder: what we lay there is not fetched again.";
        }
        return (request.AcceptPattern is { } accept ? FileNames.RefusePattern("acceptPattern", accept) : null)
            ?? (request.RejectPattern is { } reject ? FileNames.RefusePattern("rejectPattern", reject) : null)
            ?? RefuseFiles(request, ref setup);
    }

    private static bool Same(string folder, string other) => Bare(folder) == Bare(other);

    private static string Bare(string folder) => Uri.UnescapeDataString(folder).Replace("/~/", "/", StringComparison.Ordinal).Trim('/');

    private static string? RefuseFiles(ChannelRequest request, ref ChannelSetup setup)
    {
        setup = setup with { Settings = setup.Settings with { FileName = request.FileName, TriggerFile = request.TriggerFile } };
        return (request.FileName is { } rule ? FileNames.RefuseRule(rule) : null) ?? (request.TriggerFile is { } trigger ? FileNames.RefusePattern("triggerFile", trigger) : null);
    }
}
