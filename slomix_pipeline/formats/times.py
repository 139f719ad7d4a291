"""The times written in stats files. The only parser of time text in the project.

Does not belong here: how long a round was, which the texts alone don't tell (``rules.timing``).
"""

import re
from functools import lru_cache

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):([0-5]\d)", re.ASCII)
_MINUTES = re.compile(r"\d{1,5}\.\d{1,6}", re.ASCII)
_SECONDS = re.compile(r"\d{1,6}", re.ASCII)
_PLAYTIME = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)

# A header's times are asked for over and over, and most are the limits of maps.
_REMEMBERED = 1024


@lru_cache(_REMEMBERED)
def parse_time(text: str | None) -> int | None:
    """Seconds of a time as the game's scripts write it; None for anything unreadable (never 0).

    ``M:SS`` and ``H:MM:SS``; with a dot it is minutes (``5.25`` is 315 s); a bare number is seconds.
    Source: the header of gamestats files, which prints minutes unpadded and seconds with two digits.
    """
    text = (text or "").strip()
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return None if clock[1] and minutes > 59 else hours * 3600 + minutes * 60 + seconds
    if _MINUTES.fullmatch(text):
        return round(float(text) * 60)
    if _SECONDS.fullmatch(text):
        return int(text)
    return None


def format_time(seconds: int) -> str:
    """``M:SS`` with unpadded minutes and no hours, as the scripts print it."""
    return f"{seconds // 60}:{seconds % 60:02d}"


@lru_cache(_REMEMBERED)
def parse_playtime(text: str | None) -> float | None:
    """Seconds of the ninth header field, which holds milliseconds; None when it is absent or not above 0.

    A value up to 10000 is taken as seconds: one writer generation wrote them.
    """
    text = (text or "").strip()
    if not _PLAYTIME.fullmatch(text):
        return None
    value = float(text)
    if value <= 0:
        return None
    return value / 1000 if value > 10000 else value
