-- 0064_what_markets_took.sql: of packs that were sent again it is kept which markets have them, so that nothing is sent a third time that each market has taken once.
alter table hub_pack add column stored_in text[] not null default '{}'; -- markets that took it with a message that others did not take
grant update (stored_in) on hub_pack to gateway_app;
