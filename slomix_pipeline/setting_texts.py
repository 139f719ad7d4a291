"""How values of settings are written: durations, times of the day and of the week, names of zones.

Does not belong here: which settings there are (``settings``, ``server_settings``).
"""

import re
from datetime import time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator

_UNIT_SECONDS = {"": 1, "s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}


def parse_duration(value: Any) -> Any:
    """``"60 min"``, ``"6 h"``, ``"20 s"`` or a bare number of seconds, as a timedelta.

    Raises:
        ValueError: the text is none of these.
    """
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(value).lower())
    if found is None or found[2] not in _UNIT_SECONDS:
        raise ValueError(f"{value!r} is not a duration; write for example 90 s, 60 min, 6 h")
    return timedelta(seconds=float(found[1]) * _UNIT_SECONDS[found[2]])


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]

OFF = "off"  # what is written to switch off what else happens by itself
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")  # as cron numbers them


def clock_time(text: str) -> str:
    """``9:00`` or ``21:30`` as ``HH:MM``.

    Raises:
        ValueError: the text is no time.
    """
    found = re.fullmatch(r"\s*([01]?\d|2[0-3]):([0-5]\d)\s*", text)
    if found is None:
        raise ValueError(f"{text!r} is no time; write for example 09:00")
    return f"{int(found[1]):02}:{found[2]}"


def clock_time_or_off(text: str) -> str:
    """``4:30`` as ``04:30``, or ``off``; empty counts as not set, as everywhere.

    Raises:
        ValueError: the text is neither.
    """
    return OFF if text.strip().lower() == OFF else clock_time(text)


def weekday_and_time(text: str) -> str:
    """``Mon 18:00`` as ``mon 18:00``.

    Raises:
        ValueError: the text is not that.
    """
    weekday, _, at = text.strip().lower().partition(" ")
    if weekday not in WEEKDAYS:
        raise ValueError(f"{text!r} does not begin with a weekday; write for example mon 18:00")
    return f"{weekday} {clock_time(at)}"


def moment_of_week(text: str) -> tuple[int, time]:
    """``mon 18:00`` as the number of the weekday, as cron has it, and the time."""
    weekday, _, at = text.partition(" ")
    return WEEKDAYS.index(weekday), time.fromisoformat(at)


ClockTime = Annotated[str, AfterValidator(clock_time)]
ClockTimeOrOff = Annotated[str, AfterValidator(clock_time_or_off)]
WeekdayAndTime = Annotated[str, AfterValidator(weekday_and_time)]


def zone_name(text: str) -> str:
    """The name of a time zone that is known here.

    Raises:
        ValueError: the text is none.
    """
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"unknown time zone {text!r}; write one like Europe/Ljubljana") from None
    return text


ZoneName = Annotated[str, AfterValidator(zone_name)]
