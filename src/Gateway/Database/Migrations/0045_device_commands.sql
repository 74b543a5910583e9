-- 0045_device_commands.sql: what the gateway asks of devices (LINES.md section 8). A command is stored before anybody is told of it, so
-- a restart loses none, and is told again by the same cmdId until the device has answered.

-- Rises by one with each command of a line. A device that has seen a higher one refuses a lower one.
create table line_fence (
    line_id   int    primary key,
    party_id  int    not null references party,
    fence     bigint not null check (fence > 0),
    foreign key (line_id, party_id) references line (line_id, party_id)
);

-- In what order devices are told, whatever channel they listen on: what is told again gets a new one.
create sequence device_command_number;

create table device_command (
    command_id      bigint generated always as identity primary key,
    public_id       uuid   not null default gen_random_uuid(),   -- cmdId
    party_id        int    not null references party,
    line_id         int    not null,
    device_id       int    not null,
    run_id          bigint,
    type            text   not null check (type in ('loadBatch', 'start', 'pause', 'resume', 'end', 'allocate', 'returnUnused', 'quarantine', 'release', 'clearBuffer', 'identify')),
    params          jsonb  not null default '{}' check (jsonb_typeof(params) = 'object' and length(params::text) <= 20000),
    reason          text   not null check (reason <> '' and length(reason) <= 2000),
    reason_class    text   not null check (reason_class in ('quality', 'starved', 'blocked', 'operator', 'system')),
    trigger_at      timestamptz,                                  -- of a pause: since when what was made is in doubt
    state           text   not null default 'queued' check (state in ('queued', 'sent', 'acked', 'done', 'failed', 'rejected', 'expired', 'superseded')),
    fence           bigint not null check (fence > 0),
    number          bigint not null default nextval('device_command_number'),
    tries           int    not null default 0,
    issued_by       text   not null,
    issued_by_name  text   not null,                              -- as of then; copied, never joined
    issued_at       timestamptz not null,
    deadline        timestamptz not null,                         -- of its completion
    sent_at         timestamptz,                                  -- the last time
    acked_at        timestamptz,
    ended_at        timestamptz,
    machine_state   text   not null default '',                   -- that the device answered with
    detail          text   not null default '' check (length(detail) <= 2000),
    -- Of a pause, whatever became of the command: whether the machine itself said that it stands. Moot: it was to go on before that.
    proof           text   check (proof in ('awaited', 'proved', 'unproved', 'moot')),
    signature_id    bigint references signature,                  -- of a resume after a quality pause
    superseded_by   bigint references device_command,
    lifted_by       bigint references device_command,             -- of a quality pause: the signed command by which the line went on
    unique (public_id, party_id),
    unique (command_id, party_id),
    unique (line_id, fence),
    foreign key (line_id, party_id) references line (line_id, party_id),
    foreign key (device_id, party_id) references device (device_id, party_id),
    foreign key (run_id, party_id) references run (run_id, party_id),
    check ((type = 'pause') = (proof is not null) and (type = 'pause') = (trigger_at is not null)),
    check ((state in ('queued', 'sent', 'acked')) = (ended_at is null))
);
create unique index device_command_number_once on device_command (device_id, number);
create index device_command_line on device_command (line_id, command_id);
create index device_command_open on device_command (device_id, command_id) where state in ('queued', 'sent', 'acked') or proof = 'awaited';
create index device_command_lifted on device_command (lifted_by) where lifted_by is not null;
create index device_command_quality_pause on device_command (line_id) where type = 'pause' and reason_class = 'quality' and lifted_by is null;

-- What a machine last said of itself, in the words of PackML (ISA-TR88.00.02).
create table device_state (
    device_id    int  primary key,
    party_id     int  not null references party,
    state        text not null check (state in ('Clearing', 'Stopped', 'Starting', 'Idle', 'Suspended', 'Execute', 'Stopping', 'Aborting', 'Aborted', 'Holding', 'Held', 'Unholding',
                                                'Suspending', 'Unsuspending', 'Resetting', 'Completing', 'Complete')),
    at           timestamptz not null,   -- by the device's clock, less its offset
    since        timestamptz not null,   -- the first report of this state, likewise
    received_at  timestamptz not null,
    foreign key (device_id, party_id) references device (device_id, party_id)
);

-- A pause that no machine proved: everything that the line has commissioned since its trigger is held.
create table line_hold (
    line_hold_id  bigint generated always as identity primary key,
    public_id     uuid   not null default gen_random_uuid(),
    party_id      int    not null references party,
    line_id       int    not null,
    command_id    bigint not null unique,
    since_at      timestamptz not null,
    until_at      timestamptz,              -- when the machine said after all that it stands; null: it has not
    opened_at     timestamptz not null,
    looked_at     timestamptz,              -- for units that it concerns
    seen          pg_snapshot,              -- whose events have been looked through; null: none, or all are looked through again
    unit_count    int    not null default 0,
    unique (public_id, party_id),
    unique (line_hold_id, party_id),
    foreign key (line_id, party_id) references line (line_id, party_id),
    foreign key (command_id, party_id) references device_command (command_id, party_id)
);
create index line_hold_line on line_hold (line_id);
-- What it has held already: a unit that a person released meanwhile is not held again.
create table line_hold_unit (
    line_hold_id  bigint not null,
    party_id      int    not null,
    epc           text   collate "C" not null,
    capture       uuid   not null,          -- the document that says so
    primary key (line_hold_id, party_id, epc),
    foreign key (line_hold_id, party_id) references line_hold (line_hold_id, party_id)
);

insert into signature_meaning values
    ('resume after quality pause', 'The cause of the quality pause is found and removed, the challenge set was passed, and I answer for going on.', 'lines.decide', false, '{}');

-- The quality pauses of a line that nobody has lifted. The end of the run does not lift them: its cause may be there for the next.
create function standing_quality_pause(line int) returns setof device_command language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select c.* from public.device_command c where c.line_id = line and c.type = 'pause' and c.reason_class = 'quality' and c.lifted_by is null order by c.command_id
$$;

-- A command that goes on after a quality pause, as it is signed: with the pauses that it lifts.
create function device_command_content(cmd uuid, line int, device int, type text, reason text, params jsonb) returns jsonb
language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select jsonb_build_object('cmdId', cmd, 'line', l.code, 'device', d.name, 'type', device_command_content.type, 'reason', device_command_content.reason, 'params', device_command_content.params,
        'pauses', (select coalesce(jsonb_agg(jsonb_build_object('cmdId', p.public_id, 'reason', p.reason, 'at', to_char(p.issued_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) order by p.command_id), '[]')
                   from public.standing_quality_pause(line) p))
    from public.line l, public.device d where l.line_id = line and d.device_id = device
$$;

-- Whether a signed command has ended without the line having gone on by it: what it lifted stands again. One whose place another took that lets the line go on has not.
create function device_command_came_to_nothing(c device_command) returns boolean language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select c.signature_id is not null and (c.state in ('failed', 'rejected', 'expired')
        or c.state = 'superseded' and (select n.type from public.device_command n where n.command_id = c.superseded_by) not in ('start', 'resume'))
$$;

-- Each step names its own columns and touches no other; what has ended stays as it is.
create function device_command_step() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    mine text[];
    stands_again boolean;
begin
    if tg_op = 'INSERT' then
        if not public.sees_party(new.party_id) then
            raise exception 'A command is of one''s own party.' using errcode = 'insufficient_privilege'; -- row security looks only after this
        end if;
        if new.state <> 'queued' or new.proof <> 'awaited' or num_nonnulls(new.sent_at, new.acked_at, new.ended_at, new.superseded_by, new.lifted_by) > 0 or new.tries > 0 then
            raise exception 'A command begins as queued.' using errcode = 'GW045';
        end if;
        if new.fence is distinct from (select fence from public.line_fence where line_id = new.line_id) then
            raise exception 'A command has its line''s fence.' using errcode = 'GW045';
        end if;
        if new.signature_id is not null and (new.type not in ('start', 'resume') or not exists (select from public.standing_quality_pause(new.line_id))) then
            raise exception 'Only start and resume after a quality pause are signed.' using errcode = 'GW046';
        end if;
        if new.type in ('start', 'resume') and exists (select from public.standing_quality_pause(new.line_id)) and not coalesce(public.validation_signed(new.signature_id, 'command', new.public_id::text,
            'resume after quality pause', new.issued_by, public.device_command_content(new.public_id, new.line_id, new.device_id, new.type, new.reason, new.params)), false) then
            raise exception 'The line stands after a quality pause: it goes on when an authorised person has signed for it.' using errcode = 'GW046';
        end if;
        return new;
    end if;
    mine := case old.state || ' ' || new.state
        when 'queued sent' then array['tries', 'sent_at']
        when 'sent sent' then array['tries', 'sent_at', 'number']
        when 'sent acked' then array['acked_at']
        when 'sent failed' then array['ended_at', 'detail']
        when 'acked done' then array['ended_at', 'machine_state', 'detail']
        when 'acked failed' then array['ended_at', 'machine_state', 'detail']
        when 'acked rejected' then array['ended_at', 'machine_state', 'detail']
        else case when new.state = old.state then '{}'::text[]
            when old.state not in ('queued', 'sent', 'acked') then null
            when new.state = 'expired' then array['ended_at', 'detail']
            when new.state = 'superseded' then array['ended_at', 'detail', 'superseded_by'] end
        end;
    if mine is null then
        raise exception 'Command % is %: it is not changed that way.', old.public_id, old.state using errcode = 'GW045';
    end if;
    stands_again := old.lifted_by is not null and new.lifted_by is null
        and (select public.device_command_came_to_nothing(c) from public.device_command c where c.command_id = old.lifted_by);
    if old.proof = 'awaited' or stands_again and old.proof = 'moot' and new.proof = 'awaited' then
        mine := mine || 'proof'::text;
    end if;
    if old.lifted_by is null or stands_again then
        mine := mine || 'lifted_by'::text;
    end if;
    if to_jsonb(old) - mine - 'state' is distinct from to_jsonb(new) - mine - 'state' then
        raise exception 'Command % is %: it is not changed that way.', old.public_id, old.state using errcode = 'GW045';
    end if;
    if new.proof = 'moot' and old.proof <> 'moot' and new.reason_class = 'quality' and new.lifted_by is null then
        raise exception 'A quality pause is proved or it is not, unless somebody has signed for going on.' using errcode = 'GW045';
    end if;
    if new.lifted_by is distinct from old.lifted_by and new.lifted_by is not null and not exists (select from public.device_command c where c.command_id = new.lifted_by and c.line_id = new.line_id and c.signature_id is not null) then
        raise exception 'A quality pause is lifted by a signed command of its line.' using errcode = 'GW045';
    end if;
    return new;
end $$;
create trigger device_command_step before insert or update on device_command for each row execute function device_command_step();

-- The signature was for going on. When that came to nothing, the next try needs another, and a machine that did not prove that it stands is in doubt as before.
create function device_command_stands_again() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if public.device_command_came_to_nothing(new) then
        update public.line_hold set until_at = null, seen = null where until_at = new.issued_at and command_id in (select command_id from public.device_command where lifted_by = new.command_id);
        update public.device_command set lifted_by = null, proof = case proof when 'moot' then 'awaited' else proof end where lifted_by = new.command_id;
    end if;
    return null;
end $$;
create trigger device_command_stands_again after update on device_command for each row
    when (new.signature_id is not null and old.state is distinct from new.state) execute function device_command_stands_again();

-- Wakes the channels of the device, and pages.
create function device_command_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'device_command ' || new.device_id);
    return null;
end $$;
create trigger device_command_notify after insert or update on device_command for each row execute function device_command_changed();
create trigger device_state_notify after insert or update on device_state for each row execute function device_command_changed();

create trigger device_command_audit after insert or update or delete on device_command for each row execute function audit_row('public_id', 'number');
create trigger device_state_audit after insert or update or delete on device_state for each row execute function audit_row('device_id', 'at', 'received_at');
create trigger line_hold_audit after insert or update or delete on line_hold for each row execute function audit_row('public_id', 'unit_count', 'looked_at', 'seen');
create trigger line_hold_unit_append_only before update or delete on line_hold_unit for each row execute function refuse_change();
do $$
declare t text;
begin
    foreach t in array array['line_fence', 'device_command', 'device_state', 'line_hold'] loop
        execute format('create trigger %I before delete on %I for each row execute function refuse_change()', t || '_stays', t);
    end loop;
    foreach t in array array['line_fence', 'device_command', 'device_state', 'line_hold', 'line_hold_unit'] loop
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
    end loop;
end $$;
grant usage on sequence device_command_number to gateway_app;
grant select, insert on line_fence, device_command, device_state, line_hold, line_hold_unit to gateway_app;
grant update (fence) on line_fence to gateway_app;
grant update (state, number, tries, sent_at, acked_at, ended_at, machine_state, detail, proof, superseded_by, lifted_by) on device_command to gateway_app;
grant update (state, at, since, received_at) on device_state to gateway_app;
grant update (until_at, looked_at, unit_count, seen) on line_hold to gateway_app;

-- Who admits people or makes keys decides neither about a command nor about a run. To walk a run he may be let: whoever makes a key of a line has its rights.
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
insert into separation (permission, excludes, reason) values
    ('lines.decide', 'people.manage', 'Who admits people could decide under a name made for it.'),
    ('keys.manage', 'lines.decide', 'Who makes keys could decide with a key made for it.'),
    ('lines.decide', 'roles.manage', 'Who says what a role may could permit himself any decision.');
