-- 0040_audit_reviews.sql: who has read which part of the audit trail, and what he found (docs/decisions/0024). A review freezes its
-- selection, its count and the sealed root it rests on; entries of the reviewer himself are left to somebody else.
create table audit_review (
    review_id      int         generated always as identity primary key,
    party_id       int         not null references party,              -- the organisation
    version        int         not null default 1 check (version > 0), -- one more with each change of the conclusion
    from_at        timestamptz not null,
    to_at          timestamptz not null,
    filter         jsonb       not null default '{}',                  -- what narrows it beside the period, in the words of the search
    up_to_ord      bigint      not null,                               -- the highest number of an entry of the selection; 0: none
    entries        bigint      not null check (entries >= 0),          -- of others
    own_entries    bigint      not null check (own_entries >= 0),      -- of the reviewer, left to another one
    epoch          int         not null,
    size           bigint      not null,
    root           bytea       not null,
    began_at       timestamptz not null,
    reviewer       text        not null check (reviewer like 'person:%'),
    reviewer_name  text        not null,                               -- as of then; copied, never joined
    conclusion     text        check (conclusion in ('in order', 'findings')),
    findings       text        check (findings <> ''),
    unique (review_id, party_id),
    foreign key (epoch, size) references audit_seal,
    check (from_at < to_at),
    check (conclusion is distinct from 'findings' or findings is not null)
);
create index audit_review_period on audit_review (from_at, to_at);

-- A conclusion is another version of the review; what was signed is not concluded anew. Who signs holds the row, so this waits and then sees it.
create function audit_review_concluded() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (select from public.signature s where s.record_type = 'audit review' and s.record_id = old.review_id::text) then
        raise exception 'audit review % is signed', old.review_id using errcode = 'GW002';
    end if;
    new.version := old.version + 1;
    return new;
end $$;
create trigger audit_review_concluded before update on audit_review for each row execute function audit_review_concluded();
create trigger audit_review_audit after insert or update or delete on audit_review for each row execute function audit_row('review_id');
create trigger audit_review_stays before delete on audit_review for each row execute function refuse_change();
create trigger audit_review_no_truncate before truncate on audit_review for each statement execute function refuse_change();
alter table audit_review enable row level security;
alter table audit_review force row level security;
create policy audit_review_own on audit_review using (sees_party(party_id));
-- Everybody reviews in his own name, and concludes his own review.
create policy audit_review_added on audit_review as restrictive for insert with check (current_setting('app.party', true) = '*' and reviewer = current_setting('app.actor', true));
create policy audit_review_changed on audit_review as restrictive for update using (current_setting('app.party', true) = '*' and reviewer = current_setting('app.actor', true));
grant select, insert on audit_review to gateway_app;
grant update (conclusion, findings) on audit_review to gateway_app;

-- What a signature of a review covers.
create function audit_review_content(review int) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
    select to_jsonb(r) from public.audit_review r where r.review_id = review $$;

-- The entries of a review in the words of the search.
create function audit_review_filter(r audit_review) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
    select r.filter || jsonb_build_object('from', r.from_at, 'to', r.to_at, 'upToOrd', r.up_to_ord, 'notActor', r.reviewer) $$;

insert into signature_meaning values
    ('audit review', 'I have read these entries of the audit trail, none of them my own, and have written down what I found.', 'sign.review', false, '{}');

-- Who reads the trail for others' mistakes neither admits people nor makes keys or roles.
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
insert into separation (permission, excludes, reason) values
    ('audit.review', 'people.manage', 'Who admits people would review what he did himself under another name.'),
    ('audit.review', 'keys.manage', 'Who makes keys would review what he did himself by one.'),
    ('audit.review', 'roles.manage', 'Who says what a role may would review his own permissions.');
