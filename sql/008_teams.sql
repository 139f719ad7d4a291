-- What is known of a session's teams beside who is in them: their names, how sure they are, what was odd.

create table known_team (
    name   text primary key check (name = btrim(name) and length(name) between 2 and 24),
    colour integer check (colour between 0 and 16777215),        -- 0xRRGGBB; null: the usual one
    guids  text[] not null check (cardinality(guids) > 0)
);
create unique index known_team_in_any_case on known_team (lower(name));

create table session_team (
    session_key text not null references session on delete cascade,
    team        text not null check (team in ('A', 'B')),
    name        text not null check (name <> ''),
    name_source text not null check (name_source in ('known', 'tag', 'letter')),
    colour      integer check (colour between 0 and 16777215),
    primary key (session_key, team)
);

alter table session_player
    add column open_reason text,    -- why he stays open; null: he has a team, or stood on no side in a round that counts
    add constraint open_is_without_team check (team is null or open_reason is null);

-- Null until the session's teams were worked out.
alter table session
    add column team_confidence text check (team_confidence in ('high', 'medium', 'low')),
    add column team_reasons    text[],
    add column team_flags      jsonb,    -- of objects: kind, rounds, team, players, gone
    add column known_teams     text,     -- a digest of the known teams that its names were found among
    add constraint teams_are_whole check (num_nulls(team_confidence, team_reasons, team_flags) in (0, 3));
