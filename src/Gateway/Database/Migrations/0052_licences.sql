-- 0052_licences.sql: authorised trading partners (FD&C Act 581(2), 582; docs/decisions/0032). Nothing is sent to a partner that needs a
-- licence and has none that is valid today, unless somebody answers for it under signature until a day.

alter table partner add column needs_licence boolean not null default false;
grant update (needs_licence) on partner to gateway_app;
-- Whether it needs one is no part of how documents reach it, which is what go-live signs.
create or replace function partner_content(partner int) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
    select to_jsonb(p) - 'secret' - 'state' - 'pause_reason' - 'live_version' - 'needs_licence' - case when p.channel_settings = '{}' then 'channel_settings' else '' end
        || jsonb_build_object('secretSha256', encode(sha256(p.secret), 'hex'), 'glns', (select jsonb_agg(gln order by gln) from public.partner_gln g where g.partner_id = p.partner_id))
        || coalesce((select jsonb_build_object('profile', to_jsonb(f) - 'partner_id' - 'party_id') from public.partner_profile f where f.partner_id = p.partner_id), '{}')
    from public.partner p where p.partner_id = partner $$;

create table licence (
    licence_id   int  generated always as identity primary key,
    partner_id   int  not null references partner,
    party_id     int  not null references party,     -- the partner's
    kind         text not null check (kind in ('manufacturer', 'repackager', 'wholesale distributor', 'third-party logistics provider', 'dispenser')),
    number       text not null check (number <> ''),
    issuer       text not null check (issuer <> ''),
    region       text not null check (region ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$'),   -- ISO 3166: a country, or a state of it
    valid_from   date not null,
    valid_until  date not null,                      -- its last day
    evidence     text not null default '',           -- where it was looked up, or what lies in the file
    checked_at   timestamptz not null,               -- when somebody last saw that it is so
    checked_by   text not null,
    withdrawn    boolean not null default false,     -- it was revoked, or a mistake
    version      int  not null default 1,
    check (valid_until >= valid_from)
);
create unique index licence_once on licence (partner_id, party_id, issuer, number, valid_from, valid_until) where not withdrawn;

-- Somebody answers for sending without one, until a day, to the partner as it is set up.
create table licence_exception (
    exception_id  int  generated always as identity primary key,
    partner_id    int  not null references partner,
    party_id      int  not null references party,
    partner_version int not null,                    -- of the setup that was looked at
    until         date not null,                     -- its last day
    why           text not null check (why <> ''),
    signature_id  bigint not null unique references signature,
    signed_by     text not null,
    signed_at     timestamptz not null
);
create index licence_exception_partner on licence_exception (partner_id);

-- The last day of the unbroken time from today that licences cover; null when none is valid today. Days are of UTC.
create function licence_cover(the_partner int) returns date language plpgsql stable set search_path = pg_catalog, public, pg_temp as $$
declare
    covered date := public.gateway_now()::date - 1;
    further date;
begin
    loop
        select max(valid_until) into further from public.licence where partner_id = the_partner and not withdrawn and valid_from <= covered + 1 and valid_until > covered;
        exit when further is null;
        covered := further;
    end loop;
    return nullif(covered, public.gateway_now()::date - 1);
end $$;
-- The last day on which documents may go to a partner as things stand; null when they may not go today.
create function licence_until(the_partner int) returns date language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select greatest(licence_cover(the_partner), (select max(e.until) from public.licence_exception e join public.partner p using (partner_id)
        where e.partner_id = the_partner and e.partner_version = p.version and e.until >= public.gateway_now()::date)) $$;

-- What a signature of an exception covers: the partner, and what was decided.
create function licence_exception_content(the_partner int, decided jsonb) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select jsonb_build_object('partner', public.partner_content(the_partner), 'exception', decided) $$;

insert into signature_meaning values
    ('licence exception', 'I know that no valid licence of this partner is on record, I have the reason, and answer for what is sent to it until that day.', 'sign.approve', false, '{}');

create function licence_exception_signed() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if not public.sees_party(new.party_id) then
        raise exception 'An exception is of what one sees.' using errcode = 'insufficient_privilege'; -- row security looks only after this
    end if;
    if new.until < public.gateway_now()::date or new.until > public.gateway_now()::date + 30 then
        raise exception 'An exception ends within 30 days.' using errcode = 'GW052';
    end if;
    new.partner_version := (select version from public.partner where partner_id = new.partner_id);
    if not exists (select from public.signature s join public.partner p on p.partner_id = new.partner_id and p.party_id = new.party_id
        where s.signature_id = new.signature_id and s.record_type = 'partner' and s.record_id = p.partner_id::text and s.version = p.version
            and s.meaning = 'licence exception' and s.signer = current_setting('app.actor', true)
            and s.content_sha256 = public.content_sha256(public.licence_exception_content(p.partner_id, jsonb_build_object('until', new.until, 'why', new.why)))) then
        raise exception 'An exception is made by signing it.' using errcode = 'GW052';
    end if;
    return new;
end $$;
create trigger licence_exception_signed before insert on licence_exception for each row execute function licence_exception_signed();

create function licence_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'partner ' || new.partner_id);
    return null;
end $$;
create trigger licence_changed after insert or update on licence for each row execute function licence_changed();
create trigger licence_exception_changed after insert on licence_exception for each row execute function licence_changed();

-- A pause that no person made is told to open pages too.
create trigger partner_licence_changed after update on partner for each row
    when ((old.state, old.pause_reason, old.needs_licence) is distinct from (new.state, new.pause_reason, new.needs_licence)) execute function licence_changed();

create trigger licence_audit after insert or update or delete on licence for each row execute function audit_row('licence_id', 'version');
create trigger licence_exception_audit after insert or update or delete on licence_exception for each row execute function audit_row('exception_id');
create trigger licence_exception_append_only before update on licence_exception for each row execute function refuse_change();
do $$
declare t text;
begin
    foreach t in array array['licence', 'licence_exception'] loop
        execute format('create trigger %I before delete on %I for each row execute function refuse_change()', t || '_stays', t);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
    end loop;
end $$;
grant select, insert on licence, licence_exception to gateway_app;
grant update (checked_at, checked_by, withdrawn, version) on licence to gateway_app;

alter table exception drop constraint exception_source_kind_check;
alter table exception add constraint exception_source_kind_check check (source_kind in ('capture', 'delivery', 'device', 'run', 'pool', 'partner'));
