"""What is learned of a player from all of history, on his page: his strength, teams of two, his nemesis.

Does not belong here: how much of it is known (``warehouse.strengths``, ``warehouse.pair_records``), the words
(``reports``).
"""

from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.reports.career_words import amount
from slomix_pipeline.reports.pair_words import likely_text, nemesis_text
from slomix_pipeline.reports.strength_words import strength_text
from slomix_pipeline.warehouse import pair_records
from slomix_pipeline.warehouse.pair_records import NemesisSeen
from slomix_pipeline.warehouse.strengths import StrengthSeen, strength_of

_PAIRS_OPENED = 25
_AXIS = 160  # how long the picture of a strength is
_LEAST_REACH = 20  # points of chance to either side of its middle


@dataclass(frozen=True)
class StrengthDrawn:
    """Where in a picture a strength lies, and between what."""

    low: float
    at: float
    high: float


@dataclass(frozen=True)
class PairLine:
    """Somebody with whom he played many decided matches in one team; the numbers as text."""

    guid: str
    name: str
    matches: str
    won: str
    expected: str
    likely: str


@dataclass(frozen=True)
class PlayerInsight:
    """``strength``: None where nothing is known; ``drawn``: None while he is new; ``nemesis``: with what is said of
    him."""

    strength: str | None
    drawn: StrengthDrawn | None
    pairs: tuple[PairLine, ...]
    nemesis: tuple[NemesisSeen, str] | None


def player_insight(conn: Connection[DictRow], person: str) -> PlayerInsight:
    """What is learned of a player."""
    own = strength_of(conn, person)
    nemesis = pair_records.nemesis_of(conn, person)
    return PlayerInsight(
        None if own is None else strength_text(own),
        None if own is None else _drawn(own),
        _pairs(conn, person),
        None if nemesis is None else (nemesis, nemesis_text(nemesis)),
    )


def _drawn(own: StrengthSeen) -> StrengthDrawn | None:
    if own.points is None or own.low is None or own.high is None:
        return None
    reach = max(_LEAST_REACH, abs(own.low), abs(own.high))
    return StrengthDrawn(*(round(_AXIS / 2 * (1 + points / reach), 1) for points in (own.low, own.points, own.high)))


def _pairs(conn: Connection[DictRow], person: str) -> tuple[PairLine, ...]:
    return tuple(
        PairLine(own.guid, own.name, amount(own.matches), amount(own.won), amount(own.expected, 1), likely_text(own))
        for own in pair_records.pairs_of(conn, person, _PAIRS_OPENED)
    )
