-- 0036_sealing.sql: the audit trail as the leaves of a Merkle tree, RFC 9162 (docs/decisions/0021). A sealer of its own puts entries
-- into it below the snapshot horizon; whatever it writes is never changed. The key that signs its roots is in no database.

alter table installation add column id uuid not null default gen_random_uuid();

-- One tree after another: a new one begins when a restored database has lost what was sealed, and says so.
create table audit_epoch (
    epoch          int         primary key check (epoch > 0),
    began_at       timestamptz not null,
    horizon        xid8        not null,  -- transactions below it, of this server, are in no seal of this epoch unless told here
    actor          text        not null,
    reason         text        not null,
    previous_size  bigint      not null,  -- what was known of the epoch before: here, and outside
    previous_root  bytea       not null,
    outside_size   bigint,
    outside_root   bytea
);

-- Where each entry stands. Its hash is SHA-256 of 0x00 and the entry's canonical bytes.
create table audit_leaf (
    epoch  int    not null,
    leaf   bigint not null,
    ord    bigint not null,
    hash   bytea  not null check (length(hash) = 32),
    primary key (epoch, leaf)
);
create unique index audit_leaf_entry on audit_leaf (ord);

-- Roots of complete subtrees of 2^8, 2^16, 2^24 and 2^32 leaves: with them each proof reads a few hundred rows, however old the tree.
create table audit_node (
    epoch   int      not null,
    height  smallint not null check (height in (8, 16, 24, 32)),
    place   bigint   not null,
    hash    bytea    not null check (length(hash) = 32),
    primary key (epoch, height, place)
);

create table audit_seal (
    epoch      int         not null references audit_epoch,
    size       bigint      not null check (size >= 0),
    root       bytea       not null check (length(root) = 32),
    horizon    xid8        not null,  -- every entry of a transaction below it is a leaf
    sealed_at  timestamptz not null,
    primary key (epoch, size)
);

-- What was signed of a seal, after it was committed.
create table audit_checkpoint (
    epoch      int         not null,
    size       bigint      not null,
    signed_at  timestamptz not null,
    text       text        not null,  -- the whole signed note
    primary key (epoch, size),
    foreign key (epoch, size) references audit_seal
);

-- The same root signed anew while nothing happens, so that silence is not taken for rest. It proves nothing that the checkpoint does not.
create table audit_heartbeat (
    only_row   boolean primary key default true check (only_row),
    signed_at  timestamptz not null,
    text       text        not null
);

do $$
declare t text;
begin
    foreach t in array array['audit_epoch', 'audit_leaf', 'audit_node', 'audit_seal', 'audit_checkpoint'] loop
        execute format('create trigger %I before update or delete on %I for each row execute function refuse_change()', t || '_append_only', t);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('grant select on %I to gateway_app, gateway_reader', t);
        execute format('grant select, insert on %I to gateway_sealer', t);
    end loop;
end $$;
grant select on audit_heartbeat to gateway_app, gateway_reader;
grant select, insert, update on audit_heartbeat to gateway_sealer;
revoke insert on audit_epoch from gateway_sealer;

insert into audit_epoch (epoch, began_at, horizon, actor, reason, previous_size, previous_root)
values (1, gateway_now(), '0', 'system:migration', 'The trail is sealed from its first entry.', 0, sha256(''));
insert into audit_seal (epoch, size, root, horizon, sealed_at) values (1, 0, sha256(''), '0', gateway_now());

-- Each text by itself in the form NFC: as a whole, the n of an escaped line end and a combining tilde after it would become one
-- letter, and the entry no JSON.
create function canonical_text(v text) returns text language sql immutable set search_path = pg_catalog, public, pg_temp as $$
    select case when to_json(v)::text is nfc normalized then to_json(v)::text else to_json(normalize(v, NFC))::text end
$$;
create or replace function canonical_json(j jsonb) returns text language plpgsql immutable set search_path = pg_catalog, public, pg_temp as $$
begin
    return case jsonb_typeof(j)
        when 'object' then '{' || coalesce((select string_agg(canonical_text(key) || ':' || case jsonb_typeof(value) when 'object' then canonical_json(value) when 'array' then canonical_json(value) when 'string' then canonical_text(value #>> '{}') else value::text end,
            ',' order by key collate "C") from jsonb_each(j)), '') || '}'
        when 'array' then '[' || coalesce((select string_agg(case jsonb_typeof(value) when 'object' then canonical_json(value) when 'array' then canonical_json(value) when 'string' then canonical_text(value #>> '{}') else value::text end,
            ',' order by n) from jsonb_array_elements(j) with ordinality as a(value, n)), '') || ']'
        when 'string' then canonical_text(j #>> '{}')
        else j::text end;
end $$;
create or replace function audit_write(action text, entity text, entity_key text, old jsonb, new jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
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
            e->>'reason', e->>'correlation', convert_to(canonical_json(e), 'UTF8'));
end $$;
