"""What a session has to tell beside its result.

Belongs here: reading it in one piece. Does not belong here: what each of it is (``session_awards``, ``duels``,
``fallen_records``, ``records``, ``surprises``, ``careers``), how it is told (``discord``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.records import PersonalBest
from slomix_pipeline.warehouse.careers import Unlocked, unlocked_in
from slomix_pipeline.warehouse.duels import Duel, hardest_duels
from slomix_pipeline.warehouse.fallen_records import FallenRecord, fallen_records
from slomix_pipeline.warehouse.records import personal_bests_of
from slomix_pipeline.warehouse.session_awards import NO_AWARDS, SessionAwards, awards_of
from slomix_pipeline.warehouse.surprises import Surprise, surprise_of


@dataclass(frozen=True)
class Highlights:
    """Who was given which awards, the duels with most kills, the records that fell, who had his best night in
    something, who was furthest above what was expected of him, what players reached for the first time."""

    awards: SessionAwards = NO_AWARDS
    duels: Sequence[Duel] = ()
    records: Sequence[FallenRecord] = ()
    bests: Sequence[PersonalBest] = ()
    surprise: Surprise | None = None
    unlocked: Sequence[Unlocked] = ()

    @property
    def named_from_before(self) -> list[str]:
        """The GUIDs of those whose records stood before: they are named, though they may not have been there."""
        return sorted({guid for record in self.records for guid in record.old.guids})


NOTHING_SPECIAL = Highlights()


def highlights_of(conn: Connection[DictRow], session_key: str) -> Highlights:
    """The highlights of a session as it was when it was played: nothing that came later changes them. Takes a look at
    all of its players' history."""
    return Highlights(
        awards_of(conn, session_key),
        hardest_duels(conn, session_key),
        fallen_records(conn, session_key),
        personal_bests_of(conn, session_key),
        surprise_of(conn, session_key),
        unlocked_in(conn, session_key),
    )
