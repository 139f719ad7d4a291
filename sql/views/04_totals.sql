-- Totals per level: match, session, map, career. One shape of sums, one of ratios, for all of them.

-- What round_level is to rounds: a player's row once for each thing that its round is part of.
create view player_fact_level as
select 'round' as level, round_key as scope, f.* from player_round_fact f
union all
select 'match', match_key, f.* from player_round_fact f
union all
select 'session', session_key, f.* from player_round_fact f
union all
select 'map', map, f.* from player_round_fact f
union all
select 'career', 'all', f.* from player_round_fact f;
comment on view player_fact_level is
'Rows of player_round_fact, once for each level that their round is part of.';

-- Numbers that hold more than their round leave the player's total of a match or an evening unknown; a career or a map
-- would stay unknown for ever, so there they count as little as an invalid round: "rounds" is without them.
create or replace function counts_in_careers(flags text[]) returns boolean
    language sql immutable as $$ select not flags && array['counters_carried_over', 'there_for_longer', 'cumulative'] $$;

-- sum() leaves out what is unknown and so shows too little; "count(x) = count(*)" is: known in all of these rounds.
create view player_round_sum as
select p.level, p.scope, p.guid,
       (array_agg(p.name order by p.name = '', p.stamp desc, p.round_key desc))[1] as name,
       count(*) as rounds,
       min(p.stamp) as first_played_at,
       max(p.stamp) as last_played_at,
       case when count(p.kills) = count(*) then sum(p.kills) end as kills,
       case when count(p.deaths) = count(*) then sum(p.deaths) end as deaths,
       case when count(p.hits) = count(*) then sum(p.hits) end as hits,
       case when count(p.shots) = count(*) then sum(p.shots) end as shots,
       case when count(p.headshots) = count(*) then sum(p.headshots) end as headshots,
       case when count(p.aimed_hits) = count(*) then sum(p.aimed_hits) end as aimed_hits,
       case when count(p.aimed_shots) = count(*) then sum(p.aimed_shots) end as aimed_shots,
       case when count(p.seconds_played) = count(*) then sum(p.seconds_played) end as seconds_played,
       case when count(p.seconds_dead) = count(*) then sum(p.seconds_dead) end as seconds_dead,
       case when count(p.engine_alive_seconds) = count(*) then sum(p.engine_alive_seconds) end as engine_alive_seconds,
       case when count(p.damage_given) = count(*) then sum(p.damage_given) end as damage_given,
       case when count(p.damage_received) = count(*) then sum(p.damage_received) end as damage_received,
       case when count(p.team_damage_given) = count(*) then sum(p.team_damage_given) end as team_damage_given,
       case when count(p.team_damage_received) = count(*) then sum(p.team_damage_received) end as team_damage_received,
       case when count(p.gibs) = count(*) then sum(p.gibs) end as gibs,
       case when count(p.team_gibs) = count(*) then sum(p.team_gibs) end as team_gibs,
       case when count(p.self_kills) = count(*) then sum(p.self_kills) end as self_kills,
       case when count(p.full_self_kills) = count(*) then sum(p.full_self_kills) end as full_self_kills,
       case when count(p.team_kills) = count(*) then sum(p.team_kills) end as team_kills,
       case when count(p.headshot_kills) = count(*) then sum(p.headshot_kills) end as headshot_kills,
       case when count(p.useful_kills) = count(*) then sum(p.useful_kills) end as useful_kills,
       case when count(p.useless_kills) = count(*) then sum(p.useless_kills) end as useless_kills,
       case when count(p.denied_playtime) = count(*) then sum(p.denied_playtime) end as denied_playtime,
       case when count(p.kill_assists) = count(*) then sum(p.kill_assists) end as kill_assists,
       case when count(p.kill_steals) = count(*) then sum(p.kill_steals) end as kill_steals,
       case when count(p.killing_spree) = count(*) then max(p.killing_spree) end as killing_spree,
       case when count(p.death_spree) = count(*) then max(p.death_spree) end as death_spree,
       case when count(p.multikills_2) = count(*) then sum(p.multikills_2) end as multikills_2,
       case when count(p.multikills_3) = count(*) then sum(p.multikills_3) end as multikills_3,
       case when count(p.multikills_4) = count(*) then sum(p.multikills_4) end as multikills_4,
       case when count(p.multikills_5) = count(*) then sum(p.multikills_5) end as multikills_5,
       case when count(p.multikills_6) = count(*) then sum(p.multikills_6) end as multikills_6,
       case when count(p.revives_given) = count(*) then sum(p.revives_given) end as revives_given,
       case when count(p.times_revived) = count(*) then sum(p.times_revived) end as times_revived,
       case when count(p.objectives_stolen) = count(*) then sum(p.objectives_stolen) end as objectives_stolen,
       case when count(p.objectives_returned) = count(*) then sum(p.objectives_returned) end as objectives_returned,
       case when count(p.dynamites_planted) = count(*) then sum(p.dynamites_planted) end as dynamites_planted,
       case when count(p.dynamites_defused) = count(*) then sum(p.dynamites_defused) end as dynamites_defused,
       case when count(p.repairs) = count(*) then sum(p.repairs) end as repairs,
       case when count(p.bullets_fired) = count(*) then sum(p.bullets_fired) end as bullets_fired,
       case when count(p.xp) = count(*) then sum(p.xp) end as xp
from (
    select * from player_fact_level where level <> 'career'
    union all
    select 'career_session', session_key, f.* from player_round_fact f   -- what of a session counts in careers
) p
where p.level in ('round', 'match', 'session') or counts_in_careers(p.flags)
group by p.level, p.scope, p.guid;

-- A career has thousands of rounds but some hundred sessions, so what each of them adds to it is kept as well.
drop table if exists player_session_fact;
create table player_session_fact as select * from player_round_sum where level = 'career_session';
create index player_session_fact_scope on player_session_fact (scope);
create index player_session_fact_latest on player_session_fact (guid, (name = ''), last_played_at desc, scope desc);
alter table player_session_fact add foreign key (scope) references session on delete cascade;
comment on table player_session_fact is
'What each session (scope) adds to its players'' careers: rows of player_round_sum, kept as those of player_round_fact are.';

-- From what is kept: the view person reads all rounds.
create view career_name as
with recursive seen (guid) as (   -- from one GUID to the next by the index: they are few, and their sessions many
    select min(guid) from player_session_fact
    union all
    select (select min(f.guid) from player_session_fact f where f.guid > seen.guid) from seen where seen.guid is not null
)
select known.guid, coalesce(d.person_guid, known.guid) as person,
       coalesce(
           d.shown,
           (select nullif(latest.name, '')
            from unnest(coalesce(d.guids, array[known.guid])) own (guid)
            cross join lateral (
                select f.name, f.last_played_at, f.scope from player_session_fact f where f.guid = own.guid
                order by f.name = '', f.last_played_at desc, f.scope desc limit 1
            ) latest
            order by latest.name = '', latest.last_played_at desc, latest.scope desc limit 1),
           'Unknown Player') as name,
       d.hidden_as is not null as hidden
from (
    select guid from seen where guid is not null
    union
    select d.person_guid from person_decided d join seen on seen.guid = d.guid
) known
left join person_decided d on d.guid = known.guid;
comment on view career_name is
'Who a GUID with rounds that count is in careers, and the name to show for him there: chosen, else the latest of all his GUIDs in rounds that count. Of one session: session_name.';

-- What is known in all sessions is known in all rounds; the sum of sums is the sum. A career is a person's, whatever GUIDs
-- he played under. In two parts, so that one player's rows are found by their index.
create view player_career_sum as
select 'career' as level, 'all' as scope, p.person_guid as guid,
       (select n.name from career_name n where n.guid = p.person_guid) as name,   -- once for each person
       sum(p.rounds)::bigint as rounds,
       min(p.first_played_at) as first_played_at,
       max(p.last_played_at) as last_played_at,
       case when count(p.kills) = count(*) then sum(p.kills)::bigint end as kills,
       case when count(p.deaths) = count(*) then sum(p.deaths)::bigint end as deaths,
       case when count(p.hits) = count(*) then sum(p.hits)::bigint end as hits,
       case when count(p.shots) = count(*) then sum(p.shots)::bigint end as shots,
       case when count(p.headshots) = count(*) then sum(p.headshots)::bigint end as headshots,
       case when count(p.aimed_hits) = count(*) then sum(p.aimed_hits)::bigint end as aimed_hits,
       case when count(p.aimed_shots) = count(*) then sum(p.aimed_shots)::bigint end as aimed_shots,
       case when count(p.seconds_played) = count(*) then sum(p.seconds_played)::bigint end as seconds_played,
       case when count(p.seconds_dead) = count(*) then sum(p.seconds_dead)::bigint end as seconds_dead,
       case when count(p.engine_alive_seconds) = count(*) then sum(p.engine_alive_seconds) end as engine_alive_seconds,
       case when count(p.damage_given) = count(*) then sum(p.damage_given)::bigint end as damage_given,
       case when count(p.damage_received) = count(*) then sum(p.damage_received)::bigint end as damage_received,
       case when count(p.team_damage_given) = count(*) then sum(p.team_damage_given)::bigint end as team_damage_given,
       case when count(p.team_damage_received) = count(*) then sum(p.team_damage_received)::bigint end as team_damage_received,
       case when count(p.gibs) = count(*) then sum(p.gibs)::bigint end as gibs,
       case when count(p.team_gibs) = count(*) then sum(p.team_gibs)::bigint end as team_gibs,
       case when count(p.self_kills) = count(*) then sum(p.self_kills)::bigint end as self_kills,
       case when count(p.full_self_kills) = count(*) then sum(p.full_self_kills)::bigint end as full_self_kills,
       case when count(p.team_kills) = count(*) then sum(p.team_kills)::bigint end as team_kills,
       case when count(p.headshot_kills) = count(*) then sum(p.headshot_kills)::bigint end as headshot_kills,
       case when count(p.useful_kills) = count(*) then sum(p.useful_kills)::bigint end as useful_kills,
       case when count(p.useless_kills) = count(*) then sum(p.useless_kills)::bigint end as useless_kills,
       case when count(p.denied_playtime) = count(*) then sum(p.denied_playtime)::bigint end as denied_playtime,
       case when count(p.kill_assists) = count(*) then sum(p.kill_assists)::bigint end as kill_assists,
       case when count(p.kill_steals) = count(*) then sum(p.kill_steals)::bigint end as kill_steals,
       case when count(p.killing_spree) = count(*) then max(p.killing_spree) end as killing_spree,
       case when count(p.death_spree) = count(*) then max(p.death_spree) end as death_spree,
       case when count(p.multikills_2) = count(*) then sum(p.multikills_2)::bigint end as multikills_2,
       case when count(p.multikills_3) = count(*) then sum(p.multikills_3)::bigint end as multikills_3,
       case when count(p.multikills_4) = count(*) then sum(p.multikills_4)::bigint end as multikills_4,
       case when count(p.multikills_5) = count(*) then sum(p.multikills_5)::bigint end as multikills_5,
       case when count(p.multikills_6) = count(*) then sum(p.multikills_6)::bigint end as multikills_6,
       case when count(p.revives_given) = count(*) then sum(p.revives_given)::bigint end as revives_given,
       case when count(p.times_revived) = count(*) then sum(p.times_revived)::bigint end as times_revived,
       case when count(p.objectives_stolen) = count(*) then sum(p.objectives_stolen)::bigint end as objectives_stolen,
       case when count(p.objectives_returned) = count(*) then sum(p.objectives_returned)::bigint end as objectives_returned,
       case when count(p.dynamites_planted) = count(*) then sum(p.dynamites_planted)::bigint end as dynamites_planted,
       case when count(p.dynamites_defused) = count(*) then sum(p.dynamites_defused)::bigint end as dynamites_defused,
       case when count(p.repairs) = count(*) then sum(p.repairs)::bigint end as repairs,
       case when count(p.bullets_fired) = count(*) then sum(p.bullets_fired)::bigint end as bullets_fired,
       case when count(p.xp) = count(*) then sum(p.xp)::bigint end as xp
from (
    select f.guid as person_guid, f.*
    from player_session_fact f left join person_decided d on d.guid = f.guid
    where d.person_guid is null or d.person_guid = f.guid
    union all
    select d.person_guid, f.*
    from person_decided d join player_session_fact f on f.guid = d.guid
    where d.person_guid <> d.guid
) p
group by p.person_guid;

create view player_sum as
select * from player_round_sum where level <> 'career_session'
union all
select * from player_career_sum;
comment on view player_sum is
'What a player did in all rounds that count of a round, match, session, map or career. A number that is unknown in one of these rounds is unknown: see player_known_sum for what older writers left out.';

comment on column player_sum.level is 'round, match, session, map or career';
comment on column player_sum.scope is 'key of the round, match or session; name of the map; "all" for a career';
comment on column player_sum.guid is 'who; of a career the person''s (see person), whose rounds under other GUIDs are in it';
comment on column player_sum.name is 'the latest name in these rounds, of a career the one to show; person has the one to show for any GUID';
comment on column player_sum.rounds is 'rounds the player took part in';
comment on column player_sum.first_played_at is 'end of the first of these rounds';
comment on column player_sum.last_played_at is 'end of the last of these rounds';
comment on column player_sum.kills is 'enemies killed, by weapon block';
comment on column player_sum.deaths is 'deaths by enemies, by weapon block; neither own kills nor team kills';
comment on column player_sum.hits is 'hits, all weapons';
comment on column player_sum.shots is 'shots, all weapons, less those at corpses';
comment on column player_sum.headshots is 'hits on heads, not kills';
comment on column player_sum.aimed_hits is 'hits without the weapons of aimed_accuracy_exclusion';
comment on column player_sum.aimed_shots is 'shots without the weapons of aimed_accuracy_exclusion';
comment on column player_sum.seconds_played is 's on a team, dead time included; the file has steps of 6 s';
comment on column player_sum.seconds_dead is 's dead as the file says, capped at the time played of each round; about double in files before 2026';
comment on column player_sum.engine_alive_seconds is 's alive as the engine measured it';
comment on column player_sum.damage_given is 'damage to enemies';
comment on column player_sum.damage_received is 'damage by enemies';
comment on column player_sum.team_damage_given is 'damage to own team';
comment on column player_sum.team_damage_received is 'damage by own team';
comment on column player_sum.gibs is 'enemy bodies gibbed';
comment on column player_sum.team_gibs is 'own team''s bodies gibbed';
comment on column player_sum.self_kills is 'own kills of any kind, /kill and falls included';
comment on column player_sum.full_self_kills is '/kill with nearly the whole spawn interval to wait; files of 36 fields and more';
comment on column player_sum.team_kills is 'players of the own team killed';
comment on column player_sum.headshot_kills is 'kills whose last hit was on the head';
comment on column player_sum.useful_kills is 'kills that cost the victim at least half a spawn interval';
comment on column player_sum.useless_kills is 'kills whose victim spawned within 5 s; files of 36 fields and more';
comment on column player_sum.denied_playtime is 's the player''s victims were out of the game; files of 36 fields and more';
comment on column player_sum.kill_assists is 'damage within 1.5 s before somebody else''s kill';
comment on column player_sum.kill_steals is 'kills in which an assistant did more damage';
comment on column player_sum.killing_spree is 'most kills in a row in one round, from 3 on; the longest, not a sum';
comment on column player_sum.death_spree is 'most deaths in a row in one round, from 3 on; the longest, not a sum';
comment on column player_sum.multikills_2 is 'chains of exactly 2 kills, each less than 3 s after the one before';
comment on column player_sum.multikills_3 is 'chains of exactly 3 kills';
comment on column player_sum.multikills_4 is 'chains of exactly 4 kills';
comment on column player_sum.multikills_5 is 'chains of exactly 5 kills';
comment on column player_sum.multikills_6 is 'chains of 6 kills and more';
comment on column player_sum.revives_given is 'players revived; files of 38 fields';
comment on column player_sum.times_revived is 'times the player was revived';
comment on column player_sum.objectives_stolen is 'objectives taken; several engine versions never count any';
comment on column player_sum.objectives_returned is 'objectives brought back; several engine versions never count any';
comment on column player_sum.dynamites_planted is 'dynamites planted';
comment on column player_sum.dynamites_defused is 'dynamites defused';
comment on column player_sum.repairs is 'repairs and constructions; files of 37 fields and more';
comment on column player_sum.bullets_fired is 'shots as the script counts them; files of 38 fields, another unit before';
comment on column player_sum.xp is 'experience; starts at 0 in every round';

create view player_metric as
select s.*,
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
       metric_survival_disputed(engine_alive_seconds, seconds_dead, seconds_played) as survival_disputed,
       metric_per_round(kills, rounds) as kills_per_round,
       metric_per_round(deaths, rounds) as deaths_per_round,
       metric_per_round(damage_given, rounds) as damage_per_round,
       metric_per_round(revives_given, rounds) as revives_given_per_round,
       metric_per_round(times_revived, rounds) as times_revived_per_round
from player_sum s;
comment on view player_metric is
'The sums of player_sum with all metrics over them, for every level: where level = ''career'', for example.';

-- A career that began with old files would not know these for ever. What is known of them stands here together with the
-- rounds it is known of, as rows of their own: next to numbers of all rounds it would mislead.
create view player_known_sum as
select p.level, p.scope, p.person_guid as guid, late.number, sum(late.value) as total, count(*) as rounds,
       case when count(p.seconds_played) = count(*) then sum(p.seconds_played) end as seconds_played,
       case when count(p.kills) = count(*) then sum(p.kills) end as kills,
       metric_per_round(sum(late.value), count(*)) as per_round
from (
    select f.guid as person_guid, f.* from player_fact_level f
    where f.level <> 'career' or f.guid not in (select d.guid from person_decided d where d.person_guid <> d.guid)
    union all
    select d.person_guid, f.* from person_decided d join player_fact_level f on f.guid = d.guid
    where f.level = 'career' and d.person_guid <> d.guid
) p
cross join lateral (
    values ('denied_playtime', p.denied_playtime), ('useless_kills', p.useless_kills),
           ('full_self_kills', p.full_self_kills), ('repairs', p.repairs), ('revives_given', p.revives_given),
           ('bullets_fired', p.bullets_fired)
) late (number, value)
where late.value is not null
group by p.level, p.scope, p.person_guid, late.number;
comment on view player_known_sum is
'Numbers that older writers left out, over the rounds that know them: rounds, seconds_played and kills are of these rounds alone. For metrics of them: metric_denied_per_minute(total, seconds_played), for example.';

-- Only of matches and sessions: what a share is of changes with every team-mate.
create view player_impact as
select level, scope, guid,
       metric_impact(
           case when count(kills) = count(*) then sum(kills) end,
           case when count(damage_given) = count(*) then sum(damage_given) end,
           case when count(fair_kills) = count(*) then sum(fair_kills) end,
           case when count(fair_damage) = count(*) then sum(fair_damage) end
       ) as impact,
       case when count(seconds_played) = count(*)
            then sum(seconds_played)::double precision / nullif(max(seconds_of_all), 0) end as of_the_time
from (
    select f.level, f.scope, f.guid, f.kills, f.damage_given, f.seconds_played,
           sum(f.longest) filter (where f.place = 1) over (partition by f.level, f.scope) as seconds_of_all,
           case when count(f.kills) over his_side = count(*) over his_side
                then sum(f.kills) over his_side * of_his_side end as fair_kills,
           case when count(f.damage_given) over his_side = count(*) over his_side
                then sum(f.damage_given) over his_side * of_his_side end as fair_damage
    from (
        select l.*,
               case when count(l.seconds_played) over his_side = count(*) over his_side
                    then l.seconds_played::double precision / nullif(sum(l.seconds_played) over his_side, 0)
               end as of_his_side,
               max(l.seconds_played) over his_round as longest,
               row_number() over his_round as place
        from player_fact_level l
        where l.level in ('match', 'session') and l.side in (1, 2)
        window his_side as (partition by l.level, l.scope, l.round_key, l.side),
               his_round as (partition by l.level, l.scope, l.round_key)
    ) f
    window his_side as (partition by f.level, f.scope, f.round_key, f.side)
) shared
group by level, scope, guid;
comment on view player_impact is
'metric_impact of every player, per match and per session; unknown where a number of anybody on his side is. of_the_time: his seconds, of those of whoever was there longest in each of its rounds: as long as it was played.';

create view match_player_metric as
select m.scope as match_key, sr.session_key, sp.team, m.*
from player_metric m
join session_round sr on sr.round_key = m.scope   -- a match has the key of its first round
left join session_player sp on sp.session_key = sr.session_key and sp.guid = m.guid
where m.level = 'match';
comment on view match_player_metric is 'player_metric of matches, with session and team.';

create view session_player_metric as
select m.scope as session_key, sp.team, m.*
from player_metric m
join session_player sp on sp.session_key = m.scope and sp.guid = m.guid
where m.level = 'session';
comment on view session_player_metric is 'player_metric of sessions, with team.';

create view session_player_usual as
select sp.session_key, sp.guid, sum(earlier.rounds)::bigint as rounds,
       metric_kd(case when count(earlier.kills) = count(*) then sum(earlier.kills)::bigint end,
                 case when count(earlier.deaths) = count(*) then sum(earlier.deaths)::bigint end) as kd,
       metric_dpm(case when count(earlier.damage_given) = count(*) then sum(earlier.damage_given)::bigint end,
                  case when count(earlier.seconds_played) = count(*) then sum(earlier.seconds_played)::bigint end) as dpm
from session_player sp
join session s using (session_key)
left join person_decided d on d.guid = sp.guid
join player_session_fact earlier
    on earlier.guid = any(coalesce(d.guids, array[sp.guid])) and earlier.last_played_at < s.started_at
group by sp.session_key, sp.guid;
comment on view session_player_usual is
'What is usual for the players of a session: their careers as they were when it began. Later sessions change nothing of it. rounds: of these careers.';

-- The score is the sum of points; who won how many maps is the same under every policy.
create view session_score as
select s.session_key, s.server, s.started_at, s.ended_at,
       (select count(*) from session_round sr where sr.session_key = s.session_key) as rounds,
       count(m.match_key) as matches,
       count(*) filter (where m.winner = 'A') as won_a,
       count(*) filter (where m.winner = 'B') as won_b,
       count(*) filter (where m.winner = 'draw') as draws,
       count(m.match_key) filter (where m.winner is null) as not_counted,
       min(m.policy) as policy,   -- one for all: a session's matches are always written together
       coalesce(sum(m.points_a), 0)::integer as points_a,
       coalesce(sum(m.points_b), 0)::integer as points_b,
       count(*) filter (where m.winner is not null and m.points_a is null) as without_points
from session s
left join match m using (session_key)
group by s.session_key;
comment on view session_score is
'Sessions with their score: points under the policy, and the maps each team won. not_counted are matches without a winner; without_points are matches of which nobody knows how many points they give under the policy: the score is too low by them.';
