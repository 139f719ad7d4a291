-- Endstats files: the awards of a round, and who killed whom. Written by the stage round_awards alone.

create table round_endstats (
    round_key  text primary key references round on delete cascade,
    link_class text not null check (link_class in ('exact_end', 'tie', 'none')),
    reason     text check ((reason is null) = (link_class = 'exact_end'))
);

create table endstats_file (
    file_key  text primary key,     -- an endstats file belongs to one round at most
    round_key text not null references round_endstats on delete cascade,
    sha256    text not null references file_content     -- of the version that was read
);

create index endstats_file_round on endstats_file (round_key);

create table award (
    round_key text not null references round_endstats on delete cascade,
    position  integer not null check (position > 0),
    label     text not null,                     -- as written, also where it is wrong
    award     text,                              -- what was counted; null: unknown
    player    text not null,                     -- name as the engine cleaned it
    guid      text,                              -- null: nobody of that name in the round, or two
    value     double precision,
    unit      text,                              -- null: a plain count
    text      text not null,
    scope     text check (scope in ('this_round', 'both_rounds')),
    primary key (round_key, position),
    check ((award is null) = (scope is null))
);

create index award_guid on award (guid);

create table versus (
    round_key     text not null references round_endstats on delete cascade,
    position      integer not null check (position > 0),
    player        text,                          -- null in files of before 2026-08, which do not say whose line it is
    guid          text,
    opponent      text not null,
    opponent_guid text,
    kills         integer not null check (kills >= 0),
    deaths        integer not null check (deaths >= 0),
    primary key (round_key, position)
);

create index parsed_round_stamp_local on parsed_round (server, stamp_local);
