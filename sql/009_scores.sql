-- A match names the points that it gives under its policy, and what its result is from.

alter table match
    add column points_a         smallint check (points_a >= 0),   -- null: not counted, or nobody knows them
    add column points_b         smallint check (points_b >= 0),
    add column confidence       text check (confidence in ('verified_header', 'time_fallback', 'ambiguous', 'missing')),
    add column by_header        text check (by_header in ('first', 'second', 'draw')),   -- whose attack won, by that alone
    add column by_time          text check (by_time in ('first', 'second', 'draw')),
    add column disputed         boolean generated always as (by_header <> by_time) stored,
    add column attackers_side   smallint check (attackers_side in (1, 2)),      -- of both rounds: the players swap
    add column attackers_second text check (attackers_second in ('A', 'B')),
    add column r1_seconds       integer check (r1_seconds > 0),   -- as the stopwatch shows it: the limit when held
    add column r2_seconds       integer check (r2_seconds > 0),
    add column r1_completed     boolean,
    add column r2_completed     boolean,
    drop constraint match_source_check,
    add constraint match_source_check check (source in ('header', 'time', 'override')),   -- override: a person
    add constraint points_of_both check ((points_a is null) = (points_b is null)),
    add constraint points_need_a_winner check (points_a is null or winner is not null),
    add constraint teams_attack_in_turn check (attackers_first <> attackers_second);

-- Results so far are of map-wins/1: 1 per map. The rest is for the rounds to be worked out anew, but for what another
-- policy would need to know.
update match set points_a = (winner = 'A')::int, points_b = (winner = 'B')::int
where winner is not null and policy = 'map-wins/1';

update match set r1_completed = winner_side <> defender_side
from parsed_round where status = 'complete' and round_key = r1_key and winner_side in (1, 2) and defender_side in (1, 2);

update match set r2_completed = winner_side <> defender_side
from parsed_round where status = 'complete' and round_key = r2_key and winner_side in (1, 2) and defender_side in (1, 2);
