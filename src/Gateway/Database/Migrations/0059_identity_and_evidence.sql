-- 0059_identity_and_evidence.sql: a sender gives each of its documents an InstanceIdentifier, so another document under the same one is a mistake
-- (docs/decisions/0036). Captures before this have none: what they were named was never held to be unique.
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);

alter table capture
    add column identity bytea check (octet_length(identity) = 32); -- hash of sender and identifier; set when the capture is accepted
create unique index capture_identity on capture (party_id, identity) where identity is not null;

-- Who agreed that goods are destroyed where they are is told that they were.
alter table delivery
    drop constraint delivery_compose_kind_check,
    add constraint delivery_compose_kind_check check (compose_kind in ('shipment', 'void', 'declaration', 'evidence'));
