-- 0002_audit.sql: the audit trail. Entries are written by triggers in the transaction of their effect, with the actor
-- taken from that transaction; sealing reads them below the snapshot horizon, hence xid8 and the order within a transaction.
create table audit_entry (
    ord          bigint generated always as identity primary key,
    txid         xid8        not null default pg_current_xact_id(),
    recorded_at  timestamptz not null,
    actor        text        not null,  -- identity as of then; copied, never joined
    actor_name   text        not null,
    actor_role   text        not null,
    party_id     int,
    method       text        not null,  -- how the actor was authenticated
    origin       text        not null,  -- address or process the command came from
    action       text        not null,
    entity       text        not null,
    entity_key   text        not null,
    version      int         not null,
    old          jsonb,
    new          jsonb,
    reason       text,
    correlation  text,
    canonical    bytea       not null   -- sorted JSON in UTF-8 of all the above: what is sealed
);
create index audit_entry_txid on audit_entry (txid, ord);
create index audit_entry_entity on audit_entry (entity, entity_key, ord);

-- Keys in byte order, no blanks: the same entry is the same bytes for every implementation.
create function canonical_json(j jsonb) returns text language sql immutable as $$
    select case jsonb_typeof(j)
        when 'object' then '{' || coalesce((select string_agg(to_json(key)::text || ':' || canonical_json(value), ',' order by key collate "C") from jsonb_each(j)), '') || '}'
        when 'array' then '[' || coalesce((select string_agg(canonical_json(value), ',' order by n) from jsonb_array_elements(j) with ordinality as a(value, n)), '') || ']'
        else j::text end $$;

create function audit_write(action text, entity text, entity_key text, old jsonb, new jsonb) returns void
language plpgsql as $$
declare
    actor text := nullif(current_setting('app.actor', true), '');
    at timestamptz := gateway_now();
    v int;
    e jsonb;
begin
    if actor is null then
        raise exception 'a change of % needs an actor', entity using errcode = 'GW001';
    end if;
    select coalesce(max(version), 0) + 1 into v from audit_entry a where a.entity = audit_write.entity and a.entity_key = audit_write.entity_key;
    e := jsonb_build_object(
        'action', action, 'actor', actor, 'actorName', coalesce(current_setting('app.actor_name', true), ''),
        'actorRole', coalesce(current_setting('app.actor_role', true), ''), 'at', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'correlation', nullif(current_setting('app.correlation', true), ''), 'entity', entity, 'key', entity_key,
        'method', coalesce(current_setting('app.method', true), ''), 'new', new, 'old', old, 'origin', coalesce(current_setting('app.origin', true), ''),
        'party', nullif(current_setting('app.actor_party', true), ''), 'reason', nullif(current_setting('app.reason', true), ''), 'version', v);
    insert into audit_entry (recorded_at, actor, actor_name, actor_role, party_id, method, origin, action, entity, entity_key, version, old, new, reason, correlation, canonical)
    values (at, actor, e->>'actorName', e->>'actorRole', (e->>'party')::int, e->>'method', e->>'origin', action, entity, entity_key, v, old, new,
            e->>'reason', e->>'correlation', convert_to(normalize(canonical_json(e), NFC), 'UTF8'));
end $$;

-- For tables of records. The arguments: the column that names the record, then columns never copied (secrets).
create function audit_row() returns trigger language plpgsql as $$
declare
    o jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
    n jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
    i int;
begin
    for i in 1 .. tg_nargs - 1 loop
        o := o - tg_argv[i];
        n := n - tg_argv[i];
    end loop;
    if tg_op <> 'UPDATE' or o is distinct from n then
        perform audit_write(lower(tg_op), tg_table_name, coalesce(n, o) ->> tg_argv[0], o, n);
    end if;
    return null;
end $$;

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'GW002';
end $$;
create trigger audit_entry_append_only before update or delete on audit_entry for each row execute function refuse_change();
create trigger audit_entry_no_truncate before truncate on audit_entry for each statement execute function refuse_change();

grant select, insert on audit_entry to gateway_app;
grant select on audit_entry to gateway_sealer, gateway_reader;
