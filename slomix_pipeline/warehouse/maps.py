"""The maps in numbers: how often each was played, who attacked first when it was won, its par.

Belongs here: asking the views about maps. Does not belong here: what par is (``rules.par``), one map in detail
(``map_cards``, ``map_history``), how it is shown.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.rules.attack_order import Advantage, advantage
from slomix_pipeline.rules.name_search import search
from slomix_pipeline.rules.par import Attack, Par, par
from slomix_pipeline.warehouse.map_cards import Finish, MapCurves, closest_finishes, map_curves
from slomix_pipeline.warehouse.records import RecordSeen, records


class NotOneMap(SlomixError):
    """No map, or several, are meant by a name; ``found`` lists them."""

    def __init__(self, typed: str, found: Sequence[str]) -> None:
        several = f"{len(found)} maps are meant by {typed!r}; give a longer part of the name"
        super().__init__(several if found else f"no round that counts was played on a map called {typed!r}")
        self.found = tuple(found)


@dataclass(frozen=True)
class MapNumbers:
    """A map in numbers. ``limit_seconds``: the usual one, of whose attacks ``par`` is, and ``other_limits`` the number
    of attacks with another; ``first_won``, ``second_won``: matches won by who attacked first, and by the other
    team, where it is known who that was; ``advantage``: what that says."""

    name: str
    matches: int
    draws: int
    first_won: int
    second_won: int
    last_played_at: datetime
    limit_seconds: int | None
    other_limits: int
    par: Par
    advantage: Advantage


@dataclass(frozen=True)
class MapSeen(MapNumbers):
    """A map with its card and its records. ``curves``: None while there are too few attacks; ``finishes``: the closest
    ones."""

    curves: MapCurves | None
    finishes: tuple[Finish, ...]
    records: tuple[RecordSeen, ...]


# Of all maps, or of one: then that stands in each part, and all of them are read by their indexes.
_NUMBERS = """
    select played.map as name, played.last_played_at, coalesce(matches, 0) as matches, coalesce(draws, 0) as draws,
           coalesce(first_won, 0) as first_won, coalesce(second_won, 0) as second_won
    from (select map, max(last_played_at) as last_played_at from session_map {where_map} group by map) played
    left join (
        select map_key(map) as map, count(winner) as matches, count(*) filter (where winner = 'draw') as draws,
               count(*) filter (where winner = attackers_first) as first_won,
               count(*) filter (where winner = attackers_second) as second_won
        from match {where_map_key} group by map_key(map)
    ) decided using (map)
    order by played.map"""

_ATTACKS = """
    select map, limit_seconds, completed, seconds, count(*) as times from map_attack {where_map}
    group by map, limit_seconds, completed, seconds"""

_ALL = {"where_map": "", "where_map_key": ""}
_ONE = {"where_map": "where map = %(map)s", "where_map_key": "where map_key(map) = %(map)s"}


def map_names(conn: Connection[DictRow]) -> list[str]:
    """All maps of which a round counts, by name."""
    return [row["map"] for row in conn.execute("select map from played_map order by map")]


def find_map(conn: Connection[DictRow], typed: str) -> str:
    """The map that is meant by its name, by how it begins or by a part of it.

    Raises:
        NotOneMap: none, or several.
    """
    found = search(typed, [(name, name) for name in map_names(conn)])
    if len(found) != 1:
        raise NotOneMap(typed, found)
    return found[0]


def is_played(conn: Connection[DictRow], name: str) -> bool:
    """Whether a round that counts is of the map of this whole name."""
    return conn.execute("select from session_map where map = %s limit 1", [name]).fetchone() is not None


def map_numbers(conn: Connection[DictRow], name: str | None = None) -> list[MapNumbers]:
    """All maps in numbers, by name; or the one of this whole name."""
    of = _ALL if name is None else _ONE
    attacks: dict[str, list[DictRow]] = {}
    for row in conn.execute(_ATTACKS.format(**of), {"map": name}):
        attacks.setdefault(row["map"], []).append(row)
    rows = conn.execute(_NUMBERS.format(**of), {"map": name})
    return [
        MapNumbers(
            **row,
            **_attacks_in_numbers(attacks.get(row["name"], [])),
            advantage=advantage(row["first_won"], row["second_won"]),
        )
        for row in rows
    ]


def _attacks_in_numbers(rows: Sequence[DictRow]) -> dict[str, Any]:
    limits: Counter[int | None] = Counter()
    for row in rows:
        limits[row["limit_seconds"]] += row["times"]
    most = max(limits.values(), default=0)
    limit = min((limit for limit, count in limits.items() if count == most), key=lambda own: own or 0, default=None)
    usual: list[Attack] = []
    for row in rows:
        if row["limit_seconds"] == limit:
            usual += [Attack(row["seconds"], row["completed"])] * row["times"]
    return {"limit_seconds": limit, "other_limits": limits.total() - len(usual), "par": par(usual, limit)}


def map_seen(conn: Connection[DictRow], name: str) -> MapSeen:
    """All that is told of a map whose name is known."""
    (numbers,) = map_numbers(conn, name)
    return MapSeen(
        **vars(numbers),
        curves=map_curves(conn, name, numbers.limit_seconds),
        finishes=closest_finishes(conn, name),
        records=tuple(records(conn, name)),
    )
