"""The curve of a map: the share of defences that still hold at each minute, as points of a picture and as a table.

Does not belong here: the shares themselves (``rules.par``), how it looks (the template, the style sheet).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from slomix_pipeline.formats.times import format_time
from slomix_pipeline.reports.odds_words import share_text
from slomix_pipeline.rules.par import Step, fallen_by
from slomix_pipeline.site.templating import UNKNOWN

WIDTH, HEIGHT = 480, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 22, 12, 30
_MOST_TICKS = 6


@dataclass(frozen=True)
class Tick:
    """A line of the grid: where it is, and its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Curve:
    """``points``: of the line, in ``width`` × ``height``, and ``band``: of the area in which it is in 95 of 100 cases;
    ``par_x``: where half have fallen; ``minutes``: the share that holds after each that was seen, and between which
    shares that is, as text."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    points: str
    band: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    par_x: float | None
    minutes: tuple[tuple[str, str, str], ...]


def curve_of(steps: Sequence[Step], attacks: int, limit_seconds: int | None, seen_until: int) -> Curve:
    """The curve of so many attacks, as far as they were seen (``seen_until``), in a picture of the usual limit."""
    last = max(limit_seconds or 0, seen_until, 1)
    along = (WIDTH - _LEFT - _RIGHT) / last
    drop = HEIGHT - _TOP - _BOTTOM

    def x(seconds: float) -> float:
        return round(_LEFT + seconds * along, 1)

    def y(share: float) -> float:
        return round(_TOP + (1 - share) * drop, 1)

    def line(shares: Sequence[float]) -> list[str]:
        """Down to each share at its step, and on to the end."""
        found, now = [f"{x(0)},{y(1)}"], 1.0
        for step, share in zip(steps, shares, strict=True):
            found += [f"{x(step.seconds)},{y(now)}", f"{x(step.seconds)},{y(share)}"]
            now = share
        return [*found, f"{x(seen_until)},{y(now)}"]

    every = next(step for step in (1, 2, 3, 5, 10, 15, 30, 60, last) if last / 60 / step <= _MOST_TICKS)
    par = fallen_by(steps, 0.5)
    return Curve(
        width=WIDTH,
        height=HEIGHT,
        left=_LEFT,
        right=WIDTH - _RIGHT,
        top=_TOP,
        bottom=HEIGHT - _BOTTOM,
        points=" ".join(line([step.holds for step in steps])),
        band=" ".join(line([step.high for step in steps]) + line([step.low for step in steps])[::-1]),
        across=tuple(Tick(x(60 * minute), f"{minute}:00") for minute in range(0, last // 60 + 1, every)),
        up=tuple(Tick(y(percent / 100), f"{percent} %") for percent in (0, 25, 50, 75, 100)),
        par_x=None if par is None else x(par),
        minutes=tuple(_after(steps, 60 * minute, attacks) for minute in range(1, seen_until // 60 + 1)),
    )


def _after(steps: Sequence[Step], seconds: int, attacks: int) -> tuple[str, str, str]:
    """A row of the table."""
    own = next((step for step in reversed(steps) if step.seconds <= seconds), None)
    if own is None:
        return format_time(seconds), share_text(1, attacks), UNKNOWN
    return format_time(seconds), share_text(own.holds, attacks), f"{100 * own.low:.0f}–{100 * own.high:.0f} %"
