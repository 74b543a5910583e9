-- 0050_composing.sql: a partner gets the document that it must have (docs/decisions/0030). In the capture's transaction only the delivery is
-- written; what it sends is composed afterwards, so until then it has no document, and says of what it is to be composed.
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
alter table delivery alter column document_id drop not null;
alter table delivery
    add column capture_id      bigint references capture,   -- the capture that it is about: whichever document it sends
    add column part_of         bigint,                      -- the delivery that the routing decision names, of which this is another lane, or another part
    add column corrects        bigint,                      -- the delivery whose shipment this voids, or declares to be in error
    add column compose_kind    text check (compose_kind in ('shipment', 'void', 'declaration')),
    add column shipment_events bigint[],                    -- what is shipped (or voided, or declared) by
    add column shipment_epcs   text[],                      -- of what these name, only this; null: all
    add column compose_findings jsonb,                      -- why it is not composed yet
    add column composed        jsonb,                       -- what is in the document, and what was left out and why
    add foreign key (part_of, party_id) references delivery (delivery_id, party_id),
    add foreign key (corrects, party_id) references delivery (delivery_id, party_id),
    add constraint delivery_content check (
        (document_id is not null or compose_kind is not null and state in ('due', 'dead', 'closed'))
        and (compose_kind is null) = (shipment_events is null) and (compose_kind is not null or shipment_epcs is null and corrects is null));
update delivery d set capture_id = c.capture_id from capture c where c.document_id = d.document_id;
create index delivery_capture on delivery (capture_id);
create index delivery_to_compose on delivery (due_at, delivery_id) where document_id is null and state = 'due';

-- Whoever queues a document as it came need not say which capture it came with.
create function delivery_of_capture() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    select capture_id into new.capture_id from public.capture where document_id = new.document_id;
    return new;
end $$;
create trigger delivery_of_capture before insert on delivery for each row when (new.capture_id is null and new.document_id is not null) execute function delivery_of_capture();

-- A document that has just been composed can be sent; and what is to be composed wakes who composes, by the same word.
create or replace trigger delivery_notify after insert or update of state, due_at, attempts, receipt, held_by, document_id on delivery for each row
    when (coalesce(current_setting('app.clock_offset', true), '') = '') execute function delivery_changed();

-- What waits for the history of its units is looked at again when a capture was accepted, for it may be in that.
create function capture_completes() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    seen text := current_setting('app.party', true);
begin
    if exists (select from added where state = 'accepted') then
        perform set_config('app.party', '*', true);
        update public.delivery set held_by = null, held_why = null, held_until = null where delivery_id in (
            select delivery_id from public.delivery where document_id is null and state = 'due' and held_by = 'gateway' and lease_token is null
                and compose_findings @> '[{"code": "compose.path"}]' order by due_at limit 100 for update skip locked);
        perform set_config('app.party', coalesce(seen, ''), true);
    end if;
    return null;
end $$;
create trigger capture_completes after update on capture referencing new table as added for each statement execute function capture_completes();

-- What a partner must have, and takes. Without a row: no regulation, and as the columns' defaults say.
create table partner_profile (
    partner_id              int  primary key,
    party_id                int  not null,                    -- the partner's
    regulation              text not null default 'none' check (regulation in ('none', 'us-dscsa')),
    release                 text not null default 'R1.3' check (release in ('R1.2', 'R1.3')),
    ids                     text not null default 'epc' check (ids in ('epc', 'digital-link')),
    sbdh_authority          text not null default 'GS1' check (sbdh_authority in ('GS1', 'GLN', 'SGLN')),
    sbdh_form               text not null default 'sgln' check (sbdh_form in ('sgln', 'gln')),
    sender                  text not null default 'owner' check (sender in ('owner', 'ship-from')),
    max_events              int  check (max_events > 0),      -- null: no limit
    max_bytes               bigint check (max_bytes > 0),
    takes_error_declaration boolean not null default false,
    takes_void_shipping     boolean not null default true,
    version                 int  not null default 1,
    foreign key (partner_id, party_id) references partner (partner_id, party_id)
);
create function partner_profile_versioned() returns trigger language plpgsql as $$
begin
    new.version := old.version + 1;
    return new;
end $$;
create trigger partner_profile_versioned before update on partner_profile for each row execute function partner_profile_versioned();
-- A profile is part of its partner's setup, and of what a signature of that covers.
create function partner_profile_of_setup() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    update public.partner set version = version + 1 where partner_id = new.partner_id;
    return null;
end $$;
create trigger partner_profile_of_setup after insert or update on partner_profile for each row execute function partner_profile_of_setup();
create or replace function partner_content(partner int) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
    select to_jsonb(p) - 'secret' - 'state' - 'pause_reason' - 'live_version'
        || jsonb_build_object('secretSha256', encode(sha256(p.secret), 'hex'), 'glns', (select jsonb_agg(gln order by gln) from public.partner_gln g where g.partner_id = p.partner_id))
        || coalesce((select jsonb_build_object('profile', to_jsonb(f) - 'partner_id' - 'party_id') from public.partner_profile f where f.partner_id = p.partner_id), '{}')
    from public.partner p where p.partner_id = partner $$;
create trigger partner_profile_audit after insert or update or delete on partner_profile for each row execute function audit_row('partner_id', 'version');

-- Who may have the transaction statement said in its name, and in which words (FD&C Act 581(27)). Without one nothing is ever said.
create table statement_authorisation (
    authorisation_id  bigint generated always as identity primary key,
    party_id          int  not null references party,         -- the organisation
    gln               text not null check (gln ~ '^[0-9]{13}$'),
    legal_notice      text not null check (legal_notice <> ''),
    valid_from        timestamptz not null,
    valid_to          timestamptz check (valid_to > valid_from),
    reason            text not null check (reason <> '')
);
create index statement_authorisation_gln on statement_authorisation (gln, valid_from);
create trigger statement_authorisation_audit after insert or update or delete on statement_authorisation for each row execute function audit_row('authorisation_id');

do $$
declare t text;
begin
    foreach t in array array['partner_profile', 'statement_authorisation'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
        execute format('create policy %I on %I as restrictive for insert with check (current_setting(''app.party'', true) = ''*'')', t || '_added', t);
        execute format('create policy %I on %I as restrictive for update using (current_setting(''app.party'', true) = ''*'')', t || '_changed', t);
    end loop;
end $$;
grant select on partner_profile, statement_authorisation to gateway_app;
grant insert (partner_id, party_id, regulation, release, ids, sbdh_authority, sbdh_form, sender, max_events, max_bytes, takes_error_declaration, takes_void_shipping),
    update (regulation, release, ids, sbdh_authority, sbdh_form, sender, max_events, max_bytes, takes_error_declaration, takes_void_shipping) on partner_profile to gateway_app;
grant insert (party_id, gln, legal_notice, valid_from, valid_to, reason), update (valid_to, reason) on statement_authorisation to gateway_app;
