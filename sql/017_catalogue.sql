-- What was made without a run of Dagster's: reported to it by a sensor, which takes away what it has reported.

create table uncatalogued (
    kind  text not null check (kind in ('rounds', 'timings', 'sessions')),   -- of partition
    key   text not null,
    since timestamptz not null default now(),
    primary key (kind, key)
);

create index uncatalogued_since on uncatalogued (since);
