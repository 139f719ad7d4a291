"""What a session has to tell beside its result.

Belongs here: reading it in one piece. Does not belong here: what each of it is (``session_awards``, ``duels``,
``records``, ``careers``), how it is told (``discord``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.records import PersonalBest
from slomix_pipeline.warehouse.careers import Unlocked, unlocked_in
from slomix_pipeline.warehouse.duels import Duel, hardest_duels
from slomix_pipeline.warehouse.records import personal_bests_of
from slomix_pipeline.warehouse.session_awards import NO_AWARDS, SessionAwards, awards_of


@dataclass(frozen=True)
class Highlights:
    """Who was given which awards, the duels with most kills, who had his best night in something, what players reached
    for the first time."""

    awards: SessionAwards = NO_AWARDS
    duels: Sequence[Duel] = ()
    bests: Sequence[PersonalBest] = ()
    unlocked: Sequence[Unlocked] = ()


NOTHING_SPECIAL = Highlights()


def highlights_of(conn: Connection[DictRow], session_key: str) -> Highlights:
    """The highlights of a session as it was when it was played: nothing that came later changes them. Takes a look at
    all of its players' history."""
    return Highlights(
        awards_of(conn, session_key),
        hardest_duels(conn, session_key),
        personal_bests_of(conn, session_key),
        unlocked_in(conn, session_key),
    )
