-- 0025_makers_and_temporary_passwords.sql: a key is in the hands of whoever made it and saw it. So nobody makes a key that may
-- more than himself, and what somebody holds by his roles and by the keys he made obeys separation of duty as one.
alter table api_key add column made_by text;  -- the person or key that made it, or made the key that did; null: the gateway's own command line, or who may do everything
create index api_key_made_by on api_key (made_by) where made_by is not null;

-- Whose key it is and what it may was said when it was made; only its end and its use change.
revoke update on api_key from gateway_app;
grant update (expires_at, revoked_at, last_used_at) on api_key to gateway_app;

create function held_by(holder text) returns setof text language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select rp.permission from public.person h join public.person_role pr using (person_id) join public.role_permission rp using (role)
    where holder like 'person:%' and h.folded_name = public.fold_name(substr(holder, 8))
    union
    select rp.permission from public.api_key k join public.role_permission rp using (role)
    where holder like 'key:%' and k.key_id = substr(holder, 5) and k.revoked_at is null $$;

create function api_key_made() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    maker text := coalesce(current_setting('app.actor', true), '');
    beyond text;
begin
    new.made_by := null;
    if maker !~ '^(person|key):' or exists (select from public.api_key k join public.role r using (role) where 'key:' || k.key_id = maker and r.everything) then
        return new;
    end if;
    beyond := case when (select r.everything from public.role r where r.role = new.role) then 'everything'
        else (select string_agg(rp.permission, ', ' order by rp.permission) from public.role_permission rp
              where rp.role = new.role and rp.permission not in (select h from public.held_by(maker) h)) end;
    if beyond is not null then
        raise exception 'a key of the role % would carry what its maker does not have: %', new.role, beyond using errcode = 'GW013';
    end if;
    new.made_by := coalesce((select k.made_by from public.api_key k where 'key:' || k.key_id = maker), maker);
    return new;
end $$;
create trigger api_key_made before insert on api_key for each row execute function api_key_made();

-- Somebody with all that his hands hold.
create function hand_separated(hand text) returns void language sql set search_path = pg_catalog, public, pg_temp as $$
    select public.separation_refuse(s.permission, s.excludes, s.reason) from public.separation s
    where array[s.permission, s.excludes] <@ array(
        select h from public.held_by(hand) h
        union
        select rp.permission from public.api_key k join public.role_permission rp using (role)
        where k.made_by = hand and k.revoked_at is null and (k.expires_at is null or k.expires_at > public.gateway_now())) $$;

create function api_key_separated() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    perform public.separation_lock();
    perform public.hand_separated(new.made_by);
    return null;
end $$;
create trigger api_key_separated after insert on api_key for each row when (new.made_by is not null) execute function api_key_separated();

create or replace function person_role_separated() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    perform public.separation_lock();
    if (select everything from public.role where role = new.role) then
        raise exception 'the role % is for keys only', new.role using errcode = 'GW011';
    end if;
    perform public.hand_separated('person:' || h.user_name) from public.person h where h.person_id = new.person_id;
    return null;
end $$;

create or replace function role_permission_separated() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    perform public.separation_lock();
    perform public.separation_refuse(s.permission, s.excludes, s.reason) from public.separation s
    where array[s.permission, s.excludes] <@ array(select rp.permission from public.role_permission rp where rp.role = new.role);
    perform public.hand_separated(hands.hand) from (
        select 'person:' || h.user_name as hand from public.person_role pr join public.person h using (person_id) where pr.role = new.role
        union
        select coalesce(k.made_by, 'key:' || k.key_id) from public.api_key k where k.role = new.role and k.revoked_at is null) hands;
    return null;
end $$;

-- A temporary password is good for a while only, counted from when it was given out.
alter table person add column temporary_since timestamptz;
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
update person set temporary_since = gateway_now() where must_change;
alter table person add check (not must_change or temporary_since is not null);
grant update (temporary_since) on person to gateway_app;

-- What was refused is read by itself, newest first.
create index audit_entry_refused on audit_entry (ord) where entity in ('sign_in', 'refused_call');
