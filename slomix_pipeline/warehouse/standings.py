"""How decided matches ended: a player's own, and those that he played with and against another one.

Belongs here: asking ``person_result`` and ``person_met``. Does not belong here: what is decided (``rules.scoring``),
whom somebody met most (``players``), two players on each map (``comparing``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

_ENDED = """count(*) filter (where won) as won, count(*) filter (where drawn) as drawn,
            count(*) filter (where not won and not drawn) as lost"""


@dataclass(frozen=True)
class Standing:
    """Matches that were decided, each once, whatever GUIDs somebody played under. Who was on both teams by two of them
    neither won nor lost: it is none of these."""

    won: int
    drawn: int
    lost: int


@dataclass(frozen=True)
class Meetings:
    """Decided matches in which both played: together with their common result, against each other with the first
    one's."""

    together: Standing
    against: Standing


def on_maps(conn: Connection[DictRow], person: str) -> dict[str, Standing]:
    """How the decided matches of a player ended on each map; of one without any there is nothing."""
    rows = conn.execute(f"select map, {_ENDED} from person_result where person = %s group by map", [person])
    return {row["map"]: _standing(row) for row in rows}


def in_all(standings: Iterable[Standing]) -> Standing:
    """Several together."""
    found = list(standings)
    return Standing(sum(own.won for own in found), sum(own.drawn for own in found), sum(own.lost for own in found))


def in_sessions(conn: Connection[DictRow], person: str, session_keys: Sequence[str]) -> dict[str, Standing]:
    """How the decided matches of a player ended in each of these sessions; of one without any there is nothing."""
    rows = conn.execute(
        f"""select session_key, {_ENDED} from person_result where person = %s and session_key = any(%s)
            group by session_key""",
        [person, list(session_keys)],
    )
    return {row["session_key"]: _standing(row) for row in rows}


def _standing(row: Mapping[str, Any]) -> Standing:
    return Standing(row["won"], row["drawn"], row["lost"])


def meetings(conn: Connection[DictRow], one: str, other: str) -> Meetings:
    """How often two players won with and against each other."""
    row = conn.execute("select * from person_met where person = %s and other = %s", [one, other]).fetchone()
    return Meetings(Standing(0, 0, 0), Standing(0, 0, 0)) if row is None else meetings_of(row)


def meetings_of(row: Mapping[str, Any]) -> Meetings:
    """A row of ``person_met``."""
    return Meetings(
        *(Standing(*(row[f"{how}_{end}"] for end in ("won", "drawn", "lost"))) for how in ("together", "against"))
    )
