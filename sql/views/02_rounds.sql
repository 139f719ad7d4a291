-- One row per player and round, with his ratios; also of rounds that do not count.
create view round_player_metric as
select p.*,
       metric_kd(p.kills, p.deaths) as kd,
       metric_dpm(p.damage_given, p.seconds_played) as dpm,
       metric_accuracy(p.hits, p.shots) as accuracy,
       metric_headshot_percent(p.headshots, p.hits) as headshot_percent,
       metric_dead_percent(p.seconds_dead, p.seconds_played) as dead_percent
from round_player p;

-- The only door to numbers of several rounds: players of valid rounds, with session and team.
create view valid_round_player as
select r.match_key, r.number, sr.session_key, sp.team, p.*
from round r
join session_round sr using (round_key)
join round_player p using (round_key)
left join session_player sp on sp.session_key = sr.session_key and sp.guid = p.guid
where r.valid;
