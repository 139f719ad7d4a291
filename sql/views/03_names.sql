-- Under which names GUIDs played. Identity, not a metric: rounds that do not count tell names as well as others.

create view alias as
select p.guid, p.name, min(r.stamp) as first_seen, max(r.stamp) as last_seen, count(distinct p.round_key) as rounds
from round_player p
join parsed_round r using (round_key)
where p.guid not like 'BOT-%'   -- made from a bot's name, so it has no other
  and not 'no_identity' = any(p.flags)
group by p.guid, p.name;
comment on view alias is
'Names, without colour codes, under which a GUID played, in any round, with the number of rounds; bots and players without identity left out. Derived, so importing a file again changes nothing. A name of colour codes only is empty.';

create view player_name as
select guid,
       coalesce((array_agg(name order by last_seen desc, rounds desc, name) filter (where name <> ''))[1],
                'Unknown Player') as name
from alias
group by guid;
comment on view player_name is
'The name to show for a GUID: the alias seen last; of two the one of more rounds, then by alphabet; without any that can be read, "Unknown Player".';
