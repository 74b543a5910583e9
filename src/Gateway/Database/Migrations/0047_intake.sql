-- 0047_intake.sql: files from lines, read by mappings (docs/decisions/0027).

-- What is internal to a line is stored with the events and given to nobody who asks for events.
alter table event add column internal boolean not null default false;

-- The mappings that somebody has approved, each with its text: what a document was read by stays known, whatever becomes of the file.
create table mapping (
    name         text not null check (name ~ '^[a-z0-9][a-z0-9.-]{0,58}[a-z0-9]$'),
    version      int  not null check (version between 1 and 9999),
    title        text not null check (title <> ''),
    text         text not null,
    sha256       bytea not null check (sha256 = sha256(convert_to(text, 'UTF8'))),
    approved_at  timestamptz not null,
    approved_by  text not null,
    approved_by_name text not null,   -- as of then; copied, never joined
    reason       text not null check (reason <> ''),
    withdrawn_at timestamptz,
    withdrawn_by_name text,
    primary key (name, version),
    check ((withdrawn_at is null) = (withdrawn_by_name is null))
);
create function mapping_step() returns trigger language plpgsql as $$
begin
    if old.withdrawn_at is not null or to_jsonb(old) - array['withdrawn_at', 'withdrawn_by_name'] is distinct from to_jsonb(new) - array['withdrawn_at', 'withdrawn_by_name'] then
        raise exception 'Mapping % version % is approved as it is: what changes is a new version.', old.name, old.version using errcode = 'GW047';
    end if;
    return new;
end $$;
create trigger mapping_step before update on mapping for each row execute function mapping_step();
create trigger mapping_audit after insert or update or delete on mapping for each row execute function audit_row('name', 'text');
create trigger mapping_stays before delete on mapping for each row execute function refuse_change();
create trigger mapping_no_truncate before truncate on mapping for each statement execute function refuse_change();
alter table mapping enable row level security;
alter table mapping force row level security;
create policy mapping_own on mapping using (current_setting('app.party', true) = '*');
grant select, insert on mapping to gateway_app;
grant update (withdrawn_at, withdrawn_by_name) on mapping to gateway_app;
