"""What careers had come to after their rounds, for milestones.

Does not belong here: which steps there are, and which rounds are worth a look (``rules.milestones``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import DictRow, tuple_row

from slomix_pipeline.rules.milestones import Before, SoFar, worth_a_look
from slomix_pipeline.warehouse.rows import rows_of


class Stretch(NamedTuple):
    """A row of ``career_stretch``: a session of a career, and what that had come to ``before`` its stretch."""

    person: str
    session_key: str
    before: Before


@dataclass(frozen=True)
class _SoFar(SoFar):
    person: str


def so_far_of(conn: Connection[DictRow], persons: Sequence[str]) -> dict[str, list[SoFar]]:
    """What careers had come to after their rounds, as far as milestones hang on them; by person, each of whom is in."""
    wanted: list[Stretch] = []
    for _, own in groupby(stretches_of(conn, persons), key=attrgetter("person")):
        career = list(own)
        worth = set(worth_a_look(list(dict.fromkeys(session.before for session in career))))
        wanted += [session for session in career if session.before.stretch in worth]
    found: dict[str, list[SoFar]] = {person: [] for person in persons}
    for row in after_rounds(conn, wanted):
        found[row.person].append(row)
    return found


def stretches_of(conn: Connection[DictRow], persons: Sequence[str]) -> list[Stretch]:
    """All sessions of careers, by person in the order of play."""
    with conn.cursor(row_factory=tuple_row) as cursor:  # as many as he has sessions
        rows = cursor.execute(
            f"""select person, session_key, {", ".join(Before._fields)}
                from career_stretch where person = any(%s) order by person, stretch, session_key""",
            [list(persons)],
        ).fetchall()
    return [Stretch(row[0], row[1], Before._make(row[2:])) for row in rows]


def after_rounds(conn: Connection[DictRow], sessions: Sequence[Stretch]) -> list[_SoFar]:
    """What careers had come to after each round of some sessions, in the order of play. What is unknown in a round adds
    nothing. ``sessions``: all of each stretch."""
    before = {name: [getattr(session.before, name) for session in sessions] for name in Before._fields}
    of = {"person": [session.person for session in sessions], "session_key": [own.session_key for own in sessions]}
    with conn.cursor(row_factory=rows_of(_SoFar)) as cursor:
        return cursor.execute(_AFTER_ROUNDS, {**of, **before}).fetchall()


# Rounds are asked for by keys: those of the join do not reach the indexes below what pages read.
_AFTER_ROUNDS = """
    select person, round_key, match_key, session_key, map, stamp,
           rounds_before + count(*) over so_far as rounds,
           nights_before + sum(new_night) over so_far as nights,
           coalesce(kills_before + sum(kills) over so_far, kills_before, sum(kills) over so_far) as kills,
           metric_kd(coalesce(kills_before + sum(kills) over so_far, kills_before, sum(kills) over so_far),
                     coalesce(deaths_before + sum(deaths) over so_far, deaths_before, sum(deaths) over so_far)) as kd,
           coalesce(revives_given_before + sum(revives_given) over so_far, revives_given_before,
                    sum(revives_given) over so_far) as revives_given,
           revives_given_rounds_before + count(revives_given) over so_far as revives_given_rounds,
           coalesce(times_revived_before + sum(times_revived) over so_far, times_revived_before,
                    sum(times_revived) over so_far) as times_revived,
           coalesce(dynamites_planted_before + sum(dynamites_planted) over so_far, dynamites_planted_before,
                    sum(dynamites_planted) over so_far) as dynamites_planted,
           coalesce(dynamites_defused_before + sum(dynamites_defused) over so_far, dynamites_defused_before,
                    sum(dynamites_defused) over so_far) as dynamites_defused,
           coalesce(objectives_before + sum(objectives) over so_far, objectives_before,
                    sum(objectives) over so_far) as objectives
    from (
        select r.*, b.stretch, rounds_before, nights_before, kills_before, deaths_before, revives_given_before,
               revives_given_rounds_before, times_revived_before, dynamites_planted_before, dynamites_defused_before,
               objectives_before,
               (row_number() over (partition by r.person, b.stretch, r.session_key order by r.stamp, r.round_key)
                = 1)::integer as new_night
        from (
            select * from career_round
            where person = any(%(person)s::text[]) and session_key = any(%(session_key)s::text[])
        ) r
        join unnest(%(person)s::text[], %(session_key)s::text[], %(stretch)s::bigint[], %(rounds)s::bigint[],
                    %(nights)s::bigint[], %(kills)s::bigint[], %(deaths)s::bigint[], %(revives_given)s::bigint[],
                    %(revives_given_rounds)s::bigint[], %(times_revived)s::bigint[],
                    %(dynamites_planted)s::bigint[], %(dynamites_defused)s::bigint[], %(objectives)s::bigint[])
             b (person, session_key, stretch, rounds_before, nights_before, kills_before, deaths_before,
                revives_given_before, revives_given_rounds_before, times_revived_before, dynamites_planted_before,
                dynamites_defused_before, objectives_before)
             on b.person = r.person and b.session_key = r.session_key
    ) f
    window so_far as (partition by person, stretch order by stamp, round_key rows unbounded preceding)
    order by stamp, round_key"""
