using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Validation;

/// <summary>Everything in the database that decides how it works, by name, as its catalogue defines it; no data but who may do what.</summary>
internal static class SchemaObjects
{
    // Texts of the catalogue name what is not on the search path in full, so the path is empty while they are read. The order of an
    // access list says nothing. What belongs to an extension is told by its version.
    private const string Sql = """
        set local search_path = pg_catalog, pg_temp;
        with s as (select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'),
        r as (
            select c.*, s.nspname || '.' || c.relname as name,
                   -- The gateway makes a partition for each year by itself, so years are told together; archived ones are out of use.
                   case when c.relkind = 'r' and c.relname ~ '_y[0-9]{4}$' and exists (select from pg_class p where p.relnamespace = c.relnamespace and p.relkind = 'p' and p.relname = left(c.relname, -6))
                        then s.nspname || '.' || left(c.relname, -6) end as years_of,
                   right(c.relname, 4) as year
            from pg_class c join s on s.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')),
        o (name, definition, years_of, year, is_used) as (
            select 'table ' || name, concat_ws(E'\n', relkind, relpersistence, relrowsecurity, relforcerowsecurity, relreplident, relowner::regrole, reloptions,
                       case when relkind = 'p' then pg_get_partkeydef(oid) end, case when relkind in ('v', 'm') then pg_get_viewdef(oid) end,
                       pg_get_expr(relpartbound, oid), (select string_agg(a::text, ' ' order by a::text) from unnest(relacl) as a),
                       (select concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcycle) from pg_sequence where seqrelid = r.oid)),
                   years_of, year, relispartition from r
            union all
            select 'column ' || r.name || '.' || a.attname, concat_ws(E'\n', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
                       case when a.attcollation <> 0 then a.attcollation::regcollation end, pg_get_expr(d.adbin, d.adrelid), (select string_agg(x::text, ' ' order by x::text) from unnest(a.attacl) as x)),
                   years_of, year, relispartition from r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
            union all
            -- One for each partition of a table that is referred to stands under its parent.
            select 'constraint ' || case when r.years_of is null then c.conname else md5(pg_get_constraintdef(c.oid)) end || ' on ' || r.name, concat_ws(E'\n', pg_get_constraintdef(c.oid), c.convalidated), years_of, year, relispartition
            from pg_constraint c join r on r.oid = c.conrelid where c.conparentid = 0 or r.years_of is not null
            union all
            select 'constraint ' || c.conname || ' of ' || c.contypid::regtype, concat_ws(E'\n', pg_get_constraintdef(c.oid), c.convalidated), null, null, true from pg_constraint c join s on s.oid = c.connamespace where c.conrelid = 0
            union all
            select 'index ' || case when r.years_of is null then i.indexrelid::regclass::text else md5(regexp_replace(pg_get_indexdef(i.indexrelid), '^(CREATE.* INDEX) \S+ ON', '\1 ON')) end || ' on ' || r.name,
                   concat_ws(E'\n', case when r.years_of is null then pg_get_indexdef(i.indexrelid) else regexp_replace(pg_get_indexdef(i.indexrelid), '^(CREATE.* INDEX) \S+ ON', '\1 ON') end, i.indisvalid, i.indisunique), years_of, year, relispartition
            from pg_index i join r on r.oid = i.indrelid
            union all
            select 'trigger ' || t.tgname || ' on ' || r.name, concat_ws(E'\n', pg_get_triggerdef(t.oid), t.tgenabled), years_of, year, relispartition from pg_trigger t join r on r.oid = t.tgrelid where not t.tgisinternal
            union all
            select 'triggers of keys on ' || r.name, string_agg(distinct t.tgfoid::regproc || ' ' || t.tgenabled::text, E'\n'), years_of, year, relispartition
            from pg_trigger t join r on r.oid = t.tgrelid where t.tgisinternal group by r.name, years_of, year, relispartition
            union all
            select 'rule ' || w.rulename || ' on ' || r.name, concat_ws(E'\n', pg_get_ruledef(w.oid), w.ev_enabled), years_of, year, relispartition from pg_rewrite w join r on r.oid = w.ev_class where w.rulename <> '_RETURN'
            union all
            select 'policy ' || p.polname || ' on ' || r.name, concat_ws(E'\n', p.polpermissive, p.polcmd, (select string_agg(case when x = 0 then 'public' else x::regrole::text end, ' ' order by x) from unnest(p.polroles) as x),
                       pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)), years_of, year, relispartition from pg_policy p join r on r.oid = p.polrelid
            union all
            select 'function ' || p.oid::regprocedure, concat_ws(E'\n', case when p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) else p.prokind::text end, p.proowner::regrole, (select string_agg(a::text, ' ' order by a::text) from unnest(p.proacl) as a)), null, null, true
            from pg_proc p join s on s.oid = p.pronamespace where not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
            union all
            select 'type ' || t.oid::regtype, concat_ws(E'\n', t.typtype, t.typbasetype, t.typnotnull, t.typdefault, (select string_agg(enumlabel, ' ' order by enumsortorder) from pg_enum where enumtypid = t.oid)), null, null, true
            from pg_type t join s on s.oid = t.typnamespace where t.typtype in ('e', 'd', 'r')
            union all
            select 'schema ' || nspname, concat_ws(E'\n', nspowner::regrole, (select string_agg(a::text, ' ' order by a::text) from unnest(nspacl) as a)), null, null, true from pg_namespace join s using (oid, nspname)
            union all
            select 'extension ' || extname, extversion, null, null, true from pg_extension
            union all
            select 'event trigger ' || evtname, concat_ws(E'\n', evtevent, evtfoid::regproc, evtenabled, evttags), null, null, true from pg_event_trigger
            union all
            select 'default rights of ' || defaclrole::regrole || ' in ' || coalesce((select nspname from pg_namespace n where n.oid = defaclnamespace), 'all') || ' on ' || defaclobjtype::text, (select string_agg(a::text, ' ' order by a::text) from unnest(defaclacl) as a), null, null, true from pg_default_acl
            union all
            select 'publication ' || pubname, concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete, pubtruncate), null, null, true from pg_publication
            union all
            select 'rights on the database', (select string_agg(a::text, ' ' order by a::text) from unnest(datacl) as a), null, null, true from pg_database where datname = current_database()
            union all
            select 'settings of the database for ' || case when setrole = 0 then 'all' else setrole::regrole::text end || case when setdatabase = 0 then ' everywhere' else '' end, array_to_string(setconfig, E'\n'), null, null, true
            from pg_db_role_setting where setdatabase in (0, (select oid from pg_database where datname = current_database()))
            union all
            select 'role ' || rolname, concat_ws(' ', rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit, rolvaliduntil), null, null, true from pg_roles where rolname ~ '^gateway_'
            union all
            select 'members of role ' || g.rolname, string_agg(m.rolname || ' ' || a.admin_option, E'\n' order by m.rolname), null, null, true from pg_auth_members a join pg_roles g on g.oid = a.roleid join pg_roles m on m.oid = a.member where g.rolname ~ '^gateway_' group by g.rolname
            union all
            select 'migration ' || name, version || ' ' || encode(sha256, 'hex'), null, null, true from public.schema_version
            union all
            select 'gateway role ' || role, concat_ws(E'\n', description, everything, (select string_agg(permission, ' ' order by permission collate "C") from public.role_permission p where p.role = r.role)), null, null, true from public.role r
            union all
            select 'separation ' || permission || ' and ' || excludes, reason, null, null, true from public.separation
            union all
            select 'runtime postgresql', current_setting('server_version'), null, null, true
            union all
            select 'runtime postgresql ' || name, current_setting(name), null, null, true from unnest(array['fsync', 'full_page_writes', 'session_replication_role']) as name)
        select name as "Name", coalesce(definition, '') as "Definition" from o where years_of is null
        union all
        -- All years are alike, or there is one text more.
        select 'partitions of ' || years_of, string_agg(distinct text, E'\n\n') from (
            select years_of, replace(replace(string_agg(name || E'\n' || definition, E'\n' order by regexp_replace(name, '(constraint|index) [0-9a-f]{32}', '\1'), definition), '_y' || year, '_y'), '(''' || year || ''')', '()') as text
            from (select regexp_replace(name, '^(constraint|index) [0-9a-f]{32} ', '\1 ') as name, definition, years_of, year from o where years_of is not null and is_used) y group by years_of, year) years group by years_of
        """;

    public static async Task<IReadOnlyList<(string Name, string Definition)>> ReadAsync(GatewayDatabase database, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("validation"), ct);
        return (await work.Connection.QueryAsync<(string, string)>(new CommandDefinition(Sql, transaction: work.Transaction, cancellationToken: ct))).AsList();
    }
}
