-- 0018_partitions_in_public.sql: make_event_partitions of 0008 looked into pg_catalog first, so it would have made its tables
-- there, where nobody may. The temporary schema stays last: a table of the caller must not stand in for one of ours.
alter function make_event_partitions(int) set search_path = public, pg_temp;
