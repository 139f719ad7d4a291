"""Milestones of careers: thresholds that a player crosses once, in the order in which his rounds were played.

Belongs here: which numbers have milestones, where they lie, when one is reached, what comes next.
Does not belong here: the numbers (``warehouse.so_far``), telling of them.
Source: the community's own lists of achievements and badges, as one ladder per number. Its badge for a K/D of 0 is left
out: everybody has it.

Everything is derived from the rounds that count, so every rebuild gives the same, and a round that no longer counts
takes back what was reached in it.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from operator import attrgetter, itemgetter
from typing import NamedTuple

from slomix_pipeline.rules.comebacks import FAR_BEHIND

KD_FROM_ROUNDS = 20


class Number(StrEnum):
    """What milestones are of, as ``warehouse.so_far`` names it."""

    KILLS = "kills"
    ROUNDS = "rounds"
    NIGHTS = "nights"
    KD = "kd"
    REVIVES_GIVEN = "revives_given"
    TIMES_REVIVED = "times_revived"
    DYNAMITES_PLANTED = "dynamites_planted"
    DYNAMITES_DEFUSED = "dynamites_defused"
    OBJECTIVES = "objectives"


class Deed(StrEnum):
    """What somebody is once the first time part of: a comeback, or what the view ``attack_deed`` names so."""

    FULL_HOLD = "full_hold"
    MAP_RECORD = "map_record"
    COMEBACK = "comeback"


DEEDS: Mapping[Deed, str] = {
    Deed.FULL_HOLD: "first full hold",
    Deed.MAP_RECORD: "first map record",
    Deed.COMEBACK: f"first comeback from {FAR_BEHIND} maps behind",
}


@dataclass(frozen=True)
class Ladder:
    """The milestones of a number, lowest first. ``badges``: those of them that give a badge; the highest is shown."""

    title: str
    steps: tuple[float, ...]
    badges: tuple[float, ...]


LADDERS: Mapping[Number, Ladder] = {
    Number.KILLS: Ladder("kills", (100, 500, 1_000, 2_500, 5_000, 10_000, 20_000), (1_000, 5_000, 10_000, 20_000)),
    Number.ROUNDS: Ladder(
        "rounds", (10, 50, 100, 250, 500, 1_000, 5_000, 10_000, 30_000), (50, 500, 5_000, 10_000, 30_000)
    ),
    Number.NIGHTS: Ladder("nights", (10,), ()),
    Number.KD: Ladder("K/D", (1, 1.5, 2, 2.5, 3), (1, 1.5, 2, 2.5, 3)),
    Number.REVIVES_GIVEN: Ladder("revives", (100, 500, 5_000), (100, 500, 5_000)),
    Number.TIMES_REVIVED: Ladder("times revived", (100, 500, 3_000), (100, 500, 3_000)),
    Number.DYNAMITES_PLANTED: Ladder("dynamites planted", (50, 200, 1_000), (50, 200, 1_000)),
    Number.DYNAMITES_DEFUSED: Ladder("dynamites defused", (50, 200, 1_000), (50, 200, 1_000)),
    Number.OBJECTIVES: Ladder("objectives taken or brought back", (25, 250, 2_500), (25, 250, 2_500)),
}


@dataclass(frozen=True)
class SoFar:
    """What a career had come to after one of its rounds; None: not known of any round so far."""

    round_key: str
    match_key: str
    session_key: str
    map: str
    stamp: datetime
    rounds: int
    nights: int
    kills: int | None
    kd: float | None
    revives_given: int | None
    times_revived: int | None
    dynamites_planted: int | None
    dynamites_defused: int | None
    objectives: int | None
    revives_given_rounds: int

    def value(self, number: Number) -> float | None:
        """A number as far as it can have milestones: a K/D only from so many rounds on."""
        if number is Number.KD and self.rounds < KD_FROM_ROUNDS:
            return None
        found: float | None = getattr(self, number)
        return found


class Before(NamedTuple):
    """What a career had come to before a stretch of it: a session, or sessions that took turns. None: not known so
    far; ``revives_given_rounds``: that know ``revives_given``."""

    stretch: int
    rounds: int
    nights: int
    kills: int | None
    deaths: int | None
    revives_given: int | None
    revives_given_rounds: int
    times_revived: int | None
    dynamites_planted: int | None
    dynamites_defused: int | None
    objectives: int | None


@dataclass(frozen=True)
class Milestone:
    """A milestone that was reached, and after which round. It stays reached when a ratio falls again."""

    number: Number
    step: float
    is_badge: bool
    reached: SoFar


@dataclass(frozen=True)
class Progress:
    """Where a career stands on a ladder. ``next_step``: None above the last; ``known_rounds``: of how many rounds the
    number is known."""

    number: Number
    value: float | None
    badge: float | None
    next_step: float | None
    known_rounds: int


def worth_a_look(career: Sequence[Before]) -> list[int]:
    """The stretches whose rounds have to be looked at, as a milestone may have been reached in them; and the last one.
    ``career``: all stretches, in the order of play. What is counted only grows, so it passed a step where it was below
    before and is above after."""
    found = {own.stretch for own in career[-1:]}
    for number, ladder in LADDERS.items():
        if number is Number.KD:
            continue
        before = attrgetter(number)
        passed = {bisect_left(career, step, key=lambda own: before(own) or 0) for step in ladder.steps} - {len(career)}
        found |= {career[at - 1].stretch for at in passed}
    for step in LADDERS[Number.KD].steps:
        found |= set(_where_kd_may_reach(step, career))
    return sorted(found)


def _where_kd_may_reach(step: float, career: Sequence[Before]) -> Iterator[int]:
    """A ratio may be above a step for some rounds of a stretch and below it at its end: it was never higher than with
    all kills of the stretch before its first death."""
    for before, after in pairwise(career):
        if after.rounds < KD_FROM_ROUNDS:
            continue
        kills = after.kills or 0
        if not before.deaths or kills / before.deaths >= step:
            yield before.stretch
        if after.deaths and kills / after.deaths >= step:
            return  # by then it was reached


def milestones(career: Sequence[SoFar]) -> list[Milestone]:
    """What was reached, in order. ``career``: after each of its rounds, or of those that are ``worth_a_look``, in the
    order of play."""
    found = []
    for number, ladder in LADDERS.items():
        at = 0
        for step in ladder.steps:
            at = _where_reached(number, step, career, at)
            if at == len(career):
                break
            found.append((at, Milestone(number, step, step in ladder.badges, career[at])))
    return [milestone for _, milestone in sorted(found, key=itemgetter(0))]


def _where_reached(number: Number, step: float, career: Sequence[SoFar], since: int) -> int:
    """The place of the first round since one of them after which a step was reached; that after the last where none
    was."""
    if number is not Number.KD:  # it only grows
        return bisect_left(career, step, since, key=lambda so_far: so_far.value(number) or 0)
    reached = (at for at in range(since, len(career)) if (career[at].value(number) or 0) >= step)
    return next(reached, len(career))


def progress(career: Sequence[SoFar], reached: Sequence[Milestone]) -> list[Progress]:
    """Where a career stands on every ladder; nothing before its first round. ``career``: as for ``milestones``, which
    gives what is ``reached``."""
    if not career:
        return []
    last = career[-1]
    return [_progress(last, number, [own for own in reached if own.number is number]) for number in LADDERS]


def _progress(last: SoFar, number: Number, reached: list[Milestone]) -> Progress:
    steps = LADDERS[number].steps
    badges = [milestone.step for milestone in reached if milestone.is_badge]
    known = last.revives_given_rounds if number is Number.REVIVES_GIVEN else last.rounds
    return Progress(
        number,
        last.value(number),
        max(badges, default=None),
        steps[len(reached)] if len(reached) < len(steps) else None,
        known,
    )
