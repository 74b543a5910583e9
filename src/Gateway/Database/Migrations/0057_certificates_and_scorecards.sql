-- 0057_certificates_and_scorecards.sql: when a partner's certificate ends is known before it does, and how a partner did in a month is one question.
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);

-- The certificate that a partner's server showed last. Those before are in the trail.
create table partner_certificate (
    partner_id  int   primary key,
    party_id    int   not null,                        -- the partner's
    host        text  not null,                        -- with its port, as it was called
    sha256      bytea not null check (octet_length(sha256) = 32),
    subject     text  not null,
    issuer      text  not null,
    not_before  timestamptz not null,
    not_after   timestamptz not null,
    seen_at     timestamptz not null,                  -- when it was first seen
    told_days   int,                                   -- the last warning: so many days before its end; 0: it has ended; null: none
    foreign key (partner_id, party_id) references partner (partner_id, party_id)
);
create function partner_certificate_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('changed', 'partner ' || new.partner_id);
    return null;
end $$;
create trigger partner_certificate_changed after insert or update on partner_certificate for each row execute function partner_certificate_changed();
create trigger partner_certificate_audit after insert or update or delete on partner_certificate for each row execute function audit_row('partner_id');
create trigger partner_certificate_stays before delete on partner_certificate for each row execute function refuse_change();
create trigger partner_certificate_no_truncate before truncate on partner_certificate for each statement execute function refuse_change();
alter table partner_certificate enable row level security;
alter table partner_certificate force row level security;
create policy partner_certificate_own on partner_certificate using (sees_party(party_id));
create policy partner_certificate_added on partner_certificate as restrictive for insert with check (current_setting('app.party', true) = '*');
create policy partner_certificate_changed on partner_certificate as restrictive for update using (current_setting('app.party', true) = '*');
grant select, insert on partner_certificate to gateway_app;
grant update (host, sha256, subject, issuer, not_before, not_after, seen_at, told_days) on partner_certificate to gateway_app;

-- A setup that changed, or was signed, is told to open pages too: the steps of the onboarding are of its version.
create trigger partner_setup_changed after update on partner for each row
    when ((old.version, old.live_version) is distinct from (new.version, new.live_version)) execute function licence_changed();

-- A partner's deliveries of some days.
create index delivery_created on delivery (partner_id, created_at);
