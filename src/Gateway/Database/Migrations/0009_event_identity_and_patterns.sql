-- 0009_event_identity_and_patterns.sql: an eventID that two parties claim, and EPCs found by pattern.

select set_config('app.party', '*', true);

-- The first claim to an eventID is 0, whoever makes it; another party's is that party's number. So an insert of claim 0
-- waits for a capture that claims the same id at the same time, of whichever party, and each party has an id at most once.
-- Only the gateway itself, which captures for everybody, sees the claims of all.
alter table event_identity add column party_id int references party;
alter table event_identity add column claim int not null default 0;
update event_identity i set party_id = c.party_id from capture c where c.capture_id = i.event_id >> 20;
-- A hash over the JSON rendering cannot be compared with one over the content: a repeat of such an event is no news.
alter table event_identity alter column content_hash drop not null;
update event_identity set content_hash = null;
alter table event_identity alter column party_id set not null;
alter table event_identity alter column claim drop default;
alter table event_identity add check (claim in (0, party_id));
alter table event_identity drop constraint event_identity_pkey;
alter table event_identity add primary key (event_uri, declared_at, claim);
alter table event_identity enable row level security;
alter table event_identity force row level security;
create policy event_identity_own on event_identity using (sees_party(party_id));

-- Where patterns look: an EPC URI up to its class, such as urn:epc:id:sgtin:4012345.011111, a Digital Link up to the GTIN
-- behind /01/. Few values for many rows, so the index stays small, and a pattern that ends earlier is a range of it. A
-- column, because row security lets no expression that might leak decide by index.
alter table event_epc add column head text collate "C" generated always as (
    case when epc like 'urn:epc:%' then split_part(epc, '.', 1) || '.' || split_part(epc, '.', 2) else left(epc, 36) end) stored;
create index event_epc_head on event_epc (head);

-- Readers ask for what was committed since: one value for all events of a capture.
create index event_txid on event (txid);
