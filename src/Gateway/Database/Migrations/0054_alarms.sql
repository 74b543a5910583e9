-- 0054_alarms.sql: what is wrong now, one row an episode, and who is told of it (docs/decisions/0033). What stands is judged anew every
-- while, so an alarm that was missed is raised by the next look; nothing here is a queue of events.
create table alarm (
    alarm_id        bigint generated always as identity primary key,
    kind            text not null check (kind <> ''),        -- explained at /help
    subject         text not null check (subject <> ''),     -- what it is about: a partner's GLN, a chore, a sender
    severity        text not null check (severity in ('warning', 'error')),
    raised_as       text not null check (raised_as <> ''),   -- what it said when it was raised
    sentence        text not null check (sentence <> ''),    -- what it says, as it was last seen
    link            text not null,                           -- where a person acts on it, within the dashboard
    since           timestamptz not null,                    -- since when it is so, which is before it was raised
    raised_at       timestamptz not null,
    last_seen_at    timestamptz not null,
    times_seen      int  not null default 1,                 -- how often it came within the episode
    gone_at         timestamptz,                             -- not found any more since; found again, it is the same episode
    acknowledged_at timestamptz,
    acknowledged_by text,                                    -- a name as of then; copied, never joined
    acknowledged_why text,
    cleared_at      timestamptz,
    version         int  not null default 1,
    check ((acknowledged_at is null) = (acknowledged_by is null) and (acknowledged_at is null) = (acknowledged_why is null))
);
create unique index alarm_one_open on alarm (kind, subject) where cleared_at is null;
create index alarm_raised on alarm (raised_at);

-- Who is told.
create table alarm_target (
    target_id    uuid primary key default gen_random_uuid(),
    name         text not null check (name <> '' and length(name) <= 100),
    channel      text not null check (channel in ('email', 'webhook')),
    address      text not null check (address <> '' and length(address) <= 2000),
    secret       bytea,                                       -- with which a webhook is signed, sealed by data protection
    least        text not null default 'warning' check (least in ('warning', 'error')),
    added_at     timestamptz not null,
    removed_at   timestamptz,
    version      int  not null default 1,
    check ((channel = 'webhook') = (secret is not null))
);
create unique index alarm_target_once on alarm_target (channel, address) where removed_at is null;

create table alarm_silence (
    silence_id   bigint generated always as identity primary key,
    kind         text not null check (kind <> '' and length(kind) <= 200),       -- a star stands for any characters
    subject      text not null check (subject <> '' and length(subject) <= 200),
    reason       text not null check (reason <> ''),
    made_at      timestamptz not null,
    made_by      text not null,
    until        timestamptz not null,
    ended_at     timestamptz,
    ended_by     text,
    version      int  not null default 1,
    check (until > made_at and until <= made_at + interval '30 days'),
    check ((ended_at is null) = (ended_by is null))
);
create index alarm_silence_until on alarm_silence (until) where ended_at is null;

create function alarm_matches(pattern text, value text) returns boolean language sql immutable parallel safe set search_path = pg_catalog, public, pg_temp as $$
    select value like replace(replace(replace(replace(pattern, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%') $$;
create function alarm_silenced(the_kind text, the_subject text) returns boolean language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select exists (select from public.alarm_silence s where s.ended_at is null and s.until > public.gateway_now() and public.alarm_matches(s.kind, the_kind) and public.alarm_matches(s.subject, the_subject)) $$;

-- What a target is told: one row an alarm, turn and target. Its identifier is the same in every attempt, so that a repeat can be told.
create table alarm_notice (
    notice_id    uuid primary key default gen_random_uuid(),
    alarm_id     bigint references alarm,                     -- null: a test
    target_id    uuid not null references alarm_target,
    turn         text not null check (turn in ('raised', 'worse', 'cleared', 'test')),
    severity     text,                                       -- what is said, as it was when this was written: the same in every attempt
    sentence     text,
    link         text,
    state        text not null default 'due' check (state in ('due', 'sent', 'dead')),
    made_at      timestamptz not null,
    due_at       timestamptz not null,
    attempts     int  not null default 0,                     -- rises with the intent, before anything is sent
    code         text,                                        -- of the last attempt
    lease_token  uuid,
    lease_until  timestamptz,
    finished_at  timestamptz,
    check ((alarm_id is null) = (turn = 'test')),
    check (num_nulls(severity, sentence, link) = case when turn = 'test' then 3 else 0 end),
    check ((state = 'due') = (finished_at is null))
);
create unique index alarm_notice_once on alarm_notice (alarm_id, target_id, turn);
create index alarm_notice_due on alarm_notice (due_at) where state = 'due';
create index alarm_notice_target on alarm_notice (target_id, made_at);

create function alarm_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'alarm ' || tg_table_name);
    return null;
end $$;
create trigger alarm_raised after insert on alarm for each row execute function alarm_changed();
create trigger alarm_turned after update on alarm for each row
    when ((old.sentence, old.version, old.gone_at is null) is distinct from (new.sentence, new.version, new.gone_at is null)) execute function alarm_changed();
create trigger alarm_target_notify after insert or update on alarm_target for each row execute function alarm_changed();
create trigger alarm_silence_notify after insert or update on alarm_silence for each row execute function alarm_changed();

create trigger alarm_audit after insert or update or delete on alarm for each row execute function audit_row('alarm_id', 'sentence', 'link', 'last_seen_at', 'times_seen', 'gone_at', 'version');
create trigger alarm_target_audit after insert or update or delete on alarm_target for each row execute function audit_row('target_id', 'secret', 'version');
create trigger alarm_silence_audit after insert or update or delete on alarm_silence for each row execute function audit_row('silence_id', 'version');

do $$
declare t text;
begin
    foreach t in array array['alarm', 'alarm_target', 'alarm_silence', 'alarm_notice'] loop
        execute format('create trigger %I before delete on %I for each row execute function refuse_change()', t || '_stays', t);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (current_setting(''app.party'', true) = ''*'')', t || '_own', t); -- of the installation: no party's
    end loop;
end $$;
grant select on alarm, alarm_target, alarm_silence, alarm_notice to gateway_app;
grant insert (kind, subject, severity, raised_as, sentence, link, since, raised_at, last_seen_at) on alarm to gateway_app;
grant update (severity, sentence, link, last_seen_at, times_seen, gone_at, acknowledged_at, acknowledged_by, acknowledged_why, cleared_at, version) on alarm to gateway_app;
grant insert (target_id, name, channel, address, secret, least, added_at), update (name, address, secret, least, removed_at, version) on alarm_target to gateway_app;
grant insert (kind, subject, reason, made_at, made_by, until), update (ended_at, ended_by, version) on alarm_silence to gateway_app;
grant insert (alarm_id, target_id, turn, severity, sentence, link, made_at, due_at), update (state, due_at, attempts, code, lease_token, lease_until, finished_at) on alarm_notice to gateway_app;

select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
insert into role_permission (role, permission)
select r, p from (values
    ('administrator', '{alarms.read,alarms.manage}'), ('officer', '{alarms.read,alarms.decide}'), ('operator', '{alarms.read}'), ('inspector', '{alarms.read}')) as seed (r, ps), unnest(ps::text[]) as p
where exists (select from role where role = r) on conflict do nothing;

-- Since when a partner is left alone: the wait grows, and with each probe it would seem to have begun anew.
alter table breaker add column opened_at timestamptz;
update breaker set opened_at = gateway_now() where opened > 0;

-- When a partner must have a document: with the goods, or before them (FD&C Act 582). Written with the delivery; what was decided later does not move it.
alter table partner add column need_within interval check (need_within > interval '0' and need_within <= interval '60 days');
grant update (need_within) on partner to gateway_app;
alter table delivery add column need_by timestamptz;
update delivery set need_by = created_at + interval '1 hour' where state in ('due', 'dead');
alter table delivery alter column need_by set default gateway_now() + interval '1 hour';
create index capture_refused on capture (created_at) where state in ('refused', 'failed');
create index delivery_need_by on delivery (need_by, delivery_id) where state = 'due';
-- How soon it needs documents is no part of how they reach it, which is what go-live signs.
create or replace function partner_content(partner int) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
    select to_jsonb(p) - 'secret' - 'state' - 'pause_reason' - 'live_version' - 'needs_licence' - 'need_within' - case when p.channel_settings = '{}' then 'channel_settings' else '' end
        || jsonb_build_object('secretSha256', encode(sha256(p.secret), 'hex'), 'glns', (select jsonb_agg(gln order by gln) from public.partner_gln g where g.partner_id = p.partner_id))
        || coalesce((select jsonb_build_object('profile', to_jsonb(f) - 'partner_id' - 'party_id') from public.partner_profile f where f.partner_id = p.partner_id), '{}')
    from public.partner p where p.partner_id = partner $$;
