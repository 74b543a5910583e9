-- 0037_audit_search.sql: the number of an entry is sealed with it, entries are found by each of their fields, and the key that
-- signs the trail can be replaced (docs/decisions/0021).

-- In ASCII there is nothing to normalise. A function of SQL that is not put into its caller is planned at each call, so texts are
-- written here; without a search path of its own the function is cheaper to call.
create or replace function canonical_json(j jsonb) returns text language plpgsql immutable parallel safe as $$
begin
    case jsonb_typeof(j)
        when 'object' then return '{' || coalesce((
            select string_agg(to_json(case when octet_length(key) = length(key) then key else normalize(key, NFC) end)::text || ':' || case jsonb_typeof(value)
                    when 'string' then to_json(case when octet_length(v) = length(v) then v else normalize(v, NFC) end)::text
                    when 'object' then canonical_json(value) when 'array' then canonical_json(value) else value::text end, ',' order by key collate "C")
            from jsonb_each(j) cross join lateral (select value #>> '{}' as v) as t), '') || '}';
        when 'array' then return '[' || coalesce((
            select string_agg(canonical_json(value), ',' order by n) from jsonb_array_elements(j) with ordinality as a(value, n)), '') || ']';
        when 'string' then return (select to_json(case when octet_length(v) = length(v) then v else normalize(v, NFC) end)::text from (select j #>> '{}' as v) as t);
        else return j::text;
    end case;
end $$;
alter function canonical_json(jsonb) reset all;
drop function canonical_text(text);

-- As before, and with its number, which entries have had since then.
create or replace function audit_write(action text, entity text, entity_key text, old jsonb, new jsonb) returns void
-- A plan that was made while the trail was small is kept by its session, and would read all of it for each entry.
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set enable_seqscan = off as $$
declare
    actor text := nullif(current_setting('app.actor', true), '');
    at timestamptz := gateway_now();
    number bigint;
    v int;
    e jsonb;
begin
    if actor is null then
        raise exception 'a change of % needs an actor', entity using errcode = 'GW001';
    end if;
    -- Of several that write at once the one with the highest number need not have the highest version.
    v := coalesce((select max(version) from (select version from audit_entry a where a.entity = audit_write.entity and a.entity_key = audit_write.entity_key order by ord desc limit 16) newest), 0) + 1;
    number := nextval('audit_entry_ord_seq');
    e := jsonb_build_object(
        'action', action, 'actor', actor, 'actorName', coalesce(current_setting('app.actor_name', true), ''),
        'actorRole', coalesce(current_setting('app.actor_role', true), ''), 'at', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'correlation', nullif(current_setting('app.correlation', true), ''), 'entity', entity, 'key', entity_key,
        'method', coalesce(current_setting('app.method', true), ''), 'new', new, 'old', old, 'ord', number, 'origin', coalesce(current_setting('app.origin', true), ''),
        'party', nullif(current_setting('app.actor_party', true), ''), 'reason', nullif(current_setting('app.reason', true), ''), 'version', v);
    insert into audit_entry (ord, recorded_at, actor, actor_name, actor_role, party_id, method, origin, action, entity, entity_key, version, old, new, reason, correlation, canonical)
    overriding system value
    values (number, at, actor, e->>'actorName', e->>'actorRole', (e->>'party')::int, e->>'method', e->>'origin', action, entity, entity_key, v, old, new,
            e->>'reason', e->>'correlation', convert_to(canonical_json(e), 'UTF8'));
end $$;

-- Newest first whatever is asked for, so that a page of the frequent ends after a page and of the rare after the rare.
create index audit_entry_recorded on audit_entry (recorded_at, ord);
create index audit_entry_actor on audit_entry (actor, recorded_at, ord);
create index audit_entry_action on audit_entry (action, recorded_at, ord);
create index audit_entry_origin on audit_entry (origin, recorded_at, ord);
create index audit_entry_version on audit_entry (version, recorded_at, ord) where version > 1;
create index audit_entry_party on audit_entry (party_id, recorded_at, ord) where party_id is not null;

-- The words of what has too many values for an index each: names, keys, reasons, and the values before and after.
create function audit_words(entity_key text, actor_name text, actor_role text, method text, reason text, correlation text, old jsonb, new jsonb) returns tsvector
language sql immutable parallel safe as $$
    -- A vector has at most a megabyte; of what is longer the beginning is found.
    select to_tsvector('pg_catalog.simple', left(concat_ws(' ', entity_key, actor_name, actor_role, method, reason, correlation), 20000))
        || case when coalesce(octet_length(old::text), 0) + coalesce(octet_length(new::text), 0) > 200000 then to_tsvector('pg_catalog.simple', concat_ws(' ', left(old::text, 100000), left(new::text, 100000)))
           else jsonb_to_tsvector('pg_catalog.simple', jsonb_build_array(old, new), '["string", "numeric"]') end
$$;
create index audit_entry_words on audit_entry using gin (audit_words(entity_key, actor_name, actor_role, method, reason, correlation, old, new));
-- How rare a word is has to be known: a rare one looked for in the order of time takes minutes among ten million entries.
alter index audit_entry_words alter column 1 set statistics 1000;

-- Entries by any of their fields, newest first, older than a place of the list. Row security lets words use no index, so this looks for
-- itself who asks: only who sees everything.
create function audit_find(filter jsonb, before_at timestamptz, before_ord bigint, n int) returns setof audit_entry
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    conditions text := '';
    condition record;
begin
    if current_setting('app.party', true) is distinct from '*' then
        raise exception 'the trail is searched by who sees everything' using errcode = '42501';
    end if;
    for condition in select * from (values
            ('actor', 'actor = %L'), ('role', 'actor_role = %L'), ('method', 'method = %L'), ('origin', 'origin = %L'), ('action', 'action = %L'), ('entity', 'entity = %L'),
            ('key', 'entity_key = %L'), ('version', 'version = %L::int'), ('correlation', 'correlation = %L'), ('party', 'party_id = %L::int'), ('from', 'recorded_at >= %L::timestamptz'), ('to', 'recorded_at < %L::timestamptz'),
            ('ord', 'ord = %L::bigint'), ('afterOrd', 'ord > %L::bigint'), ('upToOrd', 'ord <= %L::bigint'), ('notActor', 'actor <> %L')) as c (name, sql)
        where filter ? name
    loop
        conditions := conditions || ' and ' || format(condition.sql, filter ->> condition.name);
    end loop;
    -- What has no index of its own is looked for among the words first.
    for condition in select filter ->> name as text from unnest('{text,role,method,key,correlation}'::text[]) as name where filter ? name loop
        if numnode(plainto_tsquery('pg_catalog.simple', condition.text)) > 0 then
            conditions := conditions || format(' and audit_words(entity_key, actor_name, actor_role, method, reason, correlation, old, new) @@ plainto_tsquery(''pg_catalog.simple'', %L)', condition.text);
        end if;
    end loop;
    if before_at is not null then
        conditions := conditions || format(' and (recorded_at, ord) < (%L::timestamptz, %L::bigint)', before_at, before_ord);
    end if;
    return query execute 'select * from audit_entry where true' || conditions || ' order by recorded_at desc, ord desc limit ' || n;
end $$;
revoke execute on function audit_find(jsonb, timestamptz, bigint, int) from public;
grant execute on function audit_find(jsonb, timestamptz, bigint, int) to gateway_app;

-- Where a sender finds the entry of a document of his: the gateway itself has written it, so row security shows it to nobody outside.
create function entry_of_capture(id uuid) returns bigint language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select max(ord) from audit_entry where entity = 'capture' and entity_key = id::text and exists (select from capture where public_id = id and sees_party(party_id))
$$;
revoke execute on function entry_of_capture(uuid) from public;
grant execute on function entry_of_capture(uuid) to gateway_app;

-- Public keys that have signed checkpoints, each with the one it replaced. A key that takes over is announced by a leaf of the trail
-- with a note that the old key has signed, and signs nothing before the old one has signed that leaf too.
create table audit_key (
    key_id        text        primary key check (key_id ~ '^[0-9a-f]{16}$'),
    public_pem    text        not null,
    replaces      text        references audit_key,
    announcement  text,
    made_at       timestamptz not null,
    check ((replaces is null) = (announcement is null))
);
create trigger audit_key_audit after insert or update or delete on audit_key for each row execute function audit_row('key_id');
create trigger audit_key_append_only before update or delete on audit_key for each row execute function refuse_change();
create trigger audit_key_no_truncate before truncate on audit_key for each statement execute function refuse_change();
grant select on audit_key to gateway_app, gateway_reader, gateway_sealer;

-- Who searches the trail; who may ask for roots and proofs, which say nothing of what is proved; a witness may nothing else.
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
insert into role (role, description) values ('witness', 'Sees that the trail only grows, from outside.') on conflict do nothing;
insert into role_permission (role, permission)
select r, p from (values
    ('administrator', '{audit.read,proofs.read}'), ('officer', '{audit.read,audit.review,proofs.read}'), ('operator', '{proofs.read}'),
    ('cmo', '{proofs.read}'), ('partner', '{proofs.read}'), ('inspector', '{audit.read,proofs.read}'), ('witness', '{proofs.read}')) as seed (r, ps), unnest(ps::text[]) as p
on conflict do nothing;
