"""How strong a player is, as pages tell it.

Belongs here: reading the table ``strength`` of one player: never a list of several, which would be a ranking. Does not
belong here: writing it (``fitted``), the model (``rules.attack_model``), the words (``reports.strength_words``).
"""

from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.attack_model import REGULAR_FROM
from slomix_pipeline.rules.odds import worth

TEAM_SIZE = 3  # of the teams that a strength is told for


@dataclass(frozen=True)
class StrengthSeen:
    """What a player in place of an average regular is worth in a 3v3: ``points`` of win chance, ``low`` to ``high`` in
    80 of 100 cases; all three are None while he is new. ``matches``: what that is of."""

    points: float | None
    low: float | None
    high: float | None
    matches: int


def strength_of(conn: Connection[DictRow], person: str) -> StrengthSeen | None:
    """The strength of a player; None: nothing is known of him, or nobody is a regular yet."""
    row = conn.execute("select strength, deviation, sigma, matches from strength where guid = %s", [person]).fetchone()
    if row is None:
        return None
    if row["matches"] < REGULAR_FROM:
        return StrengthSeen(None, None, None, row["matches"])
    return StrengthSeen(*worth(row["strength"], row["deviation"], row["sigma"], TEAM_SIZE), row["matches"])
