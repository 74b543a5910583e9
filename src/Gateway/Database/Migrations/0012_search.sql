-- 0012_search.sql: the words people look a document up by that no index holds otherwise. A document has few of them, so
-- they are one set-based insert a capture. Serial numbers are found by asking the EPC index for each product known.
create table capture_term (
    kind        text   not null check (kind in ('lot', 'document', 'product')),
    term        text   collate "C" not null,  -- lot number; business transaction or document identifier; an SGTIN up to its serial number
    capture_id  bigint not null references capture,
    party_id    int    not null,
    primary key (kind, term, party_id, capture_id)
);
alter table capture_term enable row level security;
alter table capture_term force row level security;
create policy capture_term_own on capture_term using (sees_party(party_id));
grant select, insert on capture_term to gateway_app;
