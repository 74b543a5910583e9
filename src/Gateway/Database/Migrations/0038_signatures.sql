-- 0038_signatures.sql: electronic signatures (docs/decisions/0022). One is made by one function only, from a challenge that names
-- the record, its version, its content, the meaning and the session; nothing else can add one, and nothing changes one.

-- Whom somebody else has seen with his papers, and what he has accepted.
alter table person
    add column identity_verified_at timestamptz,
    add column identity_verified_by text,
    add column identity_verified_how text check (identity_verified_how <> ''),
    add column statement_accepted int,
    add column statement_accepted_at timestamptz,
    add column reset_at timestamptz,       -- when somebody else last took a secret away, which its owner is told
    add column reset_by text,              -- the name as of then; copied, never joined
    add column reset_what text check (reset_what in ('password', 'second factor')),
    add check (num_nulls(reset_at, reset_by, reset_what) in (0, 3)),
    add check (num_nulls(identity_verified_at, identity_verified_by, identity_verified_how) in (0, 3)),
    add check (identity_verified_by <> 'person:' || user_name),
    add check ((statement_accepted is null) = (statement_accepted_at is null));
grant update (identity_verified_at, identity_verified_by, identity_verified_how, statement_accepted, statement_accepted_at, reset_at, reset_by, reset_what) on person to gateway_app;

-- What everybody accepts before the first signature. A new version is a new row, and is accepted anew.
create table signing_statement (
    version  int  primary key check (version > 0),
    text     text not null check (text <> '')
);
alter table person add foreign key (statement_accepted) references signing_statement;
insert into signing_statement values (1, 'I understand that my electronic signature binds me as my handwritten signature does. I use it myself only, I tell nobody my password, and I answer for what I sign.');

-- What a signature can mean. Authors are those whom the record itself names as such.
create table signature_meaning (
    meaning           text    primary key check (meaning ~ '^[a-z][a-z -]*$'),
    sentence          text    not null check (sentence <> ''),         -- shown to the signer
    permission        text    not null,
    excludes_authors  boolean not null,
    excludes_signers  text[]  not null default '{}'                    -- who signed the same version with one of these meanings
);
insert into signature_meaning values
    ('review', 'I have reviewed this version of the record: it is complete and right.', 'sign.review', true, '{}'),
    ('approval', 'I approve this version of the record and answer for its use.', 'sign.approve', true, '{review}'),
    ('responsibility', 'I have decided this and answer for it.', 'sign.approve', false, '{}'),
    ('access review', 'I have looked at every line but my own: each person and key has what the work needs, or I have noted what is to be withdrawn.', 'sign.review', false, '{}'),
    ('go-live', 'I have seen that this partner is set up as agreed: documents may go to it.', 'sign.approve', true, '{}');

-- A signing that was begun. It is gone when it is finished, so it is good once.
create table signature_challenge (
    nonce           uuid   not null,
    party_id        int    not null,                    -- the signer's
    person_id       int    not null,
    session_id      bigint not null references session,
    record_type     text   not null check (record_type <> ''),
    record_id       text   not null check (record_id <> ''),
    version         int    not null check (version > 0),
    title           text   not null,
    content_sha256  bytea  not null check (length(content_sha256) = 32),
    authors         text[] not null,
    meaning         text   not null references signature_meaning,
    expires_at      timestamptz not null,
    primary key (nonce, party_id),
    foreign key (person_id, party_id) references person (person_id, party_id)
);
create index signature_challenge_expires on signature_challenge (expires_at);

create table signature (
    signature_id       bigint generated always as identity primary key,
    party_id           int    not null,
    person_id          int    not null,
    session_id         bigint not null references session,
    record_type        text   not null,
    record_id          text   not null,
    version            int    not null,
    title              text   not null,
    content_sha256     bytea  not null,
    meaning            text   not null references signature_meaning,
    sentence           text   not null,                 -- as the signer saw it
    signer             text   not null,                 -- id, name and role as of then; copied, never joined
    signer_name        text   not null,
    signer_role        text   not null,
    signed_at          timestamptz not null,
    zone               text   not null,
    components         text   not null check (components in ('password', 'user name and password', 'user name, password and code', 'user name, password and recovery code')),
    statement_version  int    not null references signing_statement,
    nonce              uuid   not null,
    canonical          bytea  not null,                 -- sorted JSON in UTF-8 of what was signed
    unique (nonce, party_id),
    foreign key (person_id, party_id) references person (person_id, party_id)
);
create index signature_record on signature (record_type, record_id, signature_id);
create index signature_session on signature (session_id, signed_at);

-- What a record's content is, whoever asks: SHA-256 of its canonical JSON.
create function content_sha256(record jsonb) returns bytea language sql immutable set search_path = pg_catalog, public, pg_temp as $$
    select sha256(convert_to(canonical_json(record), 'UTF8')) $$;

-- Why the transaction's actor cannot finish this signing; null when he can.
create function signing_refusal(the_nonce uuid, the_session bigint) returns text language plpgsql stable set search_path = pg_catalog, public, pg_temp as $$
declare
    c public.signature_challenge;
    m public.signature_meaning;
    h public.person;
    actor text := current_setting('app.actor', true);
    before text;
begin
    select * into c from public.signature_challenge where nonce = the_nonce and expires_at > public.gateway_now();
    if c.nonce is null then
        return 'This signing was finished already, or begun more than two minutes ago: begin it again.';
    end if;
    if c.session_id <> the_session then
        return 'This signing was begun in another session: begin it again.';
    end if;
    select p.* into h from public.person p join public.session s using (person_id)
    where s.session_id = c.session_id and s.ended_at is null and s.stamp = p.security_stamp
      and p.person_id = c.person_id and p.state = 'active' and (p.access_until is null or p.access_until > public.gateway_now());
    if h.person_id is null then
        return 'The session has ended: sign in again.';
    end if;
    if actor is distinct from 'person:' || h.user_name then
        return 'Everybody signs for himself only: begin it again under your own name.';
    end if;
    if h.must_change then
        return 'A temporary password signs nothing: set your own at your account first.';
    end if;
    if h.identity_verified_at is null then
        return 'Nobody has verified your identity yet: ask an administrator to do it on your page under People.';
    end if;
    select * into m from public.signature_meaning where meaning = c.meaning;
    if m.permission not in (select held from public.held_by(actor) held) then
        return format('Signing this needs the permission %s, which you do not have.', m.permission);
    end if;
    if m.excludes_authors and actor = any (c.authors) then
        return 'You made or changed this record, so somebody else must sign it.';
    end if;
    select s.meaning into before from public.signature s
    where (s.record_type, s.record_id, s.version, s.content_sha256, s.signer) = (c.record_type, c.record_id, c.version, c.content_sha256, actor)
      and (s.meaning = c.meaning or s.meaning = any (m.excludes_signers)) limit 1;
    if before is not null then
        return format('You have signed this version already (%s).', before);
    end if;
    return null;
end $$;

-- The only way to a signature. That the secret was right is the caller's to know; all else is looked at here again.
create function sign_record(the_nonce uuid, the_session bigint, components text) returns setof signature
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    refusal text := public.signing_refusal(the_nonce, the_session);
    statement int := (select max(version) from public.signing_statement);
    at timestamptz := public.gateway_now();
    c public.signature_challenge;
    h public.person;
    role text;
begin
    if refusal is not null then
        raise exception '%', refusal using errcode = 'GW014';
    end if;
    delete from public.signature_challenge where nonce = the_nonce returning * into c;
    if c.nonce is null then
        raise exception 'This signing was finished already, or begun more than two minutes ago: begin it again.' using errcode = 'GW014';
    end if;
    select * into h from public.person where person_id = c.person_id;
    if h.statement_accepted is distinct from statement then
        raise exception 'Accept the statement about signatures first.' using errcode = 'GW014';
    end if;
    role := coalesce((select string_agg(r.role, ', ' order by r.role) from public.person_role r where r.person_id = h.person_id), '');
    return query insert into public.signature (party_id, person_id, session_id, record_type, record_id, version, title, content_sha256, meaning, sentence,
        signer, signer_name, signer_role, signed_at, zone, components, statement_version, nonce, canonical)
    select h.party_id, h.person_id, c.session_id, c.record_type, c.record_id, c.version, c.title, c.content_sha256, m.meaning, m.sentence,
        'person:' || h.user_name, h.display_name, role, at, 'UTC', sign_record.components, statement, c.nonce,
        convert_to(canonical_json(jsonb_build_object(
            'recordType', c.record_type, 'recordId', c.record_id, 'version', c.version, 'contentSha256', encode(c.content_sha256, 'hex'), 'meaning', m.meaning,
            'signer', 'person:' || h.user_name, 'name', h.display_name, 'role', role, 'at', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'zone', 'UTC', 'statementVersion', statement, 'nonce', c.nonce)), 'UTF8')
    from public.signature_meaning m where m.meaning = c.meaning
    returning *;
end $$;
revoke execute on function sign_record(uuid, bigint, text) from public;
grant execute on function sign_record(uuid, bigint, text) to gateway_app;

create trigger signature_audit after insert or update or delete on signature for each row execute function audit_row('signature_id');
create trigger signature_append_only before update or delete on signature for each row execute function refuse_change();
create trigger signature_no_truncate before truncate on signature for each statement execute function refuse_change();
do $$
declare t text;
begin
    foreach t in array array['signature_challenge', 'signature'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
    end loop;
end $$;
grant select on signing_statement, signature_meaning, signature_challenge, signature to gateway_app;
grant insert, delete on signature_challenge to gateway_app;

-- Pages hear of a signature, and of a lock or a reset as soon as it happens.
create function signature_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'signature ' || new.record_type);
    return null;
end $$;
create trigger signature_notify after insert on signature for each row execute function signature_changed();
create function person_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'person ' || new.user_name);
    return null;
end $$;
create trigger person_notify after update on person for each row
    when ((old.locked_until, old.password_hash, old.totp_key, old.state) is distinct from (new.locked_until, new.password_hash, new.totp_key, new.state)) execute function person_changed();

-- A review of who may do what: what everybody held when it was begun, and what the reviewers said of each line.
create table access_review (
    review_id      int  generated always as identity primary key,
    party_id       int  not null references party,              -- the organisation
    version        int  not null default 1 check (version > 0), -- one more when a line is decided after a signature
    reason         text not null check (reason <> ''),
    began_at       timestamptz not null,
    began_by       text not null,
    began_by_name  text not null,
    unique (review_id, party_id)
);
create table access_review_line (
    line_id          bigint generated always as identity primary key,
    review_id        int     not null,
    party_id         int     not null,
    kind             text    not null check (kind in ('person', 'key')),
    subject          text    not null,   -- user name, or id of the key
    owner            text,               -- the actor who does not decide about it: the person, or the key's maker
    name             text    not null,
    party            text    not null,
    roles            text[]  not null,
    permissions      text[]  not null,
    granted_by       text[]  not null,   -- who gave the roles, each with its role
    last_used_at     timestamptz,
    unused           boolean not null,   -- for more than 90 days
    decision         text    check (decision in ('keep', 'withdraw')),
    note             text    check (note <> ''),
    decided_by       text,
    decided_by_name  text,
    decided_at       timestamptz,
    foreign key (review_id, party_id) references access_review (review_id, party_id),
    check (num_nulls(decision, decided_by, decided_by_name, decided_at) in (0, 4)),
    check (decision is distinct from 'withdraw' or note is not null),
    check (decided_by <> owner)
);
create index access_review_line_review on access_review_line (review_id, line_id);
create trigger access_review_audit after insert or update or delete on access_review for each row execute function audit_row('review_id');
create trigger access_review_line_audit after insert or update or delete on access_review_line for each row execute function audit_row('line_id');
do $$
declare t text;
begin
    foreach t in array array['access_review', 'access_review_line'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy %I on %I using (sees_party(party_id))', t || '_own', t);
        execute format('create policy %I on %I as restrictive for insert with check (current_setting(''app.party'', true) = ''*'')', t || '_added', t);
        execute format('create policy %I on %I as restrictive for update using (current_setting(''app.party'', true) = ''*'')', t || '_changed', t);
        execute format('create trigger %I before delete on %I for each row execute function refuse_change()', t || '_stays', t);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()', t || '_no_truncate', t);
    end loop;
end $$;
grant select, insert on access_review, access_review_line to gateway_app;
grant update (version) on access_review to gateway_app;
grant update (decision, note, decided_by, decided_by_name, decided_at) on access_review_line to gateway_app;
-- What a signature of a review covers.
create function access_review_content(review int) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
    select to_jsonb(r) || jsonb_build_object('lines', (select jsonb_agg(to_jsonb(l) order by line_id) from public.access_review_line l where l.review_id = r.review_id))
    from public.access_review r where r.review_id = review $$;

-- A partner's setup has a version, and the one that was signed for is known: documents go where somebody has said that they may.
alter table partner add column version int not null default 1, add column live_version int;
create function partner_versioned() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    -- Nobody says the version himself; the one below raises it where a GLN comes or goes.
    new.version := old.version + case when pg_trigger_depth() > 1 and new.version > old.version or (old.name, old.format, old.channel, old.url, old.private_ranges, old.secret) is distinct from (new.name, new.format, new.channel, new.url, new.private_ranges, new.secret) then 1 else 0 end;
    return new;
end $$;
create trigger partner_versioned before update on partner for each row execute function partner_versioned();
-- A partner's GLNs are part of its setup. The first one is part of its making.
create function partner_gln_versioned() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    changed int[] := array_remove(array[case when tg_op <> 'INSERT' then old.partner_id end, case when tg_op <> 'DELETE' then new.partner_id end], null);
begin
    -- Who signs meanwhile waits, or is waited for.
    perform from public.partner where partner_id = any (changed) order by partner_id for update;
    update public.partner p set version = version + 1 where partner_id = any (changed)
        and not (tg_op = 'INSERT' and version = 1 and live_version is null and (select count(*) from public.partner_gln g where g.partner_id = p.partner_id) = 1);
    return null;
end $$;
create trigger partner_gln_versioned after insert or update or delete on partner_gln for each row execute function partner_gln_versioned();
-- What a signature of a partner covers: how it is set up, not whether it is paused.
create function partner_content(partner int) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
    select to_jsonb(p) - 'secret' - 'state' - 'pause_reason' - 'live_version'
        || jsonb_build_object('secretSha256', encode(sha256(p.secret), 'hex'), 'glns', (select jsonb_agg(gln order by gln) from public.partner_gln g where g.partner_id = p.partner_id))
    from public.partner p where p.partner_id = partner $$;

-- Signing is apart from editing, and who admits people or makes keys never signs.
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
insert into separation (permission, excludes, reason)
select excluded, permission, why from unnest(array['sign.approve', 'sign.review']) as permission, (values
    ('people.manage', 'Who admits people could sign under a name made for it.'),
    ('keys.manage', 'Who makes keys could act by one and sign for it himself.'),
    ('roles.manage', 'Who says what a role may could permit himself any signature.')) as pairs (excluded, why);
insert into role_permission (role, permission)
select r, p from (values ('administrator', '{reviews.read}'), ('officer', '{reviews.read,sign.review,sign.approve}'), ('inspector', '{reviews.read}')) as seed (r, ps), unnest(ps::text[]) as p
where exists (select from role where role = r)
on conflict do nothing;
