-- Insight: what models are fitted to, and what became of what was foretold.

create view history_state as
select concat_ws(' ', s.sessions, s.scored, i.decisions, i.ended, e.files) as state
from (   -- of all of them: when a session was scored is when that began, so one that is seen later may say an earlier time
    select count(*) as sessions, sum(hashtextextended(session_key || extract(epoch from scored_at), 0)) as scored
    from session
) s,
     (select count(*) as decisions, count(revoked_at) as ended from identity_decision) i,
     (select count(*) as files from endstats_file) e;   -- they may come when all is scored
comment on view history_state is
'Another text whenever a session was scored, an endstats file was read, or who is who was decided: as long as it stays, so does all that is learned from history.';

create view rated_match as
select m.match_key, m.session_key, first.map, second.stamp, first.limit_seconds, m.attackers_first, m.winner,
       first.seconds as first_seconds, first.completed as first_completed,
       second.seconds as second_seconds, second.completed as second_completed
from match m
join map_attack first on first.match_key = m.match_key and first.number = 1
join map_attack second on second.match_key = m.match_key and second.number = 2
where m.attackers_first is not null and first.limit_seconds is not null
  and m.source in ('header', 'time') and m.confidence not in ('ambiguous', 'missing');
comment on view rated_match is
'Matches that models are fitted to: decided by what was played and not by a person, with both attacks as in map_attack. What a person decided may contradict the times.';

create view rated_roster as
select of.match_key, of.team, who.person as guid, sum(r.seconds_played)::integer as seconds
from player_match_fact of
join player_round_fact r on r.match_key = of.match_key and r.guid = of.guid
join career_name who on who.guid = of.guid
where of.team is not null and not exists (
    select from match m
    join round_player p on p.round_key in (m.r1_key, m.r2_key)
    left join player_match_fact own on own.match_key = m.match_key and own.guid = p.guid
    where m.match_key = of.match_key and p.side in (1, 2)
      and (p.seconds_played is null
           or (p.seconds_played > 0 and (own.team is null or 'no_identity' = any(p.flags))))
)
group by of.match_key, of.team, who.person
having sum(r.seconds_played) > 0;
comment on view rated_roster is
'Who played how long for which team of a match, by person, who is hidden too. Of no match in which that is not known of somebody: whose time is not known, who has no identity, or who stood against his own team; its teams would look more uneven than they were.';

create view prediction_scored as
select p.id, p.kind, p.round_key, p.made_at, p.version, p.known_until, p.map, p.limit_seconds, p.to_beat, p.attacks, p.par,
       p.chance, p.told,
       m.match_key, m.session_key, second.stamp as ended_at,
       p.made_at >= second.stamp as late,
       m.winner = 'draw' as drawn,
       case p.kind when 'half_time' then m.winner = m.attackers_second else m.winner = m.attackers_first end as came_true
from prediction p
join match m on m.r1_key = p.round_key and m.status = 'complete' and m.winner is not null
join parsed_round second on second.round_key = m.r2_key
where p.chance is not null and m.attackers_first is not null and m.source in ('header', 'time')
  and not coalesce(m.disputed, false)
  and (p.kind <> 'half_time' or p.to_beat = m.r1_seconds)
  and (p.kind <> 'match' or not exists (
      select from (
          select said.team, coalesce(d.person_guid, own.guid) as guid
          from (values (m.attackers_first, p.rosters -> 'first'), (m.attackers_second, p.rosters -> 'second'))
              said (team, members)
          cross join lateral jsonb_object_keys(said.members) own (guid)
          left join person_decided d on d.guid = own.guid
      ) said
      full join (select team, guid from rated_roster where match_key = m.match_key) played using (team, guid)
      where said.guid is null or played.guid is null
  ));
comment on view prediction_scored is
'What was foretold with what became of it, as the result is known now: came_true of half_time is whether the second attack won, of match whether the team that attacked first did. late: made when it was over; such are never counted. Not of matches that a person decided, nor where the time to beat turned out to be another, nor, of match, where others played in its teams than it was said of.';

create view attack_term as
select (part.at - 1)::integer as place, named.term, named.person_guid, (part.term ->> 1)::double precision as value,
       array(select known::double precision from jsonb_array_elements_text(part.shared) with ordinality as own (known, at)
             order by own.at) as covariance,
       (f.parameters -> 'damage' ->> (part.term ->> 0))::double precision as damage,
       f.parameters ->> 'terms' as terms, (f.parameters ->> 'sigma')::double precision as sigma,
       (f.parameters ->> 'matches')::integer as matches, f.version, f.known_until
from fitted f
cross join lateral rows from (jsonb_array_elements(f.parameters -> 'values'),
                              jsonb_array_elements(f.parameters -> 'covariance')) with ordinality as part (term, shared, at)
cross join lateral (
    select case when part.term ->> 2 is null then part.term ->> 0 else 'player' end as term, part.term ->> 2 as person_guid
) named
where f.model = 'player_times';
comment on view attack_term is
'The model of attack times by who plays, a row for each of its terms: value, covariance with the terms up to its own place, and of a player his damage strength. On pages its players are masked like all others, which the model as it is kept can''t be.';
