-- What the metrics of the chain read beside the rest: numbers, moments and words of ours.

create view site.undelivered as
select kind, state, since, due_until from public.undelivered;
comment on view site.undelivered is 'Messages that are due and did not arrive, without what they are about.';

create view site.refused_message as
select kind, since from public.refused_message;
comment on view site.refused_message is 'Messages that their webhook refused, without what they are about.';

create view site.schema_migration as
select number, name from public.schema_migration;
comment on view site.schema_migration is 'Which migrations were applied.';

-- Dagster keeps its records in a schema of its own, or elsewhere: then nothing is known of them.
create function site.runs_of_dagster(since timestamptz) returns table (status text, runs bigint)
    language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    if site.is_mere_table('dagster.runs') then
        return query execute
            'select status::text, count(*) from dagster.runs where update_timestamp > $1 group by 1 order by 1'
            using since at time zone 'UTC';
    end if;
end $$;
comment on function site.runs_of_dagster(timestamptz) is 'How many of Dagster''s runs that changed since then stand how.';
