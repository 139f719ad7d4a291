"""How much damage a player usually does, against the lobbies he does it in: a hint of who is strong, without results.

Belongs here: what a match adds to that. Does not belong here: what such a strength is worth (``attack_times``), what
damage can be expected of somebody on a map, numbers for people.
"""

from collections.abc import Mapping
from math import log
from typing import NamedTuple

from slomix_pipeline.rules.attack_model import LEAST_SECONDS, Dealt, RatedMatch

SHRUNK_BY_SECONDS = 3600  # who was there for so long is half way from nothing to what he shows
LEAST_RATIO = 0.1  # of the lobby's rate: who did no damage at all in a short round is not infinitely weak


class Shown(NamedTuple):
    """What a player showed: the sum of the logarithms of his damage per minute against his lobby's, each weighted by
    his seconds, and those. Sums of matches add up."""

    weighted: float
    seconds: float


def shown_in(match: RatedMatch) -> dict[str, Shown]:
    """What everybody showed in a match, by GUID."""
    shown: dict[str, Shown] = {}
    for dealt in match.rounds:
        for guid, own in _shown_in_round(dealt).items():
            before = shown.get(guid, Shown(0.0, 0.0))
            shown[guid] = Shown(before.weighted + own.weighted, before.seconds + own.seconds)
    return shown


def _shown_in_round(dealt: Mapping[str, Dealt]) -> dict[str, Shown]:
    there = {guid: own for guid, own in sorted(dealt.items()) if own.seconds >= LEAST_SECONDS}
    damage, seconds = sum(own.damage for own in there.values()), sum(own.seconds for own in there.values())
    if damage <= 0:
        return {}
    usual = damage / seconds
    return {
        guid: Shown(own.seconds * log(max(own.damage / own.seconds / usual, LEAST_RATIO)), own.seconds)
        for guid, own in there.items()
    }


def strength(shown: Shown) -> float:
    """The damage strength that this speaks for: 0 is as much as everybody, 0.1 a tenth more."""
    return shown.weighted / (shown.seconds + SHRUNK_BY_SECONDS)
