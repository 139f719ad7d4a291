"""The part of the model of attack times that tells of some players: the whole of it grows with the square of how many
ever played, and who tells odds waits for it.

Belongs here: reading the view ``attack_term``, which pages have, too. Does not belong here: whether odds may be told
(``lobbies``), keeping the model (``fitted``).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.attack_model import VERSION, AttackModel, Term, Terms


class KnownOf(NamedTuple):
    """What is known of some players, and the stamp of the last round that is in it."""

    model: AttackModel
    known_until: datetime | None


def known_of(conn: Connection[DictRow], persons: Sequence[str]) -> KnownOf | None:
    """What tells how strong these players are, without maps; None before anything was learned by the rules of today."""
    rows = conn.execute(
        """select * from attack_term
           where (term = any(%s) or person_guid = any(%s)) and version = %s order by place""",
        [[Term.NUMBERS, Term.DAMAGE], list(persons), VERSION],
    ).fetchall()
    if not rows:
        return None
    places = [row["place"] for row in rows]
    model = AttackModel(
        Terms(rows[0]["terms"]),
        rows[0]["sigma"],
        rows[0]["matches"],
        {
            row["term"] if row["person_guid"] is None else Term.PLAYER.of(row["person_guid"]): row["value"]
            for row in rows
        },
        [[row["covariance"][place] for place in places[: at + 1]] for at, row in enumerate(rows)],
        {row["person_guid"]: row["damage"] for row in rows if row["damage"] is not None},
        attacks={},
        played={},
    )
    return KnownOf(model, rows[0]["known_until"])
