-- Totals of a match and of a session per player. A sum over a round with an unknown number is unknown.
create view match_player_metric as
select t.*,
       metric_kd(t.kills, t.deaths) as kd,
       metric_dpm(t.damage_given, t.seconds_played) as dpm,
       metric_accuracy(t.hits, t.shots) as accuracy,
       metric_headshot_percent(t.headshots, t.hits) as headshot_percent,
       metric_dead_percent(t.seconds_dead, t.seconds_played) as dead_percent
from (
    select match_key, session_key, team, guid, (array_agg(name order by number desc))[1] as name, count(*) as rounds,
           known_sum(kills) as kills, known_sum(deaths) as deaths, known_sum(headshots) as headshots, known_sum(hits) as hits,
           known_sum(shots) as shots, known_sum(damage_given) as damage_given, known_sum(damage_received) as damage_received,
           known_sum(gibs) as gibs, known_sum(self_kills) as self_kills, known_sum(revives_given) as revives_given,
           known_sum(seconds_played) as seconds_played, known_sum(seconds_dead) as seconds_dead
    from valid_round_player
    group by match_key, session_key, team, guid
) t;

create view session_player_metric as
select t.*,
       metric_kd(t.kills, t.deaths) as kd,
       metric_dpm(t.damage_given, t.seconds_played) as dpm,
       metric_accuracy(t.hits, t.shots) as accuracy,
       metric_headshot_percent(t.headshots, t.hits) as headshot_percent,
       metric_dead_percent(t.seconds_dead, t.seconds_played) as dead_percent
from (
    select v.session_key, v.team, v.guid, s.name, count(*) as rounds,
           known_sum(v.kills) as kills, known_sum(v.deaths) as deaths, known_sum(v.headshots) as headshots, known_sum(v.hits) as hits,
           known_sum(v.shots) as shots, known_sum(v.damage_given) as damage_given, known_sum(v.damage_received) as damage_received,
           known_sum(v.gibs) as gibs, known_sum(v.self_kills) as self_kills, known_sum(v.revives_given) as revives_given,
           known_sum(v.seconds_played) as seconds_played, known_sum(v.seconds_dead) as seconds_dead
    from valid_round_player v
    join session_player s on s.session_key = v.session_key and s.guid = v.guid
    group by v.session_key, v.team, v.guid, s.name
) t;

-- Maps won in a session under the published policy; not_counted are matches without a winner.
create view session_score as
select s.session_key, s.server, s.started_at, s.ended_at,
       (select count(*) from session_round sr where sr.session_key = s.session_key) as rounds,
       count(m.match_key) as matches,
       count(*) filter (where m.winner = 'A') as won_a,
       count(*) filter (where m.winner = 'B') as won_b,
       count(*) filter (where m.winner = 'draw') as draws,
       count(m.match_key) filter (where m.winner is null) as not_counted
from session s
left join match m using (session_key)
group by s.session_key;
