-- What the page of the chain's status reads beside the rest: moments and words of ours, and no name or address. Folders
-- are named as the settings name them, which the process of the pages knows; no page shows that.

create view site.folder_look as
select server, folder, looked_at from public.folder_look;
comment on view site.folder_look is 'When each folder of the game server was last listed with success.';

-- Dagster keeps its records in a schema of its own, or elsewhere: then nothing is known of it.
create function site.watched_at() returns timestamptz
    language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    beat timestamp;
begin
    if to_regclass('dagster.daemon_heartbeats') is null then
        return null;
    end if;
    execute $query$ select "timestamp" from dagster.daemon_heartbeats where daemon_type = 'SENSOR' $query$ into beat;
    return beat at time zone 'UTC';
end $$;
comment on function site.watched_at() is 'When Dagster''s daemon, which watches the game server and delivers messages, last gave a sign of life.';

create view site.message_trouble as
select kind, trouble, since from public.message_trouble;
comment on view site.message_trouble is 'Messages that somebody has to look at, without what they are about.';

create view site.partition_played as
select partition_key, played_at from public.partition_played;
comment on view site.partition_played is 'When what stands behind a key was played.';
