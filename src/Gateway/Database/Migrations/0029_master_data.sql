-- 0029_master_data.sql: products by packaging level, parties and places. A row is a version and is never changed: the present
-- one is the highest, one probe away. Two changes of one version meet in the unique index, so the second is told.
create table product (
    gtin                   text not null check (gtin ~ '^[0-9]{14}$'),
    version                int  not null check (version > 0),
    party_id               int  not null references party,     -- the organisation
    name                   text not null check (name <> ''),
    ndc                    text not null check (ndc ~ '^[0-9-]*$'),   -- as it is printed, with its hyphens; empty: none is known, as in all that follows
    markets                text not null check (markets ~ '^([A-Z]{2}( [A-Z]{2})*)?$'),  -- ISO 3166-1
    manufacturer           text not null,
    dosage_form            text not null,
    strength               text not null,
    net_content            text not null,
    level                  text check (level in ('unit', 'bundle', 'case', 'pallet')),
    holds                  text check (holds ~ '^[0-9]{14}$' and holds <> gtin),  -- what a full one contains: this product
    quantity               int  check (quantity > 0),                             -- so many times
    mixed_lots             boolean not null,                   -- one may hold several lots
    per_logistic_unit      int  check (per_logistic_unit > 0), -- how many of it a full logistic unit (SSCC) holds
    sscc_prefix            text check (sscc_prefix ~ '^[0-9]{7,16}$'),  -- extension digit and company prefix of those logistic units
    company_prefix_length  int  check (company_prefix_length between 6 and 12),
    serial_pattern         text,                               -- a regular expression
    withdrawn              boolean not null,                   -- was a mistake, or is no longer ours: counts as unknown
    valid_from             timestamptz not null default gateway_now(),
    changed_by             text not null default current_setting('app.actor'),
    changed_by_name        text not null default current_setting('app.actor_name'),
    reason                 text not null default current_setting('app.reason') check (reason <> ''),
    check ((holds is null) = (quantity is null)),
    check (holds is null or level is not null and level <> 'unit')
);
create unique index product_version on product (gtin, version desc);
create index product_holds on product (holds) where holds is not null;

create table location (
    gln                    text not null check (gln ~ '^[0-9]{13}$'),
    extension              text not null,                      -- of a place within the place; empty: the place itself
    version                int  not null check (version > 0),
    party_id               int  not null references party,     -- the organisation
    name                   text not null check (name <> ''),
    kind                   text not null check (kind in ('party', 'place', 'both')),
    street                 text not null,
    street2                text not null,
    city                   text not null,
    state                  text not null,
    postal_code            text not null,
    country                text not null check (country ~ '^([A-Z]{2})?$'),
    company_prefix_length  int  check (company_prefix_length between 6 and 12),
    withdrawn              boolean not null,
    valid_from             timestamptz not null default gateway_now(),
    changed_by             text not null default current_setting('app.actor'),
    changed_by_name        text not null default current_setting('app.actor_name'),
    reason                 text not null default current_setting('app.reason') check (reason <> '')
);
create unique index location_version on location (gln, extension, version desc);

create function master_data_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'masterdata ' || tg_table_name);
    return null;
end $$;

-- The organisation's own, and only it writes them; who wrote, when and why is the transaction's to say.
do $$
declare t text;
begin
    foreach t in array array['product', 'location'] loop
        execute format('create trigger %I after insert on %I for each row execute function audit_row(%L)', t || '_audit', t, case t when 'product' then 'gtin' else 'gln' end);
        execute format('create trigger %I before update or delete on %I for each row execute function refuse_change()', t || '_append_only', t);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('create trigger %I after insert on %I for each statement execute function master_data_changed()', t || '_notify', t);
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
        execute format('create policy %I on %I as restrictive for insert with check (current_setting(''app.party'', true) = ''*'')', t || '_added', t);
    end loop;
end $$;
grant select on product, location to gateway_app;
grant insert (gtin, version, party_id, name, ndc, markets, manufacturer, dosage_form, strength, net_content, level, holds, quantity, mixed_lots,
    per_logistic_unit, sscc_prefix, company_prefix_length, serial_pattern, withdrawn) on product to gateway_app;
grant insert (gln, extension, version, party_id, name, kind, street, street2, city, state, postal_code, country, company_prefix_length, withdrawn) on location to gateway_app;

select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
insert into role_permission (role, permission)
select r, p from (values
    ('administrator', '{masterdata.read,masterdata.manage}'),
    ('officer', '{masterdata.read,masterdata.manage}'),
    ('operator', '{masterdata.read}'),
    ('inspector', '{masterdata.read}')) as seed (r, ps), unnest(ps::text[]) as p
where exists (select from role where role = r);
