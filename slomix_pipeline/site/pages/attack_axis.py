"""Both attacks of a match on one axis of time, as numbers for a drawing without any style of its own.

Does not belong here: how an attack ended, in words (``shared``).
"""

from dataclasses import dataclass

from slomix_pipeline.rules.teams import Team, other_team
from slomix_pipeline.rules.timing import AttackEnd
from slomix_pipeline.rules.values import Status
from slomix_pipeline.site.pages.shared import attack_text
from slomix_pipeline.site.templating import clock_text
from slomix_pipeline.warehouse.reading import MatchSeen

WIDTH = 300  # of the axis, in the drawing's own units


@dataclass(frozen=True)
class Bar:
    """An attack: its length on the axis; ``label``: how it ended; ``team``: None while it is open who attacked."""

    width: float
    label: str
    team: Team | None


@dataclass(frozen=True)
class Axis:
    """``limit``: the time at the end of the axis; ``to_beat``: where on it the second attack had to be through; None:
    the first was held off. ``words``: all of it in one sentence."""

    bars: tuple[Bar, ...]
    limit: str
    to_beat: float | None
    words: str


def axis(match: MatchSeen) -> Axis | None:
    """The axis of a match; None where there are not two attacks that belong together and whose length is known."""
    first, second = match.first, match.second
    if match.status is not Status.COMPLETE or first is None or second is None or not first.header.limit_seconds:
        return None
    limit = first.header.limit_seconds
    if first.attack_lasted is None or second.attack_lasted is None:
        return None
    team = match.attackers_first
    bars = tuple(
        Bar(round(min(lasted / limit, 1) * WIDTH, 1), attack_text(seen), by)
        for seen, lasted, by in (
            (first, first.attack_lasted, team),
            (second, second.attack_lasted, team and other_team(team)),
        )
    )
    beaten = first.attack_end is AttackEnd.COMPLETED
    words = f"First attack: {bars[0].label}; second attack: {bars[1].label}; limit {clock_text(limit)}"
    return Axis(bars, clock_text(limit), bars[0].width if beaten else None, words)
