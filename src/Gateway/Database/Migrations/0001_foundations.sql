-- 0001_foundations.sql: roles, clock, the actor of a transaction, and what row security asks.
-- Runs as the login that owns the database. The roles log in without a password, which only the private embedded server
-- admits. The roles belong to the whole server, so another database may have made them already.
do $$
declare r text;
begin
    foreach r in array array['gateway_owner', 'gateway_app', 'gateway_sealer', 'gateway_reader'] loop
        begin
            execute format('create role %I %s', r, case when r = 'gateway_owner' then 'nologin' else 'login' end);
        exception when duplicate_object or unique_violation then null;
        end;
        -- So that a login which may migrate may also act as the lesser roles.
        execute format('grant %I to current_user', r);
    end loop;
end $$;

revoke all on schema public from public;
grant usage on schema public to gateway_app, gateway_sealer, gateway_reader;

-- One row: where this database stands apart from the wall clock. An offset exists only in test and demonstration
-- databases; the gateway refuses to serve a live database that has one.
create table installation (
    only_row      boolean primary key default true check (only_row),
    kind          text not null default 'live' check (kind in ('live', 'demonstration', 'test')),
    clock_offset  interval not null default '0' check (kind <> 'live' or clock_offset = '0'),
    created_at    timestamptz not null default clock_timestamp()
);
insert into installation default values;

-- The clock of every due time, lease and record.
create function gateway_now() returns timestamptz
    language sql stable as $$ select clock_timestamp() + clock_offset from installation $$;

-- The party whose rows this transaction may touch: '*' for the organisation itself, a party's number, or nothing at all.
create function sees_party(p int) returns boolean
    language sql stable as $$ select current_setting('app.party', true) = '*' or current_setting('app.party', true) = p::text $$;

grant select on installation to gateway_app, gateway_sealer, gateway_reader;
