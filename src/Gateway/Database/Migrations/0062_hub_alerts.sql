-- 0062_hub_alerts.sql: what national systems raise about packs is fetched from the hub, kept as it was told, and worked as cases (docs/decisions/0039).
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);

-- How far the alerts of a hub are taken in. It moves in the transaction that keeps them.
create table hub_alert_stream (
    partner_id     int  primary key references partner,
    party_id       int  not null references party,         -- the organisation
    place          bigint not null default 0,              -- where the next page begins
    next_at        timestamptz not null default gateway_now(), -- when it is asked again; whoever asks puts it off first
    asked_at       timestamptz,                            -- when it last answered
    failing_since  timestamptz,
    error          text,
    check ((failing_since is null) = (error is null))
);

-- Alerts of one pack by one code, until somebody has closed them together.
create table hub_alert_case (
    case_id        int  generated always as identity primary key,
    party_id       int  not null references party,         -- the organisation
    partner_id     int  not null references partner,       -- the hub
    code           text not null,
    product        text collate "C" not null,              -- this and what follows as they were told; empty: not told
    lot            text collate "C" not null,
    serial         text collate "C" not null,
    earlier_id     int  references hub_alert_case,         -- the case that was closed before the same came again
    opened_at      timestamptz not null default gateway_now(),
    alerts         int  not null default 0,
    markets        text[] not null default '{}',
    first_at       timestamptz not null,                   -- by the national systems' clocks
    last_at        timestamptz not null,
    looked_at      timestamptz,                            -- when a cause was last looked for; null: not since the newest alert
    cause          text,                                   -- proposed
    finding        text,                                   -- why, in a sentence
    delivery_id    bigint references delivery,             -- the message that the sentence speaks of
    unit_key       text collate "C",                       -- the unit of ours that it is about
    told           int  not null default 0,                -- how many of its alerts the exception counts
    state          text not null default 'open' check (state in ('open', 'investigating', 'closed')),
    root_cause     text,
    closing        text check (closing in ('end-user technical error', 'end-user process error', 'manufacturer technical error', 'manufacturer process error', 'false alert', 'suspected falsification')),
    reason         text,
    decided_by     text,
    decided_at     timestamptz,
    version        int  not null default 1,
    check ((state = 'closed') = (closing is not null)),
    check (state <> 'closed' or root_cause is not null and reason <> '' and decided_by is not null and decided_at is not null)
);
create unique index hub_alert_case_open on hub_alert_case (party_id, partner_id, product, lot, serial, code) where state <> 'closed';
create index hub_alert_case_same on hub_alert_case (partner_id, product, lot, serial, code);
create index hub_alert_case_unit on hub_alert_case (unit_key) where unit_key is not null;
create index hub_alert_case_look on hub_alert_case (looked_at nulls first, case_id) where state <> 'closed';

-- An alert as the hub told it. The hub's own id says which are the same.
create table hub_alert (
    alert_id       bigint generated always as identity primary key,
    party_id       int  not null references party,         -- the organisation
    partner_id     int  not null references partner,
    case_id        int  not null references hub_alert_case,
    hub_alert_id   text collate "C" not null check (hub_alert_id <> ''),
    code           text not null,
    country        text not null,
    raised_at      timestamptz not null,                   -- by the national system's clock
    product        text collate "C" not null,
    lot            text collate "C",
    expiry         text,
    serial         text collate "C",
    end_user       text,
    text           text,
    taken_at       timestamptz not null default gateway_now(),
    unique (party_id, partner_id, hub_alert_id)
);
create index hub_alert_of_case on hub_alert (case_id, alert_id);

-- What was thought and decided about a case, one after the other: each proposal that differed from the one before, and each decision.
create table hub_alert_step (
    step_id        bigint generated always as identity primary key,
    party_id       int  not null references party,
    case_id        int  not null references hub_alert_case,
    kind           text not null check (kind in ('proposed', 'decided')),
    told           text not null,                          -- the finding, or the reason
    cause          text,
    state          text,
    closing        text,
    delivery_id    bigint references delivery,
    made_by        text not null default current_setting('app.actor_name'),
    made_at        timestamptz not null default gateway_now()
);
create index hub_alert_step_case on hub_alert_step (case_id, step_id);
-- Whether the cause is to be looked for again: what was answered since, and where.
create index hub_message_answered on hub_message (answered_at) where answered_at is not null;

-- How one text could have become another between the print and the end user's system; null: not by any way that is known.
create function hub_misread(ours text, told text) returns text language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select case
        when ours = told or ours = '' or told = '' then null
        when lower(ours) = lower(told) then 'upper and lower case changed'
        when lower(translate(ours, 'yzYZ', 'zyZY')) = lower(told) then 'y and z exchanged, as a keyboard layout does'
        when lower(translate(ours, 'aqzwAQZW', 'qawzQAWZ')) = lower(told) then 'a and q, z and w exchanged, as a French keyboard layout does'
        when translate(ours, '1234567890', '&é"''(-è_çà') = told or lower(translate(translate(ours, 'aqzwAQZW', 'qawzQAWZ'), '1234567890', '&é"''(-è_çà')) = lower(told) then 'digits typed as the signs of a French keyboard layout'
        when translate(ours, '-_/', '/?-') = told or translate(ours, '-_/', 'ß?-') = told then 'signs changed, as a keyboard layout does'
        when translate(lower(ours), 'oil', '011') = translate(lower(told), 'oil', '011') then 'characters taken for others that look alike (O and 0, I, l and 1)'
        when btrim(told) = ours or ltrim(told, '0') = ltrim(ours, '0') and ltrim(ours, '0') <> '' then 'leading zeros or blanks changed'
    end $$;

-- What two texts have in common where one can be the other misread: found by it, judged by hub_misread.
create function hub_coarse(told text) returns text language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select ltrim(translate(lower(btrim(told)), 'oilyqw&é"''(èçà68_/?ß', '011zaz12345790------'), '0') $$;

create trigger hub_alert_case_changed after insert or update on hub_alert_case for each statement execute function hub_changed();
create trigger hub_alert_stream_changed after update of error on hub_alert_stream for each statement execute function hub_changed();

create trigger hub_alert_audit after insert or update or delete on hub_alert for each row execute function audit_row('alert_id', 'case_id');
create trigger hub_alert_case_audit after insert or update or delete on hub_alert_case for each row
    execute function audit_row('case_id', 'alerts', 'markets', 'first_at', 'last_at', 'looked_at', 'cause', 'finding', 'delivery_id', 'unit_key', 'told');
create trigger hub_alert_append_only before update on hub_alert for each row execute function refuse_change();
create trigger hub_alert_step_append_only before update on hub_alert_step for each row execute function refuse_change();
do $$
declare t text;
begin
    foreach t in array array['hub_alert_stream', 'hub_alert_case', 'hub_alert', 'hub_alert_step'] loop
        execute format('create trigger %I before delete on %I for each row execute function refuse_change()', t || '_stays', t);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
        execute format('create policy %I on %I as restrictive for insert with check (current_setting(''app.party'', true) = ''*'')', t || '_added', t);
    end loop;
end $$;
grant select on hub_alert_stream, hub_alert_case, hub_alert, hub_alert_step to gateway_app;
grant insert (partner_id, party_id), update (place, next_at, asked_at, failing_since, error) on hub_alert_stream to gateway_app;
grant insert (party_id, partner_id, code, product, lot, serial, earlier_id, first_at, last_at),
    update (alerts, markets, first_at, last_at, looked_at, cause, finding, delivery_id, unit_key, told, state, root_cause, closing, reason, decided_by, decided_at, version) on hub_alert_case to gateway_app;
grant insert (party_id, partner_id, case_id, hub_alert_id, code, country, raised_at, product, lot, expiry, serial, end_user, text) on hub_alert to gateway_app;
grant insert (party_id, case_id, kind, told, cause, state, closing, delivery_id) on hub_alert_step to gateway_app;
