-- 0046_runs.sql: a run from planned to closed (LINES.md section 5). A step is a row, and the row moves the run: no other way leads from
-- one state to the next, so every state has who brought it about, when and why. What needs a signature is no row without it.
create table run_step (
    step_id       bigint generated always as identity primary key,
    run_id        bigint not null,
    party_id      int    not null,
    step          text   not null check (step in ('plan', 'ready', 'start', 'pause', 'resume', 'end', 'reconcile', 'close', 'cancel')),
    from_state    text,                               -- null: it is planned with this
    to_state      text   not null,
    cause         text   check (cause in ('quality', 'starved', 'blocked')),  -- of a pause: PackML Hold, or Suspend
    why           text   check (why <> ''),
    actor         text   not null,
    actor_name    text   not null,                    -- name and role as of then; copied, never joined
    actor_role    text   not null,
    at            timestamptz not null,
    signature_id  bigint references signature,
    balance       jsonb,                              -- of that moment, where it was reconciled or closed
    check ((step = 'pause') = (cause is not null)),
    check (step not in ('pause', 'cancel') or why is not null),
    foreign key (run_id, party_id) references run (run_id, party_id)
);
create index run_step_run on run_step (run_id, step_id);

-- That nothing of the lot before is left on the line: what was looked at, under signature.
create table run_clearance (
    clearance_id  bigint generated always as identity primary key,
    run_id        bigint not null,
    party_id      int    not null,
    items         jsonb  not null check (jsonb_typeof(items) = 'array' and jsonb_array_length(items) > 0),
    signature_id  bigint not null references signature,
    cleared_by    text   not null,
    cleared_at    timestamptz not null,
    foreign key (run_id, party_id) references run (run_id, party_id)
);
create index run_clearance_run on run_clearance (run_id);

-- A difference that somebody answers for: it stays one, and stays visible. One of another amount is another.
create table run_difference (
    difference_id bigint generated always as identity primary key,
    run_id        bigint not null,
    party_id      int    not null,
    subject       text   not null check (subject <> ''),  -- level and equation, a counter or a count
    amount        bigint not null check (amount <> 0),
    why           text   not null check (why <> ''),
    signature_id  bigint not null references signature,
    accepted_by   text   not null,
    accepted_at   timestamptz not null,
    foreign key (run_id, party_id) references run (run_id, party_id)
);
create index run_difference_run on run_difference (run_id);

-- What machines and people counted, each with what the gateway makes of the same: compared, never truth.
create table run_counter (
    counter_id    bigint generated always as identity primary key,
    run_id        bigint not null,
    party_id      int    not null,
    device        text   not null check (device <> '' and length(device) <= 60),
    counter       text   not null check (counter in ('printed', 'good', 'bad', 'sampled', 'cases', 'pallets')),
    reported      bigint not null check (reported >= 0),
    reported_by   text   not null,
    reported_at   timestamptz not null,
    told          bigint not null default 0,           -- the difference of which an exception tells
    foreign key (run_id, party_id) references run (run_id, party_id)
);
create index run_counter_run on run_counter (run_id, device, counter, counter_id);
create table run_count (
    count_id      bigint generated always as identity primary key,
    run_id        bigint not null,
    party_id      int    not null,
    kind          text   not null check (kind in ('warehouse', 'pallets')),
    counted       bigint not null check (counted >= 0),
    note          text   not null default '',
    counted_by    text   not null,
    counted_at    timestamptz not null,
    told          bigint not null default 0,
    foreign key (run_id, party_id) references run (run_id, party_id)
);
create index run_count_run on run_count (run_id, kind, count_id);

-- What a signature about a run covers: the run as it is, and what is decided.
create function run_content(the_run bigint, decided jsonb) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
    select jsonb_build_object('run', r.public_id, 'line', l.code, 'order', r.order_number, 'gtin', r.gtin, 'lot', r.lot, 'expiry', r.expiry, 'quantity', r.quantity, 'state', r.state, 'version', r.version,
        -- Each lot that was on the line makes it another line to clear.
        'before', (select jsonb_build_object('lot', o.lot, 'started', o.started_at, 'ended', o.ended_at) from public.run o
            where o.line_id = r.line_id and o.run_id <> r.run_id and o.started_at is not null order by o.started_at desc limit 1)) || decided
    from public.run r join public.line l using (line_id) where r.run_id = the_run $$;

create function run_signed(the_signature bigint, r run, the_meaning text, decided jsonb) returns boolean language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select exists (select from public.signature s where s.signature_id = the_signature and s.record_type = 'run' and s.record_id = r.public_id::text and s.version = r.version
        and s.meaning = the_meaning and s.signer = current_setting('app.actor', true) and s.content_sha256 = content_sha256(run_content(r.run_id, decided))) $$;

insert into signature_meaning values
    ('line clearance', 'I have looked at the line: nothing of another lot is left on it, and what this lot needs is in place.', 'lines.run', false, '{}'),
    ('resume after quality stop', 'The cause of the stop is found and removed, and what was made meanwhile is held or proved good: the line may run.', 'lines.decide', false, '{}'),
    ('difference accepted', 'I know this difference and its reason, and answer for closing the run with it.', 'lines.decide', false, '{}');

create function run_step_taken() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    r public.run;
    reached text;
begin
    if not public.sees_party(new.party_id) then
        raise exception 'A step is of one''s own party.' using errcode = 'insufficient_privilege'; -- row security looks only after this
    end if;
    select * into r from public.run where run_id = new.run_id and party_id = new.party_id for update;
    if new.step = 'plan' then
        if r.state is distinct from 'planned' or exists (select from public.run_step where run_id = new.run_id) then
            raise exception 'A run is planned once.' using errcode = 'GW046';
        end if;
        new.from_state := null; new.to_state := 'planned';
        return new;
    end if;
    reached := case new.step || ' ' || r.state
        when 'ready planned' then 'ready' when 'start ready' then 'running' when 'pause running' then 'paused' when 'resume paused' then 'running'
        when 'end running' then 'ended' when 'end paused' then 'ended' when 'reconcile ended' then 'reconciled' when 'close reconciled' then 'closed'
        when 'cancel planned' then 'cancelled' when 'cancel ready' then 'cancelled' end;
    -- A line that stands for less may be found to have to stand for quality; never the other way round.
    if new.step = 'pause' and r.state = 'paused' and new.cause = 'quality'
        and (select cause from public.run_step where run_id = r.run_id and step = 'pause' order by step_id desc limit 1) <> 'quality' then
        reached := 'paused';
    end if;
    if reached is null then
        raise exception 'The run is %: % is not what comes next.', r.state, new.step using errcode = 'GW046';
    end if;
    -- Another lot that was on the line since leaves the line uncleared.
    if new.step in ('ready', 'start') and not exists (select from public.run_clearance c where c.run_id = r.run_id and not exists (
            select from public.run o where o.line_id = r.line_id and o.run_id <> r.run_id and o.started_at is not null and (o.ended_at is null or o.ended_at > c.cleared_at))) then
        raise exception '%', case when exists (select from public.run_clearance where run_id = r.run_id) then 'Another lot was on the line since it was cleared: clear it anew.' else 'Nobody has signed the line clearance.' end using errcode = 'GW046';
    end if;
    if new.step = 'resume' and (select cause from public.run_step where run_id = r.run_id and step = 'pause' order by step_id desc limit 1) = 'quality'
        and not public.run_signed(new.signature_id, r, 'resume after quality stop', jsonb_build_object('step', 'resume', 'why', new.why)) then
        raise exception 'After a quality stop the line runs again by a signature.' using errcode = 'GW046';
    end if;
    if new.step <> 'resume' and new.signature_id is not null then
        raise exception 'This step is not taken by a signature.' using errcode = 'GW046';
    end if;
    new.from_state := r.state; new.to_state := reached; new.at := public.gateway_now();
    update public.run set state = reached, version = version + 1,
        started_at = case new.step when 'start' then new.at else started_at end,
        ended_at = case new.step when 'end' then new.at else ended_at end,
        closed_at = case new.step when 'close' then new.at else closed_at end
    where run_id = r.run_id;
    return new;
end $$;
create trigger run_step_taken before insert on run_step for each row execute function run_step_taken();
-- By steps only. The order number may be mended, and whoever may update something may lock the row.
revoke insert, update, update (state, started_at, ended_at, closed_at, version, quantity) on run from gateway_app;
grant update (order_number) on run to gateway_app;
grant insert (party_id, line_id, order_number, gtin, lot, expiry, quantity, planned_at) on run to gateway_app;

create function run_clearance_signed() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    r public.run;
begin
    if not public.sees_party(new.party_id) then
        raise exception 'A clearance is of one''s own party.' using errcode = 'insufficient_privilege'; -- row security looks only after this
    end if;
    select * into r from public.run where run_id = new.run_id and party_id = new.party_id;
    if r.state is null or r.state not in ('planned', 'ready') then
        raise exception 'A line is cleared before the run starts.' using errcode = 'GW046';
    end if;
    if not public.run_signed(new.signature_id, r, 'line clearance', jsonb_build_object('clearance', new.items)) then
        raise exception 'A line is cleared by signing what was looked at.' using errcode = 'GW046';
    end if;
    return new;
end $$;
create trigger run_clearance_signed before insert on run_clearance for each row execute function run_clearance_signed();

create function run_difference_signed() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    r public.run;
begin
    if not public.sees_party(new.party_id) then
        raise exception 'A difference is of one''s own party.' using errcode = 'insufficient_privilege'; -- row security looks only after this
    end if;
    select * into r from public.run where run_id = new.run_id and party_id = new.party_id;
    if r.state is null or r.state not in ('ended', 'reconciled') then
        raise exception 'Differences are accepted between the end of a run and its closing.' using errcode = 'GW046';
    end if;
    if not public.run_signed(new.signature_id, r, 'difference accepted', jsonb_build_object('difference', new.subject, 'amount', new.amount, 'why', new.why)) then
        raise exception 'A difference is accepted by signing it.' using errcode = 'GW046';
    end if;
    return new;
end $$;
create trigger run_difference_signed before insert on run_difference for each row execute function run_difference_signed();

create function run_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'run ' || r.public_id) from run r where r.run_id = new.run_id;
    return null;
end $$;
create function line_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'line ' || new.code);
    return null;
end $$;
create trigger line_notify after insert or update on line for each row execute function line_changed();

create trigger run_step_audit after insert or update or delete on run_step for each row execute function audit_row('step_id');
create trigger run_clearance_audit after insert or update or delete on run_clearance for each row execute function audit_row('clearance_id');
create trigger run_difference_audit after insert or update or delete on run_difference for each row execute function audit_row('difference_id');
create trigger run_counter_audit after insert or update or delete on run_counter for each row execute function audit_row('counter_id', 'told');
create trigger run_count_audit after insert or update or delete on run_count for each row execute function audit_row('count_id', 'told');
do $$
declare t text;
begin
    foreach t in array array['run_step', 'run_clearance', 'run_difference'] loop
        execute format('create trigger %I before update or delete on %I for each row execute function refuse_change()', t || '_append_only', t);
    end loop;
    foreach t in array array['run_counter', 'run_count'] loop
        execute format('create trigger %I before delete on %I for each row execute function refuse_change()', t || '_stays', t);
    end loop;
    foreach t in array array['run_step', 'run_clearance', 'run_difference', 'run_counter', 'run_count'] loop
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('create trigger %I after insert on %I for each row execute function run_changed()', t || '_notify', t);
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
    end loop;
end $$;
grant select, insert on run_step, run_clearance, run_difference, run_counter, run_count to gateway_app;
grant update (told) on run_counter, run_count to gateway_app;
