"""What somebody or a schedule can ask to be posted: the kinds, what each needs to be told, under which key.

Belongs here: values whose names were resolved when it was asked (a GUID, a map's whole name), and the keys of askings.
Does not belong here: resolving names (``actions.asking``), keeping (``warehouse.asked_posts``), content and telling
(``stages``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import ClassVar, NamedTuple

from slomix_pipeline.rules.boards import MIN_ROUNDS, BoardName

WEEK = timedelta(days=7)
# Where no setting says it:
WEEK_ENDS = "mon 00:00"  # the boards of a week
MORNING = time(9)  # until when a digest counts
DEFAULT_BOARDS = (BoardName.DPM, BoardName.KD, BoardName.KILLS)


class What(StrEnum):
    """The kinds of what can be asked for."""

    BOARD = "board"
    PLAYER = "player"
    COMPARE = "compare"
    RECORDS = "records"
    MAP = "map"
    ON_THIS_DAY = "on_this_day"
    DIGEST = "digest"


@dataclass(frozen=True)
class BoardAsked:
    """A board, as the command ``board`` has it. ``since``, ``until``: days of the server's zone, both at the time
    ``at``: only of sessions that began between them; ``unless_empty``: a board on which nobody stands is not worth a
    message."""

    what: ClassVar[What] = What.BOARD
    board: BoardName
    map: str | None = None
    since: date | None = None
    min_rounds: int = MIN_ROUNDS
    unless_empty: bool = False
    until: date | None = None
    at: time = time()


@dataclass(frozen=True)
class PlayerAsked:
    """A career."""

    what: ClassVar[What] = What.PLAYER
    guid: str


@dataclass(frozen=True)
class CompareAsked:
    """Two players side by side, by their GUIDs."""

    what: ClassVar[What] = What.COMPARE
    one: str
    other: str


@dataclass(frozen=True)
class RecordsAsked:
    """The records, of one map or of all."""

    what: ClassVar[What] = What.RECORDS
    map: str | None = None


@dataclass(frozen=True)
class MapAsked:
    """A map."""

    what: ClassVar[What] = What.MAP
    map: str


@dataclass(frozen=True)
class OnThisDayAsked:
    """What was played on this calendar day in earlier years."""

    what: ClassVar[What] = What.ON_THIS_DAY
    day: date


@dataclass(frozen=True)
class DigestAsked:
    """The sessions whose last round ended after ``since`` and not after ``until``."""

    what: ClassVar[What] = What.DIGEST
    since: datetime
    until: datetime


Asked = BoardAsked | PlayerAsked | CompareAsked | RecordsAsked | MapAsked | OnThisDayAsked | DigestAsked


class Asking(NamedTuple):
    """One thing asked for, under its key: what was asked for under a key is posted at most once."""

    key: str
    asked: Asked


def weekly_boards(day: date, weekday: int, at: time, boards: Sequence[BoardName]) -> list[Asking]:
    """The boards of the week that ended last, seen from a day: one message each, once a calendar week (ISO 8601).
    ``weekday``, ``at``: when weeks end, 0 for Sunday. So no session is of two weeks or of none."""
    until = day - timedelta(days=(day.isoweekday() - weekday) % 7)
    year, week, _ = until.isocalendar()
    return [
        Asking(
            f"weekly-{year}-W{week:02}-{board}",
            BoardAsked(board, since=until - WEEK, until=until, at=at, unless_empty=True),
        )
        for board in boards
    ]


def on_this_day(day: date) -> Asking:
    """What was played on a calendar day in the years before, once."""
    return Asking(f"on-this-day-{day:%Y-%m-%d}", OnThisDayAsked(day))


def morning_digest(day: date, at: time, zone: tzinfo, over_after: timedelta) -> Asking:
    """What was played between the morning before and that of a day, once. ``over_after``: quiet time after which a
    session is over: so each is told whole, and on one morning."""
    morning = datetime.combine(day, at, zone)  # plus and minus a day keep the time on the clock
    return Asking(f"digest-{day:%Y-%m-%d}", DigestAsked(morning - timedelta(days=1) - over_after, morning - over_after))
