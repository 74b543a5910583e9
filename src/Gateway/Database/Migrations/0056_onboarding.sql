-- 0056_onboarding.sql: a partner is tested step by step before it is trusted, and practises before it is live (docs/decisions/0034).
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);

-- In practice nothing but marked test documents goes to a partner.
alter table partner drop constraint partner_state_check;
alter table partner add constraint partner_state_check check (state in ('draft', 'practice', 'active', 'paused'));

-- What a test of the connection found, of the setup as it was when it began.
create table partner_test (
    test_id         bigint generated always as identity primary key,
    partner_id      int    not null,
    party_id        int    not null,                       -- the partner's
    partner_version int    not null,
    started_at      timestamptz not null,
    ended_at        timestamptz not null,
    passed          boolean not null,                      -- no step failed
    accepted        boolean not null,                      -- the partner itself said that it has the sample
    document_id     bigint references document,            -- the sample; null: none was sent
    message_id      uuid,                                  -- under which it was sent
    steps           jsonb  not null check (jsonb_typeof(steps) = 'array'),
    tested_by       text   not null,
    check (not accepted or document_id is not null),
    check ((document_id is null) = (message_id is null)),
    unique (test_id, party_id),
    foreign key (partner_id, party_id) references partner (partner_id, party_id)
);
create index partner_test_partner on partner_test (partner_id, test_id);

-- Where no machine says so: a person was told that the partner has taken the sample.
create table partner_sample_confirmed (
    test_id      bigint primary key,
    party_id     int    not null,
    told         text   not null check (told <> ''),       -- who told it, how
    confirmed_by text   not null,
    confirmed_at timestamptz not null,
    foreign key (test_id, party_id) references partner_test (test_id, party_id)
);

create function partner_tested() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'partner ' || new.partner_id);
    return null;
end $$;
create trigger partner_tested after insert on partner_test for each row execute function partner_tested();

insert into signature_meaning values
    ('go-live exception', 'I know which steps of the onboarding are missing, I have the reason, and answer for what is sent to this partner without them.', 'sign.approve', true, '{}');
-- What a signature of an exception covers: the setup, and what was decided.
create function go_live_exception_content(the_partner int, decided jsonb) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select jsonb_build_object('partner', public.partner_content(the_partner), 'exception', decided) $$;

create trigger partner_test_audit after insert or update or delete on partner_test for each row execute function audit_row('test_id');
create trigger partner_sample_confirmed_audit after insert or update or delete on partner_sample_confirmed for each row execute function audit_row('test_id');
do $$
declare t text;
begin
    foreach t in array array['partner_test', 'partner_sample_confirmed'] loop
        execute format('create trigger %I before update or delete on %I for each row execute function refuse_change()', t || '_append_only', t);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
        execute format('create policy %I on %I as restrictive for insert with check (current_setting(''app.party'', true) = ''*'')', t || '_added', t);
    end loop;
end $$;
grant select, insert on partner_test, partner_sample_confirmed to gateway_app;
