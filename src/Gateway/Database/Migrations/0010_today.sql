-- 0010_today.sql: what the first page of the day asks for: a day's captures, and all deliveries of a document.
create index capture_created on capture (created_at);
create index delivery_replays on delivery (document_id) where replay_of is not null;
create index delivery_finished on delivery (partner_id, finished_at) where state = 'delivered';
