-- Under which names GUIDs played, and who is who. Identity, not a metric: rounds that do not count tell names as well as
-- others.

create view alias as
select p.guid, p.name, min(r.stamp) as first_seen, max(r.stamp) as last_seen, count(distinct p.round_key) as rounds
from round_player p
join parsed_round r using (round_key)
where p.guid not like 'BOT-%'   -- made from a bot's name, so it has no other
  and not 'no_identity' = any(p.flags)
group by p.guid, p.name;
comment on view alias is
'Names, without colour codes, under which a GUID played, in any round, with the number of rounds; bots and players without identity left out. Derived, so importing a file again changes nothing. A name of colour codes only is empty.';

create view alias_session_sum as
select s.session_key, p.guid, p.name, min(r.stamp) as first_seen, max(r.stamp) as last_seen,
       count(distinct p.round_key) as rounds
from session_round s
join round_player p using (round_key)
join parsed_round r using (round_key)
where p.guid not like 'BOT-%' and not 'no_identity' = any(p.flags)
group by s.session_key, p.guid, p.name;

-- Everybody's names are looked through by whoever searches; kept as player_round_fact is.
drop table if exists alias_fact;
create table alias_fact as select * from alias_session_sum;
create index alias_fact_session on alias_fact (session_key);
create index alias_fact_guid on alias_fact (guid);
alter table alias_fact add foreign key (session_key) references session on delete cascade;
comment on table alias_fact is 'The rows of alias, by session, as they were when it was scored last.';

create view player_name as
select guid,
       coalesce((array_agg(name order by last_seen desc, rounds desc, name) filter (where name <> ''))[1],
                'Unknown Player') as name
from alias
group by guid;
comment on view player_name is
'The name that a GUID plays under: the alias seen last; of two the one of more rounds, then by alphabet; without any that can be read, "Unknown Player". The one to show is in person.';

-- Few: who names a player of rounds joins these, and shows what else stands there where they have nothing to say.
create view person_decided as
with recursive in_force as (
    select id, kind, guid, other_guid, name from identity_decision where revoked_at is null and kind <> 'reject'
), way (guid, at_guid) as (   -- from each GUID to the end of its chain of merges
    select guid, guid from in_force
    union
    select other_guid, other_guid from in_force where other_guid is not null
    union
    select way.guid, further.other_guid from way join in_force further on further.guid = way.at_guid
    where further.kind = 'merge'
), member (guid, person_guid) as (
    select guid, at_guid from way
    where not exists (select from in_force further where further.guid = way.at_guid and further.kind = 'merge')
)
select m.guid, m.person_guid, p.guids, p.hidden_as, coalesce(p.hidden_as, p.chosen_name) as shown
from member m
join (
    -- Of two names that of the person's own GUID, else the one decided first.
    select m.person_guid, array_agg(distinct m.guid order by m.guid) as guids,
           (array_agg(d.name order by d.guid <> m.person_guid, d.id) filter (where d.kind = 'hide'))[1] as hidden_as,
           (array_agg(d.name order by d.guid <> m.person_guid, d.id)
               filter (where d.kind = 'link' and d.name is not null))[1] as chosen_name
    from member m left join in_force d using (guid)
    group by m.person_guid
) p using (person_guid);
comment on view person_decided is
'GUIDs of which a person decided who it is: the GUID that careers go by, all GUIDs of the same person, and the name to show instead of that of the game: for who wished to be hidden (hidden_as) the one he got, else the chosen one; null where there is none.';

-- Of whoever played, also in rounds that don't count alone.
create view person as
select n.guid, coalesce(d.person_guid, n.guid) as person_guid,
       coalesce(
           d.shown,
           case when cardinality(d.guids) > 1 then (
               select (array_agg(a.name order by a.last_seen desc, a.rounds desc, a.name) filter (where a.name <> ''))[1]
               from alias a where a.guid = any(d.guids)
           ) end,
           n.name
       ) as name,
       d.hidden_as is not null as hidden
from player_name n
left join person_decided d using (guid);
comment on view person is
'Who a GUID that played is: the GUID that his careers go by, the name to show for him (chosen, else the alias that any of his GUIDs had last), and whether he wished to be hidden: then the name tells nobody who he is.';

-- The one place for a name in what is said of a session: its summary, report, highlights and decisions.
create view session_name as
select p.session_key, p.guid, coalesce(d.person_guid, p.guid) as person,
       coalesce(
           d.shown,
           case when cardinality(d.guids) > 1 then (
               select own.name from session_player own
               where own.session_key = p.session_key and own.guid = any(d.guids)
               order by own.name = '', own.guid <> d.person_guid, own.guid limit 1
           ) end,
           p.name
       ) as called
from session_player p
left join person_decided d using (guid);
comment on view session_name is
'What everybody who played in a session is called in all that is said of it: as he chose, else as he was called in the session, by one name under whatever GUIDs.';
