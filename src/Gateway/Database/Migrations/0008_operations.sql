-- 0008_operations.sql: what running the gateway needs and no document depends on: the way of a document through a trace,
-- event partitions ahead of time, and the tables in which Quartz keeps its clock.

-- W3C trace context of the request that brought the document, and of the processing that queued the delivery.
alter table capture add column traceparent text check (traceparent ~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
alter table delivery add column traceparent text check (traceparent ~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');

-- The application may not create tables, so this does it as the owner, for this year and the given years ahead and nothing else.
-- Answers how many years were missing. Two callers at once: the second waits and finds nothing to do.
create function make_event_partitions(years_ahead int) returns int
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    this_year int := extract(year from gateway_now() at time zone 'UTC');
    y int;
    made int := 0;
begin
    if years_ahead not between 0 and 20 then
        raise exception 'between 0 and 20 years ahead, not %', years_ahead;
    end if;
    perform pg_advisory_xact_lock(hashtext('make_event_partitions'));
    for y in this_year .. this_year + years_ahead loop
        continue when to_regclass(format('public.event_y%s', y)) is not null and to_regclass(format('public.event_epc_y%s', y)) is not null;
        execute format('create table if not exists event_y%s partition of event for values in (%s)', y, y);
        execute format('create table if not exists event_epc_y%s partition of event_epc for values in (%s)', y, y);
        execute format('grant insert on event_y%s, event_epc_y%s to gateway_app', y, y);
        made := made + 1;
    end loop;
    return made;
end $$;
revoke all on function make_event_partitions(int) from public;
grant execute on function make_event_partitions(int) to gateway_app;

-- The clock's own rows: names and columns are those Quartz 4.7 asks for. They hold schedules and who is alive, no data of any
-- party, so there is no row security; dropping the schema and making it again loses nothing but the times of the next firings.
create schema quartz;
create table quartz.qrtz_job_details (
    sched_name text not null, job_name text not null, job_group text not null,
    description text, job_class_name text not null, job_data bytea,
    is_durable boolean not null, is_nonconcurrent boolean not null, is_update_data boolean not null, requests_recovery boolean not null,
    primary key (sched_name, job_name, job_group)
);
create table quartz.qrtz_triggers (
    sched_name text not null, trigger_name text not null, trigger_group text not null,
    job_name text not null, job_group text not null,
    description text, job_data bytea, calendar_name text, priority int,
    trigger_state text not null, trigger_type text not null,
    next_fire_time bigint, prev_fire_time bigint, start_time bigint not null, end_time bigint,  -- ticks of 100 ns since the year 1
    misfire_instr smallint, misfire_orig_fire_time bigint, misfire_threshold bigint,
    execution_group text, preferred_node text, preferred_node_auto boolean not null default false,
    retry_policy text, retry_attempt int, overlap_policy int, fixed_delay boolean,
    continues_trigger_name text, continues_trigger_group text, continuation_condition int,
    pause_reason text, paused_by text, paused_at bigint,
    primary key (sched_name, trigger_name, trigger_group),
    foreign key (sched_name, job_name, job_group) references quartz.qrtz_job_details
);
create index qrtz_triggers_due on quartz.qrtz_triggers (sched_name, trigger_state, next_fire_time);
create index qrtz_triggers_job on quartz.qrtz_triggers (sched_name, job_name, job_group);
create table quartz.qrtz_fired_triggers (
    sched_name text not null, entry_id text not null, instance_name text not null,
    trigger_name text not null, trigger_group text not null, job_name text, job_group text,
    fired_time bigint not null, sched_time bigint not null, priority int not null, state text not null,
    is_nonconcurrent boolean not null, requests_recovery boolean, execution_group text,
    progress int, progress_message text, interrupt_requested_time bigint,
    primary key (sched_name, entry_id)
);
create table quartz.qrtz_scheduler_state (
    sched_name text not null, instance_name text not null,
    last_checkin_time bigint not null, checkin_interval bigint not null, quartz_version text,
    primary key (sched_name, instance_name)
);
create table quartz.qrtz_locks (sched_name text not null, lock_name text not null, primary key (sched_name, lock_name));
create table quartz.qrtz_calendars (sched_name text not null, calendar_name text not null, calendar bytea not null, primary key (sched_name, calendar_name));
create table quartz.qrtz_paused_trigger_grps (
    sched_name text not null, trigger_group text not null, pause_reason text, paused_by text, paused_at bigint, primary key (sched_name, trigger_group)
);
create table quartz.qrtz_paused_job_grps (
    sched_name text not null, job_group text not null, pause_reason text, paused_by text, paused_at bigint, primary key (sched_name, job_group)
);

-- What the kinds of triggers have besides.
create table quartz.qrtz_simple_triggers (
    sched_name text not null, trigger_name text not null, trigger_group text not null,
    repeat_count bigint not null, repeat_interval bigint not null, times_triggered bigint not null
);
create table quartz.qrtz_cron_triggers (
    sched_name text not null, trigger_name text not null, trigger_group text not null, cron_expression text not null, time_zone_id text
);
create table quartz.qrtz_simprop_triggers (
    sched_name text not null, trigger_name text not null, trigger_group text not null,
    str_prop_1 text, str_prop_2 text, str_prop_3 text, int_prop_1 int, int_prop_2 int, long_prop_1 bigint, long_prop_2 bigint,
    dec_prop_1 numeric, dec_prop_2 numeric, bool_prop_1 boolean, bool_prop_2 boolean, time_zone_id text
);
create table quartz.qrtz_blob_triggers (
    sched_name text not null, trigger_name text not null, trigger_group text not null, blob_data bytea
);
do $$
declare t text;
begin
    foreach t in array array['simple', 'cron', 'simprop', 'blob'] loop
        execute format('alter table quartz.qrtz_%s_triggers add primary key (sched_name, trigger_name, trigger_group),
            add foreign key (sched_name, trigger_name, trigger_group) references quartz.qrtz_triggers on delete cascade', t);
    end loop;
end $$;

grant usage on schema quartz to gateway_app;
grant select, insert, update, delete on all tables in schema quartz to gateway_app;
