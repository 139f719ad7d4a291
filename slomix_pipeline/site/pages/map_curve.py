"""The curve of a map: the share of defences that still hold at each minute, as points of a picture and as a table.

Does not belong here: the shares themselves (``rules.par``), how it looks (the template, the style sheet).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.par import fallen_by

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
    """``points``: of the line, in ``width`` × ``height``; ``par_x``: where half have fallen; ``minutes``: the share
    that holds after each that was seen, as text."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    points: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    par_x: float | None
    minutes: tuple[tuple[str, str], ...]


def curve_of(shares: Sequence[tuple[int, float]], limit_seconds: int | None, seen_until: int) -> Curve:
    """The curve as far as attacks were seen (``seen_until``), in a picture of the usual limit."""
    last = max(limit_seconds or 0, seen_until, 1)
    along = (WIDTH - _LEFT - _RIGHT) / last
    drop = HEIGHT - _TOP - _BOTTOM

    def x(seconds: float) -> float:
        return round(_LEFT + seconds * along, 1)

    def y(share: float) -> float:
        return round(_TOP + (1 - share) * drop, 1)

    steps, share = [(x(0), y(1))], 1.0
    for seconds, holds in shares:
        steps += [(x(seconds), y(share)), (x(seconds), y(holds))]
        share = holds
    steps.append((x(seen_until), y(share)))
    every = next(step for step in (1, 2, 3, 5, 10, 15, 30, 60, last) if last / 60 / step <= _MOST_TICKS)
    par = fallen_by(shares, 0.5)
    return Curve(
        width=WIDTH,
        height=HEIGHT,
        left=_LEFT,
        right=WIDTH - _RIGHT,
        top=_TOP,
        bottom=HEIGHT - _BOTTOM,
        points=" ".join(f"{across},{up}" for across, up in steps),
        across=tuple(Tick(x(60 * minute), f"{minute}:00") for minute in range(0, last // 60 + 1, every)),
        up=tuple(Tick(y(percent / 100), f"{percent} %") for percent in (0, 25, 50, 75, 100)),
        par_x=None if par is None else x(par),
        minutes=tuple(
            (format_time(60 * minute), f"{_at(shares, 60 * minute) * 100:.0f} %")
            for minute in range(1, seen_until // 60 + 1)
        ),
    )


def _at(shares: Sequence[tuple[int, float]], seconds: int) -> float:
    return next((holds for time, holds in reversed(shares) if time <= seconds), 1.0)
