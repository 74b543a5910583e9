-- 0030_units.sql: the unit ledger. A row is what the rules make of the stored events (docs/decisions/0016), so it can be made
-- again from them, and `gateway ledger verify` does. One row for each serialised unit in the world, whoever told of it.

-- A lot as units name it, and a place as events spell it: each once for a party, so that a unit needs four bytes for it.
create table lot (
    lot_id    int  generated always as identity primary key,
    party_id  int  not null references party,
    gtin      text collate "C" not null,
    lot       text collate "C" not null,
    expiry    date,
    unique nulls not distinct (party_id, gtin, lot, expiry)
);
create index lot_lot on lot (lot);
create index lot_gtin on lot (gtin, lot);

create table place (
    place_id  int  generated always as identity primary key,
    party_id  int  not null references party,
    uri       text collate "C" not null,
    unique (party_id, uri)
);

-- COPY cannot pass row security, so new units are copied into the only partition, on which the application may insert and
-- nothing else; everything else goes through the parent and its policy.
create table unit (
    unit_id        bigint   not null,            -- capture_id * 2^24 + a count: in the order in which documents name units
    parent_id      bigint,                       -- the container it is in
    first_event    bigint   not null,            -- the first event that named it, by event time
    last_event     bigint   not null,            -- the last that named it or what is in it
    last_at        timestamptz not null,         -- that event's time
    party_id       int      not null,            -- who told of it first
    lot_id         int,
    content_lot_id int,                          -- of a container: the lot of what was first put into it
    holder_id      int,                          -- who has it in hand
    location_id    int,                          -- where it was seen last
    children       int,                          -- how many units it holds directly; null for none
    held_below     int,                          -- how many at any depth are held; null for none
    head           int      not null,            -- of the key's beginning: serial numbers are searched by their beginnings
    state          smallint not null,            -- Gateway.Units.UnitState; what is packed has the state of its outermost container
    flags          smallint not null,            -- Gateway.Units.UnitFlags
    level          smallint not null,            -- 1 for the saleable pack; 0: not known
    last_kind      smallint not null,            -- Gateway.Units.FactKind: the order of facts within one instant
    prefix_length  smallint not null,            -- of the company prefix as it was first written; 0: not known
    key            text     collate "C" not null,  -- 01 GTIN 21 serial number, or 00 SSCC
    reason         text,                         -- why it is in its state
    holds          text                          -- why it is held, words apart by blanks; null: it is not
) partition by list (party_id);
create table unit_row partition of unit default;
alter table unit_row add primary key (unit_id);
-- One row for each key. A hash, because a btree costs more than twice as much on random serial numbers.
alter table unit_row add constraint unit_once exclude using hash (key with =);
create index unit_parent on unit_row (parent_id) where parent_id is not null;
create index unit_lot on unit_row (lot_id) where lot_id is not null;
create index unit_head on unit_row (head);
-- What somebody must look at: held units, and those of which something was told before how they came to be (UnitFlags.Waiting).
create index unit_attention on unit_row (unit_id) where holds is not null or flags & 4 <> 0;

do $$
declare t text;
begin
    foreach t in array array['lot', 'place', 'unit'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
    end loop;
end $$;
grant select, insert on lot, place to gateway_app;
-- A unit that no event names any more, because each of them was declared in error, is no unit.
grant select, update, delete on unit to gateway_app;
grant insert on unit_row to gateway_app;

-- Another party told the same event first: it is kept, and the ledger counts it once.
alter table event add column told_again boolean not null default false;

-- In the order in which versions were committed (changes of master data wait for each other): a capture sees by one look whether
-- what a node remembers of the products is the present, for units are held to it.
alter table product add column ord bigint generated always as identity;
create unique index product_ord on product (ord);

-- Retention: a year of events leaves the database as two tables of its own, which are then dumped and dropped
-- (docs/operations.md). Refused while anything in it must be kept: six full years for a transaction (DSCSA 582), and for a pack
-- five years after it was told of or one year after its lot expires, whichever is longer (EU 2016/161, 15 and 33).
create function archive_events(archived int) returns text language plpgsql as $$
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
    return format('event_y%s, event_epc_y%s', archived, archived);
end $$;
revoke all on function archive_events(int) from public;
