using System.Text;
using System.Text.Json;
using Gateway.Database;
using Npgsql;

namespace Gateway.Serials;

/// <summary>What devices have said of numbers in messages that are not applied yet: such a number may be on a pack, although no pool knows it.</summary>
internal static class SaidOfNumbers
{
    /// <summary>Those of the numbers that such a message names. However a message spells them: rather one too many.</summary>
    /// <param name="andDiscarded">Also in messages that somebody discarded: what they say was printed is on a pack.</param>
    public static async Task<IReadOnlySet<string>> AmongAsync(Work work, IEnumerable<string> serials, bool andDiscarded, CancellationToken ct)
    {
        var asked = serials.ToHashSet(StringComparer.Ordinal);
        var lengths = asked.Select(s => s.Length).Distinct().ToArray();
        var found = new HashSet<string>(StringComparer.Ordinal);
        await using var select = new NpgsqlCommand("select * from device_messages_unapplied($1)", work.Connection, work.Transaction) { Parameters = { new() { Value = andDiscarded } } };
        await using var rows = await select.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            Look(Encoding.UTF8.GetBytes(rows.GetString(0)), asked.GetAlternateLookup<ReadOnlySpan<char>>(), lengths, found);
        }
        return found;
    }

    private static string TextOf(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.TokenType == JsonTokenType.String ? reader.GetString()! : Encoding.ASCII.GetString(reader.ValueSpan);
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(reader.ValueSpan); // half of a surrogate pair, which is no text
        }
    }

    private static void Look(byte[] body, HashSet<string>.AlternateLookup<ReadOnlySpan<char>> asked, int[] lengths, HashSet<string> found)
    {
        var reader = new Utf8JsonReader(body);
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.Number))
            {
                continue;
            }
            var text = TextOf(ref reader).AsSpan();
            foreach (var length in lengths)
            {
                for (var at = 0; at + length <= text.Length; at++)
                {
                    // A number begins where its AI ends, or where nothing is before it that could be part of one.
                    if ((at == 0 || !char.IsAsciiLetterOrDigit(text[at - 1]) || text[..at].EndsWith("21") || text[..at].EndsWith("00")) && asked.TryGetValue(text.Slice(at, length), out var serial))
                    {
                        found.Add(serial);
                    }
                }
            }
        }
    }
}
