"""Attacks that were the fastest on their map so far.

Does not belong here: the fastest of all time, with who holds it (``records``), the match around one (``reading``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.teams import Team


@dataclass(frozen=True)
class FastestAttack:
    """An attack that was faster than all before on its map; in seconds."""

    team: Team
    seconds: int
    best_before: int


def fastest_attacks(conn: Connection[DictRow], match_keys: Sequence[str]) -> dict[str, FastestAttack]:
    """The attacks of matches that were the fastest on their map so far; of two in a match the later, faster one."""
    rows = conn.execute(
        """select match_key, team, seconds, best_before from fastest_attack
           where match_key = any(%s) order by match_key, number""",
        [list(match_keys)],
    )
    return {row["match_key"]: FastestAttack(Team(row["team"]), row["seconds"], row["best_before"]) for row in rows}
