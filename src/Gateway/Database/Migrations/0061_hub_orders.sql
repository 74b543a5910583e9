-- 0061_hub_orders.sql: what a hub is told of packs that it has (docs/decisions/0038): their states, undoing them, recalls and withdrawals.
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);

-- What is to be told, in one message. What cannot be taken back waits for signatures of people who did not ask for it.
create table hub_order (
    hub_order_id int  generated always as identity primary key,
    party_id     int  not null references party,           -- the organisation
    partner_id   int  not null references partner,         -- the hub
    kind         text not null check (kind in ('state change', 'undo', 'recall', 'withdrawal')),
    gtin         text not null check (gtin ~ '^[0-9]{14}$'),
    lot          text collate "C",
    hub_lot_id   int  references hub_lot,
    hub_product_id int not null references hub_product,     -- the version that the message names
    state        text check (state in ('Exported', 'Sample', 'FreeSample', 'Locked', 'CheckedOut', 'Destroyed', 'Stolen')), -- to be, or of an undo: that is undone
    location     text check (location ~ '^[0-9]{13}$'),    -- where it is done; an undo only there
    markets      text[] not null check (cardinality(markets) > 0),
    units        int  not null check (units >= 0),         -- packs concerned
    event_id     bigint,                                   -- the event that says it; null: somebody asked for it
    repeats      int  references hub_order,                -- told again, for what of that one a market did not take
    tries        int  not null default 0,                  -- how often it was told again without a person
    needs        smallint not null check (needs between 0 and 2), -- signatures
    status       text not null check (status in ('asked', 'ready', 'told', 'done', 'failed', 'ended')),
    not_before   timestamptz not null default gateway_now(),
    ended_why    text,                                     -- why it is not told: declined, or what happened before it was
    held_unit    bigint,                                   -- of a recall or withdrawal: the last of our own units that was put on hold for it
    held_at      timestamptz,                              -- all are
    confirmed_at timestamptz,                              -- when the first market had it, by the hub's clock: the undo's days count from it
    reason       text not null check (reason <> ''),
    made_by      text not null default current_setting('app.actor'),
    made_at      timestamptz not null default gateway_now(),
    check ((kind in ('state change', 'undo')) = (state is not null and location is not null)),
    check ((kind = 'withdrawal') = (lot is null) and (lot is null) = (hub_lot_id is null)),
    check ((status = 'ended') = (ended_why is not null)),
    unique (hub_order_id, party_id)
);
create index hub_order_open on hub_order (not_before, hub_order_id) where status = 'ready';
create index hub_order_lot on hub_order (hub_lot_id, hub_order_id);
create index hub_order_product on hub_order (partner_id, gtin, hub_order_id);
create index hub_order_hold on hub_order (hub_order_id) where kind in ('recall', 'withdrawal') and repeats is null and held_at is null and status not in ('asked', 'ended');
create index hub_order_repeats on hub_order (repeats) where repeats is not null;
create index hub_order_event on hub_order (event_id) where event_id is not null;

create table hub_order_pack (
    hub_order_id int  not null,
    party_id     int  not null,
    serial       text collate "C" not null,
    fault        text,                                     -- why the hub has not done it, by its code; or market: not every market has
    temporary    boolean not null default false,           -- the hub calls the fault so
    primary key (hub_order_id, serial, party_id),
    foreign key (hub_order_id, party_id) references hub_order (hub_order_id, party_id)
);

-- What the hub has confirmed of a pack, and what it is being told.
alter table hub_pack add column state text, add column state_order int references hub_order, add column pending_order int references hub_order;
create index hub_pack_state on hub_pack (hub_lot_id, state) where state is not null;
create index hub_pack_state_order on hub_pack (state_order) where state_order is not null;
create index hub_pack_pending on hub_pack (pending_order) where pending_order is not null;

alter table hub_message drop constraint hub_message_check, drop constraint hub_message_kind_check;
alter table hub_message add column hub_order_id int references hub_order,
    add constraint hub_message_kind_check check (kind in ('product data', 'pack data', 'state change', 'undo', 'recall', 'withdrawal')),
    add constraint hub_message_check check ((kind = 'product data') = (hub_product_id is not null) and (kind = 'pack data') = (hub_chunk_id is not null) and (kind in ('state change', 'undo', 'recall', 'withdrawal')) = (hub_order_id is not null));
create unique index hub_message_order on hub_message (hub_order_id) where hub_order_id is not null;

-- Where nothing of a lot may change any more, because a recall or withdrawal is told there or is about to be.
create function hub_ended(hub int, the_gtin text, the_lot text) returns text[] language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select coalesce(array_agg(distinct m order by m), '{}') from public.hub_order o cross join unnest(o.markets) m
    where o.partner_id = hub and o.gtin = the_gtin and (o.kind = 'withdrawal' or o.kind = 'recall' and o.lot = the_lot) and o.status in ('ready', 'told', 'done', 'failed') $$;

-- What signatures cover: everything that will be told.
create function hub_order_content(the_order int) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select jsonb_build_object('hub', o.partner_id, 'kind', o.kind, 'gtin', o.gtin, 'lot', o.lot, 'state', o.state, 'location', o.location, 'markets', o.markets, 'units', o.units, 'reason', o.reason,
        'packs', (select encode(sha256(convert_to(coalesce(string_agg(p.serial, ' ' order by p.serial), ''), 'UTF8')), 'hex') from public.hub_order_pack p where p.hub_order_id = o.hub_order_id))
    from public.hub_order o where o.hub_order_id = the_order $$;

insert into signature_meaning values
    ('hub order', 'I have seen what the markets will be told and that it can never be taken back: it is right, and it may be told.', 'sign.approve', true, '{}');

-- Whether it can be taken back is not for its asker to say.
create function hub_order_needs(kind text, state text, asker text) returns smallint language sql immutable as $$
    select (case when kind in ('recall', 'withdrawal') then case when asker like 'person:%' then 1 else 2 end when kind = 'state change' and state in ('Destroyed', 'Stolen') then 1 else 0 end)::smallint $$;

create function hub_order_step() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if not public.sees_party(new.party_id) then
        raise exception 'An order is of what one sees.' using errcode = 'insufficient_privilege'; -- row security looks only after this
    end if;
    if tg_op = 'INSERT' then
        if new.repeats is not null then
            -- What was agreed to is told again, and nothing besides.
            if not exists (select from public.hub_order o where o.hub_order_id = new.repeats and o.repeats is null and o.party_id = new.party_id and o.status in ('told', 'failed') and o.hub_product_id = new.hub_product_id and o.hub_lot_id is not distinct from new.hub_lot_id
                and (o.partner_id, o.kind, o.gtin, coalesce(o.lot, ''), coalesce(o.state, ''), coalesce(o.location, '')) = (new.partner_id, new.kind, new.gtin, coalesce(new.lot, ''), coalesce(new.state, ''), coalesce(new.location, '')) and new.markets <@ o.markets and new.units <= o.units) then
                raise exception 'An order is repeated as it was.' using errcode = 'GW061';
            end if;
            new.needs := 0;
        else
            new.needs := public.hub_order_needs(new.kind, new.state, new.made_by);
        end if;
        new.status := case when new.needs > 0 then 'asked' else 'ready' end;
        return new;
    end if;
    if old.status in ('done', 'ended') and new.status <> old.status then
        raise exception 'What has ended stays as it is.' using errcode = 'GW061';
    end if;
    if old.status = 'asked' and new.status not in ('asked', 'ended') and new.needs > (
        select count(distinct s.signer) from public.signature s where s.record_type = 'hub order' and s.record_id = new.hub_order_id::text and s.meaning = 'hub order'
            and s.signer <> new.made_by and s.content_sha256 = public.content_sha256(public.hub_order_content(new.hub_order_id))) then
        raise exception 'It is told when it is signed.' using errcode = 'GW061';
    end if;
    if new.status <> old.status and (new.status in ('asked', 'ready') and old.status <> 'asked' or new.status = 'told' and old.status <> 'ready') then
        raise exception 'An order goes forward only.' using errcode = 'GW061';
    end if;
    return new;
end $$;
create trigger hub_order_step before insert or update on hub_order for each row execute function hub_order_step();
-- What was agreed to is told again of its own packs, and of no others.
create function hub_order_pack_step() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (select from added a join public.hub_order o using (hub_order_id) where o.repeats is not null and not exists (select from public.hub_order_pack r where r.hub_order_id = o.repeats and r.serial = a.serial)) then
        raise exception 'An order is repeated as it was.' using errcode = 'GW061';
    end if;
    return null;
end $$;
create trigger hub_order_pack_step after insert on hub_order_pack referencing new table as added for each statement execute function hub_order_pack_step();

-- What events say of the state of packs, noted when they are captured and heard afterwards.
create table hub_news (
    event_id   bigint not null,
    party_id   int    not null references party,           -- the organisation
    teller_id  int    not null references party,
    created_at timestamptz not null default gateway_now(),
    not_before timestamptz not null default gateway_now(), -- it waits for what the hub is being told of the same packs
    heard_at   timestamptz,
    primary key (event_id, party_id)
);
create index hub_news_open on hub_news (event_id) where heard_at is null;

create trigger hub_order_due after insert or update of status on hub_order for each statement execute function hub_due();
create trigger hub_news_due after insert on hub_news for each statement execute function hub_due();
-- Every node remembers which lots are recalled, with the master data.
create function hub_recalled() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'masterdata 0');
    return null;
end $$;
create trigger hub_order_recalled after update of status on hub_order for each row when (new.kind = 'recall' and new.status = 'ready') execute function hub_recalled();
create trigger hub_order_changed after insert or update on hub_order for each statement execute function hub_changed();
create trigger hub_order_audit after insert or update or delete on hub_order for each row execute function audit_row('hub_order_id');
create trigger hub_order_append_only before update of hub_order_id, party_id, partner_id, kind, gtin, lot, hub_lot_id, hub_product_id, state, location, markets, units, event_id, repeats, tries, needs, reason, made_by, made_at on hub_order for each row execute function refuse_change();
create trigger hub_order_pack_append_only before update of hub_order_id, party_id, serial on hub_order_pack for each row execute function refuse_change();
do $$
declare t text;
begin
    foreach t in array array['hub_order', 'hub_order_pack', 'hub_news'] loop
        execute format('create trigger %I before delete on %I for each row execute function refuse_change()', t || '_stays', t);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
        execute format('create policy %I on %I as restrictive for insert with check (current_setting(''app.party'', true) = ''*'')', t || '_added', t);
        execute format('create policy %I on %I as restrictive for update using (current_setting(''app.party'', true) = ''*'')', t || '_moved', t);
    end loop;
end $$;
grant select on hub_order, hub_order_pack, hub_news to gateway_app;
grant insert (party_id, partner_id, kind, gtin, lot, hub_lot_id, hub_product_id, state, location, markets, units, event_id, repeats, tries, not_before, reason), update (status, not_before, ended_why, held_unit, held_at, confirmed_at) on hub_order to gateway_app;
grant insert (hub_order_id, party_id, serial), update (fault, temporary) on hub_order_pack to gateway_app;
grant insert (event_id, party_id, teller_id), update (heard_at, not_before) on hub_news to gateway_app;
grant update (state, state_order, pending_order) on hub_pack to gateway_app;
grant insert (hub_order_id) on hub_message to gateway_app;

insert into role_permission (role, permission)
select r, 'hub.order' from unnest(array['administrator', 'officer']) as r where exists (select from role where role = r) on conflict do nothing;
