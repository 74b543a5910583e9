-- The EPCs of a capture just stored are asked for at once, to route it. A BRIN index knows nothing of pages that were filled
-- since the last vacuum, so every such question read all of them; a btree, whose equal keys share an entry, costs 7 bytes a row.
drop index event_epc_event;
create index event_epc_event on event_epc (event_id);
