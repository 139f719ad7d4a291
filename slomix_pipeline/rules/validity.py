"""Which rounds count, in one place. Derived anew each time: an orphan becomes valid when its round 1 arrives.

Also who is a bot, and how bots, who share one GUID, are told apart.
"""

import hashlib
import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from slomix_pipeline.formats.gamestats import PlayerLine, StatsFile
from slomix_pipeline.rules.differential import CARRIED_OVER, STAYED_LONGER, RoundPlayer
from slomix_pipeline.rules.overrides import DOES_NOT_COUNT, Override
from slomix_pipeline.rules.pairing import Placed
from slomix_pipeline.rules.values import FiledRound, Status

_BOT_PREFIX = "BOT-"  # of the GUIDs made here
_COUNTING = frozenset({Status.COMPLETE, Status.R1_ONLY})


def is_bot(line: PlayerLine) -> bool:
    """Bots carry a GUID of the bot module, or a name that says so."""
    return line.guid.startswith(("OMNIBOT", _BOT_PREFIX)) or line.clean_name.upper().startswith("[BOT]")


def can_count(status: Status) -> bool:
    """Whether a round of this status has numbers of its own, and a result."""
    return status in _COUNTING


class Validity(NamedTuple):
    """Why no match of a round can count, and why its numbers count in no total; None: they do.

    A round can be invalid and its result stand: counters may lie where the header does not.
    """

    unscored_reason: str | None
    invalid_reason: str | None


def validity(
    entry: FiledRound,
    place: Placed,
    players: Sequence[RoundPlayer],
    filler_maps: Collection[str],
    decided: Override | None = None,
) -> Validity:
    """The verdict on one round. ``players``: with the round's own numbers; ``filler_maps``: as ``map_key`` has them.

    ``decided``: what somebody decided of it. A round that has no place in a match can't be made to count.
    """
    if decided and decided.value == DOES_NOT_COUNT:
        return Validity(decided.in_words, decided.in_words)
    if decided and can_count(place.status):
        return Validity(None, None)
    unscored = _why_unscored(entry, place, filler_maps)
    return Validity(unscored, unscored or _why_without_numbers(players))


def _why_unscored(entry: FiledRound, place: Placed, filler_maps: Collection[str]) -> str | None:
    if not can_count(place.status):
        return place.reason or place.status.value
    bots = sum(is_bot(line) for line in entry.stats.players)
    if bots:
        return "a bot round: more bots than players" if 2 * bots > len(entry.stats.players) else "bots took part"
    return "filler map" if entry.map_name in filler_maps else None


# Why nothing is left of a round when these flags are most of its lobby's.
_WITHOUT_NUMBERS = {
    CARRIED_OVER: "counters carried over from an earlier play of the map",
    STAYED_LONGER: "the players' minutes are above what the round can have lasted",
}


def _why_without_numbers(players: Sequence[RoundPlayer]) -> str | None:
    """A single player whose counters hold more than the round is unknown by himself; of most of a lobby nothing is
    left."""
    found = Counter(flag for player in players for flag in _WITHOUT_NUMBERS if flag in player.flags)
    return _WITHOUT_NUMBERS[found.most_common(1)[0][0]] if 2 * found.total() > len(players) else None


def with_distinct_guids(stats: StatsFile) -> StatsFile:
    """The file with a GUID of his own for every bot: ``BOT-`` and four hex digits of his name.

    Two humans with equal GUIDs stay as they are; the caller refuses such a file.
    """
    taken: set[str] = set()
    return replace(stats, players=tuple(_told_apart(line, taken) for line in _by_name(stats.players)))


def _by_name(players: Iterable[PlayerLine]) -> list[PlayerLine]:
    # Line order is arbitrary and differs between the rounds of a match; bots of one name need a stable order.
    return sorted(players, key=lambda line: (line.guid, line.name))


def _told_apart(line: PlayerLine, taken: set[str]) -> PlayerLine:
    if not is_bot(line):
        return line
    for attempt in itertools.count():
        digest = hashlib.sha256(f"{line.clean_name}/{attempt}".encode()).hexdigest()
        guid = f"{_BOT_PREFIX}{digest[:4].upper()}"
        if guid not in taken:
            break
    taken.add(guid)
    return replace(line, guid=guid)
