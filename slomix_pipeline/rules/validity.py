"""Which rounds count, in one place. Derived anew each time: an orphan becomes valid when its round 1 arrives.

Does not belong here: what a round is (``pairing``, ``broken_off``), what is odd about its numbers (``laws``).
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from slomix_pipeline.rules.differential import CARRIED_OVER, STAYED_LONGER, RoundPlayer
from slomix_pipeline.rules.identity import is_bot
from slomix_pipeline.rules.overrides import DOES_NOT_COUNT, Override
from slomix_pipeline.rules.pairing import Placed
from slomix_pipeline.rules.values import FiledRound, Status

_COUNTING = frozenset({Status.COMPLETE, Status.R1_ONLY})


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
