-- 0047_intake.sql: files from lines, read by mappings (docs/decisions/0027).

-- What is internal to a line is stored with the events and given to nobody who asks for events.
alter table event add column internal boolean not null default false;
