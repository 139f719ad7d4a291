"""What pairs won together and who is whose nemesis, as it is kept, and the duels that nemeses are looked for in.

Belongs here: the tables ``pair_record`` and ``nemesis``. Does not belong here: finding either (``rules.pairs``,
``stages.pairs``), matches of all kinds with and against each other (``careers``, ``players``), the words
(``reports.pair_words``).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow, tuple_row

from slomix_pipeline.rules.intervals import likely_share
from slomix_pipeline.rules.pairs import Duels, Duo, Nemesis
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class PairRecord:
    """Decided matches of a player in one team with somebody else, and those won. ``expected``: of ``won``, by how
    strong the teams are, None: not known; ``low``, ``high``: between which shares of wins they speak for in 95 of 100
    cases; ``apart``, ``apart_won``: matches with one of them alone, and those which he won."""

    guid: str
    name: str
    matches: int
    won: int
    expected: float | None
    low: float
    high: float
    apart: int
    apart_won: int


@dataclass(frozen=True)
class NemesisSeen:
    """Who killed a player more often than was to be expected: ``kills`` of the ``times`` that one of them killed the
    other, of which ``expected`` were to be."""

    guid: str
    name: str
    kills: int
    times: int
    expected: float


# Not of who was merged with somebody since it was found: it is found anew soon.
_TOGETHER = """
    select r.other_guid as guid, p.name, r.matches, r.won, r.expected, r.apart, r.apart_won
    from pair_record r
    join board_person p on p.guid = r.other_guid and p.person = p.guid"""


def pairs_of(conn: Connection[DictRow], person: str, most: int | None = None) -> list[PairRecord]:
    """The records of a player with everybody who may be named, the one of most matches first: never by how good."""
    rows = conn.execute(
        f"{_TOGETHER} where r.guid = %s order by r.matches desc, p.name, r.other_guid limit %s", [person, most]
    ).fetchall()
    return [_record(row) for row in rows]


def pair_of(conn: Connection[DictRow], one: str, other: str) -> PairRecord | None:
    """The record of two persons; None: they played too few decided matches together."""
    row = conn.execute(f"{_TOGETHER} where r.guid = %s and r.other_guid = %s", [one, other]).fetchone()
    return None if row is None else _record(row)


def _record(row: Mapping[str, Any]) -> PairRecord:
    low, high = likely_share(row["won"], row["matches"])
    return PairRecord(**row, low=low, high=high)


def nemesis_of(conn: Connection[DictRow], person: str) -> NemesisSeen | None:
    """The nemesis of a player; None: he has none, or one who wished to be unnamed."""
    with conn.cursor(row_factory=rows_of(NemesisSeen)) as cursor:
        return cursor.execute(
            """select n.opponent_guid as guid, p.name, n.kills, n.times, n.expected
               from nemesis n join board_person p on p.guid = n.opponent_guid and p.person = p.guid
               where n.guid = %s""",
            [person],
        ).fetchone()


def all_duels(conn: Connection[DictRow]) -> dict[str, dict[str, Duels]]:
    """Who killed whom in all of history, by person, from both sides."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(
            """with who as materialized (select guid, person from career_name)
               select own.person, other.person, sum(f.kills)::integer, sum(f.deaths)::integer
               from (select guid, opponent_guid, sum(kills) as kills, sum(deaths) as deaths
                     from player_duel_fact group by guid, opponent_guid) f
               join who own on own.guid = f.guid
               join who other on other.guid = f.opponent_guid
               where own.person <> other.person
               group by own.person, other.person
               order by own.person, other.person"""
        ).fetchall()
    return {
        guid: {other: Duels(kills, deaths) for _, other, kills, deaths in own}
        for guid, own in groupby(rows, key=lambda row: row[0])
    }


def store(conn: Connection[DictRow], found: Iterable[Duo], nemeses: Mapping[str, Nemesis]) -> int:
    """Keeps what was found in place of what was before. Returns how many rows are others now."""
    records = {
        (guid, other, own.matches, own.won, own.expected, own.apart, own.apart_won)
        for own in found
        for guid, other in ((own.one, own.other), (own.other, own.one))
    }
    enemies = {(guid, own.opponent, own.kills, own.of, own.expected) for guid, own in nemeses.items()}
    with conn.cursor(row_factory=tuple_row) as cursor:
        kept = set(cursor.execute("select guid, other_guid, matches, won, expected, apart, apart_won from pair_record"))
        gone = kept - records
        if gone:
            cursor.executemany(
                "delete from pair_record where guid = %s and other_guid = %s", [row[:2] for row in _ordered(gone)]
            )
        if records - kept:
            cursor.executemany("insert into pair_record values (%s, %s, %s, %s, %s, %s, %s)", _ordered(records - kept))
        kept_enemies = set(cursor.execute("select guid, opponent_guid, kills, times, expected from nemesis"))
        if kept_enemies - enemies:
            cursor.executemany(
                "delete from nemesis where guid = %s", [row[:1] for row in _ordered(kept_enemies - enemies)]
            )
        if enemies - kept_enemies:
            cursor.executemany("insert into nemesis values (%s, %s, %s, %s, %s)", _ordered(enemies - kept_enemies))
    return len(kept ^ records) + len(kept_enemies ^ enemies)


def _ordered(rows: Collection[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: row[:2])
