-- 0058_acknowledgements.sql: three acknowledgements that are never merged (docs/decisions/0035): the channel took the bytes (transport), the partner's
-- system took the document (receipt), the partner has the goods (business). What was shipped to a partner is kept unit by unit, so that what
-- was captured, sent and acknowledged can be counted against each other.
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);

alter table delivery
    add column accepted_at      timestamptz,  -- transport: when the channel took it
    add column accepted_attempt int,          -- and in which attempt; its answer's hash is there
    add column receipt_at       timestamptz,  -- receipt: when it came, or was refused
    add column receipt_due_at   timestamptz,
    add column business         text check (business in ('awaited', 'partly', 'received', 'assumed', 'disputed')), -- null: nothing is to be received
    add column business_at      timestamptz,
    add column business_due_at  timestamptz,
    add column business_event   bigint,       -- the partner's event that said it last
    add column business_note    text,         -- why it is disputed
    add column receipt_told     boolean not null default false, -- that the receipt is overdue was told
    add column business_overdue boolean not null default false, -- that the answer is overdue was told
    add column miscounted       int;          -- by so many its document tells other units than were shipped; null: as many
update delivery set accepted_at = finished_at, accepted_attempt = nullif(attempts, 0) where state = 'delivered';
create index delivery_disputed on delivery (delivery_id) where business = 'disputed';
create index delivery_answer_due on delivery (business_due_at) where business in ('awaited', 'partly', 'disputed');

alter table attempt
    add column answer_sha256  bytea,  -- of what the partner answered, as it came
    add column receipt_sha256 bytea;  -- of what it said in the end of a document that it took for later

create or replace trigger delivery_notify after insert or update of state, due_at, attempts, receipt, held_by, document_id, business on delivery for each row
    when (coalesce(current_setting('app.clock_offset', true), '') = '') execute function delivery_changed();

-- What was agreed with the partner; null: as the configuration says.
alter table partner_profile
    add column receipt_hours  int check (receipt_hours between 1 and 720),
    add column answer_days    int check (answer_days between 1 and 365),
    add column tells_receipt  boolean not null default false;  -- it has promised to tell what it receives: its silence is overdue and means nothing
grant insert (receipt_hours, answer_days, tells_receipt), update (receipt_hours, answer_days, tells_receipt) on partner_profile to gateway_app;
-- A profile that says nothing of this has the content that was signed before it could.
create or replace function partner_content(partner int) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
    select to_jsonb(p) - 'secret' - 'state' - 'pause_reason' - 'live_version' - 'needs_licence' - 'need_within' - case when p.channel_settings = '{}' then 'channel_settings' else '' end
        || jsonb_build_object('secretSha256', encode(sha256(p.secret), 'hex'), 'glns', (select jsonb_agg(gln order by gln) from public.partner_gln g where g.partner_id = p.partner_id))
        || coalesce((select jsonb_build_object('profile', to_jsonb(f) - 'partner_id' - 'party_id' - case when f.receipt_hours is null then 'receipt_hours' else '' end
            - case when f.answer_days is null then 'answer_days' else '' end - case when f.tells_receipt then '' else 'tells_receipt' end) from public.partner_profile f where f.partner_id = p.partner_id), '{}')
    from public.partner p where p.partner_id = partner $$;

-- A shipping event that concerns a partner, whether or not anything is sent to it. Written in the capture's transaction; its units are found afterwards.
create table shipment (
    shipment_id    bigint generated always as identity primary key,
    party_id       int    not null,                      -- the partner's
    partner_id     int    not null,
    capture_id     bigint not null references capture,
    event_id       bigint not null,
    transactions   text[] not null default '{}',         -- its purchase orders and despatch advices
    units          int,                                  -- at every level; null: they are to be found, again
    generation     int not null default 0,               -- rises with each division of what tells of it, so that a search that began before stores nothing
    recounted      boolean not null default false,       -- they were found again because the document tells another number
    stale          boolean not null default true,        -- its sums are to be made, and what follows from them
    taken_back_by  bigint,                               -- the event that declares it in error
    answered_by    bigint,                               -- the partner's event that said of it last
    created_at     timestamptz not null,
    unique (partner_id, event_id),
    unique (shipment_id, party_id),
    foreign key (partner_id, party_id) references partner (partner_id, party_id)
);
create index shipment_capture on shipment (capture_id);
create index shipment_event on shipment (event_id);
create index shipment_work on shipment (shipment_id) where units is null or stale;
create index shipment_transactions on shipment using gin (transactions);

-- What was in it when it was shipped, at any depth. About 120 bytes with its indexes.
create table shipped_unit (
    shipment_id    bigint not null,
    unit_id        bigint not null,
    parent_id      bigint,                               -- what it was in
    delivery_id    bigint,                               -- whose document tells it; null: none
    taken_back_by  bigint,                               -- the event by which it was not shipped after all
    received_by    bigint,                               -- the partner's event by which it arrived
    party_id       int    not null,
    lot_id         int,
    is_serial      boolean not null,                     -- it is a GTIN with a serial number
    primary key (shipment_id, unit_id),
    foreign key (shipment_id, party_id) references shipment (shipment_id, party_id)
) with (fillfactor = 85); -- each is changed about once more, when it is received
create index shipped_unit_unit on shipped_unit (unit_id);
create index shipped_unit_inside on shipped_unit (shipment_id, parent_id) where parent_id is not null;

-- The same in sums: a row for each delivery and lot of a shipment, so that reconciling reads no units.
create table shipment_sum (
    shipment_id  bigint not null,
    party_id     int    not null,
    delivery_id  bigint,
    gtin         text,                                   -- with the lot null: logistic units, and what nobody commissioned
    lot          text,
    units        bigint not null,
    taken_back   bigint not null,
    received     bigint not null,
    unique nulls not distinct (shipment_id, party_id, delivery_id, gtin, lot),
    foreign key (shipment_id, party_id) references shipment (shipment_id, party_id)
);
create index shipment_sum_delivery on shipment_sum (delivery_id);
create index shipment_sum_lot on shipment_sum (lot, gtin) where lot is not null;

-- What events said of shipments afterwards. Written in the capture's transaction, and worked off in the order of the events.
create table shipment_news (
    event_id     bigint not null,
    partner_id   int    not null,
    party_id     int    not null,                        -- the partner's
    kind         text   not null check (kind in ('void', 'declaration', 'receipt')),
    shipment_id  bigint references shipment,             -- the last that it is about
    extra        int    not null default 0,              -- units that it names and that are in no shipment to the partner
    is_done      boolean not null default false,         -- else it is looked at again when something more is shipped to the partner
    seen         bigint,                                 -- the partner's last shipment when it was looked at
    created_at   timestamptz not null,
    primary key (event_id, partner_id),
    foreign key (partner_id, party_id) references partner (partner_id, party_id)
);
create index shipment_news_open on shipment_news (partner_id, event_id) where not is_done;

do $$
declare t text;
begin
    foreach t in array array['shipment', 'shipped_unit', 'shipment_sum', 'shipment_news'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
        execute format('create policy %I on %I as restrictive for insert with check (current_setting(''app.party'', true) = ''*'')', t || '_added', t);
        execute format('create policy %I on %I as restrictive for update using (current_setting(''app.party'', true) = ''*'')', t || '_changed', t);
    end loop;
end $$;
grant select on shipment, shipped_unit, shipment_sum, shipment_news to gateway_app;
grant insert (party_id, partner_id, capture_id, event_id, transactions, created_at), update (units, generation, recounted, stale, taken_back_by, answered_by) on shipment to gateway_app;
grant insert, delete, update (taken_back_by, received_by) on shipped_unit to gateway_app;
grant insert, delete on shipment_sum to gateway_app;
grant insert (event_id, partner_id, party_id, kind, created_at), update (shipment_id, extra, is_done, seen) on shipment_news to gateway_app;
create policy shipped_unit_removed on shipped_unit as restrictive for delete using (current_setting('app.party', true) = '*');
create policy shipment_sum_removed on shipment_sum as restrictive for delete using (current_setting('app.party', true) = '*');
