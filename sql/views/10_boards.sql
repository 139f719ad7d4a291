-- Careers over years: boards, results, what a career had come to after each round.

-- Who a GUID is in all of these, and by which name he is shown. Everything below goes by it, and so does whoever reads it;
-- who wishes not to be named is missing here, and so on all of them.
create view board_person as
select guid, person, name from career_name where not hidden
offset 0;   -- a name is looked up once for each GUID, not for each row that this is joined to
comment on view board_person is
'Everybody who played in a round that counts and did not wish to be unnamed: GUID, the GUID that stands for the person, and the name to show on boards.';

create view board_part as
select 'career' as level, 'all' as scope, f.scope as session_key, f.guid, f.rounds, f.kills, f.deaths, f.damage_given,
       f.seconds_played, f.hits, f.shots, f.headshots, f.revives_given, f.gibs,
       f.objectives_stolen + f.objectives_returned + f.dynamites_planted + f.dynamites_defused as objectives,
       metric_multikills(f.multikills_2, f.multikills_3, f.multikills_4, f.multikills_5, f.multikills_6) as multikills
from player_session_fact f
union all
select 'map', f.map, f.session_key, f.guid, 1::bigint, f.kills::bigint, f.deaths::bigint, f.damage_given::bigint,
       f.seconds_played::bigint, f.hits::bigint, f.shots::bigint, f.headshots::bigint, f.revives_given::bigint,
       f.gibs::bigint,   -- the types of the half above: else neither half is read by itself
       (f.objectives_stolen + f.objectives_returned + f.dynamites_planted + f.dynamites_defused)::bigint,
       metric_multikills(f.multikills_2, f.multikills_3, f.multikills_4, f.multikills_5, f.multikills_6)
from player_round_fact f
where counts_in_careers(f.flags);
comment on view board_part is
'What a session adds to careers, and what a round adds to what a player did on its map: the sums that boards are made of.';

-- Which boards there are (rules/boards.py has their titles and thresholds), and of what was added up: a ratio's part and whole; of a count, the count and its rounds. To be added up further where both
-- are known, with the rounds of these alone, and then given to board_value.
create or replace function board_parts(
    rounds bigint, kills bigint, deaths bigint, damage_given bigint, seconds_played bigint, hits bigint, shots bigint,
    headshots bigint, revives_given bigint, gibs bigint, objectives bigint, multikills bigint
) returns table (board text, part bigint, whole bigint) language sql immutable as $$
    values ('kills', kills, rounds), ('kd', kills, deaths), ('dpm', damage_given, seconds_played),
           ('accuracy', hits, shots), ('headshot_percent', headshots, hits), ('efficiency', kills, deaths),
           ('rounds', rounds, rounds), ('revives_given', revives_given, rounds), ('gibs', gibs, rounds),
           ('objectives', objectives, rounds), ('multikills', multikills, rounds) $$;

create or replace function board_value(board text, part bigint, whole bigint) returns double precision
    language sql immutable as $$
    select case board when 'kd' then metric_kd(part, whole) when 'efficiency' then metric_efficiency(part, whole)
                      when 'dpm' then metric_dpm(part, whole) when 'accuracy' then metric_accuracy(part, whole)
                      when 'headshot_percent' then metric_headshot_percent(part, whole) else part end $$;

-- Who changed sides keeps the team he had in the session, but played this match not for it. Which team stood where is told
-- by the majority of who has one, as in rules/teams.py.
create view player_match_sum as
select played.*, m.winner = played.team as won, case when played.team is not null then m.winner = 'draw' end as drawn
from (
    select guid, match_key, session_key, map, case when bool_and(stood_with_it) then team end as team,
           max(stamp) as ended_at, count(*) as rounds_played, count(*) filter (where counts) as rounds,
           case when count(kills) filter (where counts) = count(*) filter (where counts)
                then sum(kills) filter (where counts) end as kills,
           case when count(deaths) filter (where counts) = count(*) filter (where counts)
                then sum(deaths) filter (where counts) end as deaths,
           case when count(damage_given) filter (where counts) = count(*) filter (where counts)
                then sum(damage_given) filter (where counts) end as damage_given,
           case when count(seconds_played) filter (where counts) = count(*) filter (where counts)
                then sum(seconds_played) filter (where counts) end as seconds_played
    from (
        select f.*, counts_in_careers(f.flags) as counts,
               coalesce(a_is_axis * sum(a_is_axis) over (partition by f.session_key, f.round_key) > 0, false)
                   as stood_with_it
        from player_round_fact f
        cross join lateral (
            select case when (f.team = 'A') = (f.side = 1) then 1 when f.team is not null then -1 end
        ) says (a_is_axis)
    ) f
    group by guid, match_key, session_key, map, team
) played
left join match m on m.match_key = played.match_key;

-- What is asked of matches is asked of thousands of them: who won them with whom, what was done on their map.
drop table if exists player_match_fact;
create table player_match_fact as select * from player_match_sum;
create index player_match_fact_session on player_match_fact (session_key);
create index player_match_fact_map on player_match_fact (map);
create index player_match_fact_match on player_match_fact (match_key) include (guid, team);
-- Of one player all is read from here: his rows lie all over the table.
create index player_match_fact_guid on player_match_fact (guid, ended_at, match_key)
    include (team, map, session_key, rounds_played, rounds, kills, deaths, damage_given, seconds_played,
             won, drawn);
alter table player_match_fact add foreign key (session_key) references session on delete cascade;
comment on table player_match_fact is
'For which team everybody played each match, and what of it counts in careers: rows of player_match_sum, kept as those of player_round_fact are. team: null also of who did not stand with his own in all his rounds of it. rounds_played: all of them; rounds: those that count in careers, which the numbers are of. won, drawn: how it ended for his team, null where it was not decided or he played for none.';

create view player_result as
select guid, match_key, session_key, map, team, won, drawn from player_match_fact where won is not null;
comment on view player_result is
'One row per player and match that was decided and in which he played for a team: whether it won, or it was a draw.';

create view doubled_session as
select distinct f.session_key
from person_decided d
cross join lateral (select match_key, session_key from player_match_fact own where own.guid = d.guid offset 0) f
where cardinality(d.guids) > 1
group by d.person_guid, f.match_key, f.session_key
having count(*) > 1;
comment on view doubled_session is 'Sessions in which somebody played a match under two GUIDs: few, if any.';

-- Lists of keys, as an index takes them: nearly always they are empty.

-- Somebody may play a match under two GUIDs; who was on both teams by them neither won nor lost it.
create view doubled_result as
select p.person, r.match_key, r.session_key, r.map, min(r.team) as team, bool_and(r.won) as won,
       bool_and(r.drawn) as drawn
from player_result r
join board_person p using (guid)
where r.session_key = any (array(select session_key from doubled_session))
group by p.person, r.match_key, r.session_key, r.map
having min(r.team) = max(r.team);
comment on view doubled_result is 'person_result of the sessions of doubled_session alone.';

create view person_result as
select p.person, r.match_key, r.session_key, r.map, r.team, r.won, r.drawn
from player_result r
join board_person p using (guid)
where r.session_key <> all (array(select session_key from doubled_session))
union all
select person, match_key, session_key, map, team, won, drawn from doubled_result;
comment on view person_result is 'player_result by person: one row per match, under whatever GUIDs he played it.';

create view player_met_sum as
select session_key, guid, other_guid, sum(rounds)::integer as rounds, sum(together_won)::integer as together_won,
       sum(together_drawn)::integer as together_drawn, sum(together_lost)::integer as together_lost,
       sum(against_won)::integer as against_won, sum(against_drawn)::integer as against_drawn,
       sum(against_lost)::integer as against_lost   -- integers, which add up faster
from (
    select me.session_key, me.guid, other.guid as other_guid, 0 as rounds,
           count(*) filter (where other.team = me.team and me.won) as together_won,
           count(*) filter (where other.team = me.team and me.drawn) as together_drawn,
           count(*) filter (where other.team = me.team and not me.won and not me.drawn) as together_lost,
           count(*) filter (where other.team <> me.team and me.won) as against_won,
           count(*) filter (where other.team <> me.team and me.drawn) as against_drawn,
           count(*) filter (where other.team <> me.team and not me.won and not me.drawn) as against_lost
    from player_result me
    join player_result other using (match_key)
    where other.guid <> me.guid
    group by me.session_key, me.guid, other.guid
    union all
    select me.session_key, me.guid, other.guid, count(*), 0, 0, 0, 0, 0, 0
    from player_round_fact me
    join player_round_fact other using (round_key)
    where other.guid <> me.guid and counts_in_careers(me.flags) and counts_in_careers(other.flags)
    group by me.session_key, me.guid, other.guid
) met
group by session_key, guid, other_guid;

drop table if exists player_met_fact;
create table player_met_fact as select * from player_met_sum;
create index player_met_fact_session on player_met_fact (session_key);
create index player_met_fact_guid on player_met_fact (guid)
    include (other_guid, session_key, rounds, together_won, together_drawn, together_lost, against_won, against_drawn,
             against_lost);
alter table player_met_fact add foreign key (session_key) references session on delete cascade;
comment on table player_met_fact is
'The rounds of each session that count in the careers of two GUIDs, and the decided matches that they played with and against each other, with the results of the first: rows of player_met_sum, kept as those of player_round_fact are.';

create view person_met as
select person, other, sum(together_won)::bigint as together_won, sum(together_drawn)::bigint as together_drawn,
       sum(together_lost)::bigint as together_lost, sum(against_won)::bigint as against_won,
       sum(against_drawn)::bigint as against_drawn, sum(against_lost)::bigint as against_lost
from (
    select p.person, o.person as other, f.together_won, f.together_drawn, f.together_lost, f.against_won,
           f.against_drawn, f.against_lost
    from board_person p
    cross join lateral (   -- before anybody is named: there are more sessions than players
        select other_guid, sum(together_won)::bigint as together_won, sum(together_drawn)::bigint as together_drawn,
               sum(together_lost)::bigint as together_lost, sum(against_won)::bigint as against_won,
               sum(against_drawn)::bigint as against_drawn, sum(against_lost)::bigint as against_lost
        from player_met_fact
        where guid = p.guid and session_key <> all (array(select session_key from doubled_session))
          -- else they met in rounds alone, none of a decided match
          and together_won + together_drawn + together_lost + against_won + against_drawn + against_lost > 0
        group by other_guid
    ) f
    join board_person o on o.guid = f.other_guid
    union all
    select me.person, other.person, (other.team = me.team and me.won)::integer,
           (other.team = me.team and me.drawn)::integer, (other.team = me.team and not me.won and not me.drawn)::integer,
           (other.team <> me.team and me.won)::integer, (other.team <> me.team and me.drawn)::integer,
           (other.team <> me.team and not me.won and not me.drawn)::integer
    from doubled_result me
    join doubled_result other using (match_key)
    where other.person <> me.person
) met
group by person, other;
comment on view person_met is
'The decided matches that two people played with and against each other, with the results of the first.';

create view player_night_sum as
select guid, session_key, min(stamp) as began_at, max(stamp) as ended_at, count(*) as rounds, sum(kills) as kills,
       sum(deaths) as deaths, sum(revives_given) as revives_given, count(revives_given) as revives_given_rounds,
       sum(times_revived) as times_revived, sum(dynamites_planted) as dynamites_planted,
       sum(dynamites_defused) as dynamites_defused, sum(objectives_stolen + objectives_returned) as objectives
from player_round_fact
where counts_in_careers(flags)
group by guid, session_key;

drop table if exists player_night_fact;
create table player_night_fact as select * from player_night_sum;
create index player_night_fact_session on player_night_fact (session_key);
create index player_night_fact_guid on player_night_fact (guid);
alter table player_night_fact add foreign key (session_key) references session on delete cascade;
comment on table player_night_fact is
'What each session added to its players'' ladders of milestones: rows of player_night_sum, kept as those of player_round_fact are. Unlike in player_session_fact what is unknown in a round adds nothing.';

-- Sessions in the order of play. Those of two servers may take turns: they are one stretch, within which only rounds
-- tell what came before what.
create view career_stretch as
select person, session_key, stretch,
       coalesce(sum(rounds) over before, 0) as rounds, count(*) over before as nights, sum(kills) over before as kills,
       sum(deaths) over before as deaths, sum(revives_given) over before as revives_given,
       coalesce(sum(revives_given_rounds) over before, 0) as revives_given_rounds,
       sum(times_revived) over before as times_revived, sum(dynamites_planted) over before as dynamites_planted,
       sum(dynamites_defused) over before as dynamites_defused, sum(objectives) over before as objectives
from (
    select begun.*, sum(begins::integer) over (partition by person order by began_at, session_key) as stretch
    from (
        select night.*,
               coalesce(began_at > max(ended_at) over (partition by person order by began_at, session_key
                                                       rows between unbounded preceding and 1 preceding),
                        true) as begins
        from (
            select p.person, f.session_key, min(f.began_at) as began_at, max(f.ended_at) as ended_at,
                   sum(f.rounds)::integer as rounds, sum(f.kills)::integer as kills, sum(f.deaths)::integer as deaths,
                   sum(f.revives_given)::integer as revives_given,
                   sum(f.revives_given_rounds)::integer as revives_given_rounds,
                   sum(f.times_revived)::integer as times_revived,
                   sum(f.dynamites_planted)::integer as dynamites_planted,
                   sum(f.dynamites_defused)::integer as dynamites_defused, sum(f.objectives)::integer as objectives
            from player_night_fact f
            join board_person p using (guid)
            group by p.person, f.session_key
        ) night
    ) begun
) stretched
window before as (partition by person order by stretch groups between unbounded preceding and 1 preceding);
comment on view career_stretch is
'What a career had come to before each of its sessions; sessions that took turns are one stretch and have the same. What is unknown adds nothing; null: nothing is known of it so far.';

create view career_round as
select p.person, f.round_key, f.match_key, f.session_key, f.map, f.stamp, f.kills, f.deaths, f.revives_given,
       f.times_revived, f.dynamites_planted, f.dynamites_defused,
       f.objectives_stolen + f.objectives_returned as objectives
from board_person p
join player_round_fact f using (guid)
where counts_in_careers(f.flags);
comment on view career_round is
'The rounds of careers with what milestones are of, by person. To be asked for some sessions.';
