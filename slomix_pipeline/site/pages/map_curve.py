"""The curve of a map: the share of defences that still hold at each minute, as points of a picture and as a table.

Does not belong here: the shares themselves (``rules.par``), how it looks (the template, the style sheet), the picture
that is posted (``charts.map_curve``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from slomix_pipeline.formats.times import format_time
from slomix_pipeline.reports.odds_words import share_text
from slomix_pipeline.rules.par import HoldingCurve
from slomix_pipeline.site.templating import UNKNOWN
from slomix_pipeline.warehouse.map_cards import MapCurves

WIDTH, HEIGHT = 480, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 22, 12, 30
_MOST_TICKS = 6


@dataclass(frozen=True)
class Tick:
    """A line of the grid: where it is, and its label."""

    at: float
    label: str


@dataclass(frozen=True)
class CurveShown:
    """``lines``: the points of the one line, in ``width`` × ``height``, or of that of first and that of second attacks;
    ``band``: of the area in which the one line is in 95 of 100 cases, else empty. ``par_x``: where half have fallen;
    ``dot``: where the record is, and ``record`` its time. ``minutes``: what holds after each that was seen, as text,
    below ``columns``."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    lines: tuple[str, ...]
    band: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    par_x: float | None
    dot: tuple[float, float] | None
    record: str
    columns: tuple[str, str]
    minutes: tuple[tuple[str, str, str], ...]


def curve_shown(curves: MapCurves, limit_seconds: int | None, record: int | None) -> CurveShown:
    """The curve of a map, as far as its attacks were seen, in a picture of the usual limit. ``record``: seconds of the
    fastest attack."""
    both = curves.both
    last = max(limit_seconds or 0, both.seen_until, record or 0, 1)
    along = (WIDTH - _LEFT - _RIGHT) / last
    drop = HEIGHT - _TOP - _BOTTOM

    def x(seconds: float) -> float:
        return round(_LEFT + seconds * along, 1)

    def y(share: float) -> float:
        return round(_TOP + (1 - share) * drop, 1)

    def line(curve: HoldingCurve, shares: Sequence[float]) -> list[str]:
        """Down to each share at its step, and on to the end."""
        found, now = [f"{x(0)},{y(1)}"], 1.0
        for step, share in zip(curve.steps, shares, strict=True):
            found += [f"{x(step.seconds)},{y(now)}", f"{x(step.seconds)},{y(share)}"]
            now = share
        return [*found, f"{x(curve.seen_until)},{y(now)}"]

    every = next(step for step in (1, 2, 3, 5, 10, 15, 30, 60, last) if last / 60 / step <= _MOST_TICKS)
    apart = [own for own in (curves.first, curves.second) if own]
    band = line(both, [step.high for step in both.steps]) + line(both, [step.low for step in both.steps])[::-1]
    return CurveShown(
        width=WIDTH,
        height=HEIGHT,
        left=_LEFT,
        right=WIDTH - _RIGHT,
        top=_TOP,
        bottom=HEIGHT - _BOTTOM,
        lines=tuple(" ".join(line(own, [step.holds for step in own.steps])) for own in apart or [both]),
        band="" if apart else " ".join(band),
        across=tuple(Tick(x(60 * minute), f"{minute}:00") for minute in range(0, last // 60 + 1, every)),
        up=tuple(Tick(y(percent / 100), f"{percent} %") for percent in (0, 25, 50, 75, 100)),
        par_x=None if both.par is None else x(both.par),
        dot=None if record is None else (x(record), y(both.holds_at(record))),
        record="" if record is None else format_time(record),
        columns=("First attacks", "Second attacks") if apart else ("Still hold", "95 % interval"),
        minutes=tuple(
            (format_time(seconds), *(_apart(apart, seconds) if apart else _after(both, seconds)))
            for seconds in range(60, both.seen_until + 1, 60)
        ),
    )


def _after(curve: HoldingCurve, seconds: int) -> tuple[str, str]:
    """The share that holds, and between which shares that is."""
    own = next((step for step in reversed(curve.steps) if step.seconds <= seconds), None)
    share = share_text(curve.holds_at(seconds), curve.attacks)
    return share, UNKNOWN if own is None else f"{100 * own.low:.0f}–{100 * own.high:.0f} %"


def _apart(curves: Sequence[HoldingCurve], seconds: int) -> tuple[str, str]:
    """The share that holds against first attacks, and against second ones; unknown beyond what was seen."""
    first, second = (
        share_text(own.holds_at(seconds), own.attacks) if seconds <= own.seen_until else UNKNOWN for own in curves
    )
    return first, second
