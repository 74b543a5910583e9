-- 0051_channels.sql: documents travel as files, by SFTP and into folders.

-- What such a channel needs to know beside its address: host key, names of files, where answers lie. Its private key is in "secret".
alter table partner add column channel_settings jsonb not null default '{}' check (jsonb_typeof(channel_settings) = 'object');

-- It is part of the setup that a go-live signs (0038).
create or replace function partner_versioned() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    -- Nobody says the version himself; the one below raises it where a GLN comes or goes.
    new.version := old.version + case when pg_trigger_depth() > 1 and new.version > old.version or (old.name, old.format, old.channel, old.url, old.private_ranges, old.channel_settings, old.secret) is distinct from (new.name, new.format, new.channel, new.url, new.private_ranges, new.channel_settings, new.secret) then 1 else 0 end;
    return new;
end $$;
-- A partner without such settings has the content that was signed before there were any.
create or replace function partner_content(partner int) returns jsonb language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
    select to_jsonb(p) - 'secret' - 'state' - 'pause_reason' - 'live_version' - case when p.channel_settings = '{}' then 'channel_settings' else '' end
        || jsonb_build_object('secretSha256', encode(sha256(p.secret), 'hex'), 'glns', (select jsonb_agg(gln order by gln) from public.partner_gln g where g.partner_id = p.partner_id))
    from public.partner p where p.partner_id = partner $$;
