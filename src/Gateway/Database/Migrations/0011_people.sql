-- 0011_people.sql: people, what roles may, and sessions. A right that is a row can be granted, withdrawn, audited and
-- checked against those it must not meet, which a table in the program cannot.
create table role (
    role         text primary key check (role ~ '^[a-z][a-z0-9-]{1,39}$'),
    description  text not null,
    everything   boolean not null default false  -- every permission there is: for keys only, and never in a live installation
);

-- The names of permissions are the program's; it asks for them and knows no roles.
create table role_permission (
    role        text not null references role,
    permission  text not null check (permission ~ '^[a-z]+(\.[a-z]+)*$'),
    primary key (role, permission)
);

-- Separation of duty: no person and no role holds both.
create table separation (
    permission  text not null,
    excludes    text not null,
    reason      text not null,
    primary key (permission, excludes),
    check (permission < excludes)
);

insert into role (role, description) values
    ('administrator', 'Sets up partners, people, roles and keys; decides nothing about deliveries'),
    ('officer', 'Answers for deliveries: captures, partners and decisions'),
    ('operator', 'Captures documents and looks at them'),
    ('cmo', 'A contract manufacturer: captures and sees its own'),
    ('partner', 'A trading partner: sees deliveries to itself'),
    ('inspector', 'Looks at everything, for a set time, and changes nothing');
insert into role (role, description, everything) values ('demonstration', 'Everything, so that anybody can try anything', true);
insert into role_permission (role, permission)
select r, p from (values
    ('administrator', '{check,capture,captures.read,events.read,deliveries.read,partners.read,partners.manage,keys.manage,people.manage,roles.manage}'),
    ('officer', '{check,capture,captures.read,events.read,deliveries.read,deliveries.decide,partners.read,partners.manage}'),
    ('operator', '{check,capture,captures.read,events.read}'),
    ('cmo', '{check,capture,captures.read,events.read}'),
    ('partner', '{check,deliveries.read}'),
    ('inspector', '{captures.read,events.read,deliveries.read,partners.read}')) as seed (r, ps), unnest(ps::text[]) as p;
insert into separation values
    ('deliveries.decide', 'people.manage', 'Who admits people could decide under a name made for it.'),
    ('deliveries.decide', 'keys.manage', 'Who makes keys could decide with a key made for it.'),
    ('deliveries.decide', 'roles.manage', 'Who says what a role may could permit himself any decision.');

-- A user name is one person's for ever. Names that look alike are the same: compatibility forms, case, blanks and
-- characters nobody sees make no difference. Upper case before lower, because ß becomes SS only that way.
create function fold_name(name text) returns text language sql immutable as $$
    select regexp_replace(normalize(lower(upper(normalize(name, NFKC) collate "und-x-icu") collate "und-x-icu"), NFKC),
        '[\s\u0001-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0]', '', 'g') $$;

create table person (
    person_id       int generated always as identity primary key,
    party_id        int not null references party,
    user_name       text not null check (length(user_name) between 1 and 64),
    folded_name     text not null generated always as (fold_name(user_name)) stored unique check (folded_name <> ''),
    display_name    text not null check (display_name <> '' and length(display_name) <= 200),
    password_hash   text not null,
    must_change     boolean not null,                          -- the password is temporary: it opens nothing but its own change
    security_stamp  uuid not null default gen_random_uuid(),   -- a new one ends every session, also one being started right now
    totp_key        bytea,                                     -- sealed
    totp_step       bigint not null default 0,                 -- the last accepted: a code is good once
    recovery_codes  bytea[] not null default '{}',             -- SHA-256 of those not yet used
    state           text not null default 'active' check (state in ('active', 'disabled')),
    access_until    timestamptz,
    failed_count    int not null default 0,
    locked_until    timestamptz,
    created_at      timestamptz not null,
    signed_in_at    timestamptz,
    unique (person_id, party_id)
);

create table person_role (
    person_id   int not null,
    party_id    int not null,
    role        text not null references role,
    granted_at  timestamptz not null,
    granted_by  text not null,
    reason      text not null check (reason <> ''),
    primary key (person_id, role, party_id),
    foreign key (person_id, party_id) references person (person_id, party_id)
);

-- A signed-in browser: of a person, or of a key. The cookie holds the secret and nothing else.
alter table api_key add unique (key_id, party_id);
create table session (
    session_id   bigint generated always as identity primary key,
    party_id     int not null references party,
    person_id    int,
    key_id       text,
    secret_hash  bytea not null check (octet_length(secret_hash) = 32),
    stamp        uuid,          -- the person's as of the start
    method       text not null check (method in ('key', 'password', 'password and code', 'password and recovery code')),
    origin       text not null,
    created_at   timestamptz not null,
    seen_at      timestamptz not null,
    ended_at     timestamptz,
    ended_why    text,
    unique (secret_hash, party_id),
    check (num_nonnulls(person_id, key_id) = 1 and (person_id is null) = (stamp is null)),
    check ((ended_at is null) = (ended_why is null)),
    foreign key (person_id, party_id) references person (person_id, party_id),
    foreign key (key_id, party_id) references api_key (key_id, party_id)
);
create index session_open_person on session (person_id) where ended_at is null;

alter table api_key drop constraint api_key_role_check, add foreign key (role) references role;

-- Two grants at the same time see each other: all assignments wait for one lock, and look only after they have it,
-- which a snapshot older than the lock would make worthless.
create function separation_lock() returns void language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'roles are assigned in read committed transactions only' using errcode = 'GW012';
    end if;
    perform pg_advisory_xact_lock(20251011);
end $$;

create function separation_refuse(permission text, excludes text, reason text) returns void language plpgsql as $$
begin
    raise exception '% and % exclude each other: %', permission, excludes, reason using errcode = 'GW010';
end $$;

create function person_role_separated() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    perform public.separation_lock();
    if (select everything from role where role = new.role) then
        raise exception 'the role % is for keys only', new.role using errcode = 'GW011';
    end if;
    perform public.separation_refuse(s.permission, s.excludes, s.reason) from separation s
    where array[s.permission, s.excludes] <@ array(select rp.permission from person_role pr join role_permission rp using (role) where pr.person_id = new.person_id);
    return null;
end $$;
create trigger person_role_separated after insert or update on person_role for each row execute function person_role_separated();

create function role_permission_separated() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    perform public.separation_lock();
    perform public.separation_refuse(s.permission, s.excludes, s.reason) from separation s
    where array[s.permission, s.excludes] <@ array(select rp.permission from role_permission rp where rp.role = new.role)
       or exists (select from person_role held where held.role = new.role and array[s.permission, s.excludes] <@
            array(select rp.permission from person_role pr join role_permission rp using (role) where pr.person_id = held.person_id));
    return null;
end $$;
create trigger role_permission_separated after insert or update on role_permission for each row execute function role_permission_separated();

-- The role of the demonstration, kept out of live installations from both sides.
create function everything_is_not_live() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (select from installation where kind = 'live')
        and exists (select from api_key k join role r using (role) where r.everything and k.revoked_at is null) then
        raise exception 'a key that may do everything cannot be in a live installation' using errcode = 'GW011';
    end if;
    return null;
end $$;
create trigger api_key_everything after insert or update of role, revoked_at on api_key for each row execute function everything_is_not_live();
create trigger installation_everything after update of kind on installation for each row execute function everything_is_not_live();

create trigger role_audit after insert or update or delete on role for each row execute function audit_row('role');
create trigger role_permission_audit after insert or update or delete on role_permission for each row execute function audit_row('role');
create trigger person_role_audit after insert or update or delete on person_role for each row execute function audit_row('person_id');
create trigger person_audit after insert or update or delete on person for each row
    execute function audit_row('person_id', 'password_hash', 'security_stamp', 'totp_key', 'totp_step', 'recovery_codes', 'failed_count', 'locked_until', 'signed_in_at');
create trigger session_audit after insert or update or delete on session for each row execute function audit_row('session_id', 'secret_hash', 'stamp', 'seen_at');
create trigger person_stays before delete on person for each row execute function refuse_change();

-- What roles there are is no secret; only the organisation says it.
do $$
declare t text;
begin
    foreach t in array array['role', 'role_permission', 'separation', 'person', 'person_role', 'session'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (%s)', t || '_own', t, case when t in ('person', 'person_role', 'session') then 'sees_party(party_id)' else 'true' end);
        execute format('create policy %I on %I as restrictive for insert with check (current_setting(''app.party'', true) = ''*'')', t || '_added', t);
        execute format('create policy %I on %I as restrictive for update using (current_setting(''app.party'', true) = ''*'')', t || '_changed', t);
        execute format('create policy %I on %I as restrictive for delete using (current_setting(''app.party'', true) = ''*'')', t || '_removed', t);
    end loop;
end $$;
grant select on role, role_permission, separation, person, person_role, session to gateway_app;
grant insert on role, role_permission, person, person_role, session to gateway_app;
grant update (display_name, password_hash, must_change, security_stamp, totp_key, totp_step, recovery_codes, state, access_until, failed_count, locked_until, signed_in_at) on person to gateway_app;
grant update (stamp, seen_at, ended_at, ended_why) on session to gateway_app;
grant delete on role_permission, person_role to gateway_app;
