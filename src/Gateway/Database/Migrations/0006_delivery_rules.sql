-- 0006_delivery_rules.sql: what several nodes must agree on about a failing partner, where a partner may be, and indexes by
-- which deliveries are listed and counted by state without reading those long delivered.
alter table partner add column private_ranges text not null default ''; -- networks of ours, parted by blanks, that this partner's address may lie in

-- While half open, one delivery is the probe; only its outcome moves the breaker, never that of an attempt begun before it opened.
alter table breaker add column probe uuid;             -- the probe's lease
alter table breaker add column closed_at timestamptz;  -- failures before this count no more

-- The failure rate of a partner (it has a party of its own) in the last minute.
create index attempt_ended on attempt (party_id, ended_at) where ended_at is not null;

alter table delivery add column receipt_overdue boolean not null default false; -- the partner has owed the receipt for too long

create index delivery_open on delivery (delivery_id) where state = 'due';
create index delivery_dead on delivery (delivery_id) where state = 'dead';
create index delivery_closed on delivery (delivery_id) where state = 'closed';
create index delivery_owed on delivery (delivery_id) where state = 'delivered' and receipt = 'pending';
create index delivery_give_up on delivery (partner_id, give_up_at) where state = 'due';
