-- 0007_parties_are_apart.sql: closes the ways around row security and the audit trail that attacks on each role found.

-- A temporary table stands before public in every search path, so one named like ours would take what a trigger writes.
create or replace function gateway_now() returns timestamptz
    language sql stable as $$ select clock_timestamp() + clock_offset from public.installation $$;
alter function canonical_json(jsonb) set search_path = pg_catalog, public, pg_temp;

-- Entries are written by this function only, with its owner's rights, so nobody can insert one that is not as the
-- transaction's settings say, and the trail itself can be behind row security: a version counts what others did too.
alter function audit_write(text, text, text, jsonb, jsonb) security definer set search_path = pg_catalog, public, pg_temp;
alter function audit_row() set search_path = pg_catalog, public, pg_temp;
alter function refuse_change() set search_path = pg_catalog, public, pg_temp;
revoke execute on function audit_write(text, text, text, jsonb, jsonb) from public;
grant execute on function audit_write(text, text, text, jsonb, jsonb) to gateway_app;
revoke insert on audit_entry from gateway_app;
alter table audit_entry enable row level security;
alter table audit_entry force row level security;
-- A party sees what was done by its own; the sealer and the reader of evidence see all, which is their purpose.
create policy audit_entry_own on audit_entry for select to gateway_app using (sees_party(party_id) or current_setting('app.party', true) = '*');
create policy audit_entry_all on audit_entry for select to gateway_sealer, gateway_reader using (true);
create policy audit_entry_written on audit_entry to current_user using (true) with check (true);

create trigger delivery_decision_no_truncate before truncate on delivery_decision for each statement execute function refuse_change();

-- Who belongs here, with which key, and where a partner's documents go is the organisation's to say: a party that may
-- write its own rows could give itself a role or another address.
do $$
declare t text;
begin
    foreach t in array array['party', 'api_key', 'partner', 'partner_gln', 'route'] loop
        execute format('create policy %I on %I as restrictive for insert with check (current_setting(''app.party'', true) = ''*'')', t || '_added', t);
        execute format('create policy %I on %I as restrictive for update using (current_setting(''app.party'', true) = ''*'')', t || '_changed', t);
        execute format('create policy %I on %I as restrictive for delete using (current_setting(''app.party'', true) = ''*'')', t || '_removed', t);
    end loop;
end $$;

-- Foreign keys are checked past row security. With the party in them nobody can hang a row of his own on another's
-- record, nor learn from the answer which numbers exist.
alter table document add unique (document_id, party_id);
alter table capture add unique (capture_id, party_id);
alter table partner add unique (partner_id, party_id);
alter table delivery add unique (delivery_id, party_id);
alter table document_chunk drop constraint document_chunk_document_id_fkey,
    add foreign key (document_id, party_id) references document (document_id, party_id);
alter table capture drop constraint capture_document_id_fkey,
    add foreign key (document_id, party_id) references document (document_id, party_id);
alter table finding drop constraint finding_capture_id_fkey,
    add foreign key (capture_id, party_id) references capture (capture_id, party_id);
alter table idempotency drop constraint idempotency_capture_id_fkey,
    add foreign key (capture_id, party_id) references capture (capture_id, party_id);
alter table delivery drop constraint delivery_partner_id_fkey, drop constraint delivery_replay_of_fkey,
    add foreign key (partner_id, party_id) references partner (partner_id, party_id),
    add foreign key (replay_of, party_id) references delivery (delivery_id, party_id);
alter table attempt drop constraint attempt_delivery_id_fkey,
    add foreign key (delivery_id, party_id) references delivery (delivery_id, party_id);
alter table routing_decision drop constraint routing_decision_partner_id_fkey, drop constraint routing_decision_delivery_id_fkey,
    add foreign key (partner_id, party_id) references partner (partner_id, party_id),
    add foreign key (delivery_id, party_id) references delivery (delivery_id, party_id);
alter table delivery_decision drop constraint delivery_decision_delivery_id_fkey, drop constraint delivery_decision_created_fkey,
    add foreign key (delivery_id, party_id) references delivery (delivery_id, party_id),
    add foreign key (created, party_id) references delivery (delivery_id, party_id);
alter table breaker drop constraint breaker_partner_id_fkey,
    add foreign key (partner_id, party_id) references partner (partner_id, party_id);

-- When a key was last used, to the minute. It is not in the trail: every request is not a change of the key.
alter table api_key add column last_used_at timestamptz;
drop trigger api_key_audit on api_key;
create trigger api_key_audit after insert or update or delete on api_key for each row execute function audit_row('key_id', 'secret_hash', 'last_used_at');
