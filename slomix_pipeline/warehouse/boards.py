"""Boards as they stand: who leads by what, of whom enough is known.

Belongs here: asking the views of boards. Does not belong here: thresholds (``rules.boards``), what is summed
(``sql/views/10_boards.sql``), how it is shown.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.boards import Board, Threshold
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class BoardRow:
    """A place on a board. ``rounds``: those that know the number, which ``value`` is over; ``of_rounds``: all he
    played."""

    rank: int
    guid: str
    name: str
    value: float
    rounds: int
    of_rounds: int


@dataclass(frozen=True)
class BoardPlace:
    """Where somebody stands on a board. ``rank``: None while he has too little for it; ``of_players``: who stand on it;
    ``damage`` and ``volume``: what he has of what a place needs, beside ``rounds``."""

    rank: int | None
    of_players: int
    rounds: int
    of_rounds: int
    damage: int
    volume: int


# Sessions of a span are found first, as keys: a condition that may be none would not reach the index.
_OF_A_SPAN = """
          and session_key = any(array(select session_key from session
                                      where started_at >= coalesce(%(since)s::timestamptz, '-infinity')
                                        and started_at < coalesce(%(until)s::timestamptz, 'infinity')))"""


# A board is of the rounds that know its number: one old file would else leave a career unknown for ever.
def _seen(within: str = "") -> str:
    return f"""
    with number as materialized (   -- else part and whole are worked out anew wherever they stand below
        select guid, rounds, damage_given, part, whole from board_number
        where board = %(board)s and level = %(level)s and scope = %(scope)s{within}
    ),
    person as (
        select p.person as guid, p.name, sum(n.rounds)::bigint as of_rounds, sum(n.damage_given) as damage,
               sum(n.rounds) filter (where n.part + n.whole is not null)::bigint as rounds,
               sum(n.part) filter (where n.part + n.whole is not null)::bigint as part,
               sum(n.whole) filter (where n.part + n.whole is not null)::bigint as whole
        from number n
        join board_person p using (guid)
        group by p.person, p.name
    ),
    seen as (
        select person.*, value,
               coalesce(rounds >= %(rounds)s and damage >= %(damage)s and whole >= %(volume)s and value is not null,
                        false) as stands
        from person, board_value(%(board)s, part, whole) as value
    )"""


_ROWS = """
    select row_number() over (order by value desc, rounds desc, guid) as rank, guid, name, value, rounds, of_rounds
    from seen where stands
    order by rank"""

_BOARD, _BOARD_OF_A_SPAN = f"{_seen()}{_ROWS}", f"{_seen(_OF_A_SPAN)}{_ROWS}"

_PLACE = f"""{_seen()}
    select case when stands then rank end as rank, of_players, coalesce(rounds, 0) as rounds, of_rounds,
           coalesce(damage, 0)::bigint as damage, coalesce(whole, 0) as volume
    from (select seen.*, row_number() over (partition by stands order by value desc, rounds desc, guid) as rank,
                 count(*) filter (where stands) over () as of_players
          from seen) placed
    where guid = %(person)s"""


def board_rows(
    conn: Connection[DictRow],
    board: Board,
    needed: Threshold,
    *,
    map_name: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[BoardRow]:
    """Everybody who stands on a board, first place first: by value, then rounds, then GUID. ``map_name``: of that map
    alone, as ``map_key`` has it; ``since``: of sessions that began then or later; ``until``: before then."""
    with conn.cursor(row_factory=rows_of(BoardRow)) as cursor:
        query = _BOARD if since is None and until is None else _BOARD_OF_A_SPAN
        return cursor.execute(query, _asked(board, needed, map_name, since, until)).fetchall()


def board_place(conn: Connection[DictRow], board: Board, needed: Threshold, person: str) -> BoardPlace | None:
    """Where somebody stands on a board of whole careers, in the order of ``board_rows``; None: he never played."""
    with conn.cursor(row_factory=rows_of(BoardPlace)) as cursor:
        return cursor.execute(_PLACE, {**_asked(board, needed), "person": person}).fetchone()


def _asked(
    board: Board,
    needed: Threshold,
    map_name: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[str, Any]:
    return {
        "board": board.name,
        "level": "map" if map_name else "career",
        "scope": map_name or "all",
        "since": since,
        "until": until,
        "rounds": needed.rounds,
        "damage": needed.damage,
        "volume": needed.volume,
    }
