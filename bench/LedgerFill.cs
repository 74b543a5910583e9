using System.Globalization;
using Gateway.Host.Simulate;
using Gateway.Units;
using Npgsql;

namespace Gateway.Bench;

/// <summary>
/// Fills the ledger with any number of units by a few statements: one captured document for each pallet, with its events, their
/// EPCs and the units as the gateway would have stored them, 48 units in a case and 40 cases on a pallet, each pallet shipped.
/// </summary>
internal static class LedgerFill
{
    public const int UnitsPerCase = 48, CasesPerPallet = 40, UnitsPerPallet = UnitsPerCase * CasesPerPallet;

    private const int UnitsPerEvent = UnitsPerPallet / 2, EventsPerPallet = 2 + 1 + 1 + CasesPerPallet + 1 + 1;
    private const int PalletsPerLot = 10;

    // Serial numbers out of order: one-to-one below the largest prime of eleven digits.
    private const long Factor = 70_707_070_707, Prime = 99_999_999_977;
    private static readonly SimulatedProduct s_product = SimulatedProduct.Default;

    public static int PalletsFor(long units) => (int)Math.Max(1, units / UnitsPerPallet);

    public static string Unit(long unit) => $"urn:epc:id:sgtin:{s_product.UnitClass}.{Serial(unit)}";

    public static string Pallet(long pallet) => $"urn:epc:id:sscc:{s_product.CompanyPrefix}.4{pallet:D9}";

    /// <summary>The same as an SQL expression over a unit's number.</summary>
    public static string UnitUri(string unit) => $"'urn:epc:id:sgtin:{s_product.UnitClass}.' || {SerialSql(unit)}";

    private static string SerialSql(string unit) => $"lpad(({unit} * {Factor} % {Prime})::text, 11, '0')";

    private static string Serial(long unit) => (unit * Factor % Prime).ToString("D11", CultureInfo.InvariantCulture);

    private static string ContainerUri(char extension, string number) => $"'urn:epc:id:sscc:{s_product.CompanyPrefix}.{extension}' || lpad({number}::text, 9, '0')";

    /// <summary>Adds the pallets from one number up to another.</summary>
    public static async Task FillAsync(string administrator, int from, int to)
    {
        await using var connection = new NpgsqlConnection(administrator);
        await connection.OpenAsync();
        var gtin = UnitKey.GtinOf(UnitKey.Of(Unit(0))!).ToString();
        // A unit's head depends on its product and the first two characters of its serial number.
        var heads = string.Join(',', Enumerable.Range(0, 100).Select(n => UnitKey.Head($"01{gtin}21{n:D2}")));
        await ExecuteAsync(connection, $"""
            set synchronous_commit = off;
            set maintenance_work_mem = '1GB';
            set session_replication_role = replica;
            select set_config('app.actor', 'bench', false), set_config('app.party', '*', false);
            create temp table indexes as
            select c.relname, t.oid::regclass::text as on_table, k.conname, pg_get_constraintdef(k.oid) as definition, replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON ') as sql
            from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid left join pg_constraint k on k.conindid = c.oid and k.conrelid = t.oid
            where t.relname in ('unit_row', 'event', 'event_epc', 'event_class') and not i.indisprimary;
            do $$
            declare x record;
            begin
                for x in select * from indexes loop
                    if x.conname is null then
                        execute format('drop index %I', x.relname);
                    else
                        execute format('alter table %s drop constraint %I', x.on_table, x.conname);
                    end if;
                end loop;
            end $$;
            create temp table known as select (select coalesce(max(capture_id), 0) from capture) as before, (select party_id from party where kind = 'organisation' limit 1) as party, extract(year from gateway_now())::smallint as year, gateway_now() as now;
            insert into lot (party_id, gtin, lot, expiry) select party, g, 'FILL' || n, case g when '' then null else date '2028-05-31' end from known, generate_series({from / PalletsPerLot}, {(to - 1) / PalletsPerLot}) n, (values ('{gtin}'), ('')) g (g) on conflict do nothing;
            insert into place (party_id, uri) select party, 'urn:epc:id:sgln:{s_product.CompanyPrefix}.00003.0' from known on conflict do nothing;
            insert into document (party_id, sha256, length, media_type, received_at) select party, sha256(('fill ' || n)::bytea), 1, 'application/xml', now from known, generate_series({from + 1}, {to}) n;
            insert into capture (document_id, party_id, submitted_by, error_behaviour, state, form, event_count, created_at, finished_at, answer_status, answer_body)
            select document_id, party_id, 'bench', 'rollback', 'accepted', '1.2-xml', {EventsPerPallet}, received_at, received_at, 202, '' from document d where not exists (select from capture c where c.document_id = d.document_id) order by document_id;
            create temp table pallet as
            select p, capture_id << 20 as event, capture_id << 24 as unit, now - interval '30 days' * (1 - p::float / {to}) as at, party, year,
                   (select lot_id from lot where lot = 'FILL' || p / {PalletsPerLot} and gtin <> '') as lot, (select lot_id from lot where lot = 'FILL' || p / {PalletsPerLot} and gtin = '') as content,
                   (select place_id from place where uri = 'urn:epc:id:sgln:{s_product.CompanyPrefix}.00003.0') as place
            from (select capture_id, {from} - 1 + row_number() over (order by capture_id) as p from capture, known where capture_id > before) c, known;
            analyze pallet;
            """);
        var year = (short)(await ScalarAsync(connection, "select year from known"))!;
        await ExecuteAsync(connection, $"""
            insert into event_epc_y{year} (event_id, party_id, period, role, epc)
            select t.event + i.event, party, year, role, i.epc from pallet t cross join lateral (
                select u / {UnitsPerEvent} as event, 1 as role, {UnitUri($"(p * {UnitsPerPallet} + u)")} as epc from generate_series(0, {UnitsPerPallet - 1}) u
                union all select 2, 1, {ContainerUri('3', $"(p * {CasesPerPallet} + c)")} from generate_series(0, {CasesPerPallet - 1}) c
                union all select 3, 1, {ContainerUri('4', "p")}
                union all select 4 + u / {UnitsPerCase}, 3, {UnitUri($"(p * {UnitsPerPallet} + u)")} from generate_series(0, {UnitsPerPallet - 1}) u
                union all select 4 + c, 2, {ContainerUri('3', $"(p * {CasesPerPallet} + c)")} from generate_series(0, {CasesPerPallet - 1}) c
                union all select {4 + CasesPerPallet}, 3, {ContainerUri('3', $"(p * {CasesPerPallet} + c)")} from generate_series(0, {CasesPerPallet - 1}) c
                union all select {4 + CasesPerPallet}, 2, {ContainerUri('4', "p")}
                union all select {5 + CasesPerPallet}, 1, {ContainerUri('4', "p")}) i
            """);
        await ExecuteAsync(connection, $"""
            insert into event_class_y{year} (event_id, party_id, period, role, class)
            select t.event + n, party, year, role, class from pallet t cross join lateral (
                select n, case when n < 4 then 1 else 3 end as role, 'urn:epc:id:sgtin:{s_product.UnitClass}' as class from generate_series(0, {3 + CasesPerPallet}) n where n not in (2, 3)
                union all select n, case when n between 4 and {4 + CasesPerPallet} then 2 else 1 end, 'urn:epc:id:sscc:{s_product.CompanyPrefix}' from generate_series(2, {5 + CasesPerPallet}) n
                union all select {4 + CasesPerPallet}, 3, 'urn:epc:id:sscc:{s_product.CompanyPrefix}') c
            """);
        await ExecuteAsync(connection, $$$"""
            insert into event_y{{{year}}} (event_id, period, party_id, event_uri, event_type, action, event_time, record_time, biz_step, disposition, read_point, biz_location, body)
            select e.event_id, {{{year}}}, e.party, uri, type, action, t, e.at, step, disposition, place, place,
                   format('{"type":"%s","eventID":"%s","eventTime":"%s","eventTimeZoneOffset":"+00:00",%s"action":"%s","bizStep":"%s","disposition":"%s","readPoint":{"id":"%s"},"bizLocation":{"id":"%s"}}',
                       type, uri, to_char(t, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), lists, action, step, disposition, place, place)
            from (
                select x.*, 'urn:uuid:' || md5(event_id::text)::uuid as uri, at + interval '1 second' * n as t, 'urn:epc:id:sgln:{{{s_product.CompanyPrefix}}}.00003.0' as place,
                       case when n between 4 and {{{4 + CasesPerPallet}}} then 'AggregationEvent' else 'ObjectEvent' end as type, case when n = {{{5 + CasesPerPallet}}} then 'OBSERVE' else 'ADD' end as action,
                       case when n < 4 then 'commissioning' when n = {{{5 + CasesPerPallet}}} then 'shipping' else 'packing' end as step, case when n < 4 then 'active' when n = {{{5 + CasesPerPallet}}} then 'in_transit' else 'in_progress' end as disposition
                from (select t.at, t.party, t.event + n as event_id, n, coalesce('"parentID":"' || max(epc) filter (where role = 2) || '",', '')
                             || case when max(role) = 1 then '"epcList":["' else '"childEPCs":["' end || string_agg(epc, '","') filter (where role <> 2) || '"],' as lists
                      from pallet t cross join generate_series(0, {{{EventsPerPallet - 1}}}) n join event_epc_y{{{year}}} x on x.event_id = t.event + n group by 1, 2, 3, 4) x) e
            order by e.event_id;
            insert into event_identity (event_uri, event_id, party_id, claim) select event_uri, event_id, party_id, 0 from event_y{{{year}}} where event_id >= (select min(event) from pallet) on conflict do nothing
            """);
        // What is packed stays commissioned; the pallet is shipped.
        await ExecuteAsync(connection, $"""
            insert into unit_row (unit_id, parent_id, first_event, last_event, last_at, party_id, lot_id, content_lot_id, location_id, children, head, state, flags, level, last_kind, prefix_length, key, hash)
            select t.unit + n, i.parent, t.event + first, t.event + last, at, party, case when children is null then lot end, case when children is not null then content end, place, children, head, state, flags, 0, kind, 7, key, ('x' || encode(substr(sha256(key::bytea), 1, 8), 'hex'))::bit(64)::bigint
            from pallet t cross join lateral (
                select u as n, t.unit + {UnitsPerPallet} + u / {UnitsPerCase} as parent, u / {UnitsPerEvent} as first, 4 + u / {UnitsPerCase} as last, null::int as children, (array[{heads}])[1 + left(serial, 2)::int] as head,
                       {(short)UnitState.Commissioned} as state, {(short)(UnitFlags.EverCommissioned | UnitFlags.HeardOf)} as flags, {(short)FactKind.Pack} as kind, '01{gtin}21' || serial as key
                from generate_series(0, {UnitsPerPallet - 1}) u cross join lateral (select {SerialSql($"(p * {UnitsPerPallet} + u)")} as serial) s
                union all
                select {UnitsPerPallet} + c, t.unit + {UnitsPerPallet + CasesPerPallet}, 2, {4 + CasesPerPallet}, {UnitsPerCase}, {UnitKey.Head("00" + "3" + s_product.CompanyPrefix)},
                       {(short)UnitState.Commissioned}, {(short)(UnitFlags.EverCommissioned | UnitFlags.HeardOf | UnitFlags.Closed)}, {(short)FactKind.Pack}, {KeySql('3', $"(p * {CasesPerPallet} + c)")}
                from generate_series(0, {CasesPerPallet - 1}) c
                union all
                select {UnitsPerPallet + CasesPerPallet}, null, 3, {5 + CasesPerPallet}, {CasesPerPallet}, {UnitKey.Head("00" + "4" + s_product.CompanyPrefix)},
                       {(short)UnitState.Shipped}, {(short)(UnitFlags.EverCommissioned | UnitFlags.HeardOf | UnitFlags.Closed)}, {(short)FactKind.Ship}, {KeySql('4', "p")}) i
            """);
        await ExecuteAsync(connection, """
            do $$
            declare x record;
            begin
                for x in select * from indexes loop
                    if x.conname is null then
                        execute x.sql;
                    else
                        execute format('alter table %s add constraint %I %s', x.on_table, x.conname, x.definition);
                    end if;
                end loop;
            end $$;
            """);
        await ExecuteAsync(connection, "vacuum analyze");
        await ExecuteAsync(connection, "checkpoint");
    }

    // 00 and an SSCC: its check digit over 17 digits that weigh 3 and 1 in turn, the first and the last 3.
    private static string KeySql(char extension, string number)
    {
        var before = extension + s_product.CompanyPrefix;
        var known = before.Select((digit, place) => (digit - '0') * (place % 2 == 0 ? 3 : 1)).Sum();
        return $"'00{before}' || lpad({number}::text, 9, '0') || (select (10 - ({known} + sum({number} / (10 ^ d)::bigint % 10 * case d % 2 when 0 then 3 else 1 end)) % 10) % 10 from generate_series(0, 8) d)";
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
