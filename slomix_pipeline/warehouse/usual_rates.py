"""What damage players usually do in a minute, as it is kept.

Belongs here: the table ``usual_rate``. Does not belong here: the fit (``rules.expectation``), what is made of it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import DictRow, tuple_row


class UsualRate(NamedTuple):
    """What somebody, by person, usually does in a minute; ``rounds``: of him, that this rests on."""

    guid: str
    damage_per_minute: float
    rounds: int


def store_rates(conn: Connection[DictRow], rates: Iterable[UsualRate]) -> None:
    """Keeps everybody's rate in place of those before."""
    rows = list(rates)
    guids, damage, rounds = ([row[at] for row in rows] for at in range(3))
    conn.execute("delete from usual_rate where guid <> all(%s)", [guids])
    conn.execute(
        """insert into usual_rate
           select * from unnest(%s::text[], %s::double precision[], %s::integer[])
           on conflict (guid) do update
           set (damage_per_minute, rounds) = (excluded.damage_per_minute, excluded.rounds)
           where (usual_rate.damage_per_minute, usual_rate.rounds)
                 is distinct from (excluded.damage_per_minute, excluded.rounds)""",
        [guids, damage, rounds],
    )


def rates_of(conn: Connection[DictRow], guids: Sequence[str]) -> dict[str, UsualRate]:
    """The rates of those of these players who have one."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(
            "select guid, damage_per_minute, rounds from usual_rate where guid = any(%s)", [list(guids)]
        )
        return {row[0]: UsualRate(*row) for row in rows}


def rate_of_a_newcomer(conn: Connection[DictRow]) -> float | None:
    """What is expected of somebody of whom nothing is known; None while that is not known of anybody."""
    row = conn.execute("select exp(avg(ln(damage_per_minute))) as rate from usual_rate").fetchone()
    assert row is not None
    return None if row["rate"] is None else float(row["rate"])
