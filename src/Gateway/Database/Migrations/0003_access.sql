-- 0003_access.sql: parties and the keys bound to them. A key's secret is stored only as its SHA-256.
create table party (
    party_id  int generated always as identity primary key,
    kind      text not null check (kind in ('organisation', 'cmo', 'partner')),
    name      text not null check (name <> ''),
    gln       text unique check (gln ~ '^[0-9]{13}$')
);
create unique index party_one_organisation on party (kind) where kind = 'organisation';

create table api_key (
    key_id       text primary key,
    party_id     int not null references party,
    role         text not null check (role in ('administrator', 'officer', 'operator', 'cmo', 'partner', 'inspector')),
    name         text not null check (name <> ''),
    secret_hash  bytea not null check (octet_length(secret_hash) = 32),
    created_at   timestamptz not null,
    expires_at   timestamptz,
    revoked_at   timestamptz
);
create index api_key_party on api_key (party_id);

create trigger party_audit after insert or update or delete on party for each row execute function audit_row('party_id');
create trigger api_key_audit after insert or update or delete on api_key for each row execute function audit_row('key_id', 'secret_hash');

alter table party enable row level security;
alter table party force row level security;
create policy party_own on party using (sees_party(party_id));
alter table api_key enable row level security;
alter table api_key force row level security;
create policy api_key_own on api_key using (sees_party(party_id));

grant select, insert, update on party, api_key to gateway_app;
grant select (party_id, kind, name, gln) on party to gateway_reader;
