"""Boards as they stand: who leads by what, of whom enough is known.

Belongs here: asking the views of boards. Does not belong here: thresholds (``rules.boards``), what is summed
(``sql/views/10_boards.sql``), how it is shown.
"""

from dataclasses import dataclass
from datetime import datetime

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


# A board is of the rounds that know its number: one old file would else leave a career unknown for ever.
_BOARD = """
    with number as materialized (   -- else part and whole are worked out anew wherever they stand below
        select guid, rounds, damage_given, part, whole from board_number
        where board = %(board)s and level = %(level)s and scope = %(scope)s
          and (coalesce(%(since)s::timestamptz, %(until)s::timestamptz) is null
               or session_key in (select session_key from session
                                  where started_at >= coalesce(%(since)s::timestamptz, '-infinity')
                                    and started_at < coalesce(%(until)s::timestamptz, 'infinity')))
    ),
    person as (
        select p.person as guid, p.name, sum(n.rounds)::bigint as of_rounds, sum(n.damage_given) as damage,
               sum(n.rounds) filter (where n.part + n.whole is not null)::bigint as rounds,
               sum(n.part) filter (where n.part + n.whole is not null)::bigint as part,
               sum(n.whole) filter (where n.part + n.whole is not null)::bigint as whole
        from number n
        join board_person p using (guid)
        group by p.person, p.name
    )
    select row_number() over (order by value desc, rounds desc, guid) as rank, guid, name, value, rounds, of_rounds
    from person, board_value(%(board)s, part, whole) as value
    where rounds >= %(rounds)s and damage >= %(damage)s and whole >= %(volume)s and value is not null
    order by rank"""


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
        return cursor.execute(
            _BOARD,
            {
                "board": board.name,
                "level": "map" if map_name else "career",
                "scope": map_name or "all",
                "since": since,
                "until": until,
                "rounds": needed.rounds,
                "damage": needed.damage,
                "volume": needed.volume,
            },
        ).fetchall()
