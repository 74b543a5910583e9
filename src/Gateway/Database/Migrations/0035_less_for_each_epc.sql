-- 0035_less_for_each_epc.sql: a row for each EPC of an event with the one index that finds it by the EPC, and a unit's key in one
-- btree (docs/decisions/0020). Whatever else was kept for each EPC is kept for each event.

select set_config('app.party', '*', true);

-- Where patterns look: what the EPCs of an event in one role have before their serial numbers (Epcis.Identifiers.EpcKey.ClassOf),
-- each once, and its classes of objects whole. A table, because row security lets no expression that might leak decide by index.
create table event_class (
    event_id  bigint   not null,
    party_id  int      not null,
    period    smallint not null,
    role      smallint not null,  -- as in event_epc
    class     text     collate "C" not null
) partition by list (period);
create index event_class_class on event_class (class);
do $$
declare p record;
begin
    for p in select substring(relid::text from '[0-9]{4}$') as y from pg_partition_tree('event_epc') where isleaf loop
        execute format('create table event_class_y%s partition of event_class for values in (%s)', p.y, p.y);
        execute format('grant insert on event_class_y%s to gateway_app', p.y);
    end loop;
end $$;
insert into event_class (event_id, party_id, period, role, class)
select distinct event_id, party_id, period, role, class from event_epc cross join lateral (select case
    when role > 10 then epc
    when epc like 'urn:%' then coalesce(
        substring(epc from '^(urn:epc:id:(?:sscc|pgln|gsrn|gsrnp|gsin|giai|ginc):[^.]*)\.'),
        substring(epc from '^(urn:epc:id:(?:sgtin|upui|sgln|grai|gdti|sgcn|cpi):[^.]*\.[^.]*)\.'),
        substring(epc from '^(urn:epc:id:itip:[^.]*\.[^.]*\.[^.]*\.[^.]*)\.'))
    else coalesce(
        substring(epc from '^(https://id\.gs1\.org/8003/[0-9]{14})'),
        substring(epc from '^(https://id\.gs1\.org/25[35]/[0-9]{13})'),
        substring(epc from '^(https://id\.gs1\.org/[^?]*/)')) end as class) c
where class is not null;
alter table event_class enable row level security;
alter table event_class force row level security;
create policy event_class_own on event_class using (sees_party(party_id));
grant select, insert on event_class to gateway_app;

alter table event_epc drop column head;
drop index event_epc_event;

-- What an event names stands in its rendering, each thing once in a role. Identifiers that are looked up in another spelling than they were told in have it here.
alter table event add column keys jsonb;

-- PostgreSQL's jsonb has no character 0, which JSON may have.
create function event_json(body text) returns jsonb language sql immutable strict parallel safe as $$
    select replace(body, '\u0000', '\ufffd')::jsonb
$$;
create function event_things(body text, keys jsonb) returns table (role int, epc text) language sql immutable parallel safe as $$
    select n.role, coalesce(keys ->> n.epc, n.epc)
    from (select event_json(body) as e offset 0) b cross join lateral (
        select 1 as role, v as epc from jsonb_array_elements_text(e -> 'epcList') v
        union select 2, e ->> 'parentID' where e ? 'parentID'
        union select 3, v from jsonb_array_elements_text(e -> 'childEPCs') v
        union select 4, v from jsonb_array_elements_text(e -> 'inputEPCList') v
        union select 5, v from jsonb_array_elements_text(e -> 'outputEPCList') v
        union select 11, q ->> 'epcClass' from jsonb_array_elements(e -> 'quantityList') q
        union select 13, q ->> 'epcClass' from jsonb_array_elements(e -> 'childQuantityList') q
        union select 14, q ->> 'epcClass' from jsonb_array_elements(e -> 'inputQuantityList') q
        union select 15, q ->> 'epcClass' from jsonb_array_elements(e -> 'outputQuantityList') q) n
$$;

-- Years ahead that hold nothing: a look-up goes through every partition, and next year's is made in time by the clock.
do $$
declare y int; empty boolean;
begin
    for y in extract(year from gateway_now())::int + 2 .. 2037 loop
        continue when to_regclass(format('event_y%s', y)) is null;
        execute format('select not exists (select from event_y%s)', y) into empty;
        if empty then
            execute format('drop table event_y%s, event_epc_y%s, event_class_y%s', y, y, y);
        end if;
    end loop;
end $$;

-- One row for each key, by one index that also finds keys by their beginning: a number of the beginning and one of the whole
-- (Gateway.Units.UnitKey.Hash). Units of one product lie side by side in it, so of ten million only those pages are touched.
alter table unit add column hash bigint;
update unit set hash = ('x' || encode(substr(sha256(convert_to(key, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint;
alter table unit alter column hash set not null;
alter table unit_row drop constraint unit_once;
drop index unit_head;
create unique index unit_once on unit_row (head, hash);

create or replace function make_event_partitions(years_ahead int) returns int
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    this_year int := extract(year from gateway_now() at time zone 'UTC');
    y int;
    made int := 0;
begin
    if years_ahead not between 0 and 20 then
        raise exception 'between 0 and 20 years ahead, not %', years_ahead;
    end if;
    perform pg_advisory_xact_lock(hashtext('make_event_partitions'));
    for y in this_year .. this_year + years_ahead loop
        continue when to_regclass(format('public.event_y%s', y)) is not null and to_regclass(format('public.event_epc_y%s', y)) is not null
            and to_regclass(format('public.event_class_y%s', y)) is not null;
        execute format('create table if not exists event_y%s partition of event for values in (%s)', y, y);
        execute format('create table if not exists event_epc_y%s partition of event_epc for values in (%s)', y, y);
        execute format('create table if not exists event_class_y%s partition of event_class for values in (%s)', y, y);
        execute format('grant insert on event_y%s, event_epc_y%s, event_class_y%s to gateway_app', y, y, y);
        made := made + 1;
    end loop;
    return made;
end $$;

create or replace function archive_events(archived int) returns text language plpgsql as $$
declare
    this_year int := extract(year from gateway_now() at time zone 'UTC');
    expires date;
begin
    perform set_config('app.party', '*', true);
    if archived > this_year - 7 then
        raise exception 'Events of % are kept until the end of %: six full years.', archived, archived + 6 using errcode = 'GW003';
    end if;
    select max(l.expiry) into expires from unit u join lot l using (lot_id) where exists (
        select from event e where e.period = archived and e.event_id in (u.first_event, u.last_event));
    if expires + interval '1 year' >= gateway_now() then
        raise exception 'Events of % are kept until %: a year after the last of its lots expires.', archived, expires + interval '1 year' using errcode = 'GW003';
    end if;
    execute format('alter table event detach partition event_y%s', archived);
    execute format('alter table event_epc detach partition event_epc_y%s', archived);
    execute format('alter table event_class detach partition event_class_y%s', archived);
    return format('event_y%s, event_epc_y%s, event_class_y%s', archived, archived, archived);
end $$;
