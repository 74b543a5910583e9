using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Gateway.Audit;

/// <summary>What the gateway showed must not be believed, or cannot be; the message is a sentence. Nothing of it was recorded.</summary>
public sealed class NotWitnessedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Sees from another host that the trail only grows. Each checkpoint must be signed by a key that is trusted and must extend the one
/// recorded last, which a proof has to show; then it is signed with the witness's own key and recorded on the disk. A witness never
/// goes back, and follows a new epoch only when a person says so.
/// </summary>
/// <param name="gateway">With its address, and with a key that may read proofs.</param>
/// <param name="record">Its own file: the checkpoints it has signed, the oldest first.</param>
/// <param name="key">Its own key.</param>
/// <param name="trusted">The gateway's.</param>
public sealed class Witness(HttpClient gateway, AnchorFile record, SealKey key, TrustedKeys trusted)
{
    /// <summary>Why nothing is seen with a key that the gateway does not know, or that may not read proofs.</summary>
    public const string KeyRefused = "The gateway refuses the key of this witness: it needs the role witness.";

    private const int MaxAnswer = 1 << 20;

    /// <summary>Looks once.</summary>
    /// <param name="acceptEpoch">A new epoch of this number is followed.</param>
    /// <returns>The checkpoint that was seen, and whether it is new.</returns>
    /// <exception cref="NotWitnessedException">It must not be believed.</exception>
    /// <exception cref="HttpRequestException">The gateway does not answer.</exception>
    public async Task<(Checkpoint Seen, bool IsNew)> LookAsync(int? acceptEpoch, CancellationToken ct)
    {
        var last = await LastAsync(ct);
        var note = await TextAsync("api/audit/checkpoint", ct);
        if (SignedNote.NamedSigner(note) is var signer && trusted.Find(signer) is null)
        {
            await FollowKeysAsync(ct);
        }
        var seen = Checkpoint.Read(note, trusted.Find, out var wrong) ?? throw new NotWitnessedException($"The gateway's checkpoint is not to be believed. {wrong}");
        if (last is not null && last.Origin != seen.Origin)
        {
            throw new NotWitnessedException($"The checkpoint is of installation {seen.Origin}, and {last.Origin} was witnessed before.");
        }
        if (last is not null && (seen.Epoch < last.Epoch || seen.Epoch == last.Epoch && seen.Size < last.Size))
        {
            throw new NotWitnessedException($"The trail went back: epoch {last.Epoch} with {last.Size} leaves was witnessed at {last.Time:O}, and the gateway shows epoch {seen.Epoch} with {seen.Size}.");
        }
        if (last is not null && seen.Epoch > last.Epoch && seen.Epoch != acceptEpoch)
        {
            throw new NotWitnessedException($"The gateway shows epoch {seen.Epoch}, and epoch {last.Epoch} with {last.Size} leaves was witnessed: ask why it begins anew, and follow it with --accept-epoch {seen.Epoch}.");
        }
        if (last is not null && (seen.Epoch, seen.Size) == (last.Epoch, last.Size))
        {
            return seen.Root.AsSpan().SequenceEqual(last.Root) ? (seen, false) : throw new NotWitnessedException($"The tree of {seen.Size} leaves has another root than the one that was witnessed at {last.Time:O}.");
        }
        if (last is not null && last.Epoch == seen.Epoch)
        {
            var proof = await JsonAsync<ExtensionProof>(string.Create(CultureInfo.InvariantCulture, $"api/audit/consistency?epoch={seen.Epoch}&from={last.Size}&to={seen.Size}"), ct);
            if (proof?.Path is not { } path || path.Any(h => h is null) || !MerkleProof.Extends(last.Size, last.Root, seen.Size, seen.Root, path))
            {
                throw new NotWitnessedException($"The tree of {seen.Size} leaves is not that of {last.Size} with leaves added, which was witnessed at {last.Time:O}: something in it was changed.");
            }
        }
        var body = SignedNote.BodyOf(note);
        await record.AppendAsync(SignedNote.Sign(body, key) + note[body.Length..], ct);
        return (seen, true);
    }

    /// <summary>What was recorded last; a record that somebody else wrote is none.</summary>
    private async Task<Checkpoint?> LastAsync(CancellationToken ct) => await record.LastAsync(ct) is not { } note ? null
        : Checkpoint.Read(note, id => id == key.Id ? key.Public : null, out var wrong) ?? throw new NotWitnessedException($"{record.Path} does not end with what this witness has signed. {wrong}");

    private async Task FollowKeysAsync(CancellationToken ct)
    {
        foreach (var replacement in (await JsonAsync<KeysAnswer>("api/audit/keys", ct))?.Replacements ?? [])
        {
            if (!trusted.Follow(replacement))
            {
                throw new NotWitnessedException("The gateway says that its key was replaced, and does not prove it.");
            }
        }
    }

    private sealed record KeysAnswer(IReadOnlyList<KeyReplacement?>? Replacements);

    private async Task<T?> JsonAsync<T>(string address, CancellationToken ct)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(await TextAsync(address, ct), JsonSerializerOptions.Web);
        }
        catch (JsonException e)
        {
            throw new NotWitnessedException($"The answer of {address.Split('?')[0]} cannot be read.", e);
        }
    }

    private async Task<string> TextAsync(string address, CancellationToken ct)
    {
        using var answer = await gateway.GetAsync(new Uri(address, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, ct);
        if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            throw new NotWitnessedException(KeyRefused);
        }
        answer.EnsureSuccessStatusCode();
        await using var stream = await answer.Content.ReadAsStreamAsync(ct);
        var bytes = new byte[MaxAnswer];
        var length = await stream.ReadAtLeastAsync(bytes, MaxAnswer, throwOnEndOfStream: false, ct);
        return length < MaxAnswer ? System.Text.Encoding.UTF8.GetString(bytes, 0, length) : throw new NotWitnessedException($"The answer of {address.Split('?')[0]} is longer than any proof.");
    }
}
