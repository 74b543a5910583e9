-- 0024_delivery_hold.sql: a person may hold one delivery. Who and why stand in its own row, so that a worker's claim sees them
-- under the same lock; what is held is never under a lease.
alter table delivery add column held_by text;           -- the person's name as of then; copied, never joined
alter table delivery add column held_why text;
alter table delivery add column held_until timestamptz; -- then it is due again by itself; null: until somebody resumes it
-- A closed row remembers its hold, as it remembers why it was dead, so that it can be reopened.
alter table delivery add constraint delivery_hold check (
    (held_by is null) = (held_why is null) and held_why <> '' and (held_by is not null or held_until is null)
    and (held_by is null or state in ('due', 'closed') and lease_token is null));
create index delivery_held on delivery (partner_id) where held_by is not null and state = 'due';

alter table delivery_decision drop constraint delivery_decision_action_check;
alter table delivery_decision add constraint delivery_decision_action_check check (action in ('retry', 'hold', 'resume', 'replay', 'close', 'reopen'));

create or replace function delivery_changed() returns trigger language plpgsql as $$
begin
    -- Only what can be sent now wakes the workers; what falls due later, the clock finds.
    if new.state = 'due' and new.lease_token is null and new.held_by is null and new.due_at <= gateway_now() then
        perform pg_notify('delivery_due', new.partner_id::text);
    end if;
    perform pg_notify('changed', 'delivery ' || new.delivery_id);
    return null;
end $$;
create or replace trigger delivery_notify after insert or update of state, due_at, attempts, receipt, held_by on delivery for each row
    when (coalesce(current_setting('app.clock_offset', true), '') = '') execute function delivery_changed();
