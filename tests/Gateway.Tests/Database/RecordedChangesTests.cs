using System.Globalization;
using Dapper;
using Npgsql;

namespace Gateway.Tests.Database;

/// <summary>No table changes unrecorded: the catalogue of a migrated database says which trigger writes the entry, or this says why there is none.</summary>
public sealed class RecordedChangesTests
{
    // Tables without a trigger that writes entries, and what tells of their rows instead.
    private static readonly Dictionary<string, string> Unrecorded = new()
    {
        // What documents say: stored in bulk, and told by the entry of their capture.
        ["document"] = "the bytes of a capture, never changed",
        ["document_chunk"] = "the bytes of a capture, never changed",
        ["capture"] = "its outcome is an entry that the program writes",
        ["capture_term"] = "the words by which a capture is found",
        ["finding"] = "of a capture, never changed",
        ["event"] = "of a capture, never changed",
        ["event_epc"] = "an index of events",
        ["event_class"] = "an index of events",
        ["event_identity"] = "an index of events",
        ["unit"] = "the ledger, which follows from the events and can be made anew",
        ["lot"] = "of the ledger",
        ["place"] = "of the ledger",
        ["exception_unit"] = "the units of an exception, whose own change is an entry",
        ["device_message"] = "what a device said, never changed; what becomes of it is told by the entry of its capture, or of the decision about it",
        ["device_status"] = "a sign of life: registrations, gaps and exceptions are recorded",
        ["device_clock"] = "the offset of the last day",
        ["idempotency"] = "which request was answered how; removed by age",
        // Deliveries: queues, whose every attempt and decision is kept.
        ["delivery"] = "a queue: what people decide is delivery_decision, which is recorded",
        ["attempt"] = "the log of a delivery, never changed",
        ["breaker"] = "how a partner answers now",
        ["routing_decision"] = "why a document went to whom, never changed",
        ["alarm_notice"] = "the log of who was told of a recorded alarm",
        ["shipment"] = "which captured event ships to whom: it follows from the events, and exceptions about it are recorded",
        ["shipped_unit"] = "what was in a shipment and arrived: it follows from the events and can be made anew",
        ["shipment_sum"] = "the same in sums",
        ["shipment_news"] = "which captured event says something of shipments",
        ["hub_chunk"] = "a part of a round, which is recorded",
        ["hub_pack"] = "the packs of a round, which is recorded; what the hub has not stored is told by the message",
        ["hub_alert_stream"] = "how far a hub's alerts are taken in: each of them is recorded",
        ["hub_alert_step"] = "what was proposed of a case, which follows from the ledger, and what was decided, which the case's own entry tells; never changed",
        ["hub_news"] = "which events may say something of packs: the events are recorded, and the orders that are made of them",
        ["hub_order_pack"] = "written with its order, which is recorded with their number and is signed with their digest",
        ["hub_difference"] = "found and closed by a reconciliation, which is recorded with its counts; the exception names the packs",
        ["operation_item"] = "of an operation, which is recorded with its selection",
        // Numbers: of a grant or a change, which are recorded.
        ["serial_number"] = "given out by grants and taken back by changes, which are recorded; printed by a document of the line",
        ["serial_change_number"] = "the numbers of a change, which is recorded",
        // Lines.
        ["line_fence"] = "the fence of the last command, which is recorded with it",
        ["line_hold_unit"] = "which units a recorded hold has named; the documents that do are captures",
        // What only the owner of the database writes, in a migration.
        ["installation"] = "one row of the owner's",
        ["schema_version"] = "the migrations themselves",
        ["separation"] = "the application may not change it",
        ["signature_meaning"] = "the application may not change it",
        ["signing_statement"] = "the application may not change it",
        ["signature_challenge"] = "gone in two minutes; the signature or the refusal is recorded",
        ["validation_content"] = "what a fingerprint stands for, never changed: the fingerprint is in each recorded baseline",
        ["validation_node"] = "what a node says of itself each minute; a change of the whole is recorded",
        ["audit_entry"] = "the trail itself",
        ["audit_epoch"] = "of the sealed trail: its record is a leaf of its own",
        ["audit_leaf"] = "of the sealed trail: hashes of entries",
        ["audit_node"] = "of the sealed trail: hashes of hashes",
        ["audit_seal"] = "of the sealed trail: append-only, and signed outside",
        ["audit_checkpoint"] = "of the sealed trail: append-only, and signed outside",
        ["audit_heartbeat"] = "of the sealed trail: the last root signed anew, which proves nothing new",
    };

    [Fact]
    [Requirement("P11-16")]
    public async Task Every_table_writes_entries_or_says_here_what_tells_of_its_rows()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = new NpgsqlConnection(database.AdministratorConnectionString);
        var tables = (await connection.QueryAsync<(string Table, bool IsRecorded)>("""
            select c.relname::text, exists (select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
                where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled in ('O', 'A') and p.prosrc like '%audit_write(%'
                  and t.tgtype & 4 > 0)
            from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1
            """)).AsList();
        Assert.Equal("", string.Join(", ", tables.Where(t => !t.IsRecorded && !Unrecorded.ContainsKey(t.Table)).Select(t => t.Table)));
        Assert.Equal("", string.Join(", ", Unrecorded.Keys.Where(u => !tables.Any(t => t.Table == u && !t.IsRecorded)))); // nothing is excused that has no need
    }

    [Fact]
    [Requirement("P11-16")]
    public async Task Any_number_of_changes_of_a_recorded_table_is_as_many_entries()
    {
        await using var database = await TestDatabase.CreateAsync();
        var random = new Random(20261122);
        await using var connection = new NpgsqlConnection(database.AdministratorConnectionString);
        await connection.OpenAsync(); // one session: it keeps its actor
        // Only the recording is left of each table: rows need not make sense to be recorded.
        await connection.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            do $$ declare r record; begin
                for r in select conrelid::regclass as t, conname from pg_constraint where contype in ('c', 'f') and connamespace = 'public'::regnamespace and conislocal order by contype desc, conparentid loop
                    execute format('alter table %s drop constraint if exists %I', r.t, r.conname);
                end loop;
                for r in select distinct t.tgrelid::regclass as t from pg_trigger t join pg_proc p on p.oid = t.tgfoid where p.proname = 'audit_row' loop
                    execute format('alter table %s disable trigger user', r.t);
                end loop;
                for r in select t.tgrelid::regclass as t, t.tgname from pg_trigger t join pg_proc p on p.oid = t.tgfoid where p.proname = 'audit_row' loop
                    execute format('alter table %s enable trigger %I', r.t, r.tgname);
                end loop;
            end $$
            """);
        // How each is recorded, and the columns whose change is one.
        var recorded = (await connection.QueryAsync<(string Table, bool OnUpdate, bool OnDelete, string Columns)>("""
            select c.relname::text, t.tgtype & 16 > 0, t.tgtype & 8 > 0,
                   (select string_agg(a.attname || ':' || format_type(a.atttypid, null), ',' order by a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity = ''
                        and format_type(a.atttypid, null) in ('text', 'integer', 'bigint') and position('\x00'::bytea || a.attname::text::bytea || '\x00'::bytea in '\x00'::bytea || t.tgargs) = 0)
            from pg_trigger t join pg_proc p on p.oid = t.tgfoid join pg_class c on c.oid = t.tgrelid where p.proname = 'audit_row' and not t.tgisinternal order by 1
            """)).AsList();
        Assert.True(recorded.Count >= 20, $"{recorded.Count} tables are recorded");
        var tables = (await TenantCatalog.ReadAsync(database)).ToDictionary(t => t.Name);
        foreach (var (table, onUpdate, onDelete, columns) in recorded.Where(r => tables.ContainsKey(r.Table)))
        {
            var expected = await EntriesAsync(connection, table);
            var rows = random.Next(1, 9);
            for (var n = 1; n <= rows; n++)
            {
                await connection.ExecuteAsync(tables[table].Insert(n, n));
                expected++;
            }
            var choice = columns.Split(',').Select(c => c.Split(':')).ToList();
            for (var changes = onUpdate ? random.Next(1, 20) : 0; changes > 0; changes--)
            {
                var column = choice[random.Next(choice.Count)];
                var value = random.Next(1_000_000, int.MaxValue).ToString(CultureInfo.InvariantCulture);
                expected += await connection.ExecuteAsync($"update {table} set {column[0]} = '{value}' where ctid = (select ctid from {table} order by random() limit 1)");
            }
            for (var removals = onDelete ? random.Next(1, rows + 1) : 0; removals > 0; removals--)
            {
                expected += await connection.ExecuteAsync($"delete from {table} where ctid = (select ctid from {table} order by random() limit 1)");
            }
            Assert.Equal((table, expected), (table, await EntriesAsync(connection, table)));
        }
    }

    private static Task<long> EntriesAsync(NpgsqlConnection connection, string table) => connection.ExecuteScalarAsync<long>("select count(*) from audit_entry where entity = @table", new { table });
}
