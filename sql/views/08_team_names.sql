-- Which known teams a session's names are found among, so that it shows when these change.

create view session_known_teams as
select p.session_key, md5(string_agg(distinct concat_ws('|', k.name, k.colour, k.guids), E'\n')) as digest
from known_team k
join session_player p on p.guid = any(k.guids)
group by p.session_key;
comment on view session_known_teams is
'A digest of the known teams of which anybody played in a session; sessions without any have no row.';

create view session_to_rename as
select s.session_key, r.round_key, r.rules_at
from session s
left join session_known_teams k using (session_key)
join session_round sr on sr.session_key = s.session_key and sr.position = 1
join round r using (round_key)
where s.team_confidence is not null and s.known_teams is distinct from k.digest;
comment on view session_to_rename is
'Sessions whose teams were named before known teams changed, with their first round: working it out again names them.';
