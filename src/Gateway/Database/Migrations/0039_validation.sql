-- 0039_validation.sql: whether what runs is what was validated (docs/decisions/0023). A content is what a node consists of, by the
-- SHA-256 of its canonical form; a baseline says that somebody reviewed and somebody else approved one; the nodes say what they are.

-- Components by name: file, runtime, schema object, setting.
create table validation_content (
    fingerprint    text primary key,
    components     jsonb       not null check (jsonb_typeof(components) = 'object'),
    first_seen_at  timestamptz not null default gateway_now(),
    check (fingerprint = encode(sha256(convert_to(canonical_json(components), 'UTF8')), 'hex'))
);

-- Why something validated is changed: written, and approved by another person, before a baseline can name it.
create table validation_change (
    change_id           int generated always as identity primary key,
    number              text   not null generated always as ('CR-' || lpad(change_id::text, greatest(4, length(change_id::text)), '0')) stored unique,
    title               text   not null check (title <> ''),
    why                 text   not null check (why <> ''),
    impact              text   not null check (impact <> ''),
    risk                text   not null check (risk <> ''),
    tests               text   not null check (tests <> ''),
    concerns            text[] not null check (cardinality(concerns) > 0),  -- names of components; with * at the end, all that begin so
    state               text   not null default 'draft' check (state in ('draft', 'approved', 'done', 'withdrawn')),
    drafted_by          text   not null,
    drafted_by_name     text   not null,   -- names as of then; copied, never joined
    drafted_at          timestamptz not null,
    approved_by         text   check (approved_by <> drafted_by),
    approved_by_name    text,
    approved_at         timestamptz,
    approval_signature  bigint references signature,
    ended_by_name       text,
    ended_at            timestamptz,
    ended_why           text
);

create table validation_baseline (
    baseline_id         int generated always as identity primary key,
    title               text   not null check (title <> ''),
    reason              text   not null check (reason <> ''),
    fingerprint         text   not null references validation_content,
    state               text   not null default 'draft' check (state in ('draft', 'reviewed', 'approved', 'effective', 'superseded', 'withdrawn')),
    drafted_by          text   not null,
    drafted_by_name     text   not null,
    drafted_at          timestamptz not null,
    reviewed_by         text   check (reviewed_by <> drafted_by),
    reviewed_by_name    text,
    reviewed_at         timestamptz,
    review_signature    bigint references signature,
    approved_by         text   check (approved_by <> drafted_by and approved_by <> reviewed_by),
    approved_by_name    text,
    approved_at         timestamptz,
    approval_signature  bigint references signature,
    effective_by_name   text,
    effective_at        timestamptz,
    ended_by_name       text,
    ended_at            timestamptz,
    check (state not in ('reviewed', 'approved', 'effective', 'superseded') or reviewed_by is not null and reviewed_at is not null),
    check (state not in ('approved', 'effective', 'superseded') or approved_by is not null and approved_at is not null),
    check (state not in ('effective', 'superseded') or effective_at is not null)
);
create unique index validation_one_effective on validation_baseline (state) where state = 'effective';

-- The change records that explain how a baseline differs from the one before it.
create table validation_baseline_change (
    baseline_id  int not null references validation_baseline,
    change_id    int not null references validation_change,
    primary key (baseline_id, change_id)
);

-- Who runs, and what it is. A sign of life, so it is by the real clock and no record.
create table validation_node (
    node              text primary key,
    machine           text not null,
    build             text not null,
    fingerprint       text not null references validation_content,
    state             text not null check (state in ('validated', 'not validated', 'no baseline')),
    difference_count  int  not null,
    differences       jsonb not null,   -- the first of them: name, validated, found
    change_reference  text not null,    -- the change record that its configuration names; empty: none
    every             interval not null,
    started_at        timestamptz not null default clock_timestamp(),
    seen_at           timestamptz not null,
    left_at           timestamptz
);

-- What the nodes say together.
create table validation_state (
    part    text primary key default 'installation' check (part = 'installation'),
    state   text not null check (state in ('validated', 'not validated', 'mixed', 'no baseline')),
    detail  text not null,
    fingerprints  text not null default '',   -- of the nodes that run, where they are not what was validated: a further change is told too
    since   timestamptz not null              -- the state, whatever else differs meanwhile
);
insert into validation_state (state, detail, since) values ('no baseline', '', gateway_now());

create function validation_live() returns setof validation_node language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select * from public.validation_node where left_at is null and seen_at + 3 * every + interval '5 s' > clock_timestamp()
$$;

create function validation_now() returns text language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select case
        when e.fingerprint is null then 'no baseline'
        when count(distinct n.fingerprint) > 1 then 'mixed'
        when bool_and(n.fingerprint = e.fingerprint) then 'validated'
        else 'not validated' end
    from (select (select fingerprint from public.validation_baseline where state = 'effective')) as e left join public.validation_live() n on true
    group by e.fingerprint
$$;

-- How two contents differ.
create function validation_differences(validated text, found text) returns table (name text, old text, new text)
language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select coalesce(o.key, n.key), o.value, n.value
    from (select e.* from public.validation_content c, jsonb_each_text(c.components) e where c.fingerprint = validated) o
    full join (select e.* from public.validation_content c, jsonb_each_text(c.components) e where c.fingerprint = found) n on o.key = n.key
    where o.value is distinct from n.value order by coalesce(o.key, n.key) collate "C"
$$;

-- Differences from the effective baseline that no approved change record of the baseline concerns.
create function validation_unexplained(baseline int) returns setof text language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select d.name from public.validation_baseline b
        join public.validation_baseline e on e.state = 'effective' and e.baseline_id <> b.baseline_id, public.validation_differences(e.fingerprint, b.fingerprint) d
    where b.baseline_id = baseline and not exists (
        select from public.validation_baseline_change x join public.validation_change c using (change_id), unnest(c.concerns) as concern
        where x.baseline_id = b.baseline_id and c.state in ('approved', 'done')
          and (concern = d.name or right(concern, 1) = '*' and starts_with(d.name, left(concern, -1))))
$$;

-- What a signature covers.
create function validation_baseline_content(baseline int) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
    select jsonb_build_object('baseline', b.baseline_id, 'title', b.title, 'reason', b.reason, 'fingerprint', b.fingerprint, 'draftedBy', b.drafted_by, 'draftedAt', b.drafted_at,
        'changes', (select coalesce(jsonb_agg(c.number order by c.change_id), '[]') from public.validation_baseline_change x join public.validation_change c using (change_id) where x.baseline_id = b.baseline_id))
    from public.validation_baseline b where b.baseline_id = baseline $$;
create function validation_change_content(change int) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
    select jsonb_build_object('number', number, 'title', title, 'why', why, 'impact', impact, 'risk', risk, 'tests', tests, 'concerns', to_jsonb(concerns), 'draftedBy', drafted_by, 'draftedAt', drafted_at)
    from public.validation_change where change_id = change $$;

-- A step that needs a signature is taken by no row of another record, version, meaning or person.
create function validation_signed(the_signature bigint, type text, id text, the_meaning text, by_whom text, content jsonb) returns boolean
language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select exists (select from public.signature s where s.signature_id = the_signature and s.record_type = type and s.record_id = id and s.version = 1 and s.meaning = the_meaning
        and s.signer = by_whom and s.content_sha256 = content_sha256(content)) $$;

insert into signature_meaning values
    ('baseline reviewed', 'I have reviewed this baseline: what it contains is what was tested, and the tests are on file.', 'sign.review', true, '{}'),
    ('baseline approved', 'I approve this baseline: what runs is to be compared with it.', 'sign.approve', true, '{baseline reviewed}'),
    ('change approved', 'I approve this change: its impact and risk are assessed, and its tests are enough.', 'sign.approve', true, '{}');

-- Each step names its own columns and touches no other; what has ended stays as it is.
create function validation_baseline_step() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    mine text[];
    unexplained text;
begin
    if tg_op = 'INSERT' then
        if new.state <> 'draft' or num_nonnulls(new.reviewed_by, new.approved_by, new.effective_at, new.ended_at) > 0 then
            raise exception 'A baseline begins as a draft.' using errcode = 'GW040';
        end if;
        return new;
    end if;
    mine := case old.state || ' ' || new.state
        when 'draft reviewed' then array['reviewed_by', 'reviewed_by_name', 'reviewed_at', 'review_signature']
        when 'reviewed approved' then array['approved_by', 'approved_by_name', 'approved_at', 'approval_signature']
        when 'approved effective' then array['effective_by_name', 'effective_at']
        when 'effective superseded' then array['ended_by_name', 'ended_at']
        when 'draft withdrawn' then array['ended_by_name', 'ended_at']
        when 'reviewed withdrawn' then array['ended_by_name', 'ended_at']
        when 'approved withdrawn' then array['ended_by_name', 'ended_at'] end;
    if mine is null or to_jsonb(old) - mine - 'state' is distinct from to_jsonb(new) - mine - 'state' then
        raise exception 'Baseline % is %: it is not changed that way.', old.baseline_id, old.state using errcode = 'GW040';
    end if;
    if new.state = 'reviewed' and not validation_signed(new.review_signature, 'baseline', new.baseline_id::text, 'baseline reviewed', new.reviewed_by, validation_baseline_content(new.baseline_id))
        or new.state = 'approved' and not validation_signed(new.approval_signature, 'baseline', new.baseline_id::text, 'baseline approved', new.approved_by, validation_baseline_content(new.baseline_id)) then
        raise exception 'A baseline is % by signing it.', new.state using errcode = 'GW040';
    end if;
    if new.state in ('approved', 'effective') then
        select string_agg(name, ', ') into unexplained from (select name from validation_unexplained(new.baseline_id) as name limit 5) u;
        if unexplained is not null then
            raise exception 'No approved change record explains %.', unexplained using errcode = 'GW041';
        end if;
    end if;
    return new;
end $$;
create trigger validation_baseline_step before insert or update on validation_baseline for each row execute function validation_baseline_step();

-- No moment without a validated state: the old one ends in the transaction in which the next takes effect.
create function validation_succession() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if not exists (select from validation_baseline where state = 'effective') then
        raise exception 'Baseline % ends only when the next takes effect.', new.baseline_id using errcode = 'GW040';
    end if;
    return null;
end $$;
create constraint trigger validation_succession after update on validation_baseline deferrable initially deferred for each row
    when (new.state = 'superseded') execute function validation_succession();

create function validation_baseline_change_step() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if (select state from validation_baseline where baseline_id = new.baseline_id for share) is distinct from 'draft' then
        raise exception 'Change records are named while a baseline is a draft.' using errcode = 'GW040';
    end if;
    return new;
end $$;
create trigger validation_baseline_change_step before insert on validation_baseline_change for each row execute function validation_baseline_change_step();

create function validation_change_step() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    mine text[];
begin
    if tg_op = 'INSERT' then
        if new.state <> 'draft' or num_nonnulls(new.approved_by, new.ended_at) > 0 then
            raise exception 'A change record begins as a draft.' using errcode = 'GW040';
        end if;
        return new;
    end if;
    -- A generated column is not computed yet.
    mine := case old.state || ' ' || new.state
        when 'draft approved' then array['number', 'approved_by', 'approved_by_name', 'approved_at', 'approval_signature']
        when 'draft withdrawn' then array['number', 'ended_by_name', 'ended_at', 'ended_why']
        when 'approved done' then array['number', 'ended_by_name', 'ended_at', 'ended_why'] end;
    if mine is null or to_jsonb(old) - mine - 'state' is distinct from to_jsonb(new) - mine - 'state' then
        raise exception 'Change record % is %: it is not changed that way.', old.number, old.state using errcode = 'GW040';
    end if;
    if new.state = 'approved' and not validation_signed(new.approval_signature, 'change record', old.number, 'change approved', new.approved_by, validation_change_content(new.change_id)) then
        raise exception 'A change record is approved by signing it.' using errcode = 'GW040';
    end if;
    return new;
end $$;
create trigger validation_change_step before insert or update on validation_change for each row execute function validation_change_step();

create function validation_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'validation ' || tg_table_name);
    return null;
end $$;
create trigger validation_baseline_notify after insert or update on validation_baseline for each statement execute function validation_changed();
create trigger validation_change_notify after insert or update on validation_change for each statement execute function validation_changed();
create trigger validation_state_notify after update on validation_state for each statement execute function validation_changed();
create trigger validation_node_arrived after insert on validation_node for each row execute function validation_changed();
create trigger validation_node_notify after update on validation_node for each row
    when (old.fingerprint is distinct from new.fingerprint or old.state is distinct from new.state or old.left_at is distinct from new.left_at) execute function validation_changed();

create trigger validation_state_audit after insert or update or delete on validation_state for each row execute function audit_row('part');
create trigger validation_change_audit after insert or update or delete on validation_change for each row execute function audit_row('number');
create trigger validation_baseline_audit after insert or update or delete on validation_baseline for each row execute function audit_row('baseline_id');
create trigger validation_baseline_change_audit after insert or update or delete on validation_baseline_change for each row execute function audit_row('baseline_id');

do $$
declare t text;
begin
    foreach t in array array['validation_content', 'validation_baseline_change'] loop
        execute format('create trigger %I before update or delete on %I for each row execute function refuse_change()', t || '_append_only', t);
    end loop;
    foreach t in array array['validation_baseline', 'validation_change', 'validation_state'] loop
        execute format('create trigger %I before delete on %I for each row execute function refuse_change()', t || '_stays', t);
    end loop;
    foreach t in array array['validation_content', 'validation_baseline_change', 'validation_baseline', 'validation_change', 'validation_state'] loop
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
    end loop;
    foreach t in array array['validation_content', 'validation_baseline_change', 'validation_baseline', 'validation_change', 'validation_state', 'validation_node'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (current_setting(''app.party'', true) = ''*'')', t || '_own', t);
    end loop;
end $$;
grant select on validation_baseline to gateway_sealer; -- checkpoints name the effective one
grant select on validation_content, validation_baseline_change, validation_baseline, validation_change, validation_state, validation_node to gateway_app;
grant insert on validation_content, validation_baseline_change, validation_baseline, validation_change, validation_node to gateway_app;
grant update (state, reviewed_by, reviewed_by_name, reviewed_at, review_signature, approved_by, approved_by_name, approved_at, approval_signature,
    effective_by_name, effective_at, ended_by_name, ended_at) on validation_baseline to gateway_app;
grant update (state, approved_by, approved_by_name, approved_at, approval_signature, ended_by_name, ended_at, ended_why) on validation_change to gateway_app;
grant update (state, detail, fingerprints, since) on validation_state to gateway_app;
grant update, delete on validation_node to gateway_app;

select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
insert into role_permission (role, permission)
select r, p from (values
    ('administrator', '{validation.read,validation.manage}'),
    ('officer', '{validation.read,validation.manage}'),
    ('inspector', '{validation.read}')) as seed (r, ps), unnest(ps::text[]) as p
where exists (select from role where role = r) on conflict do nothing;
