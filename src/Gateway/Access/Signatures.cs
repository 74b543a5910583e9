using System.Globalization;
using Dapper;
using Gateway.Database;

namespace Gateway.Access;

/// <summary>A signature as it was made: its signer's name and role of then, and exactly what was signed.</summary>
/// <param name="Sentence">What the signer was shown of its meaning.</param>
/// <param name="SignedAt">By the database's clock, in microseconds.</param>
/// <param name="Components">What the signer proved himself with.</param>
/// <param name="Canonical">Sorted JSON in UTF-8.</param>
public sealed record Signature(
    long SignatureId, string RecordType, string RecordId, int Version, string Title, byte[] ContentSha256, string Meaning, string Sentence, string Signer, string SignerName, string SignerRole,
    DateTime SignedAt, string Zone, string Components, int StatementVersion, Guid Nonce, byte[] Canonical)
{
    /// <summary>Whether this is what was signed: a record that has changed, even without a new version, is not.</summary>
    public bool Covers(int version, byte[] contentSha256) => Version == version && ContentSha256.AsSpan().SequenceEqual(contentSha256);
}

/// <summary>Signatures for reading.</summary>
public sealed class Signatures(GatewayDatabase database)
{
    internal const string Columns = """
        signature_id as SignatureId, record_type as RecordType, record_id as RecordId, version as Version, title as Title, content_sha256 as ContentSha256, meaning as Meaning, sentence as Sentence,
        signer as Signer, signer_name as SignerName, signer_role as SignerRole, signed_at as SignedAt, zone as Zone, components as Components, statement_version as StatementVersion, nonce as Nonce, canonical as Canonical
        """;

    /// <summary>Every signature of a record, of whatever version, oldest first.</summary>
    public async Task<IReadOnlyList<Signature>> OfAsync(Actor reader, string type, string id, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<Signature>($"select {Columns} from signature where record_type = @type and record_id = @id order by signature_id", new { type, id }, work.Transaction)).AsList();
    }

    /// <summary>How a record stands: <c>signed v2</c>, or <c>signed v2, current v3 unsigned</c>.</summary>
    /// <param name="contentSha256">Of the record as it is now.</param>
    public static string Status(IReadOnlyList<Signature> signatures, int version, byte[] contentSha256)
    {
        var signed = string.Join(", ", signatures.Select(s => s.Version).Distinct().Order().Select(v => $"signed v{v.ToString(CultureInfo.InvariantCulture)}"));
        return signatures.Any(s => s.Covers(version, contentSha256)) ? $"signed v{version.ToString(CultureInfo.InvariantCulture)}"
            : signatures.Any(s => s.Version == version) ? $"{signed}; the content of v{version.ToString(CultureInfo.InvariantCulture)} is no longer what was signed"
            : signed.Length == 0 ? "unsigned" : $"{signed}, current v{version.ToString(CultureInfo.InvariantCulture)} unsigned";
    }
}
