-- 0028_exceptions.sql: one record for whatever a person must settle, whichever part of the gateway found it. Opened in the
-- transaction that found it, so there is neither a finding without its record nor a record of what never took effect.
create table exception (
    exception_id  bigint generated always as identity primary key,
    public_id     uuid   not null default gen_random_uuid(),
    party_id      int    not null references party,
    code          text   not null check (code <> ''),   -- explained at /help
    severity      text   not null check (severity in ('info', 'warning', 'error')),
    message       text   not null,                      -- of the first occurrence
    state         text   not null default 'open' check (state in ('open', 'resolved', 'dismissed')),
    source_kind   text   not null check (source_kind in ('capture', 'delivery')),
    source_id     text   not null check (source_id <> ''),  -- as the source's own address names it
    document_id   bigint,
    event_uri     text,                                 -- eventID of the first occurrence
    gtin          text,                                 -- of all its units; null when they are of several, or not known
    lot           text,                                 -- likewise
    opened_at     timestamptz not null,
    last_at       timestamptz not null,
    occurrences   int    not null check (occurrences > 0),
    unit_count    int    not null default 0,
    assigned_to   text   check (assigned_to <> ''),
    decided_at    timestamptz,
    decided_by    text,                                 -- the person's name as of then; copied, never joined
    decided_why   text   check (decided_why <> ''),
    version       int    not null default 1,
    unique (public_id, party_id),
    unique (exception_id, party_id),
    check ((state = 'open') = (decided_at is null) and (decided_at is null) = (decided_by is null) and (decided_at is null) = (decided_why is null)),
    foreign key (document_id, party_id) references document (document_id, party_id)
);
-- The same again while it is open is the same record.
create unique index exception_once on exception (party_id, code, source_kind, source_id) where state = 'open';
create index exception_open on exception (exception_id) where state = 'open';
-- What lists are narrowed by.
create index exception_code on exception (code, exception_id);
create index exception_source on exception (source_id);
create index exception_document on exception (document_id) where document_id is not null;
create index exception_gtin on exception (gtin) where gtin is not null;
create index exception_lot on exception (lot) where lot is not null;

create table exception_unit (
    exception_id  bigint not null,
    party_id      int    not null,
    epc           text   collate "C" not null,          -- as in event_epc
    primary key (exception_id, party_id, epc),
    foreign key (exception_id, party_id) references exception (exception_id, party_id)
);
create index exception_unit_epc on exception_unit using hash (epc);  -- which exceptions has this serial: one probe

-- What people said and decided; append-only.
create table exception_note (
    note_id       bigint generated always as identity primary key,
    exception_id  bigint not null,
    party_id      int    not null,
    action        text   not null check (action in ('note', 'assign', 'resolve', 'dismiss', 'reopen')),
    text          text   not null check (text <> ''),   -- the note, or the reason of the decision
    assigned_to   text   check (action = 'assign' or assigned_to is null),
    actor         text   not null,
    actor_name    text   not null,                      -- name and role as of then; copied, never joined
    actor_role    text   not null,
    noted_at      timestamptz not null,
    foreign key (exception_id, party_id) references exception (exception_id, party_id)
);
create index exception_note_exception on exception_note (exception_id);

create trigger exception_audit after insert or update or delete on exception for each row execute function audit_row('public_id', 'unit_count', 'version');
create trigger exception_note_audit after insert or update or delete on exception_note for each row execute function audit_row('note_id');
create trigger exception_note_append_only before update or delete on exception_note for each row execute function refuse_change();
create trigger exception_note_no_truncate before truncate on exception_note for each statement execute function refuse_change();

do $$
declare t text;
begin
    foreach t in array array['exception', 'exception_unit', 'exception_note'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
    end loop;
end $$;
-- A party's own capture opens what it causes; only the organisation decides, and says what it thinks of it.
create policy exception_changed on exception as restrictive for update using (current_setting('app.party', true) = '*');
create policy exception_note_added on exception_note as restrictive for insert with check (current_setting('app.party', true) = '*');
grant select, insert on exception, exception_unit, exception_note to gateway_app;
grant update (state, gtin, lot, last_at, occurrences, unit_count, assigned_to, decided_at, decided_by, decided_why, version) on exception to gateway_app;

create function exception_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'exception ' || new.public_id);
    return null;
end $$;
create trigger exception_notify after insert or update on exception for each row
    when (coalesce(current_setting('app.clock_offset', true), '') = '') execute function exception_changed();

select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
insert into role_permission (role, permission)
select r, p from (values
    ('administrator', '{exceptions.read}'), ('officer', '{exceptions.read,exceptions.decide}'), ('operator', '{exceptions.read}'),
    ('cmo', '{exceptions.read}'), ('inspector', '{exceptions.read}')) as seed (r, ps), unnest(ps::text[]) as p
on conflict do nothing;
insert into separation values
    ('exceptions.decide', 'people.manage', 'Who admits people could decide under a name made for it.'),
    ('exceptions.decide', 'keys.manage', 'Who makes keys could decide with a key made for it.'),
    ('exceptions.decide', 'roles.manage', 'Who says what a role may could permit himself any decision.');
