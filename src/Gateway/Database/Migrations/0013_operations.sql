-- 0013_operations.sql: deliveries found by whatever people narrow a list with, among a million; and operations on many
-- deliveries: a set frozen when it is begun, worked on item by item, that any node goes on with.

create index delivery_code on delivery (code, delivery_id) where code is not null;
create index delivery_reason on delivery (dead_reason, delivery_id) where dead_reason is not null;
create index delivery_message on delivery (message_id);
create index delivery_ordering on delivery (ordering collate "C");
create index delivery_document on delivery (document_id);
drop index delivery_replays;  -- the index above holds them too
