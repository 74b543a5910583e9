-- 0005_delivery.sql: partners, and the outbox. A delivery row is written in the capture's own transaction,
-- so an accepted capture always has its deliveries.
create table partner (
    partner_id  int generated always as identity primary key,
    party_id    int  not null unique references party,
    name        text not null check (name <> ''),
    format      text not null check (format in ('1.2-xml', '2.0-xml', '2.0-json')),
    channel     text not null check (channel in ('https', 'epcis', 'as2', 'sftp', 'soap', 'folder')),
    url         text not null,
    secret      bytea,                     -- bearer token for the partner's endpoint, sealed by data protection
    state       text not null default 'active' check (state in ('draft', 'active', 'paused')),
    pause_reason text,
    created_at  timestamptz not null
);
create table partner_gln (
    gln         text primary key check (gln ~ '^[0-9]{13}$'),
    partner_id  int  not null references partner
);
create index partner_gln_partner on partner_gln (partner_id);

-- An explicit rule: documents that match go to the partner also when no destination names it.
create table route (
    route_id     int generated always as identity primary key,
    partner_id   int  not null references partner,
    source_gln   text check (source_gln ~ '^[0-9]{13}$'),        -- owning_party or location of the shipment; null: any
    destination_gln text check (destination_gln ~ '^[0-9]{13}$'), -- null: any
    reason       text not null check (reason <> ''),
    active       boolean not null default true
);
create index route_partner on route (partner_id);

create table delivery (
    delivery_id    bigint generated always as identity primary key,
    party_id       int    not null references party,    -- the partner's
    document_id    bigint not null references document, -- what is sent, its bytes fixed before the first attempt
    partner_id     int    not null references partner,
    replay_of      bigint references delivery,
    message_id     uuid   not null,                     -- the same in every attempt and every replay
    ordering       text   not null,                     -- the lane: one after the other within it
    state          text   not null check (state in ('due', 'delivered', 'dead', 'closed')),
    dead_reason    text   check (dead_reason in ('exhausted', 'refused', 'crashed')),
    code           text,                                -- of the last failure
    attempts       int    not null default 0,           -- rises with the intent, before anything is sent
    equal_refusals int    not null default 0,           -- the same refusal in a row
    crashes        int    not null default 0,           -- intents that never got a result
    due_at         timestamptz not null,
    created_at     timestamptz not null,
    give_up_at     timestamptz not null,                -- after this a person decides
    receipt        text   not null default 'none' check (receipt in ('none', 'pending', 'received', 'negative')),
    receipt_ref    text,                                -- where the partner's own job is polled
    lease_token    uuid,
    lease_until    timestamptz,
    version        int    not null default 1,           -- rises with every decision of a person
    finished_at    timestamptz,
    check (state <> 'dead' or dead_reason is not null)  -- a closed row remembers why it was dead, so that it can be reopened
);
create unique index delivery_once on delivery (document_id, partner_id) where replay_of is null;
create unique index delivery_one_open_replay on delivery (replay_of) where state = 'due';
create index delivery_due on delivery (partner_id, due_at) where state = 'due';
create index delivery_lane on delivery (partner_id, ordering, delivery_id) where state in ('due', 'dead');
create index delivery_receipt on delivery (partner_id, due_at) where state = 'delivered' and receipt = 'pending';
create index delivery_partner on delivery (partner_id, delivery_id);

-- The intent is committed before anything is sent; an attempt without an end after a crash has an unknown outcome.
create table attempt (
    delivery_id    bigint not null references delivery,
    number         int    not null,
    party_id       int    not null,
    started_at     timestamptz not null,
    ended_at       timestamptz,
    request_hash   bytea  not null,       -- SHA-256 of the body sent
    status         int,                   -- HTTP status; null: none came
    code           text,                  -- ok, or why not: http-503, timeout, reset, dns, tls, unknown-outcome …
    verdict        text check (verdict in ('ok', 'ours', 'theirs', 'network', 'unknown')),
    response       text,                  -- first part, secrets masked
    retry_after    interval,
    primary key (delivery_id, number)
);

-- Why a partner gets a captured document, or why not.
create table routing_decision (
    capture_id   bigint not null references capture,
    partner_id   int    not null references partner,
    party_id     int    not null,         -- the partner's
    decision     text   not null check (decision in ('queued', 'not sent')),
    code         text   not null,
    reason       text   not null,
    delivery_id  bigint references delivery,
    primary key (capture_id, partner_id),
    check ((decision = 'queued') = (delivery_id is not null))
);

-- What a person decided about a delivery; append-only.
create table delivery_decision (
    decision_id  bigint generated always as identity primary key,
    delivery_id  bigint not null references delivery,
    party_id     int    not null,
    action       text   not null check (action in ('retry', 'replay', 'close', 'reopen')),
    reason       text   not null check (reason <> ''),
    actor        text   not null,
    decided_at   timestamptz not null,
    created      bigint references delivery    -- the row a replay made
);
create index delivery_decision_delivery on delivery_decision (delivery_id);

-- A partner that keeps failing is left alone; shared by all nodes. Open time does not count as attempts.
create table breaker (
    partner_id   int primary key references partner,
    party_id     int not null,
    failures     int not null default 0,           -- in a row
    open_until   timestamptz,
    opened       int not null default 0,           -- times in a row: the wait grows
    reason       text
);

create trigger partner_audit after insert or update or delete on partner for each row execute function audit_row('partner_id', 'secret');
create trigger partner_gln_audit after insert or update or delete on partner_gln for each row execute function audit_row('gln');
create trigger route_audit after insert or update or delete on route for each row execute function audit_row('route_id');
create trigger delivery_decision_audit after insert or update or delete on delivery_decision for each row execute function audit_row('decision_id');
create trigger delivery_decision_append_only before update or delete on delivery_decision for each row execute function refuse_change();

do $$
declare t text;
begin
    foreach t in array array['partner', 'delivery', 'attempt', 'routing_decision', 'delivery_decision', 'breaker'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
    end loop;
    foreach t in array array['partner_gln', 'route'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (exists (select 1 from partner p where p.partner_id = %I.partner_id))', t || '_own', t, t);
    end loop;
end $$;

grant select, insert, update on partner, route, delivery, attempt, breaker to gateway_app;
grant select, insert, delete on partner_gln to gateway_app;
grant select, insert on routing_decision, delivery_decision to gateway_app;

create function delivery_changed() returns trigger language plpgsql as $$
begin
    -- Only what can be sent now wakes the workers; what falls due later, the clock finds.
    if new.state = 'due' and new.lease_token is null and new.due_at <= gateway_now() then
        perform pg_notify('delivery_due', new.partner_id::text);
    end if;
    perform pg_notify('changed', 'delivery ' || new.delivery_id);
    return null;
end $$;
create trigger delivery_notify after insert or update of state, due_at, attempts, receipt on delivery for each row execute function delivery_changed();
