"""Everybody as far as it is looked at for two GUIDs of one person: names, when he was there, with whom, how he shoots.

Belongs here: reading that, of whoever is one person already together. Does not belong here: what speaks for it
(``rules.namesakes``), deciding it (``actions.identifying``). It is for the admin's eyes: nobody is hidden in it.
"""

from collections import defaultdict
from itertools import combinations

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.namesakes import Played, Suggestion, suggestions
from slomix_pipeline.warehouse.identities import rejected_pairs


def suggested(conn: Connection[DictRow]) -> list[Suggestion]:
    """The pairs that may be one person and of which nobody decided anything, by the GUIDs that their careers go by."""
    persons = {row["guid"]: row["person_guid"] for row in conn.execute("select guid, person_guid from person_decided")}
    rejected = {frozenset(persons.get(guid, guid) for guid in pair) for pair in rejected_pairs(conn)}
    met, mates = _met(conn)
    shots, hits = _aimed(conn)
    rows = conn.execute(
        """select coalesce(d.person_guid, a.guid) as guid, array_agg(distinct a.name) as names,
                  min(a.first_seen) as first_seen, max(a.last_seen) as last_seen
           from alias_fact a left join person_decided d using (guid)
           group by coalesce(d.person_guid, a.guid)"""
    )
    everybody = [
        Played(
            row["guid"],
            frozenset(row["names"]),
            row["first_seen"],
            row["last_seen"],
            hits[row["guid"]],
            shots[row["guid"]],
            mates[row["guid"]],
        )
        for row in rows
    ]
    return suggestions(everybody, met, rejected)


def _met(conn: Connection[DictRow]) -> tuple[set[frozenset[str]], dict[str, set[str]]]:
    """The pairs of persons that were in one round, and of everybody who was on his side in one. The same people play
    round after round, so each line-up is looked at once."""
    met: set[frozenset[str]] = set()
    mates: dict[str, set[str]] = defaultdict(set)
    rows = conn.execute(
        """select distinct array_agg(guid order by guid, side) as guids, array_agg(side order by guid, side) as sides
           from (select p.round_key, p.side, coalesce(d.person_guid, p.guid) as guid
                 from round_player p left join person_decided d using (guid)
                 where p.guid not like 'BOT-%' and not 'no_identity' = any(p.flags)) there
           group by round_key"""
    )
    for row in rows:
        for (one, side), (other, its) in combinations(zip(row["guids"], row["sides"], strict=True), 2):
            met.add(frozenset((one, other)))
            if side == its and one != other:
                mates[one].add(other)
                mates[other].add(one)
    return met, mates


def _aimed(conn: Connection[DictRow]) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """Everybody's shots by weapon, of those that are aimed, and his hits with all of them."""
    shots: dict[str, dict[str, int]] = defaultdict(dict)
    hits: dict[str, int] = defaultdict(int)
    rows = conn.execute(
        """select coalesce(d.person_guid, f.guid) as guid, f.weapon, sum(f.shots)::bigint as shots,
                  sum(f.hits)::bigint as hits
           from player_weapon_fact f left join person_decided d using (guid)
           where f.weapon not in (select weapon from aimed_accuracy_exclusion)
           group by coalesce(d.person_guid, f.guid), f.weapon"""
    )
    for row in rows:
        shots[row["guid"]][row["weapon"]] = row["shots"]
        hits[row["guid"]] += row["hits"]
    return shots, hits
