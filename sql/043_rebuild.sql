-- A rebuild that a command or a job began: what it has to take through yet, and what was proved of what is through. A
-- rebuild that was stopped goes on from here; at rest all of it is empty.

create table rebuild (
    what     text primary key check (what in ('everything', 'from scratch')),
    begun_at timestamptz not null default now()
);

create table rebuild_left (
    what          text not null references rebuild on delete cascade,
    kind          text not null,   -- of the file: stats or timing
    partition_key text not null,
    primary key (what, kind, partition_key)
);

-- Of each part that was taken away and made anew in one transaction: by table how many rows it had and what digest,
-- before and after, and a few keys of rows that differ.
create table rebuild_proof (
    what  text not null references rebuild on delete cascade,
    part  text not null,
    proof jsonb not null,
    primary key (what, part)
);
