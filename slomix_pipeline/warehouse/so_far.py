"""What careers had come to after their rounds, for milestones.

Does not belong here: which steps there are, and which rounds are worth a look (``rules.milestones``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from psycopg import Connection
from psycopg.rows import DictRow, tuple_row

from slomix_pipeline.rules.milestones import Before, SoFar, worth_a_look
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class _SoFar(SoFar):
    """A row of ``career_so_far``."""

    person: str


def so_far_of(conn: Connection[DictRow], persons: Sequence[str]) -> dict[str, list[SoFar]]:
    """What careers had come to after their rounds, as far as milestones hang on them; by person, each of whom is in."""
    found: dict[str, list[SoFar]] = {person: [] for person in persons}
    with conn.cursor(row_factory=tuple_row) as cursor:  # as many as he has sessions
        stretches = cursor.execute(
            f"""select distinct person, {", ".join(Before._fields)}
                from career_stretch where person = any(%s) order by person, stretch""",
            [list(persons)],
        ).fetchall()
    wanted = {
        person: worth_a_look([Before(*before) for _, *before in own])
        for person, own in groupby(stretches, key=itemgetter(0))
    }
    with conn.cursor(row_factory=rows_of(_SoFar)) as cursor:
        for row in cursor.execute(
            """select so_far.* from unnest(%(persons)s::text[], %(stretches)s::text[]) as wanted (person, stretches)
               cross join lateral (
                   select person, round_key, match_key, session_key, map, stamp, rounds, nights, kills, kd,
                          revives_given, times_revived, dynamites_planted, dynamites_defused, objectives,
                          revives_given_rounds
                   from career_so_far
                   where person = wanted.person and stretch = any(wanted.stretches::bigint[])
                   offset 0   -- else all careers are read, and joined to those that are wanted
               ) so_far
               order by stamp, round_key""",
            {"persons": list(wanted), "stretches": [f"{{{','.join(map(str, own))}}}" for own in wanted.values()]},
        ):
            found[row.person].append(row)
    return found
