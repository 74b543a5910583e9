using System.Collections.Frozen;
using System.Globalization;
using Gateway.Delivery.Channels;
using Gateway.Partners;

namespace Gateway.Delivery;

/// <summary>
/// Why a delivery failed, needs a decision or waits, in one of a closed list of words: what the channels' own codes mean, whatever the protocol.
/// Deliveries with the same reason are mended by the same.
/// </summary>
/// <param name="Code">A word such as <c>network.timeout</c>.</param>
/// <param name="Side">Whose it is to mend: ours, theirs, network, or unknown.</param>
/// <param name="Sentence">What has happened, for people.</param>
public sealed record DeliveryReason(string Code, string Side, string Sentence)
{
    /// <summary>What no other reason says.</summary>
    public static readonly DeliveryReason Other = new("other", Verdict.Unknown, "The channel gives a code of its own, which stands beside the attempt.");

    // Each reason with the codes of attempts that mean it.
    private static readonly (DeliveryReason Reason, string[] Codes)[] Meanings =
    [
        (new("network.dns", Verdict.Network, "The name of the partner's server is not known."), ["dns"]),
        (new("network.refused", Verdict.Network, "The partner's server takes no connection."), ["connect"]),
        (new("network.timeout", Verdict.Network, "The partner's server did not answer in time."), ["timeout"]),
        (new("network.reset", Verdict.Network, "The connection broke before the answer was complete."), ["reset"]),
        (new("tls.expired", Verdict.Theirs, "The certificate of the partner's server has expired, or is not valid yet."), ["certificate-expired", "certificate-not-yet-valid", "tls-expired"]),
        (new("tls.untrusted", Verdict.Theirs, "The certificate of the partner's server comes from nobody that is trusted, or was revoked."), ["certificate-untrusted", "certificate-missing", "tls-untrusted"]),
        (new("tls.name", Verdict.Theirs, "The certificate of the partner's server is for another name."), ["certificate-name", "tls-name"]),
        (new("tls.failed", Verdict.Network, "No encrypted connection to the partner's server came about."), ["tls"]),
        (new("host.unknown", Verdict.Ours, "The partner's server shows another host key than the one on record."), ["host-key"]),
        (new("credential.refused", Verdict.Ours, "The partner does not accept our credential."), ["http-401", "http-403", "http-407", "credential", "permission-denied"]),
        (new("credential.missing", Verdict.Ours, "No credential is on record that the channel could use."), ["no-key", "secret"]),
        (new("partner.busy", Verdict.Theirs, "The partner asks for patience, or has another request of ours at work."), ["http-408", "http-409", "http-425", "http-429"]),
        (new("partner.refused", Verdict.Ours, "The partner's server takes the request for wrong."), [.. Statuses(400, 499).Except(["http-401", "http-403", "http-407", "http-408", "http-409", "http-425", "http-429"]), "sftp-refused"]),
        (new("partner.failed", Verdict.Theirs, "The partner's server failed."), [.. Statuses(500, 599), "invalid-response", "no-such-file"]),
        (new("partner.moved", Verdict.Theirs, "The partner's server answers that the address is another one; it is never followed."), [.. Statuses(300, 399), "foreign-location"]),
        (new("partner.full", Verdict.Theirs, "The partner's server has no room."), ["no-room"]),
        (new("partner.rejected", Verdict.Ours, "The partner has taken the document and then said no to it."), ["negative"]),
        (new("ours.address", Verdict.Ours, "The partner's address must not be called, as it is set up."), ["private-address", "port-not-allowed", "address", "folder-not-allowed"]),
        (new("ours.setup", Verdict.Ours, "The partner's channel cannot be used as it is set up."), ["no-channel", "file-name", "no-folder", "no-sftp-program", "name-taken", "no-response-folder"]),
        (new("ours.document", Verdict.Ours, "The stored document is not what was captured."), ["corrupt-document"]),
        (new("ours.rule", Verdict.Ours, "A rule of the hub forbids sending it by now: an undo's days are over, or its lot is recalled or its product withdrawn."), ["recalled", "undo-too-late"]),
        (new("ours.incomplete", Verdict.Ours, "The document cannot be composed yet; the delivery's page says what is missing."), []),
        (new("ours.failed", Verdict.Ours, "The gateway's own database, disk or channel failed."), ["database", "folder-io", "spool", "busy", "channel-broke", "channel-hangs"]),
        (new("unknown", Verdict.Unknown, "An attempt ended without a result: whether the partner has it is not known, and it is sent again under the same key."), ["unknown-outcome"]),
        (new("never-sent", Verdict.Unknown, "It was never tried in the time that it had, because the partner was left alone."), ["never-sent"]),
        (new("crashed", Verdict.Ours, "Sending it ended the gateway's process again and again."), []),
        (new("held.person", Verdict.Ours, "Somebody holds it."), []),
        (new("held.partner", Verdict.Ours, "The partner is paused."), []),
        (new("held.circuit", Verdict.Theirs, "The partner keeps failing and is left alone; one document is tried now and then."), []),
        (new("held.licence", Verdict.Ours, "The partner needs a licence and has none that is valid."), []),
        (Other, []),
    ];

    private static readonly FrozenDictionary<string, DeliveryReason> ByAttempt = Meanings.SelectMany(m => m.Codes.Select(c => KeyValuePair.Create(c, m.Reason))).ToFrozenDictionary();

    /// <summary>The closed list.</summary>
    public static IReadOnlyList<DeliveryReason> All { get; } = [.. Meanings.Select(m => m.Reason)];

    /// <summary>What an attempt's code means.</summary>
    /// <param name="deadReason">Why it needs, or needed, a decision; null: it does not.</param>
    public static DeliveryReason Of(string? code, string? deadReason = null) =>
        deadReason == "crashed" ? Find("crashed") : code is null ? Other : ByAttempt.GetValueOrDefault(code, Other);

    /// <summary>Whether the state as it is shown decides about it, which is one of the delivery, its partner and its breaker together.</summary>
    internal static bool IsOfShown(string word) => word.StartsWith("held.", StringComparison.Ordinal) || word == "ours.incomplete" || word == Other.Code;

    /// <summary>The attempts' codes that mean it; of <see cref="Other"/>, those that mean something else.</summary>
    internal static string[] CodesOf(string? word) => word == Other.Code ? [.. ByAttempt.Keys] : [.. Meanings.Where(m => m.Reason.Code == word).SelectMany(m => m.Codes)];

    /// <summary>Which deliveries have it, of <c>d</c> and <c>s.shown</c>; <c>@codes</c> are those of <see cref="CodesOf"/>.</summary>
    internal static string Condition(string? word) => word switch
    {
        null => "true",
        "crashed" => "d.dead_reason = 'crashed'",
        "held.person" => $"d.state = 'due' and s.shown = 'held' and {DeliveryHold.Stands} and d.held_by <> 'gateway'",
        "ours.incomplete" => $"d.state = 'due' and s.shown = 'held' and {DeliveryHold.Stands} and d.held_by = 'gateway'",
        "held.licence" => $"d.state = 'due' and s.shown = 'held' and not {DeliveryHold.Stands} and p.state = 'paused' and p.pause_reason = {Literal(Licences.Waiting)}",
        "held.partner" => $"d.state = 'due' and s.shown = 'held' and not {DeliveryHold.Stands} and p.state = 'paused' and p.pause_reason is distinct from {Literal(Licences.Waiting)}",
        "held.circuit" => $"d.state = 'due' and s.shown = 'held' and not {DeliveryHold.Stands} and p.state <> 'paused'",
        _ when word == Other.Code => "(d.state in ('dead', 'closed') or d.state = 'due' and s.shown = 'retrying') and (d.code is null or not d.code = any(@codes)) and d.dead_reason is distinct from 'crashed'",
        _ => "d.code = any(@codes) and d.dead_reason is distinct from 'crashed'",
    };

    internal static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <returns>The reason of this word, or null.</returns>
    public static DeliveryReason? Named(string word) => All.FirstOrDefault(r => r.Code == word);

    private static DeliveryReason Find(string word) => Named(word)!;

    private static IEnumerable<string> Statuses(int from, int to) => Enumerable.Range(from, to - from + 1).Select(s => string.Create(CultureInfo.InvariantCulture, $"http-{s}"));
}
