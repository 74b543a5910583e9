-- 0041_key_scope.sql: a key is bound to what its holder may send (docs/decisions/0025): objects of GS1 company prefixes, at sites.
-- Empty is not bound. Like whose key it is, that is said when it is made, kept by its rotation, and never changed.
create function all_match(entries text[], pattern text) returns boolean language sql immutable set search_path = pg_catalog, pg_temp as
    $$ select coalesce(bool_and(coalesce(e ~ pattern, false)), true) from unnest(entries) e $$;
alter table api_key
    add column prefixes text[] not null default '{}' check (cardinality(prefixes) <= 100 and all_match(prefixes, '^[0-9]{4,12}$')),
    add column sites    text[] not null default '{}' check (cardinality(sites) <= 100 and all_match(sites, '^[0-9]{13}$'));

-- As the key was bound when the document came, for it is judged later and by any node; null: not bound.
alter table capture
    add column prefixes text[],
    add column sites    text[];

-- A key that is bound makes none that is not bound as closely: prefixes that begin with its own, and of its sites. A person is not bound.
create function api_key_within_maker() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    maker public.api_key;
    beyond text;
begin
    select * into maker from public.api_key k where 'key:' || k.key_id = current_setting('app.actor', true);
    if cardinality(maker.prefixes) > 0 then
        beyond := case when cardinality(new.prefixes) = 0 then 'any company prefix'
            else (select string_agg(p, ', ') from unnest(new.prefixes) p where not exists (select from unnest(maker.prefixes) m where starts_with(p, m))) end;
    end if;
    if beyond is null and cardinality(maker.sites) > 0 then
        beyond := case when cardinality(new.sites) = 0 then 'any site'
            else (select string_agg(s, ', ') from unnest(new.sites) s where s <> all (maker.sites)) end;
    end if;
    if beyond is not null then
        raise exception 'a key for % would be bound less than the key that makes it', beyond using errcode = 'GW013';
    end if;
    return new;
end $$;
create trigger api_key_within_maker before insert on api_key for each row execute function api_key_within_maker();
