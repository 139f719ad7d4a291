"""Words for careers, boards, records and milestones that the terminal and Discord share, and the same as JSON.

Belongs here: plain text of plain values; names stay as they are, so whoever shows a text with names escapes it.
Does not belong here: tables (``career_tables``), messages (``discord.board_messages``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any

from slomix_pipeline.formats.times import format_time
from slomix_pipeline.formats.weapons import OF_BULLETS
from slomix_pipeline.reports.export import utc_text
from slomix_pipeline.rules.boards import Board, Threshold, threshold_text
from slomix_pipeline.rules.milestones import DEEDS, LADDERS, Milestone, Number, Progress
from slomix_pipeline.rules.records import KINDS, LEAST_MULTIKILLS, RecordKind, RecordLevel
from slomix_pipeline.warehouse.boards import BoardPlace, BoardRow
from slomix_pipeline.warehouse.careers import (
    Career,
    CareerNumbers,
    Form,
    PlayerFound,
    WeaponSeen,
)
from slomix_pipeline.warehouse.deeds import DeedSeen
from slomix_pipeline.warehouse.records import RecordSeen
from slomix_pipeline.warehouse.standings import Standing

ALIASES_SHOWN = 10


@dataclass(frozen=True)
class CareerNumber:
    """A number of ``CareerNumbers`` as it is shown. ``compares``: more of it is more skill, not more evenings,
    and no other number here says the same, as K/D does of efficiency and aimed accuracy of accuracy."""

    attribute: str
    title: str
    decimals: int = 0
    unit: str = ""
    compares: bool = False

    def of(self, numbers: CareerNumbers) -> float | None:
        value: float | None = getattr(numbers, self.attribute)
        return value

    def text(self, career: Career) -> str:
        """The number; of revives, which old files lack, what is known of them and of how many rounds that is."""
        value = self.of(career.numbers)
        known = next((own for own in career.progress if own.number is Number.REVIVES_GIVEN), None)
        if value is None and self.attribute == Number.REVIVES_GIVEN and known and known.value is not None:
            return f"{amount(known.value)} in {known.known_rounds:,} rounds"
        return amount(value, self.decimals, self.unit)


CAREER_NUMBERS = (
    CareerNumber("rounds", "rounds"),
    CareerNumber("kills", "kills"),
    CareerNumber("kills_per_round", "kills per round", 1, compares=True),
    CareerNumber("kd", "K/D", 2, compares=True),
    CareerNumber("efficiency", "efficiency", 1, " %"),
    CareerNumber("dpm", "damage per minute", 1, compares=True),
    CareerNumber("accuracy", "accuracy", 1, " %"),
    CareerNumber("aimed_accuracy", "aimed accuracy", 1, " %", compares=True),
    CareerNumber("headshot_percent", "headshots", 1, " %", compares=True),
    CareerNumber("gibs", "gibs"),
    CareerNumber("revives_given", "revives"),
)


def amount(value: float | None, decimals: int = 0, unit: str = "") -> str:
    """A number as people read it; ``–`` when it is unknown."""
    return "–" if value is None else f"{value:,.{decimals}f}{unit}"


def count(number: int, one: str, several: str | None = None) -> str:
    """``1 round``, ``1,234 rounds``; ``several``: where that is not the word with an s."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def found_text(player: PlayerFound) -> str:
    """A player among whom to choose: ``1A2B3C4D  Ada, also Ada.``"""
    names = [name for name in player.aliases if name != player.name][:ALIASES_SHOWN]
    return f"{player.guid}  {player.name}" + (f", also {', '.join(names)}" if names else "")


def board_value(board: Board, row: BoardRow) -> str:
    """What somebody stands on a board with."""
    return amount(row.value, board.decimals, board.unit)


def rounds_text(row: BoardRow) -> str:
    """The rounds that a place is over: ``212 rounds``; ``212 of 380 rounds`` where the others don't know the number."""
    return count(row.rounds, "round") if row.rounds == row.of_rounds else f"{row.rounds:,} of {row.of_rounds:,} rounds"


def place_text(board: Board, needed: Threshold, place: BoardPlace) -> str:
    """``place 3 of 12``; of who stands on no board what he lacks: ``3 more rounds and 120 more shots to the board``."""
    if place.rank is not None:
        return f"place {place.rank:,} of {place.of_players:,}"
    lacking = {
        "rounds": needed.rounds - place.rounds,
        "damage": needed.damage - place.damage,
        board.volume or "": needed.volume - place.volume,
    }
    more = [
        f"{missing:,} more {what if missing > 1 else what.removesuffix('s')}"
        for what, missing in lacking.items()
        if missing > 0
    ]
    if not more:
        return "not on the board: unknown"
    return f"{' and '.join(filter(None, (', '.join(more[:-1]), more[-1])))} to the board"


def board_heading(board: Board, needed: Threshold, since: datetime | None, until: datetime | None = None) -> str:
    """What a board ranks, and whom."""
    when = "" if since is None else f", sessions since {since:%Y-%m-%d}"
    if since is not None and until is not None:
        when = f", sessions from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}"
    return f"{board.formula}; {threshold_text(board, needed)}{when}"


def record_value(record: RecordSeen) -> str:
    """A record's number, or the time of an attack."""
    return value_of_kind(record.kind, record.value)


def value_of_kind(kind: RecordKind, value: float) -> str:
    """A number of a kind of which there are records."""
    if KINDS[kind].is_time:
        return format_time(round(value))
    return amount(value, KINDS[kind].decimals, KINDS[kind].unit)


def feat_text(kind: RecordKind, value: float) -> str:
    """A number of a kind in a sentence: ``41 kills``, ``fastest attack in 2:29``."""
    return KINDS[kind].feat.format(title=KINDS[kind].title, value=value_of_kind(kind, value))


def record_title(record: RecordSeen) -> str:
    """What a record is of."""
    return f"{KINDS[record.kind].title}{_LEVELS[record.level]}"


_LEVELS = {RecordLevel.ROUND: "", RecordLevel.MATCH: " in a match", RecordLevel.SESSION: " in a session"}


def equalled_text(record: RecordSeen) -> str:
    """How often it was reached again; empty when never."""
    return f"equalled {record.equalled}×" if record.equalled else ""


def samples_text() -> str:
    """What rates and multikills need to be a record."""
    needs = {f"{kind.least} {kind.sample}" for kind in KINDS.values() if kind.least}
    rates = " and from ".join(sorted(needs, reverse=True))
    return f"Rates from {rates}, multikills from {LEAST_MULTIKILLS} of a kind; only rounds whose checks passed."


def milestone_text(milestone: Milestone) -> str:
    """``1,000 kills``, ``K/D 1.5``."""
    return _step_text(milestone.number, milestone.step)


def deed_text(own: DeedSeen) -> str:
    """``first full hold``."""
    return DEEDS[own.deed]


def _step_text(number: Number, step: float) -> str:
    title = LADDERS[number].title
    return f"{title} {step:g}" if number is Number.KD else f"{step:,.0f} {title}"


def progress_text(own: Progress, rounds: int) -> str:
    """How far it is to the next milestone: ``1,234 of 2,500 kills``; of revives, which old files lack, of
    how many of all his ``rounds`` they are known."""
    assert own.next_step is not None
    if own.number is Number.KD:
        return f"K/D {amount(own.value, 2)}, next {own.next_step:g}"
    known = (
        f", known of {own.known_rounds:,} of {rounds:,} rounds"
        if own.number is Number.REVIVES_GIVEN and own.known_rounds < rounds
        else ""
    )
    return f"{amount(own.value)} of {_step_text(own.number, own.next_step)}{known}"


def badge_text(own: Progress) -> str:
    """The badge that is shown of a number."""
    assert own.badge is not None
    return _step_text(own.number, own.badge)


def standing_text(standing: Standing) -> str:
    """``12 won, 1 drawn, 9 lost``."""
    if not standing.won + standing.drawn + standing.lost:
        return "no match yet"
    drawn = f"{standing.drawn} drawn, " if standing.drawn else ""
    return f"{standing.won} won, {drawn}{standing.lost} lost"


def usual_text(form: Form) -> str:
    """What is usual for somebody; in words while it can't be said."""
    kd = [] if form.usual_kd is None else [f"K/D {amount(form.usual_kd, 2)}"]
    dpm = [] if form.usual_dpm is None else [f"{amount(form.usual_dpm, 1)} damage per minute"]
    return f"usually {', '.join([*kd, *dpm])}" if kd or dpm else "too few nights before to say what is usual"


def accuracy_text(own: WeaponSeen) -> str:
    """How often a weapon hit; empty for one of which a share of hits means nothing."""
    return amount(own.accuracy, 1, " %") if own.weapon in OF_BULLETS else ""


def as_json(value: Any) -> Any:
    """What is told of careers, for programs: every attribute under its name, moments in UTC."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value
