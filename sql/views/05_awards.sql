-- Endstats: files that wait to be read, awards and duels of rounds that count, and rounds that have none.

create view unread_endstats as
select p.round_key, f.server, f.partition_key as file_key, f.first_seen_at
from file f
cross join lateral (
    select r.round_key, r.map, r.label
    from parsed_round r
    where r.server = f.server
      and r.stamp_local between f.named_stamp - link_window() and f.named_stamp + link_window()
    offset 0   -- look by the clock, which few rounds share, before the map
) p
where f.kind = 'endstats' and f.status in ('listed', 'requested')
  and f.named_map = map_key(p.map) and f.named_number = p.label;
comment on view unread_endstats is
'Endstats files nobody has read yet, with the round each may belong to: same map and number, the names'' clocks within the link window.';

create view late_witness as
select p.round_key, f.partition_key as file_key, f.first_seen_at
from round r
join parsed_round p using (round_key)
join file f on f.server = p.server and f.kind = 'endstats' and f.first_seen_at > r.rules_at
where r.status = 'superseded'
  and f.named_map = map_key(p.map) and f.named_number = 2
  and f.named_stamp between p.stamp_local and p.stamp_local + usual_session_gap();   -- the replay came before that
comment on view late_witness is
'Superseded rounds, with a round-2 endstats file that was seen since and may tell that their round 2 was played.';

create view valid_round_award as
select v.session_key, v.match_key, v.number, a.*
from valid_round v
join award a using (round_key);
comment on view valid_round_award is
'Awards of rounds that count. One of scope both_rounds covers its round 1 too: never to be added to that of round 1. A value with a unit is a best, a rate or a share: not to be summed either.';

create view valid_round_versus as
select v.session_key, v.match_key, v.number, d.*
from valid_round v
join versus d using (round_key);
comment on view valid_round_versus is
'Who killed whom how often in rounds that count, as the script of the game server counted it for those who were still there.';

-- What happened between two stands in the lines of both, and is taken from either: in those of others a namesake can't be
-- told, in his own he can; and half a file has the lines of some alone.
create view valid_round_duel as
select session_key, match_key, round_key, guid, opponent_guid, max(kills) as kills, max(deaths) as deaths
from (
    select session_key, match_key, round_key, guid, opponent_guid, kills, deaths from valid_round_versus
    union
    select session_key, match_key, round_key, opponent_guid, guid, deaths, kills from valid_round_versus
) of_either
where guid is not null and opponent_guid is not null
group by session_key, match_key, round_key, guid, opponent_guid;
comment on view valid_round_duel is
'Who killed whom how often in rounds that count, as far as it can be told whose lines are whose: every two are in it twice, once from each side.';

create view duel_session_sum as
select session_key, guid, opponent_guid, count(*) filter (where kills + deaths > 0) as rounds, sum(kills) as kills,
       sum(deaths) as deaths
from valid_round_duel
group by session_key, guid, opponent_guid;

-- A career has tens of thousands of duels; kept as player_round_fact is, and rewritten with endstats that come later, too.
drop table if exists player_duel_fact;
create table player_duel_fact as select * from duel_session_sum;
create index player_duel_fact_session on player_duel_fact (session_key);
create index player_duel_fact_guid on player_duel_fact (guid) include (opponent_guid, rounds, kills, deaths);
alter table player_duel_fact add foreign key (session_key) references session on delete cascade;
comment on table player_duel_fact is
'How often everybody killed everybody else in each session, in the rounds whose endstats say whose line it is: rows of duel_session_sum. rounds: those with a kill between them.';

create view round_without_endstats as
select v.round_key, v.session_key, v.server, v.stamp, coalesce(e.reason, 'not looked for yet') as reason
from valid_round v
left join round_endstats e using (round_key)
where e.link_class is distinct from 'exact_end';
comment on view round_without_endstats is 'Rounds that count and have no endstats, and why.';
