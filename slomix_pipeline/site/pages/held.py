"""What players did, held against what was expected of them: as a table with a small picture of each number, and as dots
of a player's latest sessions.

Belongs here: the places in these pictures. Does not belong here: the numbers (``warehouse.expectations``), their words
(``reports.expected_words``), how it looks (the templates, the style sheet).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slomix_pipeline.reports import expected_words as words
from slomix_pipeline.rules.expected import Metric
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse.expectations import Held, HeldOf, NightHeld
from slomix_pipeline.warehouse.form_changes import FormChange

MOST = 0.5  # off what was expected, to either side: more stands at the edge
WIDTH = 72  # of the picture of one number
DOTS_WIDTH, DOTS_HEIGHT, DOTS_LEFT, DOTS_TOP, DOTS_DROP = 480, 170, 56, 10, 150
TICKS = (0.5, 0.25, 0.0, -0.25, -0.5)


@dataclass(frozen=True)
class Number:
    """A number as text; ``judged``: how usual it is, in a word or empty, ``said``: all of it in one sentence. Its
    picture: a bar from the middle, and a band of what is usual, each from the left with its width."""

    actual: str
    expected: str
    off: str
    judged: str
    said: str
    band: tuple[float, float]
    bar: tuple[float, float]


@dataclass(frozen=True)
class HeldLine:
    """A player; a number is None where it is unknown. ``earlier``: how many rounds it rests on."""

    guid: str
    name: str
    damage: Number | None
    kills: Number | None
    earlier: int


@dataclass(frozen=True)
class HeldTable:
    """The players of a session or match (``what``); ``not_known``: how many are not known well enough."""

    what: str
    lines: tuple[HeldLine, ...]
    not_known: int


@dataclass(frozen=True)
class Dot:
    """A session as a dot at a height, and the band of what was usual: its top and height."""

    x: float
    y: float
    top: float
    height: float


@dataclass(frozen=True)
class Dots:
    """The latest sessions by one number, oldest first. ``wide``: how much room each has."""

    title: str
    dots: tuple[Dot, ...]
    wide: float


@dataclass(frozen=True)
class HeldNight:
    """A session of a player."""

    url: str
    ended_at: datetime
    damage: Number | None
    kills: Number | None


@dataclass(frozen=True)
class ChangeLine:
    """A change of form: what, since when, and how sure that is."""

    what: str
    since: datetime
    url: str
    sure: str


@dataclass(frozen=True)
class PlayerAgainst:
    """A player's latest sessions against what was expected, the latest first, with their pictures; and what of his form
    has changed."""

    nights: tuple[HeldNight, ...]
    pictures: tuple[Dots, ...]
    ticks: tuple[tuple[float, str], ...]
    changes: tuple[ChangeLine, ...]


def held_table(found: HeldOf, what: str) -> HeldTable:
    """The table of a session or match."""
    return HeldTable(
        what,
        tuple(
            HeldLine(
                own.guid,
                own.name,
                _number(Metric.DAMAGE, own.damage, what, alone=False),
                _number(Metric.KILLS, own.kills, what, alone=False),
                own.earlier_rounds,
            )
            for own in found.players
        ),
        found.not_known,
    )


def player_against(nights: Sequence[NightHeld], changes: Sequence[FormChange]) -> PlayerAgainst:
    """What the page of a player has. ``nights``: the latest first."""
    return PlayerAgainst(
        nights=tuple(
            HeldNight(
                url_of("sessions", night.session_key),
                night.ended_at,
                _number(Metric.DAMAGE, night.damage, "session", alone=True),
                _number(Metric.KILLS, night.kills, "session", alone=True),
            )
            for night in nights
        ),
        pictures=tuple(
            picture
            for metric in Metric
            if (picture := _dots(metric, [getattr(night, metric) for night in reversed(nights)])) is not None
        ),
        ticks=tuple((_height(tick), words.off_text(1 + tick)) for tick in TICKS),
        changes=tuple(
            ChangeLine(
                words.change_text(change),
                change.since,
                url_of("sessions", change.session_key),
                words.sure_text(change),
            )
            for change in changes
        ),
    )


def _number(metric: Metric, held: Held | None, what: str, *, alone: bool) -> Number | None:
    if held is None:
        return None
    low, high, at = (_across(ratio) for ratio in (held.usual_low, held.usual_high, held.ratio))
    middle = _across(1.0)
    return Number(
        f"{held.actual:,}",
        words.expected_text(metric, held.expected),
        words.off_text(held.ratio),
        words.short_text(held.judged, alone=alone),
        words.held_text(metric, held, what, alone=alone),
        (low, round(high - low, 1)),
        (min(at, middle), round(abs(at - middle), 1)),
    )


def _across(ratio: float) -> float:
    """The place of a ratio in the picture of one number."""
    return round(WIDTH * (_within(ratio - 1) + MOST) / (2 * MOST), 1)


def _dots(metric: Metric, nights: Sequence[Held | None]) -> Dots | None:
    """The picture of some sessions, oldest first; None of fewer than two, which the table tells as well."""
    if sum(night is not None for night in nights) < 2:
        return None
    wide = round((DOTS_WIDTH - DOTS_LEFT) / len(nights), 1)
    return Dots(
        metric.value.capitalize(),
        tuple(
            Dot(
                round(DOTS_LEFT + (at + 0.5) * wide, 1),
                _height(night.ratio - 1),
                _height(night.usual_high - 1),
                round(_height(night.usual_low - 1) - _height(night.usual_high - 1), 1),
            )
            for at, night in enumerate(nights)
            if night is not None
        ),
        wide,
    )


def _height(off: float) -> float:
    """The place of what is so much off, from above."""
    return round(DOTS_TOP + DOTS_DROP * (MOST - _within(off)) / (2 * MOST), 1)


def _within(off: float) -> float:
    return max(-MOST, min(MOST, off))
