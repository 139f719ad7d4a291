"""Which two GUIDs may be one person: suggestions for whoever decides it, never a decision.

Belongs here: when names are alike, what else speaks for it, what is worth a suggestion. Does not belong here: deciding
it, and what can't be decided (``people``); searching by a name (``name_search``).

Most pairs of GUIDs never met in a round, so that alone says nothing; that they met says all. People play under wholly
different names, so names that differ say nothing either.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import combinations
from math import log
from typing import NamedTuple

from slomix_pipeline.formats.names import clean_name

ALIKE = 0.85  # of two names, 1 being the same
TAG_FROM = 3  # GUIDs that have a word beside others in their names: it is a clan's
SUCCEEDS_WITHIN = timedelta(days=60)
LEAST_SHOTS = 300  # aimed ones, below which accuracy and weapons are chance
LEAST_MATES = 3
_MATES_ALIKE = 0.5  # of the mates of who has fewer
# A third of all pairs of different people is as near in weapons alone, so it takes both (nights of 2025).
_WEAPONS_ALIKE = 0.06  # of the shots that other weapons would have to fire
_ACCURACY_ALIKE = 0.1  # of the logarithm: a night scatters by .07
_LEAST_LETTERS = 3
_LEET = str.maketrans("013457@$", "oieastas")
# What the engine calls who has chosen none.
_NO_NAMES = frozenset({"etplayer", "etlplayer", "unnamedplayer"})


class Reason(StrEnum):
    """What speaks for two GUIDs being one person, as it is said."""

    SAME_RARE_NAME = "the same name, which nobody else ever had"
    ALIKE_NAMES = "names that are alike"
    SUCCESSION = "one starts where the other ends"
    PROFILE = "the same weapons and accuracy"
    MATES = "the same team-mates"


@dataclass(frozen=True)
class Played:
    """What is known of a GUID, or of a person that has several. ``names``: all it ever had; ``shots``: by weapon that
    is aimed; ``mates``: GUIDs it ever was in a team with."""

    guid: str
    names: AbstractSet[str]
    first_seen: datetime
    last_seen: datetime
    hits: int
    shots: Mapping[str, int]
    mates: AbstractSet[str]


@dataclass(frozen=True)
class Suggestion:
    """Two GUIDs that may be one person: ``newer`` was seen first after ``older``. ``likeness``: of the names that are
    most alike, 0 to 1, ``newer_name`` and ``older_name``."""

    newer: str
    older: str
    newer_name: str
    older_name: str
    likeness: float
    reasons: tuple[Reason, ...]


class _Name(NamedTuple):
    """A name, as people read it in small letters, and as it is compared."""

    name: str
    seen: str
    plain: str


_NOT_ALIKE = 0.0, _Name("", "", ""), _Name("", "", "")


def suggestions(
    everybody: Iterable[Played], met: Collection[frozenset[str]], rejected: Collection[frozenset[str]]
) -> list[Suggestion]:
    """The pairs that are worth a look, those with most alike names first. ``met``: pairs that were in one round;
    ``rejected``: pairs of which somebody decided that they are two persons."""
    known = sorted(everybody, key=lambda one: (one.first_seen, one.guid))
    names = _plain_names(known)
    rare = _owned_by_two(names)
    found = []
    for older, newer in combinations(known, 2):
        pair = frozenset((older.guid, newer.guid))
        if pair not in met and pair not in rejected:
            own = _suggestion(newer, older, names, rare)
            if own is not None:
                found.append(own)
    return sorted(found, key=lambda one: (-one.likeness, one.older, one.newer))


def _suggestion(
    newer: Played, older: Played, names: Mapping[str, Sequence[_Name]], rare: AbstractSet[str]
) -> Suggestion | None:
    reasons = tuple(_reasons(newer, older))
    pairs = [(mine, his) for mine in names[newer.guid] for his in names[older.guid]]
    for mine, his in pairs:
        if mine.plain in rare and mine.seen == his.seen:
            reasons = (Reason.SAME_RARE_NAME, *reasons)
            return Suggestion(newer.guid, older.guid, mine.name, his.name, 1.0, reasons)
    if not reasons:
        return None
    likeness, mine, his = max(
        ((_likeness(mine.plain, his.plain), mine, his) for mine, his in pairs), default=_NOT_ALIKE
    )
    if likeness < ALIKE:
        return None
    return Suggestion(newer.guid, older.guid, mine.name, his.name, likeness, (Reason.ALIKE_NAMES, *reasons))


def _reasons(newer: Played, older: Played) -> Iterable[Reason]:
    """What speaks for it beside names."""
    if timedelta(0) < newer.first_seen - older.last_seen < SUCCEEDS_WITHIN:
        yield Reason.SUCCESSION
    if _same_profile(newer, older):
        yield Reason.PROFILE
    fewer = min(len(newer.mates), len(older.mates))
    if fewer >= LEAST_MATES and len(newer.mates & older.mates) >= _MATES_ALIKE * fewer:
        yield Reason.MATES


def _same_profile(one: Played, other: Played) -> bool:
    fired, others = sum(one.shots.values()), sum(other.shots.values())
    if min(fired, others) < LEAST_SHOTS or not one.hits or not other.hits:
        return False
    weapons = one.shots.keys() | other.shots.keys()
    apart = sum(abs(one.shots.get(own, 0) / fired - other.shots.get(own, 0) / others) for own in weapons) / 2
    return apart <= _WEAPONS_ALIKE and abs(log(one.hits / fired * others / other.hits)) <= _ACCURACY_ALIKE


def _likeness(one: str, other: str) -> float:
    """How alike two names are; 0 when they surely are not alike enough. The order of both does not matter."""
    first, second = sorted((one, other))
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    if matcher.real_quick_ratio() < ALIKE or matcher.quick_ratio() < ALIKE:
        return 0.0
    return matcher.ratio()


def _plain_names(known: Iterable[Played]) -> dict[str, list[_Name]]:
    """Everybody's names as they are compared: without colours, capital letters, digits for letters, and clan tags."""
    words = {
        (one.guid, name): re.findall(r"[^\W_]+", clean_name(name).casefold().translate(_LEET))
        for one in known
        for name in sorted(one.names)
    }
    owners: dict[str, set[str]] = {}
    for (guid, _), own in words.items():
        for word in own if len(own) > 1 else ():  # a name of one word is no tag, however many have it
            owners.setdefault(word, set()).add(guid)
    tags = {word for word, guids in owners.items() if len(guids) >= TAG_FROM}
    names: dict[str, list[_Name]] = {one.guid: [] for one in known}
    for (guid, name), own in words.items():
        plain = "".join(word for word in own if word not in tags)
        if len(plain) >= _LEAST_LETTERS and plain not in _NO_NAMES:
            names[guid].append(_Name(name, clean_name(name).casefold(), plain))
    return names


def _owned_by_two(names: Mapping[str, Sequence[_Name]]) -> set[str]:
    """The names that two GUIDs had, and nobody else ever in any spelling."""
    owners: dict[str, set[str]] = {}
    for guid, own in names.items():
        for one in own:
            owners.setdefault(one.plain, set()).add(guid)
    return {plain for plain, guids in owners.items() if len(guids) == 2}
