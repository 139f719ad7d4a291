-- What the page of the chain's status reads beside the rest: moments and words of ours, and no name or address. Folders
-- are named as the settings name them, which the process of the pages knows; no page shows that.

create view site.folder_look as
select server, folder, looked_at from public.folder_look;
comment on view site.folder_look is 'When each folder of the game server was last listed with success.';

-- Dagster's records are its role's, who could put something in their place that does more than being read: a view, row
-- security, a type with casts, which would run with the rights of who reads. Of such a thing nothing is read.
create function site.is_mere_table(name text) returns boolean
    language sql stable set search_path = pg_catalog as $$
    select exists (
        select from pg_class c
        where c.oid = to_regclass(name) and c.relkind = 'r' and not c.relrowsecurity and not exists (
            select from pg_attribute a join pg_type t on t.oid = a.atttypid
            where a.attrelid = c.oid and t.typnamespace <> 'pg_catalog'::regnamespace))
$$;
comment on function site.is_mere_table(text) is 'Whether there is such a table, and reading it does nothing else.';

-- Dagster keeps its records in a schema of its own, or elsewhere: then nothing is known of it.
create function site.watched_at() returns timestamptz
    language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    beat timestamp;
begin
    if not site.is_mere_table('dagster.daemon_heartbeats') then
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
