"""Small words that all messages share: times, numbers, names, colours.

Belongs here: plain values as text that is safe in an embed. Does not belong here: sentences.
"""

from collections.abc import Iterable
from dataclasses import replace

from slomix_pipeline.discord.embeds import clip, escape
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.team_names import TeamName

NEUTRAL = 0x95A5A6
NAME_WIDTH = 36  # visible characters: the engine has no longer names
MAP_WIDTH = 40  # visible characters; real names have under 30, but a file may say anything


def short_text(text: str, width: int) -> str:
    """At most so many visible characters of a text that may have any length; cut before it is clipped, for a visible
    character may hold any number of marks."""
    return escape(clip(text[: 2 * width], width))


def map_text(name: str) -> str:
    """A map's name."""
    return short_text(name, MAP_WIDTH) or "?"


def player_text(name: str) -> str:
    """A player's name, on one line. Those of the engine are no longer than that."""
    return unbroken(short_text(name, NAME_WIDTH)) or "?"


def unbroken(text: str) -> str:
    """A text that no line ends in, if there is room for it on one. Not for what people copy into a command."""
    return text.replace(" ", "\u00a0")


def columns(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Numbers that stand one below the other, as code, in which every character is as wide. They must be safe there."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [f"`{' '.join(text.rjust(width) for text, width in zip(row, widths, strict=True))}`" for row in rows]


def team_text(team: TeamName) -> str:
    """A team's name with its letter: ``sWat (A)``; ``Team A`` where it has none."""
    return replace(team, name=escape(clip(team.name, NAME_WIDTH)) or "?").shown


def raw_time_text(text: str) -> str:
    """A time as a file has it, which may be anything."""
    return escape(clip(text[:40], 12))


def clock(seconds: float | None) -> str:
    """Seconds as ``M:SS``."""
    return "?" if seconds is None else format_time(round(seconds))


def whole(value: float | None) -> str:
    """A number without decimals."""
    return "?" if value is None else f"{value:,.0f}"


def hundredth(value: float | None) -> str:
    """A number with two decimals."""
    return "?" if value is None else f"{value:.2f}"
