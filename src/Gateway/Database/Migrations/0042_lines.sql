-- 0042_lines.sql: what lines, devices, numbers and files from lines stand on (docs/decisions/0027): lines, their devices, and the
-- runs of lots on them. Whose they are is the party's that runs the line: the organisation, or a CMO.
create table line (
    line_id      int  generated always as identity primary key,
    party_id     int  not null references party,
    code         text not null check (code ~ '^[A-Za-z0-9_.-]{1,40}$'),   -- as devices, files and commands name it; it says nothing by itself
    name         text not null check (name <> '' and length(name) <= 200),
    site         text not null check (site ~ '^[0-9]{13}$'),              -- GLN
    read_point   text not null check (read_point <> '' and length(read_point) <= 400),  -- EPC URI or Digital Link of the line, as events name it
    time_zone    text not null check (time_zone <> ''),                   -- IANA; local times of the line's files are of it
    speed        int  check (speed between 1 and 100000),                 -- units a minute, as designed; null: not known
    withdrawn    boolean not null default false,
    version      int  not null default 1,
    unique (party_id, code),
    unique (line_id, party_id)
);

create table device (
    device_id    int  generated always as identity primary key,
    party_id     int  not null references party,
    name         text not null check (name ~ '^[A-Za-z0-9_.-]{1,60}$'),   -- deviceId on the wire
    line_id      int  not null,
    station      text not null default '' check (length(station) <= 60),
    kind         text not null check (kind in ('printer', 'camera', 'scanner', 'aggregator', 'palletiser', 'plc', 'handheld', 'counter')),
    vendor       text not null default '' check (length(vendor) <= 200),
    model        text not null default '' check (length(model) <= 200),
    serial       text not null default '' check (length(serial) <= 200),
    withdrawn    boolean not null default false,
    registered_at timestamptz not null,
    version      int  not null default 1,
    unique (party_id, name),
    unique (device_id, party_id),
    foreign key (line_id, party_id) references line (line_id, party_id)
);
create index device_line on device (line_id);

-- A lot on a line, with the states of LINES.md section 5.
create table run (
    run_id       bigint generated always as identity primary key,
    public_id    uuid not null default gen_random_uuid(),
    party_id     int  not null references party,
    line_id      int  not null,
    order_number text not null default '' check (length(order_number) <= 60),
    gtin         text not null check (gtin ~ '^[0-9]{14}$'),              -- of the saleable pack
    lot          text not null check (lot <> '' and length(lot) <= 20),
    expiry       date not null,
    quantity     int  not null check (quantity between 1 and 10000000),   -- packs that are planned
    state        text not null default 'planned' check (state in ('planned', 'ready', 'running', 'paused', 'ended', 'reconciled', 'closed', 'cancelled')),
    planned_at   timestamptz not null,
    started_at   timestamptz,
    ended_at     timestamptz,
    closed_at    timestamptz,
    version      int  not null default 1,
    unique (public_id, party_id),
    unique (run_id, party_id),
    foreign key (line_id, party_id) references line (line_id, party_id),
    check ((started_at is null) = (state in ('planned', 'ready', 'cancelled')))
);
-- What devices say belongs to the one run of their line that has begun and not ended.
create unique index run_current on run (line_id) where state in ('running', 'paused');
create index run_line on run (line_id, run_id);
create index run_lot on run (gtin, lot);

-- A document of a line: the run it tells of, the mapping that reads it, and how its records came about.
alter table capture
    add column run_id  bigint references run,
    add column mapping text,      -- name and version; null: the document is EPCIS itself
    add column method  text check (method in ('device', 'file', 'manual'));
create index capture_run on capture (run_id) where run_id is not null;

create trigger line_audit after insert or update or delete on line for each row execute function audit_row('code', 'version');
create trigger device_audit after insert or update or delete on device for each row execute function audit_row('name', 'version');
create trigger run_audit after insert or update or delete on run for each row execute function audit_row('public_id', 'version');
do $$
declare t text;
begin
    foreach t in array array['line', 'device', 'run'] loop
        execute format('create trigger %I before delete on %I for each row execute function refuse_change()', t || '_stays', t);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
    end loop;
end $$;
grant select, insert on line, device, run to gateway_app;
grant update (name, site, read_point, time_zone, speed, withdrawn, version) on line to gateway_app;
grant update (line_id, station, kind, vendor, model, serial, withdrawn, version) on device to gateway_app;
grant update (order_number, quantity, state, started_at, ended_at, closed_at, version) on run to gateway_app;

-- What an exception comes from.
alter table exception drop constraint exception_source_kind_check;
alter table exception add constraint exception_source_kind_check check (source_kind in ('capture', 'delivery', 'device', 'run', 'pool'));

select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
insert into role_permission (role, permission)
select r, p from (values
    ('administrator', '{lines.read,lines.run,lines.manage,devices.read,devices.register,devices.speak,devices.manage,serials.read,serials.request}'),
    ('officer', '{lines.read,lines.run,lines.decide,devices.read,devices.qualify,serials.read,serials.request,serials.manage}'),
    ('operator', '{lines.read,lines.run,devices.read,devices.register,devices.speak,serials.read,serials.request}'),
    ('cmo', '{lines.read,lines.run,devices.read,devices.register,devices.speak,serials.read,serials.request}'),
    ('inspector', '{lines.read,devices.read,serials.read}')) as seed (r, ps), unnest(ps::text[]) as p
where exists (select from role where role = r) on conflict do nothing;
