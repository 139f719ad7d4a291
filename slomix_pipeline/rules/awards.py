"""Which awards of a session are told, and whose they are; who collected which over many.

Belongs here: which of the endstats' awards players want, in which order, when one is no news.
Does not belong here: what an award of a round counts (``rules.endstats``), the words around it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from slomix_pipeline.formats.endstats import AWARDS, RIGHTLY_LABELLED
from slomix_pipeline.rules.best import most_of

MOST_TOLD = 8

# The most wanted first. What nobody wants, such as most deaths, is not told.
WANTED = (
    "killing_spree",
    "multikills",
    "headshot_kills",
    "kd",
    "light_weapon_accuracy",
    "damage_given",
    "useful_kills",
    "revives_given",
    "objectives_stolen",
    "dynamites_planted",
    "denied_playtime",
    "kill_assists",
    "light_weapon_headshot_percent",
    "objectives_returned",
    "dynamites_defused",
    "doublekills",
    "quickest_multikill",
    "sniper_kills",
    "panzer_kills",
    "riflenade_kills",
    "farthest_riflenade_kill",
    "mortar_kills",
    "mg42_kills",
    "grenade_kills",
    "air_support_kills",
    "mine_kills",
    "knife_kills",
    "gibs",
    "times_revived",
    "tank_ratio",
)

_TITLES = {kind.name: kind.label for kind in (*AWARDS, *RIGHTLY_LABELLED)}


def award_title(name: str) -> str:
    """What an award is called."""
    return _TITLES[name]


@dataclass(frozen=True)
class AwardGiven:
    """How often somebody was given an award. ``guid``, ``name``: None where it can't be told who that was; over many
    sessions one stands for all of these."""

    award: str
    guid: str | None
    name: str | None
    times: int


@dataclass(frozen=True)
class Award:
    """Who was given an award most often, and how often: several where they share that. ``guids``: in the order of
    ``names``."""

    award: str
    title: str
    names: tuple[str, ...]
    guids: tuple[str, ...]
    times: int


def told_awards(given: Iterable[AwardGiven]) -> tuple[Award, ...]:
    """The awards of a session that are told, the most wanted first. One is left out where somebody may have had it more
    often who can't be told, or too many share it. ``given``: every person once for each award."""
    by_award: dict[str, list[AwardGiven]] = {}
    for one in given:
        by_award.setdefault(one.award, []).append(one)
    found = (_award(name, by_award.get(name, [])) for name in WANTED)
    return tuple(award for award in found if award)[:MOST_TOLD]


def _award(name: str, given: list[AwardGiven]) -> Award | None:
    most = most_of(given, lambda one: None if one.name is None else one.times)
    if most is None:
        return None
    shared = sorted((one.name or "", one.guid or "") for one in most.players)
    names, guids = tuple(called for called, _ in shared), tuple(guid for _, guid in shared)
    return Award(name, award_title(name), names, guids, most.value)


@dataclass(frozen=True)
class Collected:
    """Who collected an award, most often first; ``untold``: how often it went to somebody who can't be told."""

    award: str
    title: str
    collectors: tuple[AwardGiven, ...]
    untold: int


def collected(given: Iterable[AwardGiven]) -> tuple[Collected, ...]:
    """Every award that players want with all who collected it, the most wanted first."""
    by_award: dict[str, list[AwardGiven]] = {}
    for one in given:
        by_award.setdefault(one.award, []).append(one)
    return tuple(
        Collected(
            name,
            award_title(name),
            tuple(
                sorted(
                    (one for one in by_award[name] if one.guid is not None),
                    key=lambda one: (-one.times, one.name or "", one.guid or ""),
                )
            ),
            sum(one.times for one in by_award[name] if one.guid is None),
        )
        for name in WANTED
        if name in by_award
    )
