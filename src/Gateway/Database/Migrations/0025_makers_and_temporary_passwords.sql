-- 0025_makers_and_temporary_passwords.sql: a temporary password is good for a while only, counted from when it was given out.
alter table person add column temporary_since timestamptz;
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
update person set temporary_since = gateway_now() where must_change;
alter table person add check (not must_change or temporary_since is not null);
grant update (temporary_since) on person to gateway_app;
