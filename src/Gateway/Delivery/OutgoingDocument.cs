using Dapper;
using Gateway.Database;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Delivery;

/// <summary>A document that the gateway itself has made: stored as its own, in the caller's transaction.</summary>
public static class OutgoingDocument
{
    private const int ChunkBytes = 1 << 20;

    /// <param name="bytes">At their beginning.</param>
    /// <returns>The document's number, and the organisation's.</returns>
    public static async Task<(long DocumentId, int PartyId)> StoreAsync(Work work, Stream bytes, byte[] sha256, string mediaType, CancellationToken ct)
    {
        var (documentId, partyId) = await work.Connection.QuerySingleAsync<(long, int)>(new CommandDefinition("""
            with o as (select party_id from party where kind = 'organisation'),
            d as (insert into document (party_id, sha256, length, media_type, received_at) select party_id, @sha256, @Length, @mediaType, gateway_now() from o returning document_id, party_id)
            select document_id, party_id from d
            """, new { sha256, bytes.Length, mediaType }, work.Transaction, cancellationToken: ct));
        var buffer = new byte[Math.Min(ChunkBytes, bytes.Length)];
        for (var ordinal = 0; await bytes.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct) is var length and > 0; ordinal++)
        {
            await using var insert = new NpgsqlCommand("insert into document_chunk (document_id, party_id, ordinal, bytes) values ($1, $2, $3, $4)", work.Connection, work.Transaction)
            {
                Parameters = { new() { Value = documentId }, new() { Value = partyId }, new() { Value = ordinal }, new() { Value = buffer.AsMemory(0, length), NpgsqlDbType = NpgsqlDbType.Bytea } },
            };
            await insert.ExecuteNonQueryAsync(ct);
        }
        return (documentId, partyId);
    }

    /// <summary>The organisation's document of these bytes; null: there is none.</summary>
    public static Task<long?> FindAsync(Work work, byte[] sha256, CancellationToken ct) => work.Connection.ExecuteScalarAsync<long?>(new CommandDefinition(
        "select document_id from document where sha256 = @sha256 and party_id = (select party_id from party where kind = 'organisation')", new { sha256 }, work.Transaction, cancellationToken: ct));

    /// <summary>Queues it to a partner. Nothing else decides whom it concerns: whoever made it knows.</summary>
    /// <param name="ordering">Its lane: one after the other within it.</param>
    /// <param name="until">After that it must not be sent any more; null: as long as every delivery is tried.</param>
    /// <returns>The delivery's number.</returns>
    public static Task<long> QueueAsync(Work work, long documentId, int partnerId, Guid messageId, string ordering, DeliveryOptions options, CancellationToken ct, DateTime? until = null) => work.Connection.ExecuteScalarAsync<long>(new CommandDefinition("""
        insert into delivery (party_id, document_id, partner_id, message_id, ordering, state, due_at, created_at, need_by, give_up_at)
        select p.party_id, @documentId, p.partner_id, @messageId, @ordering, 'due', gateway_now(), gateway_now(), gateway_now() + coalesce(p.need_within, @NeedWithin), least(gateway_now() + @RetryLifetime, @until)
        from partner p where p.partner_id = @partnerId returning delivery_id
        """, new { documentId, partnerId, messageId, ordering, options.NeedWithin, options.RetryLifetime, until }, work.Transaction, cancellationToken: ct));
}
