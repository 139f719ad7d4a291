-- Files of the game server: what was seen, what became of it, and every version of its bytes.

create table file_content (
    sha256    text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
    bytes     bytea not null,
    stored_at timestamptz not null default now()
);

create table file (
    server        text not null,
    name          text not null,
    kind          text not null check (kind in ('stats', 'endstats', 'ws', 'timing', 'unknown')),
    partition_key text check (length(partition_key) between 1 and 140),
    timezone      text,          -- of the stamp in the name, where it was given for this file; else the setting
    size          bigint check (size >= 0),
    modified_at   timestamptz,   -- as listed on the game server; size and time stay so after an import
    imported      boolean not null default false,   -- the latest bytes came by import, not from the game server
    status        text not null check (status in ('listed', 'requested', 'ingested', 'known', 'quarantined')),
    reason        text,
    sha256        text references file_content,
    attempts      integer not null default 0 check (attempts >= 0),
    requested_at  timestamptz,
    by_sensor     boolean not null default false,   -- a sensor asked for it: only then a fresh round is announced
    first_seen_at timestamptz not null default now(),
    arrived_at    timestamptz,   -- first time its bytes were stored
    finished_at   timestamptz,
    primary key (server, name)
);

create unique index file_partition on file (kind, partition_key) where partition_key is not null;
create index file_status on file (status);
create index file_sha256 on file (sha256);

-- When a folder was last listed with success: after a downtime the sensors look back to here.
create table folder_look (
    server    text not null,
    folder    text not null,
    looked_at timestamptz not null,
    primary key (server, folder)
);
