using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.Xml;
using Gateway.Host.Simulate;
using Gateway.Units;
using Npgsql;
using NpgsqlTypes;
using static Gateway.Bench.Figures;

namespace Gateway.Bench;

/// <summary>
/// A shipment written as an object mapper would: one row at a time, a look before each unit, into the gateway's own tables, all in
/// one durable transaction. HTTP, rules, original bytes and the mapper's own tracking of changes are not in it.
/// </summary>
internal sealed class NaiveCapture(NpgsqlConnection connection)
{
    private const int Rounds = 3;

    // Far from the numbers that the gateway gives.
    private long _number = 1L << 60;

    public static async Task RunAsync(int units)
    {
        await using var gateway = await GatewayProcess.StartAsync();
        await using var connection = new NpgsqlConnection(gateway.Administrator);
        await connection.OpenAsync();
        var rowByRow = new NaiveCapture(connection);
        var (naive, product) = (new List<double>(), new List<double>());
        var path = Path.GetTempFileName();
        try
        {
            for (var round = -3; round < Rounds; round++)
            {
                var size = round < 0 ? Math.Min(units, 2_000) : units;
                Write(path, size, round);
                var one = await TimeAsync(() => rowByRow.CaptureAsync(path));
                Write(path, size, round + 1_000);
                var other = await TimeAsync(() => gateway.CaptureAsync(path));
                if (round >= 0) // the first rounds warm up
                {
                    naive.Add(one);
                    product.Add(other);
                }
            }
        }
        finally
        {
            File.Delete(path);
        }
        Console.WriteLine(FormattableString.Invariant(
            $"a shipment of {units:N0} units, the median of {Rounds}: row by row {Median(naive):0} ms, the gateway {Median(product):0} ms, {Median(naive) / Median(product):0.0} times as fast (target: 12)"));
    }

    private static void Write(string path, int units, int seed)
    {
        using var file = File.Create(path);
        BulkShipmentDocument.Write(file, units, LedgerFill.UnitsPerCase, LedgerFill.CasesPerPallet, perEvent: 1_000, seed, GatewayProcess.Partner);
    }

    private async Task CaptureAsync(string path)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        await using var select = Command("select unit_id from unit_row where head = $1 and hash = $2 and key = $3", NpgsqlDbType.Integer, NpgsqlDbType.Bigint, NpgsqlDbType.Text);
        await using var insert = Command("insert into unit_row (unit_id, first_event, last_event, last_at, party_id, head, state, flags, level, last_kind, prefix_length, key, hash) values ($1, $2, $2, $3, 1, $4, 7, 3, 0, 7, 7, $5, $6)",
            NpgsqlDbType.Bigint, NpgsqlDbType.Bigint, NpgsqlDbType.TimestampTz, NpgsqlDbType.Integer, NpgsqlDbType.Text, NpgsqlDbType.Bigint);
        await using var update = Command("update unit_row set parent_id = $2, last_event = $3, last_at = $4 where unit_id = $1", NpgsqlDbType.Bigint, NpgsqlDbType.Bigint, NpgsqlDbType.Bigint, NpgsqlDbType.TimestampTz);
        await using var eventRow = Command("insert into event (event_id, period, party_id, event_type, action, event_time, record_time, biz_step, body) values ($1, $2, 1, $3, $4, $5, now(), $6, '')",
            NpgsqlDbType.Bigint, NpgsqlDbType.Smallint, NpgsqlDbType.Text, NpgsqlDbType.Text, NpgsqlDbType.TimestampTz, NpgsqlDbType.Text);
        await using var epcRow = Command("insert into event_epc (event_id, party_id, period, role, epc) values ($1, 1, $2, $3, $4)", NpgsqlDbType.Bigint, NpgsqlDbType.Smallint, NpgsqlDbType.Smallint, NpgsqlDbType.Text);
        var period = (short)DateTime.UtcNow.Year;
        await using var bytes = File.OpenRead(path);
        using var reader = EpcisDocument.Open(bytes, ReaderLimits.Default, static (xml, limits) => new XmlEpcisReader(xml, EpcisSchemas.For, limits));
        while (reader.Read())
        {
            var (e, number) = (reader.Current, ++_number);
            var at = e.EventTime!.Value.UtcDateTime;
            await RunAsync(eventRow, number, period, e.EventType, e.Action.ToString()!, at, e.BizStep!);
            object parent = e.Epcs.FirstOrDefault(x => x.Role == EpcRole.Parent).Epc is { } container ? await FindAsync(UnitKey.Of(container)!) ?? DBNull.Value : DBNull.Value;
            foreach (var (role, epc) in e.Epcs)
            {
                var key = UnitKey.Of(epc)!;
                if (await FindAsync(key) is { } known)
                {
                    await RunAsync(update, known, role == EpcRole.Child ? parent : DBNull.Value, number, at);
                }
                else
                {
                    await RunAsync(insert, ++_number, number, at, UnitKey.Head(key), key, UnitKey.Hash(key));
                }
                await RunAsync(epcRow, number, period, (short)role, epc);
            }
        }
        await transaction.CommitAsync();

        Task<object?> FindAsync(string key) => RunAsync(select, UnitKey.Head(key), UnitKey.Hash(key), key);

        NpgsqlCommand Command(string sql, params NpgsqlDbType[] types)
        {
            var command = new NpgsqlCommand(sql, connection, transaction);
            foreach (var type in types)
            {
                command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type });
            }
            return command;
        }
    }

    /// <returns>The first column of the first row.</returns>
    private static async Task<object?> RunAsync(NpgsqlCommand command, params object[] values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i];
        }
        if (!command.IsPrepared)
        {
            await command.PrepareAsync();
        }
        return await command.ExecuteScalarAsync();
    }
}
