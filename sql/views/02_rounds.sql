-- Numbers of single rounds, and the doors that those of several rounds have to go through.

-- By what two names are of the same map; the rules have the same function.
create or replace function map_key(name text) returns text language sql immutable as $$ select lower(btrim(name)) $$;

create view partition_played as
select partition_key, server, coalesce(named_stamp, named_end at time zone 'UTC') as played_at
from file where partition_key is not null
union all
select distinct session_if_first, server, stamp_local from parsed_round;   -- a session's key has its second
comment on view partition_played is
'What stands behind a key of a round, an endstats file, a timing record or a session, also of one that was merged away: its server, and when it was played by the server''s wall clock; records whose names have no stamp by UTC.';

create view aimed_accuracy_exclusion (weapon, reason) as
values ('grenade', 'thrown: one may hit several enemies or clear a way'),
       ('dynamite', 'laid for objectives'),
       ('satchel', 'laid'),
       ('landmine', 'laid: waits for its hit'),
       ('airstrike', 'called in'),
       ('artillery', 'called in'),
       ('syringe', 'heals: its hits are revives');
comment on view aimed_accuracy_exclusion is 'Weapons that aimed_accuracy leaves out, and why.';

create view round_player_number as
select p.*,
       (p.hits - left_out.hits)::integer as aimed_hits,
       (p.shots - left_out.shots)::integer as aimed_shots,   -- of the total, a true difference: weapon rows stop at 0
       case when p.seconds_played = 0 then 0 else p.alive_percent * p.seconds_played / 100 end as engine_alive_seconds
from round_player p
left join lateral (
    select coalesce(sum(w.hits), 0) as hits, coalesce(sum(w.shots), 0) as shots
    from round_weapon w
    join aimed_accuracy_exclusion using (weapon)
    where w.round_key = p.round_key and w.guid = p.guid
) left_out on true;
comment on view round_player_number is
'What every player did in every round, with the counts that metrics need beside those of the file. Also of rounds that do not count.';

create view round_player_metric as
select n.*,
       metric_kd(kills, deaths) as kd,
       metric_efficiency(kills, deaths) as efficiency,
       metric_dpm(damage_given, seconds_played) as dpm,
       metric_kills_per_minute(kills, seconds_played) as kills_per_minute,
       metric_frag_potential(damage_given, seconds_played, seconds_dead) as frag_potential,
       metric_alive_dpm(damage_given, engine_alive_seconds, seconds_dead, seconds_played) as alive_dpm,
       metric_damage_ratio(damage_given, damage_received) as damage_ratio,
       metric_accuracy(hits, shots) as accuracy,
       metric_aimed_accuracy(aimed_hits, aimed_shots) as aimed_accuracy,
       metric_headshot_percent(headshots, hits) as headshot_percent,
       metric_headshot_kill_percent(headshot_kills, kills) as headshot_kill_percent,
       metric_useful_kill_percent(useful_kills, kills) as useful_kill_percent,
       metric_useless_kill_percent(useless_kills, kills) as useless_kill_percent,
       metric_denied_per_minute(denied_playtime, seconds_played) as denied_per_minute,
       metric_multikills(multikills_2, multikills_3, multikills_4, multikills_5, multikills_6) as multikills,
       metric_dead_percent(seconds_dead, seconds_played) as dead_percent,
       metric_survival_percent(engine_alive_seconds, seconds_dead, seconds_played) as survival_percent,
       metric_survival_drift(engine_alive_seconds, seconds_dead, seconds_played) as survival_drift,
       metric_survival_disputed(engine_alive_seconds, seconds_dead, seconds_played) as survival_disputed
from round_player_number n;
comment on view round_player_metric is
'One row per player and round, with all metrics of that round. Also of rounds that do not count, so never to be summed.';

create view valid_round as
select r.round_key, r.number, r.match_key, sr.session_key, p.server, map_key(p.map) as map, p.config, p.stamp
from round r
join session_round sr using (round_key)
join parsed_round p using (round_key)
where r.valid;
comment on view valid_round is
'The rounds that count: those without an invalid_reason, as an orphan, aborted or superseded round, bots or a filler map are.';

create view valid_round_player as
select v.match_key, v.number, v.session_key, v.server, v.map, v.config, v.stamp, sp.team, n.*
from valid_round v
join round_player_number n using (round_key)
left join session_player sp on sp.session_key = v.session_key and sp.guid = n.guid
where not 'no_identity' = any(n.flags);
comment on view valid_round_player is
'The only door to numbers of several rounds: players of rounds that count, with session and team. Not who has no identity: his GUID is of one round.';

create view valid_round_weapon as
select v.match_key, v.number, v.session_key, v.server, v.map, v.config, v.stamp, w.*
from valid_round v
join round_weapon w using (round_key)
join round_player p using (round_key, guid)
where not 'no_identity' = any(p.flags);
comment on view valid_round_weapon is
'The only door to weapons over several rounds: one row per weapon, player and round that counts. Not of who has no identity.';

create view round_level (level, scope, round_key) as
select 'round', round_key, round_key from valid_round
union all
select 'match', match_key, round_key from valid_round
union all
select 'session', session_key, round_key from valid_round
union all
select 'map', map, round_key from valid_round
union all
select 'career', 'all', round_key from valid_round;
comment on view round_level is
'What a round that counts is part of, one row each: level round, match, session, map or career; scope is its key, the map''s name, or "all" (a career spans all servers).';

-- The door's rows, kept: a board asks for all of history, and the weapons of every row would have to be added up each
-- time. Defined by the door alone and filled from it; made anew together with the views, so that a definition that
-- changes counts for every round that was ever played. A session's rows are rewritten where its matches are.
drop table if exists player_round_fact;
create table player_round_fact as select * from valid_round_player;
create index player_round_fact_round on player_round_fact (round_key);
create index player_round_fact_match on player_round_fact (match_key);
create index player_round_fact_session on player_round_fact (session_key, guid);
create index player_round_fact_map on player_round_fact (map);
create index player_round_fact_guid on player_round_fact (guid, round_key);
alter table player_round_fact add foreign key (round_key) references round on delete cascade;
comment on table player_round_fact is
'The rows of valid_round_player as they were when their session was scored last. Never written but from there.';

create view session_map_played as
select session_key, map, max(stamp) as last_played_at from player_round_fact group by session_key, map;
comment on view session_map_played is 'The maps of which a round with players counts in a session, and when it was played last in it.';

drop table if exists session_map;
create table session_map as select * from session_map_played;
create index session_map_session on session_map (session_key);
create index session_map_map on session_map (map);
alter table session_map add foreign key (session_key) references session on delete cascade;
comment on table session_map is 'The rows of session_map_played as they were when their session was scored last.';

create view played_map as
with recursive seen (map) as (   -- from one map to the next by the index: they are few, and their sessions many
    select min(map) from session_map
    union all
    select (select min(s.map) from session_map s where s.map > seen.map) from seen where seen.map is not null
)
select map from seen where map is not null;
comment on view played_map is 'The maps of which a round with players counts.';
