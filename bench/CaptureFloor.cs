using System.Xml;
using System.Xml.Schema;
using Epcis.Formats;
using Epcis.Formats.Xml;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Bench;

/// <summary>
/// What the parts of a capture cost when nothing else is done: a validating reader chained into a binary COPY of EPC rows into a
/// table with a hash index, then the event rows, in one durable transaction. No HTTP, no rules, no units, no original bytes.
/// </summary>
internal sealed class CaptureFloor : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private long _events;

    private CaptureFloor(NpgsqlConnection connection) => _connection = connection;

    public static async Task<CaptureFloor> OpenAsync(string connectionString)
    {
        var floor = new CaptureFloor(new NpgsqlConnection(connectionString));
        await floor._connection.OpenAsync();
        await floor.ExecuteAsync("""
            create table event (event_id bigint primary key, kind text not null, event_time timestamptz not null, action text, biz_step text, disposition text, read_point text, biz_location text);
            create index on event (event_time);
            create table event_epc (event_id bigint not null, role smallint not null, epc text collate "C" not null);
            create index event_epc_epc on event_epc using hash (epc);
            create table link (parent bigint not null, child bigint not null, event_id bigint not null)
            """);
        return floor;
    }

    public async Task CaptureAsync(string file)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreWhitespace = true, IgnoreComments = true,
            ValidationType = ValidationType.Schema, Schemas = EpcisSchemas.For(DocumentForm.Xml12),
        };
        settings.ValidationEventHandler += (_, e) => throw e.Exception;
        var rows = new List<(long Id, string Kind, DateTime At, string?[] Texts)>();
        await using var transaction = await _connection.BeginTransactionAsync();
        await using (var bytes = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan))
        await using (var epcs = await _connection.BeginBinaryImportAsync("copy event_epc (event_id, role, epc) from stdin (format binary)"))
        {
            using var reader = XmlReader.Create(bytes, settings);
            var (name, box) = ("", "");
            while (reader.Read())
            {
                if (reader.NodeType == XmlNodeType.Element)
                {
                    name = reader.LocalName;
                    if (name is "ObjectEvent" or "AggregationEvent")
                    {
                        rows.Add((++_events, name, default, new string?[5]));
                    }
                    box = name is "readPoint" or "bizLocation" ? name : box;
                }
                else if (reader.NodeType == XmlNodeType.Text)
                {
                    switch (name)
                    {
                        case "epc" or "parentID":
                            epcs.StartRow();
                            epcs.Write(_events, NpgsqlDbType.Bigint);
                            epcs.Write((short)(name == "epc" ? 1 : 2), NpgsqlDbType.Smallint);
                            epcs.Write(reader.Value, NpgsqlDbType.Text);
                            break;
                        case "eventTime":
                            rows[^1] = rows[^1] with { At = XmlConvert.ToDateTime(reader.Value, XmlDateTimeSerializationMode.Utc) };
                            break;
                        case "action":
                            rows[^1].Texts[0] = reader.Value;
                            break;
                        case "bizStep":
                            rows[^1].Texts[1] = reader.Value;
                            break;
                        case "disposition":
                            rows[^1].Texts[2] = reader.Value;
                            break;
                        case "id":
                            rows[^1].Texts[box == "readPoint" ? 3 : 4] = reader.Value;
                            break;
                    }
                }
            }
            await epcs.CompleteAsync();
        }
        await using (var events = await _connection.BeginBinaryImportAsync("copy event from stdin (format binary)"))
        {
            foreach (var (id, kind, at, texts) in rows)
            {
                events.StartRow();
                events.Write(id, NpgsqlDbType.Bigint);
                events.Write(kind, NpgsqlDbType.Text);
                events.Write(at, NpgsqlDbType.TimestampTz);
                foreach (var text in texts)
                {
                    if (text is null)
                    {
                        events.WriteNull();
                    }
                    else
                    {
                        events.Write(text, NpgsqlDbType.Text);
                    }
                }
            }
            await events.CompleteAsync();
        }
        await transaction.CommitAsync();
    }

    /// <summary>The EPC rows of a document, in memory.</summary>
    public static List<string> EpcsOf(string file)
    {
        var epcs = new List<string>();
        using var reader = XmlReader.Create(file, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
        while (reader.Read())
        {
            if (reader.NodeType == XmlNodeType.Element && reader.LocalName is "epc" or "parentID")
            {
                reader.Read();
                epcs.Add(reader.Value);
            }
        }
        return epcs;
    }

    /// <summary>Copies EPC rows alone into the table, durably: nothing is read and no event is kept.</summary>
    public async Task CopyAsync(IReadOnlyList<string> epcs)
    {
        await using var rows = await _connection.BeginBinaryImportAsync("copy event_epc (event_id, role, epc) from stdin (format binary)");
        _events++;
        foreach (var epc in epcs)
        {
            rows.StartRow();
            rows.Write(_events, NpgsqlDbType.Bigint);
            rows.Write((short)1, NpgsqlDbType.Smallint);
            rows.Write(epc, NpgsqlDbType.Text);
        }
        await rows.CompleteAsync();
    }

    /// <summary>As many EPC rows as the gateway's database was filled with, and the tree of its pallets as bare pairs of numbers.</summary>
    public Task FillAsync(int from, int to) => ExecuteAsync($"""
        set synchronous_commit = off;
        set maintenance_work_mem = '1GB';
        drop index if exists event_epc_epc, link_parent, link_child;
        insert into event_epc select -1, 1, {LedgerFill.UnitUri("u")} from generate_series({from}::bigint * {LedgerFill.UnitsPerPallet}, {to}::bigint * {LedgerFill.UnitsPerPallet} - 1) u, generate_series(1, 2);
        create index event_epc_epc on event_epc using hash (epc);
        insert into link
        select i.parent, i.child, p from generate_series({from}::bigint, {to}::bigint - 1) p cross join lateral (
            select p * {LedgerFill.CasesPerPallet} + u / {LedgerFill.UnitsPerCase} + {FirstCase} as parent, p * {LedgerFill.UnitsPerPallet} + u as child from generate_series(0, {LedgerFill.UnitsPerPallet - 1}) u
            union all select p + {FirstPallet}, p * {LedgerFill.CasesPerPallet} + c + {FirstCase} from generate_series(0, {LedgerFill.CasesPerPallet - 1}) c) i;
        create index link_parent on link (parent);
        create index link_child on link (child);
        reset synchronous_commit;
        """);

    /// <summary>How many units and cases are below the pallet: units are known by their numbers to hold nothing.</summary>
    public const string Descendants = """
        with recursive below (child, depth) as (
            select child, 1 from link where parent = $1
            union select l.child, b.depth + 1 from below b join link l on l.parent = b.child where b.child >= 2000000000000)
        select child, depth from below
        """;

    public const long FirstCase = 2_000_000_000_000, FirstPallet = 3_000_000_000_000;

    /// <summary>Settles what was filled, so that nobody else's work stands in the way of what is measured next.</summary>
    public Task SettleAsync() => ExecuteAsync("vacuum analyze");

    public async ValueTask DisposeAsync() => await _connection.DisposeAsync();

    private async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }
}
