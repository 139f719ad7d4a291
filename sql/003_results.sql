-- What the rules make of parsed rounds. Rewritten session by session; only the stages round_stats to match_score write here.

create table session (
    session_key text primary key,       -- <server>:<stamp of its first round>
    server      text not null,
    started_at  timestamptz not null,   -- first stamp minus that round's duration
    ended_at    timestamptz not null    -- last stamp
);

create table round (
    round_key      text primary key references parsed_round on delete cascade,
    match_key      text not null,
    partner_key    text,
    number         smallint not null check (number in (1, 2)),   -- the round it really was
    status         text not null
        check (status in ('complete', 'r1_only', 'r2_only', 'aborted', 'superseded', 'ambiguous')),
    reason         text,
    invalid_reason text,
    valid          boolean generated always as (invalid_reason is null) stored,
    flags          text[] not null default '{}',
    rules_at       timestamptz not null default now(),
    unique (match_key, number) deferrable initially deferred
);

create table round_player (
    round_key            text not null references round on delete cascade,
    guid                 text not null,
    name                 text not null,       -- without colour codes
    side                 smallint check (side in (1, 2)),
    kills                integer check (kills >= 0),
    deaths               integer check (deaths >= 0),
    headshots            integer check (headshots >= 0),      -- hits on heads
    hits                 integer check (hits >= 0),
    shots                integer,   -- a true difference: the engine takes shots at corpses back
    seconds_played       integer check (seconds_played >= 0),
    seconds_dead         integer check (seconds_dead between 0 and seconds_played),
    seconds_dead_raw     integer,
    alive_percent        double precision,
    damage_given         integer check (damage_given >= 0),
    damage_received      integer check (damage_received >= 0),
    team_damage_given    integer check (team_damage_given >= 0),
    team_damage_received integer check (team_damage_received >= 0),
    gibs                 integer check (gibs >= 0),
    self_kills           integer check (self_kills >= 0),
    team_kills           integer check (team_kills >= 0),
    team_gibs            integer check (team_gibs >= 0),
    xp                   integer,
    killing_spree        integer check (killing_spree >= 0),
    death_spree          integer check (death_spree >= 0),
    kill_assists         integer check (kill_assists >= 0),
    kill_steals          integer check (kill_steals >= 0),
    headshot_kills       integer check (headshot_kills >= 0),
    objectives_stolen    integer check (objectives_stolen >= 0),
    objectives_returned  integer check (objectives_returned >= 0),
    dynamites_planted    integer check (dynamites_planted >= 0),
    dynamites_defused    integer check (dynamites_defused >= 0),
    times_revived        integer check (times_revived >= 0),
    bullets_fired        integer,
    useful_kills         integer check (useful_kills >= 0),
    denied_playtime      integer check (denied_playtime >= 0),
    multikills_2         integer check (multikills_2 >= 0),
    multikills_3         integer check (multikills_3 >= 0),
    multikills_4         integer check (multikills_4 >= 0),
    multikills_5         integer check (multikills_5 >= 0),
    multikills_6         integer check (multikills_6 >= 0),
    useless_kills        integer check (useless_kills >= 0),
    full_self_kills      integer check (full_self_kills >= 0),
    repairs              integer check (repairs >= 0),
    revives_given        integer check (revives_given >= 0),
    flags                text[] not null default '{}',
    primary key (round_key, guid)
);

create index round_player_guid on round_player (guid);

create table round_weapon (
    round_key text not null,
    guid      text not null,
    weapon    text not null,
    hits      integer not null check (hits >= 0),
    shots     integer not null check (shots >= 0),
    kills     integer not null check (kills >= 0),
    deaths    integer not null check (deaths >= 0),
    headshots integer not null check (headshots between 0 and hits),
    primary key (round_key, guid, weapon),
    foreign key (round_key, guid) references round_player on delete cascade
);

create table round_timing (
    round_key         text primary key references round on delete cascade,
    duration_seconds  double precision check (duration_seconds > 0),
    duration_source   text check (duration_source in ('attack_time', 'measured', 'timing', 'players', 'limit')),
    attackers_gave_up boolean,
    timing_status     text not null check (timing_status in ('ALIGNED', 'MINOR DIFF', 'DISCREPANCY', 'NO LUA DATA')),
    record_key        text references timing_record,                 -- linked, used
    candidate_key     text references timing_record,                 -- shown, never used
    link_class        text not null check (link_class in ('exact_end', 'fuzzy', 'tie', 'none')),
    link_reason       text,
    timed_at          timestamptz not null default now(),
    unique (record_key) deferrable initially deferred,
    check ((duration_seconds is null) = (duration_source is null)),
    check ((record_key is not null) = (link_class = 'exact_end'))
);

create table session_round (
    round_key   text primary key references round on delete cascade,
    session_key text not null references session on delete cascade,
    position    integer not null check (position > 0),
    unique (session_key, position) deferrable initially deferred
);

create table session_player (
    session_key text not null references session on delete cascade,
    guid        text not null,
    name        text not null,     -- the latest in the session
    team        text check (team in ('A', 'B')),   -- null while open
    primary key (session_key, guid)
);

create table match (
    match_key       text primary key,
    session_key     text not null references session on delete cascade,
    position        integer not null check (position > 0),
    map             text not null,
    status          text not null
        check (status in ('complete', 'r1_only', 'r2_only', 'aborted', 'superseded', 'ambiguous')),
    r1_key          text references round on delete cascade,
    r2_key          text references round on delete cascade,
    winner          text check (winner in ('A', 'B', 'draw')),   -- null: not counted
    source          text check (source in ('header', 'time')),
    reason          text not null,
    attackers_first text check (attackers_first in ('A', 'B')),
    policy          text not null,
    unique (session_key, position) deferrable initially deferred
);
