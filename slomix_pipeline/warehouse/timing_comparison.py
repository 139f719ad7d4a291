"""The stopwatch of a round against its timing record, as people see it.

Belongs here: reading the comparison of rounds and of their players. What it rests on is in ``sql/views``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.timing_chain import BROKEN_LINK, WHAT_IS_KNOWN
from slomix_pipeline.warehouse.check_results import CheckName, failures_of
from slomix_pipeline.warehouse.reading import RoundSeen, rounds_seen


@dataclass(frozen=True)
class TimingSeen:
    """``facts``: a row of round_timing_comparison; ``players``: rows of player_timing_comparison, most damage first;
    ``broken_link``, ``what_is_known``: of the way its record did not come; None when it did."""

    seen: RoundSeen
    facts: DictRow
    players: Sequence[DictRow]
    broken_link: str | None
    what_is_known: str | None


def timings_seen(conn: Connection[DictRow], keys: Sequence[str]) -> list[TimingSeen]:
    """The comparisons of timed rounds, in the order of their stamps."""
    seen = rounds_seen(conn, keys)
    facts = conn.execute(
        "select * from round_timing_comparison where round_key = any(%s) order by stamp, round_key", [list(keys)]
    ).fetchall()
    players: dict[str, list[DictRow]] = {}
    for row in conn.execute(
        """select * from player_timing_comparison where round_key = any(%s)
           order by damage_given desc nulls last, guid""",
        [list(keys)],
    ):
        players.setdefault(row["round_key"], []).append(row)
    chains = failures_of(conn, CheckName.TIMING_CHAIN, keys)
    return [
        TimingSeen(seen[key], row, players.get(key, []), chain.get(BROKEN_LINK), chain.get(WHAT_IS_KNOWN))
        for row in facts
        for key in [row["round_key"]]
        for chain in [chains.get(key, {})]
    ]
