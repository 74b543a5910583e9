-- 0065_recall_notices.sql: whoever has what is recalled is told, and for whom that cannot be done a person is (docs/decisions/0042).
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);

alter table hub_order add column told_at timestamptz; -- of a recall or withdrawal: whoever has units of it is told, or noted
-- What was recalled before is not told now.
update hub_order set told_at = gateway_now() where kind in ('recall', 'withdrawal') and repeats is null and status <> 'asked';
create index hub_order_tell on hub_order (hub_order_id) where kind in ('recall', 'withdrawal') and repeats is null and held_at is not null and told_at is null and status not in ('asked', 'ended');

create table hub_order_holder (
    hub_order_id int    not null,
    party_id     int    not null,
    number       int    not null,                      -- from 1, most units first
    gln          text   check (gln ~ '^[0-9]{13}$'),   -- null: events name none
    holder       text,                                 -- as events say it; null: they do not
    units        bigint not null check (units > 0),
    untold       text   check (untold in ('no partner', 'not live', 'elsewhere', 'unknown')), -- why the gateway does not tell him
    partner_id   int    references partner,            -- whom he is as a partner
    captures     uuid[] not null,                      -- the documents that hold his units, and tell him
    primary key (hub_order_id, number, party_id),
    check (untold is not null or partner_id is not null),
    check (untold = 'elsewhere' or cardinality(captures) > 0),
    foreign key (hub_order_id, party_id) references hub_order (hub_order_id, party_id)
);
create trigger hub_order_holder_audit after insert on hub_order_holder for each row execute function audit_row('hub_order_id');
create trigger hub_order_holder_append_only before update or delete on hub_order_holder for each row execute function refuse_change();
create trigger hub_order_holder_no_truncate before truncate on hub_order_holder for each statement execute function refuse_change();
alter table hub_order_holder enable row level security;
alter table hub_order_holder force row level security;
create policy hub_order_holder_own on hub_order_holder using (sees_party(party_id));
create policy hub_order_holder_added on hub_order_holder as restrictive for insert with check (current_setting('app.party', true) = '*');
grant select, insert on hub_order_holder to gateway_app;
grant update (told_at) on hub_order to gateway_app;
