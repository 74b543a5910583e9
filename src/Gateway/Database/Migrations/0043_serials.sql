-- 0043_serials.sql: serial numbers before they are on a pack (docs/decisions/0028): pools, what was granted out of them, and each number in
-- one narrow row for ever. The unique index is the promise that none is given out twice, whichever pool, party or node made it.
create table serial_pool (
    pool_id      int  generated always as identity primary key,
    public_id    uuid not null default gen_random_uuid(),
    party_id     int  not null references party,                          -- who may ask it for numbers
    gtin         text check (gtin ~ '^[0-9]{14}$'),                       -- of the product; or
    sscc_prefix  text check (sscc_prefix ~ '^[0-9]{7,16}$'),              -- extension digit and company prefix of logistic units
    item         bigint generated always as (coalesce(gtin, '0')::bigint) stored,  -- within it numbers are unique: all SSCCs are one
    source       text not null check (source in ('generated', 'external')),
    alphabet     text not null check (alphabet <> '' and length(alphabet) <= 82),
    length       int  not null check (length between 1 and 20),           -- of a serial number; of an SSCC's serial reference
    ordered      boolean not null default false,                          -- one after another, which only logistic units may be
    range_from   bigint check (range_from >= 0),                          -- of serial references
    range_to     bigint,
    next_ref     bigint,                                                  -- of an ordered pool
    low_percent  int  not null check (low_percent between 0 and 100),     -- low: fewer are free than this part of it,
    low_minutes  int  not null check (low_minutes between 0 and 10000),   -- or than its lines use in so long
    stock        int  not null check (stock between 0 and 1000000),       -- generated ahead
    state        text not null default 'active' check (state in ('active', 'closed')),
    made         bigint not null default 0 check (made >= 0),             -- numbers in it, whatever became of them
    free         bigint not null default 0 check (free between 0 and made),
    made_at      timestamptz not null default gateway_now(),
    version      int  not null default 1,
    unique (public_id, party_id),
    unique (pool_id, party_id),
    check ((gtin is null) <> (sscc_prefix is null)),
    check ((range_from is null) = (gtin is not null) and (range_to is null) = (gtin is not null) and range_from <= range_to),
    check (ordered = (next_ref is not null) and (not ordered or sscc_prefix is not null and source = 'generated')),
    check (stock = 0 or source = 'generated' and not ordered)
);
create index serial_pool_item on serial_pool (item);

-- A request that was granted; the same request again finds it.
create table serial_grant (
    grant_id     bigint generated always as identity primary key,
    public_id    uuid not null default gen_random_uuid(),
    party_id     int  not null references party,
    pool_id      int  not null,
    request_id   text not null check (request_id <> '' and length(request_id) <= 100),
    request_sha  bytea not null check (length(request_sha) = 32),
    quantity     int  not null check (quantity between 1 and 100000),
    run_id       bigint,
    line_id      int,
    lot          text not null default '' check (length(lot) <= 20),
    device       text not null default '' check (length(device) <= 60),
    state        text not null default 'open' check (state in ('open', 'acknowledged')),
    granted_at   timestamptz not null default gateway_now(),
    acknowledged_at timestamptz,
    version      int  not null default 1,
    unique (party_id, request_id),
    unique (public_id, party_id),
    unique (grant_id, party_id),
    foreign key (pool_id, party_id) references serial_pool (pool_id, party_id),
    foreign key (run_id, party_id) references run (run_id, party_id),
    foreign key (line_id, party_id) references line (line_id, party_id),
    check ((state = 'acknowledged') = (acknowledged_at is not null))
);
create index serial_grant_pool on serial_grant (pool_id, grant_id);
create index serial_grant_run on serial_grant (run_id) where run_id is not null;
create index serial_grant_open on serial_grant (grant_id) where state = 'open';

-- Ten million of a product are nothing unusual, so nothing stands here that follows from elsewhere; and no foreign key, which would ask for the
-- same pool once for each of them: numbers are added under the pool's lock, and no pool is ever removed.
create table serial_number (
    item         bigint not null,
    grant_id     bigint,                                                  -- whose it is; null: nobody's
    pool_id      int  not null,
    party_id     int  not null,
    state        smallint not null check (state between 0 and 4),         -- 0 in the pool, 1 allocated, 2 unused, 3 voided, 4 encoded (LINES.md section 2)
    serial       text collate "C" not null check (length(serial) between 1 and 20),  -- of logistic units the whole SSCC
    check (state <> 0 or grant_id is null),
    check (state not in (1, 2) or grant_id is not null)
);
create unique index serial_number_once on serial_number (item, serial);
create index serial_number_free on serial_number (pool_id) where state = 0;  -- in the order in which they were made, which is no order of the numbers
create index serial_number_grant on serial_number (grant_id) where grant_id is not null;

-- What came in by a list, went back and was voided: one row for each time, and which numbers.
create table serial_change (
    change_id    bigint generated always as identity primary key,
    party_id     int  not null references party,
    pool_id      int  not null,
    kind         text not null check (kind in ('import', 'return', 'void')),
    quantity     int  not null check (quantity > 0),
    reason       text not null check (reason <> ''),
    sha256       bytea,                                                   -- of an imported file
    changed_by   text not null default current_setting('app.actor'),
    changed_by_name text not null default current_setting('app.actor_name'),
    changed_at   timestamptz not null default gateway_now(),
    unique (change_id, party_id),
    foreign key (pool_id, party_id) references serial_pool (pool_id, party_id),
    check ((kind = 'import') = (sha256 is not null))
);
create unique index serial_change_file on serial_change (pool_id, party_id, sha256) where sha256 is not null;  -- the same file again is no second import
create index serial_change_pool on serial_change (pool_id, change_id);

create table serial_change_number (
    change_id    bigint not null,
    grant_id     bigint,                                                  -- whose the number was
    party_id     int  not null,
    serial       text collate "C" not null,
    foreign key (change_id, party_id) references serial_change (change_id, party_id)
);
create index serial_change_number_change on serial_change_number (change_id);
create index serial_change_number_grant on serial_change_number (grant_id) where grant_id is not null;

-- How many numbers of a product there are with whomever: what one guess in ten thousand is counted by. It tells nothing else of other parties' pools.
create function serials_made(of_item bigint) returns bigint language sql stable set app.party = '*' as
    $$ select coalesce(sum(made), 0)::bigint from public.serial_pool where item = of_item $$;

-- Which of these keys the ledger has, whoever told of them: a number that stands on a pack is given out to nobody. It tells nothing else of other parties' units.
-- The numbers of the keys are Gateway.Units.UnitKey's.
create function units_known(heads int[], hashes bigint[], keys text[]) returns setof text language sql stable set app.party = '*' as
    $$ select k.key from unnest(heads, hashes, keys) k (head, hash, key) cross join lateral (select from public.unit u where u.head = k.head and u.hash = k.hash and u.key = k.key limit 1) u $$;

-- Counters are no decisions: they follow from grants and changes, which are recorded.
create trigger serial_pool_audit after insert or update or delete on serial_pool for each row execute function audit_row('public_id', 'made', 'free', 'next_ref', 'version');
create trigger serial_grant_audit after insert or update or delete on serial_grant for each row execute function audit_row('public_id', 'version');
create trigger serial_change_audit after insert or update or delete on serial_change for each row execute function audit_row('change_id');
-- What is voided or was printed stays so.
create trigger serial_number_final before update on serial_number for each row when (old.state in (3, 4)) execute function refuse_change();
create trigger serial_change_append_only before update on serial_change for each row execute function refuse_change();
create trigger serial_change_number_append_only before update on serial_change_number for each row execute function refuse_change();
do $$
declare t text;
begin
    foreach t in array array['serial_pool', 'serial_grant', 'serial_number', 'serial_change', 'serial_change_number'] loop
        execute format('create trigger %I before delete on %I for each row execute function refuse_change()', t || '_stays', t);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
    end loop;
end $$;
-- A party draws from the pools that it was given; it makes none.
create policy serial_pool_added on serial_pool as restrictive for insert with check (current_setting('app.party', true) = '*');
grant select, insert on serial_grant, serial_number, serial_change, serial_change_number to gateway_app;
grant select on serial_pool to gateway_app;
grant insert (party_id, gtin, sscc_prefix, source, alphabet, length, ordered, range_from, range_to, next_ref, low_percent, low_minutes, stock) on serial_pool to gateway_app;
grant update (state, made, free, next_ref, version) on serial_pool to gateway_app;
grant update (state, acknowledged_at, version) on serial_grant to gateway_app;
grant update (state, grant_id) on serial_number to gateway_app;

create function serials_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'serials ' || new.pool_id);
    return null;
end $$;
create trigger serial_pool_notify after insert or update on serial_pool for each row execute function serials_changed();
create trigger serial_grant_notify after insert or update on serial_grant for each row execute function serials_changed();
