-- A signed resume whose place another took lifts a quality pause only as long as the last of them has not come to nothing (0045 looked at the signed one alone).

create index device_command_superseded on device_command (superseded_by) where superseded_by is not null;

-- Whether a command that lets the line go on has ended without the line having gone on by it, or by the one that took its place, and so on.
create or replace function device_command_came_to_nothing(c device_command) returns boolean language plpgsql stable set search_path = pg_catalog, public, pg_temp as $$
declare
    n public.device_command;
begin
    if c.state <> 'superseded' then
        return c.state in ('failed', 'rejected', 'expired');
    end if;
    select * into n from public.device_command where command_id = c.superseded_by;
    return n.type not in ('start', 'resume') or public.device_command_came_to_nothing(n);
end $$;

-- The signature was for going on. When that came to nothing, the next try needs another, and a machine that did not prove that it stands is in doubt as before.
create or replace function device_command_stands_again() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    signed public.device_command;
begin
    -- It may have taken the place of the signed one.
    for signed in
        with recursive before as (select new.command_id union select c.command_id from public.device_command c join before b on c.superseded_by = b.command_id)
        select c.* from public.device_command c join before using (command_id) where c.signature_id is not null
    loop
        if public.device_command_came_to_nothing(signed) then
            update public.line_hold set until_at = null, seen = null where until_at = signed.issued_at and command_id in (select command_id from public.device_command where lifted_by = signed.command_id);
            update public.device_command set lifted_by = null, proof = case proof when 'moot' then 'awaited' else proof end where lifted_by = signed.command_id;
        end if;
    end loop;
    return null;
end $$;

drop trigger device_command_stands_again on device_command;
create trigger device_command_stands_again after update on device_command for each row
    when (new.type in ('start', 'resume') and old.state is distinct from new.state) execute function device_command_stands_again();
