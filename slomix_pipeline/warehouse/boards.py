"""Boards as they stand: who leads by what, of whom enough is known.

Belongs here: asking the views of boards. Does not belong here: thresholds (``rules.boards``), what is summed
(``sql/views/10_boards.sql``), how it is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.boards import Board, BoardName, Threshold
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

    guid: str
    name: str
    rank: int | None
    of_players: int
    rounds: int
    of_rounds: int
    damage: int
    volume: int


@dataclass(frozen=True)
class BoardSeen:
    """A board: who stands on it, first place first, and who has too little for it, the nearest first."""

    rows: list[BoardRow]
    below: list[BoardPlace]


# Sessions of a span are found first, as keys: a condition that may be none would not reach the index.
_OF_A_SPAN = """
          and session_key = any(array(select session_key from session
                                      where started_at >= coalesce(%(since)s::timestamptz, '-infinity')
                                        and started_at < coalesce(%(until)s::timestamptz, 'infinity')))"""


# Each is of no board but its own, and takes longer to read than all others.
_COUNTS = (BoardName.REVIVES_GIVEN, BoardName.GIBS, BoardName.OBJECTIVES, BoardName.MULTIKILLS)


# A board is of the rounds that know its number: one old file would else leave a career unknown for ever. The level is a
# word of the statement: so what belongs to the other one is not planned.
def _summed(level: Literal["career", "map"], within: str, boards: Sequence[str]) -> str:
    counts = ", ".join(count if count in boards else f"0 as {count}" for count in _COUNTS)
    scope = "'all'" if level == "career" else "%(scope)s"
    return f"""
    with asked as (
        select * from unnest(%(boards)s::text[], %(rounds)s::bigint[], %(damage)s::bigint[], %(volume)s::bigint[])
                      as needed (board, rounds, damage, volume)
    ),
    known_alike as (   -- so that a sum is either of all its rows or unknown, and few rows are left
        select guid, sum(rounds)::bigint as rounds, sum(kills)::bigint as kills, sum(deaths)::bigint as deaths,
               sum(damage_given)::bigint as damage_given, sum(seconds_played)::bigint as seconds_played,
               sum(hits)::bigint as hits, sum(shots)::bigint as shots, sum(headshots)::bigint as headshots,
               sum(revives_given)::bigint as revives_given, sum(gibs)::bigint as gibs,
               sum(objectives)::bigint as objectives, sum(multikills)::bigint as multikills
        from (
            select guid, rounds, kills, deaths, damage_given, seconds_played, hits, shots, headshots, {counts}
            from board_part
            where level = '{level}' and scope = {scope}{within}
        ) part
        group by guid,
                 case when num_nulls(kills, deaths, damage_given, seconds_played, hits, shots, headshots, revives_given,
                                     gibs, objectives, multikills) > 0   -- few: most rows need not be looked at closer
                      then array[kills is null, deaths is null, damage_given is null, seconds_played is null,
                                 hits is null, shots is null, headshots is null, revives_given is null, gibs is null,
                                 objectives is null, multikills is null] end
    ),
    summed as (
        select n.board, guid, sum(rounds)::bigint as of_rounds, sum(damage_given)::bigint as damage,
               sum(rounds) filter (where part + whole is not null)::bigint as rounds,
               sum(part) filter (where part + whole is not null)::bigint as part,
               sum(whole) filter (where part + whole is not null)::bigint as volume
        from known_alike
        cross join lateral board_parts(rounds, kills, deaths, damage_given, seconds_played, hits, shots, headshots,
                                       revives_given, gibs, objectives, multikills) n
        where n.board = any(%(boards)s)
        group by n.board, guid
    ),
    person as (
        select s.board, p.person as guid, p.name, sum(s.of_rounds)::bigint as of_rounds,
               coalesce(sum(s.damage), 0)::bigint as damage, coalesce(sum(s.rounds), 0)::bigint as rounds,
               sum(s.part)::bigint as part, coalesce(sum(s.volume), 0)::bigint as volume
        from summed s
        join board_person p using (guid)
        group by s.board, p.person, p.name
    ),
    seen as (
        select person.*, value,
               person.rounds >= asked.rounds and person.damage >= asked.damage and person.volume >= asked.volume
               and value is not null as stands
        from person
        join asked using (board)
        cross join board_value(person.board, person.part, person.volume) as value
    ),
    placed as (
        select seen.*, row_number() over (partition by board, stands order by value desc, rounds desc, guid) as rank,
               count(*) filter (where stands) over (partition by board) as of_players
        from seen
    )"""


_BOARD = """
    select rank, guid, name, value, rounds, of_rounds from placed where stands order by rank"""

_BOARDS = """
    select board, rank, guid, name, value, rounds, of_rounds from placed where stands order by board, rank"""

# How near is told by what he has least of, as a share of what is asked for.
_SEEN = """
    select stands, guid, name, rank, value, of_players, placed.rounds, of_rounds, placed.damage, placed.volume
    from placed
    join asked using (board)
    order by stands desc, case when stands then rank end,
             least(placed.rounds / nullif(asked.rounds, 0)::double precision,
                   placed.damage / nullif(asked.damage, 0)::double precision,
                   placed.volume / nullif(asked.volume, 0)::double precision) desc nulls last,
             placed.rounds desc, placed.damage desc, guid"""

_PLACES = """
    select board, guid, name, case when stands then rank end as rank, of_players, rounds, of_rounds, damage, volume
    from placed where guid = %(person)s"""


def _placed(asked: Mapping[str, Any], rest: str) -> str:
    """A query of everybody's place."""
    is_of_all_time = asked["since"] is None and asked["until"] is None
    return _summed("map" if asked["scope"] else "career", "" if is_of_all_time else _OF_A_SPAN, asked["boards"]) + rest


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
        asked = _asked({board: needed}, map_name, since, until)
        return cursor.execute(_placed(asked, _BOARD), asked).fetchall()


def boards_rows(
    conn: Connection[DictRow], needed: Mapping[Board, Threshold], *, since: datetime, until: datetime
) -> dict[BoardName, list[BoardRow]]:
    """Everybody who stands on several boards, as ``board_rows`` has them, of sessions that began in a span."""
    found: dict[BoardName, list[BoardRow]] = {board.name: [] for board in needed}
    asked = _asked(needed, None, since, until)
    for row in conn.execute(_placed(asked, _BOARDS), asked):
        found[BoardName(row.pop("board"))].append(BoardRow(**row))
    return found


def board_seen(
    conn: Connection[DictRow],
    board: Board,
    needed: Threshold,
    *,
    map_name: str | None = None,
    since: datetime | None = None,
) -> BoardSeen:
    """A board with those who have too little for it. One query, as both are made of all that was played."""
    asked = _asked({board: needed}, map_name, since)
    rows, below = [], []
    for row in conn.execute(_placed(asked, _SEEN), asked):
        if row["stands"]:
            rows.append(BoardRow(**{name: row[name] for name in BoardRow.__dataclass_fields__}))
        else:
            below.append(BoardPlace(**{name: row[name] for name in BoardPlace.__dataclass_fields__} | {"rank": None}))
    return BoardSeen(rows, below)


def board_places(
    conn: Connection[DictRow], needed: Mapping[Board, Threshold], person: str
) -> dict[BoardName, BoardPlace]:
    """Where somebody stands on several boards of whole careers; nothing of who never played."""
    asked = _asked(needed)
    rows = conn.execute(_placed(asked, _PLACES), {**asked, "person": person}).fetchall()
    return {BoardName(row.pop("board")): BoardPlace(**row) for row in rows}


def _asked(
    needed: Mapping[Board, Threshold],
    map_name: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[str, Any]:
    return {
        "boards": [board.name for board in needed],
        "rounds": [least.rounds for least in needed.values()],
        "damage": [least.damage for least in needed.values()],
        "volume": [least.volume for least in needed.values()],
        "scope": map_name or None,
        "since": since,
        "until": until,
    }
