-- 0014_history.sql: a transaction may lie in the past, where nothing is live. So the demonstration's history is written with the
-- product's own statements, each row at its time. On a live database the setting is without effect.
create or replace function gateway_now() returns timestamptz
    language sql stable as $$
    select clock_timestamp() + clock_offset + case when kind <> 'live' then coalesce(nullif(current_setting('app.clock_offset', true), '')::interval, '0') else '0' end
    from public.installation $$;

-- What is history when it is written is no news: nobody waits for it, and thousands of messages at once would drown those who listen.
create or replace trigger capture_notify after insert on capture for each row
    when (new.state = 'processing' and coalesce(current_setting('app.clock_offset', true), '') = '') execute function capture_arrived();
create or replace trigger capture_changed after insert or update of state on capture for each row
    when (coalesce(current_setting('app.clock_offset', true), '') = '') execute function capture_changed();
create or replace trigger delivery_notify after insert or update of state, due_at, attempts, receipt on delivery for each row
    when (coalesce(current_setting('app.clock_offset', true), '') = '') execute function delivery_changed();
