-- Stats files and timing records as the game server wrote them. Numbers of a round-2 file are sums of both rounds.

create table parsed_round (
    round_key        text primary key,
    server           text not null,
    name             text not null,
    sha256           text not null references file_content,
    stamp_local      timestamp not null,      -- the game server's wall clock at the end of the round
    stamp            timestamptz not null,
    stamp_ambiguous  boolean not null,        -- the hour that a clock change repeats, and nothing decides
    label            smallint not null check (label in (1, 2)),   -- round number in the file's name
    map              text not null,
    server_name      text not null,
    config           text not null,
    header_number    integer,
    defender_side    integer,
    winner_side      integer,
    limit_text       text not null,
    attack_time_text text not null,
    playtime_text    text,
    limit_seconds    integer check (limit_seconds >= 0),
    attack_seconds   integer check (attack_seconds >= 0),
    playtime_seconds double precision check (playtime_seconds > 0),
    tail_fields      integer not null check (tail_fields >= 33),
    generation       text not null,
    parsed_at        timestamptz not null default now(),
    unique (server, map, stamp, label, name),
    foreign key (server, name) references file (server, name)
);

create index parsed_round_stamp on parsed_round (server, stamp);

create table parsed_player (
    round_key            text not null references parsed_round on delete cascade,
    guid                 text not null check (guid ~ '^[!-~]{1,8}$'),
    name                 text not null,       -- readable, with colour codes
    rounds               integer not null,
    side                 smallint not null check (side between 0 and 3),
    alive_percent        double precision,
    dpm                  double precision,
    tank_ratio           double precision,
    dead_percent         double precision,
    kd                   double precision,
    minutes_played       double precision,
    minutes_dead         double precision,
    damage_given         integer,
    damage_received      integer,
    team_damage_given    integer,
    team_damage_received integer,
    gibs                 integer,
    self_kills           integer,
    team_kills           integer,
    team_gibs            integer,
    xp                   integer,
    killing_spree        integer,
    death_spree          integer,
    kill_assists         integer,
    kill_steals          integer,
    headshot_kills       integer,
    objectives_stolen    integer,
    objectives_returned  integer,
    dynamites_planted    integer,
    dynamites_defused    integer,
    times_revived        integer,
    bullets_fired        integer,
    useful_kills         integer,
    denied_playtime      integer,
    multikills_2         integer,
    multikills_3         integer,
    multikills_4         integer,
    multikills_5         integer,
    multikills_6         integer,
    useless_kills        integer,
    full_self_kills      integer,
    repairs              integer,
    revives_given        integer,
    primary key (round_key, guid)
);

create table parsed_weapon (
    round_key text not null,
    guid      text not null,
    weapon    text not null,
    hits      integer not null check (hits >= 0),
    shots     integer not null check (shots >= 0),
    kills     integer not null check (kills >= 0),
    deaths    integer not null check (deaths >= 0),
    headshots integer not null check (headshots between 0 and hits),
    primary key (round_key, guid, weapon),
    foreign key (round_key, guid) references parsed_player on delete cascade
);

create table timing_record (
    record_key       text primary key,
    server           text not null,
    name             text not null,
    sha256           text not null references file_content,
    map              text not null,
    label            smallint not null check (label in (1, 2)),
    started_at       timestamptz,
    ended_at         timestamptz not null,
    duration_seconds double precision check (duration_seconds > 0),
    limit_seconds    integer,
    pause_seconds    integer,
    pause_count      integer,
    warmup_seconds   integer,
    winner_side      smallint,
    defender_side    smallint,
    end_reason       text,
    surrender_side   smallint,
    script_version   text,
    raw              jsonb not null,
    stored_at        timestamptz not null default now(),
    foreign key (server, name) references file (server, name)
);

create index timing_record_end on timing_record (server, ended_at);
