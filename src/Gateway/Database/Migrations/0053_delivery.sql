-- 0053_delivery.sql: each part of a divided shipment is corrected by a delivery of its own (docs/decisions/0030), found by what it corrects.
create index delivery_corrects on delivery (corrects) where corrects is not null;

-- What could not be composed is looked at again at a moment of its own, behind what was never looked at; a capture that completes its history moves that to now.
create or replace function capture_completes() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    seen text := current_setting('app.party', true);
begin
    if exists (select from added where state = 'accepted') then
        perform set_config('app.party', '*', true);
        update public.delivery set held_by = null, held_why = null, held_until = null, due_at = public.gateway_now() where delivery_id in (
            select delivery_id from public.delivery where document_id is null and state = 'due' and held_by = 'gateway' and lease_token is null
                and compose_findings @> '[{"code": "compose.path"}]' order by due_at limit 100 for update skip locked);
        perform set_config('app.party', coalesce(seen, ''), true);
    end if;
    return null;
end $$;

-- A delivery is claimed, intended and ended: room in its page keeps the first two of these out of every index.
alter table delivery set (fillfactor = 60);

-- Attempts that have no end are few, and each claim looks for those of nodes that died.
create index attempt_open on attempt (party_id, delivery_id) where ended_at is null;

-- A statement that changes no row changes nothing: told of it, each node would compare itself anew, by such a statement, without end.
drop trigger validation_state_notify on validation_state;
create trigger validation_state_notify after update on validation_state for each row execute function validation_changed();
