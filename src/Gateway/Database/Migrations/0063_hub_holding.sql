-- 0063_hub_holding.sql: what a market holds of a lot is compared with what we believe it holds, to the serial number (docs/decisions/0040).
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);

-- A look at all markets of a lot. Its counts and differences are written with its end, or nothing is.
create table hub_reconciliation (
    hub_reconciliation_id int generated always as identity primary key,
    party_id       int  not null references party,
    hub_lot_id     int  not null references hub_lot,
    cause          text not null check (cause in ('asked', 'schedule')),
    made_by        text not null default current_setting('app.actor'),
    made_at        timestamptz not null default gateway_now(),
    state          text not null default 'waiting' check (state in ('waiting', 'done', 'failed')),
    begun_at       timestamptz,                            -- what was answered by then is believed
    ended_at       timestamptz,
    code           text,                                   -- why it failed
    text           text,
    stored         int  not null default 0,                -- differences that are written down; there may be more
    check ((state = 'waiting') = (ended_at is null)),
    check (state <> 'done' or begun_at is not null),
    check ((state = 'failed') = (code is not null))
);
create unique index hub_reconciliation_waiting on hub_reconciliation (hub_lot_id, party_id) where state = 'waiting' and begun_at is null;
create index hub_reconciliation_lot on hub_reconciliation (hub_lot_id, hub_reconciliation_id desc);

create table hub_reconciliation_market (
    hub_reconciliation_id int not null references hub_reconciliation,
    party_id       int  not null references party,
    country        text not null check (country ~ '^[A-Z]{2}$'),
    believed       int  not null,
    held           int  not null,
    under_way      int  not null,                          -- packs of messages that were not answered
    missing        int  not null,
    unexpected     int  not null,
    state          int  not null,                          -- packs that are in another state than we believe
    primary key (hub_reconciliation_id, country, party_id)
);

-- One serial number in one market. It is open until a later look does not find it.
create table hub_difference (
    hub_difference_id bigint generated always as identity primary key,
    party_id       int  not null references party,
    hub_lot_id     int  not null references hub_lot,
    country        text collate "C" not null check (country ~ '^[A-Z]{2}$'),
    serial         text collate "C" not null,
    kind           text not null check (kind in ('missing', 'unexpected', 'state')),
    believed       text,                                   -- the state we believe it in
    held           text,                                   -- the state the market has it in
    held_at        timestamptz,                            -- by the hub's clock
    first_run      int  not null references hub_reconciliation,
    last_run       int  not null references hub_reconciliation,
    closed_run     int  references hub_reconciliation,
    closed_at      timestamptz,
    check ((closed_run is null) = (closed_at is null))
);
create unique index hub_difference_open on hub_difference (hub_lot_id, country, serial, party_id) where closed_at is null;
create index hub_difference_listed on hub_difference (hub_lot_id, hub_difference_id) where closed_at is null;

create function hub_reconciliation_due() returns trigger language plpgsql as $$
begin
    perform pg_notify('hub_reconciliation_due', '');
    return null;
end $$;
create trigger hub_reconciliation_due after insert on hub_reconciliation for each statement execute function hub_reconciliation_due();
create trigger hub_reconciliation_changed after insert or update on hub_reconciliation for each statement execute function hub_changed();

create trigger hub_reconciliation_audit after insert or update or delete on hub_reconciliation for each row execute function audit_row('hub_reconciliation_id');
create trigger hub_reconciliation_market_audit after insert or update or delete on hub_reconciliation_market for each row execute function audit_row('hub_reconciliation_id');
create trigger hub_reconciliation_market_append_only before update on hub_reconciliation_market for each row execute function refuse_change();
create trigger hub_reconciliation_ended before update on hub_reconciliation for each row when (old.state <> 'waiting') execute function refuse_change();
create trigger hub_difference_closed before update on hub_difference for each row when (old.closed_at is not null) execute function refuse_change();
do $$
declare t text;
begin
    foreach t in array array['hub_reconciliation', 'hub_reconciliation_market', 'hub_difference'] loop
        execute format('create trigger %I before delete on %I for each row execute function refuse_change()', t || '_stays', t);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
        execute format('create policy %I on %I as restrictive for insert with check (current_setting(''app.party'', true) = ''*'')', t || '_added', t);
    end loop;
end $$;
grant select on hub_reconciliation, hub_reconciliation_market, hub_difference to gateway_app;
grant insert (party_id, hub_lot_id, cause), update (state, begun_at, ended_at, code, text, stored) on hub_reconciliation to gateway_app;
grant insert (hub_reconciliation_id, party_id, country, believed, held, under_way, missing, unexpected, state) on hub_reconciliation_market to gateway_app;
grant insert (party_id, hub_lot_id, country, serial, kind, believed, held, held_at, first_run, last_run), update (believed, held, held_at, last_run, closed_run, closed_at) on hub_difference to gateway_app;
