-- 0044_devices.sql: what devices of lines say, when they said it, and which of them may be trusted (docs/decisions/0029).
-- A message is stored in the bytes it came in, once for each device, epoch and sequence number, before it is acknowledged.

-- Each time a device registered: what it was then, and from which token and epoch on.
alter table api_key add unique (key_id, party_id);
create table device_registration (
    registration_id  bigint generated always as identity primary key,
    device_id        int    not null,
    party_id         int    not null,
    line_id          int    not null,
    station          text   not null,
    key_id           text   not null,
    epoch            int    not null check (epoch > 0),
    epoch_lost       boolean not null,                    -- the device had lost its store
    firmware         text   not null check (length(firmware) between 1 and 100),
    config_hash      text   not null check (length(config_hash) between 1 and 200),
    capabilities     text[] not null check (cardinality(capabilities) <= 50),
    registered_at    timestamptz not null,
    foreign key (device_id, party_id) references device (device_id, party_id),
    foreign key (line_id, party_id) references line (line_id, party_id),
    foreign key (key_id, party_id) references api_key (key_id, party_id)
);
create index device_registration_device on device_registration (device_id, registration_id);

-- How it is now: a sign of life, and the place in its sequence. One who changes this row has the device to himself.
create table device_status (
    device_id      int    primary key,
    party_id       int    not null,
    key_id         text   not null,
    epoch          int    not null,
    last_seq       bigint not null default 0,             -- the highest that has come in this epoch
    offset_ms      double precision not null default 0,   -- device minus gateway (LINES.md section 7)
    measured_at    timestamptz,                           -- null: the offset is not known
    heard_at       timestamptz,                           -- the last heartbeat
    offline_since  timestamptz,
    firmware       text   not null,                       -- as the last heartbeat or registration has it
    config_hash    text   not null,
    machine_state  text   not null default '',            -- PackML's word
    reported_seq   bigint not null default 0,             -- what the device says of its own store
    buffered       bigint not null default 0,
    counters       jsonb,
    unique (key_id, party_id),
    foreign key (device_id, party_id) references device (device_id, party_id),
    foreign key (key_id, party_id) references api_key (key_id, party_id)
) with (fillfactor = 50);

-- The offset of the last day, the minutes of the day being its places, so that nothing has to be taken out.
create table device_clock (
    device_id   int not null,
    party_id    int not null,
    minute      int not null check (minute between 0 and 1439),
    at          timestamptz not null,
    least_ms    double precision not null,
    most_ms     double precision not null,
    primary key (device_id, minute),
    foreign key (device_id, party_id) references device (device_id, party_id)
) with (fillfactor = 70);

-- What a person decided about messages that were set aside. The messages name it.
create table device_message_decision (
    decision_id      int    generated always as identity primary key,
    device_id        int    not null,
    party_id         int    not null,
    decision         text   not null check (decision in ('told', 'received', 'discard')),  -- taken with the time as told, taken with the time they came, never taken
    reason           text   not null check (length(reason) between 1 and 2000),
    messages         int    not null check (messages > 0),
    epoch            int,                                 -- null: of whatever epoch
    first_seq        bigint not null,
    last_seq         bigint not null,
    decided_by       text   not null,
    decided_by_name  text   not null,                     -- as of then; copied, never joined
    decided_at       timestamptz not null,
    unique (decision_id, device_id),
    foreign key (device_id, party_id) references device (device_id, party_id)
);

create table device_message (
    device_id     int    not null,
    epoch         int    not null,
    seq           bigint not null check (seq > 0),
    party_id      int    not null,
    line_id       int    not null,
    sha256        bytea  not null,                        -- of the bytes of body
    body          text   not null,                        -- one JSON object, in the bytes that the device sent
    typ           text   not null,
    ts            timestamptz not null,                   -- by the device's clock
    mono          bigint not null,
    offset_ms     double precision not null,              -- in force when it came
    corrected_at  timestamptz not null,                   -- ts less the offset
    received_at   timestamptz not null,
    state         text   not null check (state in ('waiting', 'ready', 'applied', 'quarantined', 'discarded')),
    capture_id    bigint references capture,
    decision_id   int,                                    -- of one that was set aside
    primary key (device_id, epoch, seq),
    foreign key (device_id, party_id) references device (device_id, party_id),
    foreign key (decision_id, device_id) references device_message_decision (decision_id, device_id),
    check ((state = 'applied') = (capture_id is not null)),
    check (state <> 'discarded' or decision_id is not null)
);
create index device_message_ready on device_message (line_id, corrected_at) where state = 'ready';
create index device_message_waiting on device_message (device_id, epoch, seq) where state = 'waiting';
create index device_message_quarantined on device_message (device_id, epoch, seq) where state = 'quarantined';
create index device_message_discarded on device_message (device_id, epoch, seq) where state = 'discarded';
create index device_message_capture on device_message (capture_id) where capture_id is not null;
create index device_message_received on device_message using brin (received_at);  -- what is old is together

-- What devices have said and the pools have not heard, but for what they have not used; as far as the caller sees it. What a person discarded
-- was printed all the same: such a number may be voided, and never goes back.
create function device_messages_unapplied(and_discarded boolean) returns setof text language sql stable as $$
    select body from public.device_message where state in ('waiting', 'ready', 'quarantined') and typ <> 'unused'
    union all
    select body from public.device_message where and_discarded and state = 'discarded' and typ <> 'unused'
    union all
    select m.body from public.capture c join public.device_message m using (capture_id) where c.state = 'processing' and m.typ <> 'unused'
$$;

-- Numbers that a device left out.
create table device_gap (
    gap_id      bigint generated always as identity primary key,
    device_id   int    not null,
    party_id    int    not null,
    epoch       int    not null,
    first_seq   bigint not null check (first_seq > 0),
    last_seq    bigint not null,
    missing     bigint[] not null check (cardinality(missing) % 2 = 0),  -- what of it has not come yet: from, to, from, to
    run_id      bigint,                                   -- the run of the line when it was noticed
    noticed_at  timestamptz not null,
    opened_at   timestamptz,                              -- what came after it waits no longer; an exception is open
    closed_at   timestamptz,                              -- all has come
    check (last_seq >= first_seq),
    check ((closed_at is not null) = (cardinality(missing) = 0)),
    foreign key (device_id, party_id) references device (device_id, party_id),
    foreign key (run_id, party_id) references run (run_id, party_id)
);
create index device_gap_open on device_gap (device_id, epoch, first_seq) where closed_at is null;
create index device_gap_device on device_gap (device_id, gap_id);
create index device_gap_run on device_gap (run_id) where run_id is not null;

-- What a device was qualified as. A row is made by its signature, and ends when the next one begins or somebody takes it back.
create table device_qualification (
    qualification_id    int    generated always as identity primary key,
    device_id           int    not null,
    party_id            int    not null,
    number              int    not null check (number > 0),
    kind                text   not null,                  -- the device as it was then: another one, or at another place, is not qualified
    serial              text   not null,
    line_id             int    not null,
    station             text   not null,
    iq_reference        text   not null check (length(iq_reference) between 1 and 200),
    oq_reference        text   not null check (length(oq_reference) between 1 and 200),
    pq_reference        text   not null check (length(pq_reference) between 1 and 200),
    firmware            text   not null check (length(firmware) between 1 and 100),
    config_hash         text   not null check (length(config_hash) between 1 and 200),
    challenge_interval  interval not null check (challenge_interval > interval '0'),
    valid_until         date   not null,                  -- the last day
    change_reference    text   not null check (length(change_reference) <= 200),
    reason              text   not null check (length(reason) between 1 and 1000),
    state               text   not null default 'effective' check (state in ('effective', 'superseded', 'revoked')),
    qualified_by        text   not null,
    qualified_by_name   text   not null,                  -- names as of then; copied, never joined
    qualified_at        timestamptz not null,
    signature           bigint not null references signature,
    ended_by_name       text,
    ended_at            timestamptz,
    ended_why           text,
    unique (device_id, number),
    foreign key (device_id, party_id) references device (device_id, party_id),
    foreign key (line_id, party_id) references line (line_id, party_id),
    check (number = 1 or change_reference <> ''),         -- LINES.md section 12: a change needs its reference
    check ((state = 'effective') = (ended_at is null))
);
create unique index device_one_effective on device_qualification (device_id) where state = 'effective';

insert into signature_meaning values
    ('device qualified', 'I have reviewed the installation, operational and performance qualification of this device: in this firmware and configuration it is fit for its use.', 'devices.qualify', false, '{}');

-- What the signature covers.
create function device_qualification_content(device int, number int, iq text, oq text, pq text, firmware text, config_hash text, challenge_interval interval, valid_until date, change_reference text, reason text)
returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
    select jsonb_build_object('device', d.name, 'party', d.party_id, 'kind', d.kind, 'serial', d.serial, 'line', l.code, 'station', d.station, 'number', number, 'iq', iq, 'oq', oq, 'pq', pq, 'firmware', firmware, 'configHash', config_hash,
        'challengeInterval', challenge_interval::text, 'validUntil', valid_until, 'changeReference', change_reference, 'reason', reason)
    from public.device d join public.line l using (line_id) where d.device_id = device $$;

create function device_qualification_step() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'effective' or not exists (select from signature s where s.signature_id = new.signature and s.record_type = 'device qualification' and s.record_id = new.device_id::text
                and s.version = new.number and s.meaning = 'device qualified' and s.signer = new.qualified_by
                and s.content_sha256 = content_sha256(device_qualification_content(new.device_id, new.number, new.iq_reference, new.oq_reference, new.pq_reference, new.firmware, new.config_hash,
                    new.challenge_interval, new.valid_until, new.change_reference, new.reason))) then
            raise exception 'A device is qualified by signing it.' using errcode = 'GW044';
        end if;
        if (new.kind, new.serial, new.line_id, new.station) is distinct from (select row(d.kind, d.serial, d.line_id, d.station) from device d where d.device_id = new.device_id) then
            raise exception 'A device is qualified as what it is, where it is.' using errcode = 'GW044';
        end if;
    elsif old.state <> 'effective' or new.state not in ('superseded', 'revoked')
        or to_jsonb(old) - array['state', 'ended_by_name', 'ended_at', 'ended_why'] is distinct from to_jsonb(new) - array['state', 'ended_by_name', 'ended_at', 'ended_why'] then
        raise exception 'A qualification that has ended stays as it is.' using errcode = 'GW044';
    end if;
    return new;
end $$;
create trigger device_qualification_step before update on device_qualification for each row execute function device_qualification_step();
create trigger device_qualification_signed after insert on device_qualification for each row execute function device_qualification_step(); -- when row security has let it in

-- What was said stays as it was said; only what becomes of it goes on.
create function device_message_step() returns trigger language plpgsql as $$
begin
    if old.state in ('applied', 'discarded') then
        raise exception 'Message % of epoch % has been %.', old.seq, old.epoch, old.state using errcode = 'GW002';
    end if;
    if old.state = 'quarantined' then
        if new.decision_id is null or new.state not in ('waiting', 'ready', 'discarded') or new.corrected_at <> old.corrected_at and new.corrected_at not between old.received_at - interval '1 s' and old.received_at then
            raise exception 'Message % of epoch % is set aside until somebody decides about it.', old.seq, old.epoch using errcode = 'GW002';
        end if;
    elsif new.state in ('quarantined', 'discarded') or (new.offset_ms, new.corrected_at, new.decision_id) is distinct from (old.offset_ms, old.corrected_at, old.decision_id) then
        raise exception 'Message % of epoch % stays as it was said.', old.seq, old.epoch using errcode = 'GW002';
    end if;
    return new;
end $$;
create trigger device_message_step before update on device_message for each row execute function device_message_step();

create function device_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'device ' || new.device_id);
    return null;
end $$;
create trigger device_registration_notify after insert on device_registration for each row execute function device_changed();
create trigger device_qualification_notify after insert or update on device_qualification for each row execute function device_changed();
create trigger device_notify after update on device for each row execute function device_changed();
create trigger device_gap_notify after insert or update on device_gap for each row execute function device_changed();
create trigger device_status_notify after update on device_status for each row
    when (old.offline_since is distinct from new.offline_since or old.firmware <> new.firmware or old.config_hash <> new.config_hash or old.machine_state <> new.machine_state) execute function device_changed();

create trigger device_registration_audit after insert or update or delete on device_registration for each row execute function audit_row('registration_id');
create trigger device_gap_audit after insert or update or delete on device_gap for each row execute function audit_row('gap_id');
create trigger device_message_decision_audit after insert or update or delete on device_message_decision for each row execute function audit_row('decision_id');
create trigger device_message_decision_append_only before update or delete on device_message_decision for each row execute function refuse_change();
create trigger device_message_decision_notify after insert on device_message_decision for each row execute function device_changed();
create trigger device_qualification_audit after insert or update or delete on device_qualification for each row execute function audit_row('qualification_id');
create trigger device_registration_append_only before update or delete on device_registration for each row execute function refuse_change();

do $$
declare t text;
begin
    foreach t in array array['device_status', 'device_clock', 'device_message', 'device_gap', 'device_qualification'] loop
        execute format('create trigger %I before delete on %I for each row execute function refuse_change()', t || '_stays', t);
    end loop;
    foreach t in array array['device_registration', 'device_status', 'device_clock', 'device_message_decision', 'device_message', 'device_gap', 'device_qualification'] loop
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
    end loop;
end $$;
-- Which device is qualified is the organisation's to say.
create policy device_qualification_added on device_qualification as restrictive for insert with check (current_setting('app.party', true) = '*');
create policy device_qualification_changed on device_qualification as restrictive for update using (current_setting('app.party', true) = '*');
grant select, insert on device_registration, device_status, device_clock, device_message_decision, device_message, device_gap, device_qualification to gateway_app;
grant update (key_id, epoch, last_seq, offset_ms, measured_at, heard_at, offline_since, firmware, config_hash, machine_state, reported_seq, buffered, counters) on device_status to gateway_app;
grant update (at, least_ms, most_ms) on device_clock to gateway_app;
grant update (state, capture_id, offset_ms, corrected_at, decision_id) on device_message to gateway_app;
grant update (missing, opened_at, closed_at) on device_gap to gateway_app;
grant update (state, ended_by_name, ended_at, ended_why) on device_qualification to gateway_app;

-- A device's token opens what a device needs, and nothing else.
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
insert into role (role, description) values ('device', 'A device of a line: says what it did, by the token of its registration.') on conflict do nothing;
insert into role_permission (role, permission) values ('device', 'devices.speak') on conflict do nothing;
