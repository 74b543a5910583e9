using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.Partners;

/// <summary>What a channel of files, or a hub, needs to know beside its address, as the partner row keeps it.</summary>
public sealed record ChannelSettings
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };

    /// <summary>The only key that the partner's server may show: type and base64.</summary>
    public string? HostKey { get; init; }

    /// <summary>The name of a document's file without its ending; null: <c>{message}</c>.</summary>
    public string? FileName { get; init; }

    /// <summary>A file of the same name is replaced; otherwise it stands, and is refused when it is another.</summary>
    public bool ReplaceByRename { get; init; }

    /// <summary>The name of an empty file that is written when the document stands whole; null: none is.</summary>
    public string? TriggerFile { get; init; }

    /// <summary>Where the partner lays what it says to a document; null: it says nothing.</summary>
    public string? ResponseFolder { get; init; }

    /// <summary>The file that says yes; null: <c>{name}.ack</c>.</summary>
    public string? AcceptPattern { get; init; }

    /// <summary>The file that says no; null: <c>{name}.err</c>.</summary>
    public string? RejectPattern { get; init; }

    /// <summary>A folder on the partner's server that documents are fetched from; null: none is.</summary>
    public InboundSettings? Inbound { get; init; }

    /// <summary>What a hub speaks: one of <see cref="HubProtocols"/>.</summary>
    public string? Protocol { get; init; }

    /// <summary>The certificates, in PEM, that a hub's must descend from; null: those that this machine trusts.</summary>
    public string? Authority { get; init; }

    /// <summary>What is spoken with hubs.</summary>
    public static IReadOnlyList<string> HubProtocols { get; } = ["emvs", "epcis"];

    public static ChannelSettings Read(string json) => JsonSerializer.Deserialize<ChannelSettings>(json, Json)!;

    public string ToJson() => JsonSerializer.Serialize(this, Json);
}

/// <param name="Folder">Where the partner lays documents for us.</param>
/// <param name="Archive">Where a file goes that is taken in; null: it is deleted.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record InboundSettings(string? Folder, string? Archive = null);
