-- What a run still owes a round or a timing record: noted with its bytes or its parsing, taken away by each stage's end.
-- At rest it is empty; a killed process leaves here what has to be gone through again.

create table unfinished (
    partition_key text not null,
    stage         text not null,
    since         timestamptz not null default now(),
    primary key (partition_key, stage)
);
