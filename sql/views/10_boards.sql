-- Careers over years: boards, results, what a career had come to after each round.

-- Who a GUID is in all of these, and by which name he is shown. Everything below goes by it, and so does whoever reads it;
-- who wishes not to be named is missing here, and so on all of them.
create view board_person as
select guid, person, name from career_name where not hidden
offset 0;   -- a name is looked up once for each GUID, not for each row that this is joined to
comment on view board_person is
'Everybody who played in a round that counts and did not wish to be unnamed: GUID, the GUID that stands for the person, and the name to show on boards.';

-- Which boards there are; rules/boards.py has their titles and thresholds.
create view board_name (board) as
values ('kills'), ('kd'), ('dpm'), ('accuracy'), ('headshot_percent'), ('efficiency'), ('rounds'), ('revives_given'),
       ('gibs'), ('objectives'), ('multikills');
comment on view board_name is 'The names of the boards.';

create view board_part as
select 'career' as level, 'all' as scope, f.scope as session_key, f.guid, f.rounds, f.kills, f.deaths, f.damage_given,
       f.seconds_played, f.hits, f.shots, f.headshots, f.revives_given, f.gibs,
       f.objectives_stolen + f.objectives_returned + f.dynamites_planted + f.dynamites_defused as objectives,
       metric_multikills(f.multikills_2, f.multikills_3, f.multikills_4, f.multikills_5, f.multikills_6) as multikills
from player_session_fact f
union all
select 'map', f.map, f.session_key, f.guid, 1, f.kills, f.deaths, f.damage_given,
       f.seconds_played, f.hits, f.shots, f.headshots, f.revives_given, f.gibs,
       f.objectives_stolen + f.objectives_returned + f.dynamites_planted + f.dynamites_defused,
       metric_multikills(f.multikills_2, f.multikills_3, f.multikills_4, f.multikills_5, f.multikills_6)
from player_round_fact f
where counts_in_careers(f.flags);
comment on view board_part is
'What a session adds to careers, and what a round adds to what a player did on its map: the sums that boards are made of.';

create view board_number as
select b.board, p.level, p.scope, p.session_key, p.guid, p.rounds, p.damage_given,
       case b.board when 'kills' then p.kills when 'kd' then p.kills when 'efficiency' then p.kills
                    when 'dpm' then p.damage_given when 'accuracy' then p.hits when 'headshot_percent' then p.headshots
                    when 'rounds' then p.rounds when 'revives_given' then p.revives_given when 'gibs' then p.gibs
                    when 'objectives' then p.objectives when 'multikills' then p.multikills end as part,
       case b.board when 'kd' then p.deaths when 'efficiency' then p.deaths when 'dpm' then p.seconds_played
                    when 'accuracy' then p.shots when 'headshot_percent' then p.hits else p.rounds end as whole
from board_name b
cross join board_part p;
comment on view board_number is
'What each row of board_part adds to each board: part and whole of a ratio; of a count, the count and its rounds. To be added up where both are known, with the rounds of these rows alone, and then given to board_value.';

create or replace function board_value(board text, part bigint, whole bigint) returns double precision
    language sql immutable as $$
    select case board when 'kd' then metric_kd(part, whole) when 'efficiency' then metric_efficiency(part, whole)
                      when 'dpm' then metric_dpm(part, whole) when 'accuracy' then metric_accuracy(part, whole)
                      when 'headshot_percent' then metric_headshot_percent(part, whole) else part end $$;

create view player_result as
select played.guid, played.match_key, played.session_key, played.map, played.team, m.winner = played.team as won,
       m.winner = 'draw' as drawn
from (select distinct guid, match_key, session_key, map, team from player_round_fact where team is not null) played
join match m using (match_key)
where m.winner is not null;
comment on view player_result is
'One row per player and match that was decided and in which he played for a team: whether it won, or it was a draw.';

create view career_so_far as
select f.person, f.round_key, f.match_key, f.session_key, f.map, f.stamp,
       count(*) over so_far as rounds,
       sum(f.new_night) over so_far as nights,
       sum(f.kills) over so_far as kills,
       metric_kd((sum(f.kills) over so_far)::bigint, (sum(f.deaths) over so_far)::bigint) as kd,
       sum(f.revives_given) over so_far as revives_given,
       count(f.revives_given) over so_far as revives_given_rounds,
       sum(f.times_revived) over so_far as times_revived,
       sum(f.dynamites_planted) over so_far as dynamites_planted,
       sum(f.dynamites_defused) over so_far as dynamites_defused,
       sum(f.objectives_stolen + f.objectives_returned) over so_far as objectives
from (
    select p.person, f.*,
           (row_number() over (partition by p.person, f.session_key order by f.stamp, f.round_key) = 1)::integer
               as new_night   -- sessions of two servers may take turns
    from player_round_fact f
    join board_person p using (guid)
    where counts_in_careers(f.flags)
) f
window so_far as (partition by f.person order by f.stamp, f.round_key rows unbounded preceding);
comment on view career_so_far is
'What a career had come to after each of its rounds, in the order in which they were played. What is unknown in a round adds nothing: revives_given_rounds are the rounds that know revives_given.';
