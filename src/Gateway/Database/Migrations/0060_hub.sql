-- 0060_hub.sql: packs are reported to a repository, such as the EU hub (docs/decisions/0037). Its messages are deliveries, so they are kept, sent,
-- retried and decided about as every other; what they say, and what was answered, stands here.
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
alter table partner drop constraint partner_channel_check, drop constraint partner_format_check;
alter table partner
    add constraint partner_channel_check check (channel in ('https', 'epcis', 'as2', 'sftp', 'soap', 'folder', 'hub')),
    add constraint partner_format_check check (format in ('1.2-xml', '2.0-xml', '2.0-json', 'hub') and (format = 'hub') = (channel = 'hub'));

-- What a product is in the markets it is sold in. A version is never changed: another market is another version, and a lot belongs to one.
create table hub_product (
    hub_product_id int  generated always as identity primary key,
    party_id       int  not null references party,        -- the organisation
    partner_id     int  not null references partner,      -- the hub
    gtin           text not null check (gtin ~ '^[0-9]{14}$'),
    version        int  not null check (version > 0),
    content        jsonb not null check (jsonb_typeof(content) = 'object'),
    markets        text[] not null check (cardinality(markets) > 0),
    reason         text not null check (reason <> ''),
    made_by        text not null default current_setting('app.actor'),
    made_at        timestamptz not null default gateway_now(),
    unique (party_id, partner_id, gtin, version)
);

-- A lot that somebody released to a hub's markets. Its version of the product data, and with it its markets, stay.
create table hub_lot (
    hub_lot_id     int  generated always as identity primary key,
    party_id       int  not null references party,
    partner_id     int  not null references partner,
    hub_product_id int  not null references hub_product,
    gtin           text not null,
    lot            text collate "C" not null,
    expiry         date not null,
    released_at    timestamptz not null default gateway_now(),
    unique (party_id, partner_id, gtin, lot)
);
create index hub_lot_product on hub_lot (hub_product_id);

-- What was to be reported of it at a moment: the release, a further release of what has become good since, or again what the hub could not store.
create table hub_round (
    hub_lot_id     int  not null references hub_lot,
    round          int  not null check (round > 0),
    party_id       int  not null references party,
    kind           text not null check (kind in ('release', 'resend')),
    units          int  not null check (units >= 0),
    left_out       jsonb not null default '{}',            -- why how many of the lot's units are not reported
    reason         text not null check (reason <> ''),
    made_by        text not null default current_setting('app.actor'),
    made_at        timestamptz not null default gateway_now(),
    primary key (hub_lot_id, round)
);

-- What goes in one message.
create table hub_chunk (
    hub_chunk_id   int  generated always as identity primary key,
    party_id       int  not null references party,
    hub_lot_id     int  not null,
    round          int  not null,
    ordinal        int  not null check (ordinal > 0),
    units          int  not null check (units > 0),
    not_before     timestamptz not null default gateway_now(), -- what failed for a while, or could not be written, waits
    unique (hub_lot_id, round, ordinal),
    foreign key (hub_lot_id, round) references hub_round
);

create table hub_pack (
    hub_lot_id     int  not null,
    hub_chunk_id   int  not null,                          -- the newest that it went in, or is to go in
    party_id       int  not null,
    serial         text collate "C" not null,
    fault          text,                                   -- why the hub has not stored it, by the hub's code; or market: not every market has
    temporary      boolean not null default false,         -- the hub calls the fault so
    tries          int  not null default 0,                -- how often it was sent again without a person
    primary key (hub_lot_id, serial, party_id)
);
create index hub_pack_chunk on hub_pack (hub_chunk_id);
create index hub_pack_fault on hub_pack (hub_lot_id) where fault is not null;

-- A message to a hub, and what it answered. The delivery's message id is its correlation id.
create table hub_message (
    delivery_id    bigint primary key references delivery,
    party_id       int  not null references party,
    partner_id     int  not null references partner,
    correlation_id uuid not null,
    kind           text not null check (kind in ('product data', 'pack data')),
    hub_product_id int  references hub_product,
    hub_chunk_id   int  references hub_chunk,
    state          text not null default 'sent' check (state in ('sent', 'accepted', 'partial', 'refused')),
    code           text,
    text           text,
    failed         int  not null default 0,                -- packs of it that the hub has not stored
    answered_at    timestamptz,                            -- when nothing more was to come
    answer_id      bigint references document,             -- the newest answer, as it came
    unique (correlation_id, party_id),
    check ((kind = 'product data') = (hub_product_id is not null) and (kind = 'pack data') = (hub_chunk_id is not null))
);
create unique index hub_message_chunk on hub_message (hub_chunk_id) where hub_chunk_id is not null;
create unique index hub_message_product on hub_message (hub_product_id) where hub_product_id is not null;

-- Where it has come to, market by market. It never goes back from distributed.
create table hub_message_market (
    delivery_id    bigint not null references hub_message,
    party_id       int  not null references party,
    country        text not null check (country ~ '^[A-Z]{2}$'),
    state          text not null check (state in ('pending', 'distributed', 'failed')),
    confirmed_at   timestamptz,                            -- by the hub's clock: deadlines count from it
    primary key (delivery_id, country, party_id)
);

-- A version that all its markets have; a lot of which all its messages are where its markets are. Nothing else may be done before.
create function hub_distributed(message bigint) returns boolean language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select exists (select from public.hub_message_market where delivery_id = message) and not exists (select from public.hub_message_market where delivery_id = message and state <> 'distributed') $$;

create function hub_due() returns trigger language plpgsql as $$
begin
    perform pg_notify('hub_due', '');
    return null;
end $$;
create trigger hub_chunk_due after insert on hub_chunk for each statement execute function hub_due();
create function hub_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'hub 0');
    return null;
end $$;
create trigger hub_round_changed after insert on hub_round for each statement execute function hub_changed();
create trigger hub_product_changed after insert on hub_product for each statement execute function hub_changed();
create trigger hub_message_changed after insert or update on hub_message for each statement execute function hub_changed();

create trigger hub_product_audit after insert or update or delete on hub_product for each row execute function audit_row('hub_product_id');
create trigger hub_lot_audit after insert or update or delete on hub_lot for each row execute function audit_row('hub_lot_id');
create trigger hub_round_audit after insert or update or delete on hub_round for each row execute function audit_row('hub_lot_id');
create trigger hub_message_market_audit after insert or update or delete on hub_message_market for each row execute function audit_row('delivery_id');
create trigger hub_message_audit after insert or update or delete on hub_message for each row execute function audit_row('delivery_id');
create trigger hub_product_append_only before update on hub_product for each row execute function refuse_change();
create trigger hub_lot_append_only before update on hub_lot for each row execute function refuse_change();
create trigger hub_round_append_only before update on hub_round for each row execute function refuse_change();
create trigger hub_chunk_append_only before update of hub_chunk_id, party_id, hub_lot_id, round, ordinal, units on hub_chunk for each row execute function refuse_change();
do $$
declare t text;
begin
    foreach t in array array['hub_product', 'hub_lot', 'hub_round', 'hub_chunk', 'hub_pack', 'hub_message', 'hub_message_market'] loop
        execute format('create trigger %I before delete on %I for each row execute function refuse_change()', t || '_stays', t);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
        execute format('create policy %I on %I as restrictive for insert with check (current_setting(''app.party'', true) = ''*'')', t || '_added', t);
    end loop;
end $$;
grant select on hub_product, hub_lot, hub_round, hub_chunk, hub_pack, hub_message, hub_message_market to gateway_app;
grant insert (party_id, partner_id, gtin, version, content, markets, reason) on hub_product to gateway_app;
grant insert (party_id, partner_id, hub_product_id, gtin, lot, expiry) on hub_lot to gateway_app;
grant insert (hub_lot_id, round, party_id, kind, units, left_out, reason) on hub_round to gateway_app;
grant insert (party_id, hub_lot_id, round, ordinal, units, not_before), update (not_before) on hub_chunk to gateway_app;
grant insert (hub_lot_id, hub_chunk_id, party_id, serial), update (hub_chunk_id, fault, temporary, tries) on hub_pack to gateway_app;
grant insert (delivery_id, party_id, partner_id, correlation_id, kind, hub_product_id, hub_chunk_id), update (state, code, text, failed, answered_at, answer_id) on hub_message to gateway_app;
grant insert (delivery_id, party_id, country, state, confirmed_at), update (state, confirmed_at) on hub_message_market to gateway_app;

insert into role_permission (role, permission)
select r, p from (values
    ('administrator', '{hub.read,hub.manage,hub.answer}'), ('officer', '{hub.read,hub.manage,hub.release}'), ('operator', '{hub.read}'), ('inspector', '{hub.read}'), ('partner', '{hub.answer}')) as seed (r, ps), unnest(ps::text[]) as p
where exists (select from role where role = r) on conflict do nothing;

alter table exception drop constraint exception_source_kind_check;
alter table exception add constraint exception_source_kind_check check (source_kind in ('capture', 'delivery', 'device', 'run', 'pool', 'partner', 'hub'));
