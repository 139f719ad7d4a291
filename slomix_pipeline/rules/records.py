"""Records and personal bests: which kinds there are, how large a sample they need, what is rare.

Belongs here: kinds, minimum samples, when a record falls, picking the personal bests of a night out of a player's
nights.
Does not belong here: the numbers themselves and whether a round may hold a record (``sql/views/11_records.sql``).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class RecordKind(StrEnum):
    """What a record is of, as the views of records name it; ``ATTACK`` is a time, the shorter the better."""

    KILLS = "kills"
    DAMAGE_GIVEN = "damage_given"
    DPM = "dpm"
    KILLS_PER_MINUTE = "kills_per_minute"
    AIMED_ACCURACY = "aimed_accuracy"
    GIBS = "gibs"
    DENIED_PLAYTIME = "denied_playtime"
    KILLING_SPREE = "killing_spree"
    USEFUL_KILLS = "useful_kills"
    REVIVES_GIVEN = "revives_given"
    HEADSHOTS = "headshots"
    MULTIKILLS_2 = "multikills_2"
    MULTIKILLS_3 = "multikills_3"
    MULTIKILLS_4 = "multikills_4"
    MULTIKILLS_5 = "multikills_5"
    MULTIKILLS_6 = "multikills_6"
    ATTACK = "attack"


class RecordLevel(StrEnum):
    """Over what a record is."""

    ROUND = "round"
    MATCH = "match"
    SESSION = "session"


@dataclass(frozen=True)
class KindOfRecord:
    """How a kind is shown; ``is_time``: as minutes and seconds; ``feat``: with its value, in a sentence. ``least``: the
    sample that a rate needs, in units of ``sample``. ``levels``: over what it can be added up;
    ``of_old_files``: files of before 38 fields know it, too; ``personal``: bests of one's own are told of it."""

    title: str
    decimals: int = 0
    unit: str = ""
    least: int = 0
    sample: str = ""
    is_time: bool = False
    feat: str = "{value} {title}"
    levels: tuple[RecordLevel, ...] = (RecordLevel.ROUND,)
    of_old_files: bool = True
    personal: bool = True


# A rate of a few seconds or shots is chance: without these, 4 hits of 5 shots would be the best accuracy ever.
LEAST_SECONDS = 180
LEAST_SHOTS = 100
# Of one chain in a round there is no record: all who ever had one would hold it.
LEAST_MULTIKILLS = 2


def _multikills(title: str) -> KindOfRecord:
    """Small numbers, whose bests stand for so long that none of another kind would be told beside them."""
    return KindOfRecord(title, personal=False)


KINDS = {
    RecordKind.KILLS: KindOfRecord("kills", levels=tuple(RecordLevel)),
    RecordKind.DAMAGE_GIVEN: KindOfRecord("damage given", levels=tuple(RecordLevel)),
    RecordKind.DPM: KindOfRecord("damage per minute", 1, "", LEAST_SECONDS, "s played"),
    RecordKind.KILLS_PER_MINUTE: KindOfRecord("kills per minute", 2, "", LEAST_SECONDS, "s played"),
    RecordKind.AIMED_ACCURACY: KindOfRecord("aimed accuracy", 1, " %", LEAST_SHOTS, "aimed shots"),
    RecordKind.GIBS: KindOfRecord("gibs", levels=tuple(RecordLevel)),
    RecordKind.DENIED_PLAYTIME: KindOfRecord("playtime denied", is_time=True, of_old_files=False),
    RecordKind.KILLING_SPREE: KindOfRecord("killing spree", feat="{title} of {value}"),
    RecordKind.USEFUL_KILLS: KindOfRecord("useful kills"),
    RecordKind.REVIVES_GIVEN: KindOfRecord("revives", levels=tuple(RecordLevel), of_old_files=False),
    RecordKind.HEADSHOTS: KindOfRecord("hits on heads", levels=tuple(RecordLevel)),
    RecordKind.MULTIKILLS_2: _multikills("double kills"),
    RecordKind.MULTIKILLS_3: _multikills("triple kills"),
    RecordKind.MULTIKILLS_4: _multikills("quadruple kills"),
    RecordKind.MULTIKILLS_5: _multikills("quintuple kills"),
    RecordKind.MULTIKILLS_6: _multikills("chains of six and more kills"),
    RecordKind.ATTACK: KindOfRecord("fastest attack", is_time=True, feat="{title} in {value}"),
}

# Every kind at every level of which there can be a record of players.
PLACES = tuple(
    (level, kind)
    for level in RecordLevel
    for kind in RecordKind
    if kind is not RecordKind.ATTACK and level in KINDS[kind].levels
)

# Of the first few there is always a best. After n equal ones the next beats them all by luck alone once in n + 1 times:
# nothing falls before there were so many sessions that know a number, so many completed attacks on a map.
NIGHTS_BEFORE_A_RECORD = 10
ATTACKS_BEFORE_A_RECORD = 10


@dataclass(frozen=True)
class Challenge:
    """The best that one session has of a kind and level, beside the best of all sessions before it; of attacks, on one
    ``map``. ``before_in``: the session that had ``before`` first; None: none had any. ``chances``: how many sessions
    there were before that know the number, or completed attacks."""

    kind: RecordKind
    level: RecordLevel
    map: str | None
    value: float
    before: float | None
    before_in: str | None
    chances: int


def falls(own: Challenge) -> bool:
    """Whether a record fell: what only equals it is none, and one needs a history."""
    if own.before is None:
        return False
    if own.kind is RecordKind.ATTACK:
        return own.value < own.before and own.chances >= ATTACKS_BEFORE_A_RECORD
    return own.value > own.before and own.chances >= NIGHTS_BEFORE_A_RECORD


# A personal best by luck alone comes with every n-th night and number, so only who has a history has some, and few are
# told: three of a night, those that stood longest.
NIGHTS_BEFORE = 5
TOLD_OF_A_NIGHT = 3


@dataclass(frozen=True)
class NightBest:
    """The best that a player reached of a kind in one night's rounds."""

    guid: str
    name: str
    kind: RecordKind
    session_key: str
    started_at: datetime
    value: float


@dataclass(frozen=True)
class PersonalBest:
    """A night's best that beats all of the player's nights before. ``stood``: how many nights the old one stood."""

    best: NightBest
    old: NightBest
    stood: int
    nights_before: int

    @property
    def rarity(self) -> int:
        return self.stood * self.nights_before


def personal_bests(nights: Iterable[NightBest], session_key: str) -> list[PersonalBest]:
    """The personal bests of a session, rarest first, as many as are told. ``nights``: of its players, up to it; what
    only equals the old one is none."""
    histories: dict[tuple[str, RecordKind], list[NightBest]] = {}
    for night in sorted(nights, key=lambda night: (night.started_at, night.session_key)):
        if not KINDS[night.kind].personal:
            continue
        histories.setdefault((night.guid, night.kind), []).append(night)
    found = [best for history in histories.values() if (best := _personal_best(history, session_key))]
    found.sort(key=lambda best: (-best.rarity, best.best.guid, best.best.kind))
    return found[:TOLD_OF_A_NIGHT]


def _personal_best(history: Sequence[NightBest], session_key: str) -> PersonalBest | None:
    place = next((number for number, night in enumerate(history) if night.session_key == session_key), None)
    if place is None or place < NIGHTS_BEFORE:
        return None
    before = history[:place]
    highest = max(night.value for night in before)
    if history[place].value <= highest:
        return None
    first = next(number for number, night in enumerate(before) if night.value == highest)
    return PersonalBest(history[place], before[first], place - first, place)


class EveningEnded(NamedTuple):
    """How an evening ended: who ``won`` it, and who did not, as it was lost or a draw. Nobody is in both."""

    session_key: str
    won: Collection[str]
    not_won: Collection[str]


@dataclass(frozen=True)
class Run:
    """So many evenings won one after the other, from the ``first`` session to the ``last``, of those that somebody
    played and that were decided. ``goes_on``: his last one is among them."""

    guid: str
    nights: int
    first: str
    last: str
    goes_on: bool


LEAST_RUN = 2  # one evening won is no run


def longest_runs(evenings: Iterable[EveningEnded]) -> list[Run]:
    """The longest run of evenings won, of everybody who had one as long, in the order in which they were completed.
    ``evenings``: in order of play."""
    running: dict[str, tuple[str, int]] = {}  # since which session, and how many
    longest, best = LEAST_RUN, list[tuple[str, str, str]]()
    for evening in evenings:
        for guid in evening.not_won:
            running.pop(guid, None)
        for guid in evening.won:
            first, before = running.get(guid, (evening.session_key, 0))
            running[guid] = first, before + 1
            if before + 1 < longest:
                continue
            if before + 1 > longest:
                longest, best = before + 1, []
            best.append((guid, first, evening.session_key))
    return [Run(guid, longest, first, last, running.get(guid) == (first, longest)) for guid, first, last in best]
