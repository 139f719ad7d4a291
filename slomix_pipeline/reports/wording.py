"""Words that receipts and audits share: spans of time, sides, numbers, the facts of a check.

Belongs here: plain text of plain values. Does not belong here: what Discord is told (``discord.messages``).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from slomix_pipeline.formats.gamestats import ALLIES, AXIS
from slomix_pipeline.rules.values import SIDE_NAMES

SIDES = {0: "no side", 3: "spectator"} | SIDE_NAMES
SURRENDERED = {None: None, 0: "nobody", AXIS: "axis", ALLIES: "allies"}  # in JSON


def span(time: timedelta) -> str:
    """How long, in the largest unit that fits: ``12 s``, ``5 min``, ``3 h``, ``45 days``."""
    seconds = int(abs(time).total_seconds())
    for unit, length in (("day", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length or (unit == "day" and seconds >= length):
            count = seconds // length
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
    return f"{seconds} s"


def number(value: float | None) -> str:
    """A number without needless decimals, at most two; ``unknown`` when there is none."""
    return "unknown" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def facts(seen: Mapping[str, Any]) -> str:
    """What a check saw, on one line; a law that is broken (``checks.outcomes`` begins its text so) comes first."""
    in_order = sorted(seen.items(), key=lambda item: not str(item[1]).startswith("broken"))
    return "; ".join(f"{name}: {_fact(value)}" for name, value in in_order)


def _fact(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_fact, value)) or "none"
    if isinstance(value, dict):
        return " ".join(f"{name} {_fact(item)}" for name, item in value.items())
    return "-" if value is None else str(value)
