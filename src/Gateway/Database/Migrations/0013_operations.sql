-- 0013_operations.sql: deliveries found by whatever people narrow a list with, among a million; and operations on many
-- deliveries: a set frozen when it is begun, worked on item by item, that any node goes on with.

create index delivery_code on delivery (code, delivery_id) where code is not null;
create index delivery_reason on delivery (dead_reason, delivery_id) where dead_reason is not null;
create index delivery_message on delivery (message_id);
create index delivery_ordering on delivery (ordering collate "C");
create index delivery_document on delivery (document_id);
drop index delivery_replays;  -- the index above holds them too

create table operation (
    operation_id   bigint generated always as identity primary key,
    party_id       int    not null references party,     -- the requester's
    request_key    text   not null check (length(request_key) between 1 and 255),  -- made when somebody begins to ask, so that asking twice makes one
    kind           text   not null check (kind in ('retry', 'replay', 'close')),
    partner_id     int    not null references partner,
    partner_name   text   not null,
    filter         text   not null,                      -- as it stands in addresses
    filter_words   text   not null,                      -- as people were shown it
    reason         text   not null check (reason <> ''),
    actor          text   not null,                      -- the requester as of then; copied, never joined
    actor_name     text   not null,
    actor_role     text   not null,
    method         text   not null,
    origin         text   not null,
    rate           int    not null check (rate between 1 and 1000),  -- deliveries a second, at most
    state          text   not null default 'running' check (state in ('running', 'paused', 'cancelled', 'finished')),
    pause_reason   text,
    total          int    not null check (total > 0),
    approved_stage int    not null default 1,            -- a person said that this stage may start whatever became of those before
    waiting_since  timestamptz,                          -- when the next stage began to wait for the outcomes of those before
    created_at     timestamptz not null,
    finished_at    timestamptz,
    lease_token    uuid,
    lease_until    timestamptz,
    unique (party_id, request_key),
    unique (operation_id, party_id),
    check ((state = 'paused') = (pause_reason is not null)),
    check ((state in ('cancelled', 'finished')) = (finished_at is not null))
);
create index operation_running on operation (operation_id) where state = 'running';

-- What the operation is about, as it was when somebody asked for it: nothing is added later, and what changes meanwhile is refused.
create table operation_item (
    operation_id bigint   not null,
    ordinal      int      not null,                      -- the order of the deliveries, so that a lane keeps its own
    party_id     int      not null,                      -- the operation's
    stage        smallint not null check (stage between 1 and 4),
    delivery_id  bigint   not null references delivery,
    version      int      not null,                      -- of the delivery, as seen
    outcome      text     not null default 'pending' check (outcome in ('pending', 'done', 'refused', 'cancelled')),
    detail       text,                                   -- why it was refused
    created      bigint   references delivery,           -- the row a replay made
    ended_at     timestamptz,
    primary key (operation_id, ordinal),
    foreign key (operation_id, party_id) references operation (operation_id, party_id),
    check ((outcome = 'pending') = (ended_at is null))
);
create index operation_item_pending on operation_item (operation_id, ordinal) where outcome = 'pending';

create trigger operation_audit after insert or update or delete on operation for each row execute function audit_row('operation_id', 'lease_token', 'lease_until', 'waiting_since');

-- Only the organisation decides about many; its partners are not told of it.
do $$
declare t text;
begin
    foreach t in array array['operation', 'operation_item'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
        execute format('create policy %I on %I as restrictive for insert with check (current_setting(''app.party'', true) = ''*'')', t || '_added', t);
        execute format('create policy %I on %I as restrictive for update using (current_setting(''app.party'', true) = ''*'')', t || '_changed', t);
    end loop;
end $$;
grant select, insert, update on operation, operation_item to gateway_app;

create function operation_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'operation ' || new.operation_id);
    return null;
end $$;
create trigger operation_notify after insert or update on operation for each row execute function operation_changed();
