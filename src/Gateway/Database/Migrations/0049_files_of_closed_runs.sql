-- A file that is said to tell of a run enters it before the run is closed, or not at all: who closes it waits for whoever stores, and the other way round.
create function capture_run_open() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    found_state text;
begin
    select state into found_state from public.run where run_id = new.run_id for share;
    if found_state in ('closed', 'cancelled') then
        raise exception 'The run is %: no file tells of it any more.', found_state using errcode = 'GW049';
    end if;
    return null;
end $$;
create trigger capture_run_open after insert on capture for each row when (new.run_id is not null and new.method = 'file') execute function capture_run_open();
