"""A session's rounds with place, own numbers and validity: the rules in the order they need each other."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from slomix_pipeline.rules.counters import carried_over, longest_seconds
from slomix_pipeline.rules.differential import RoundPlayer, orphan_players, round_one_players, round_two_players
from slomix_pipeline.rules.overrides import Override, OverrideKind, of_kind
from slomix_pipeline.rules.pairing import Placed, SecondRoundSeen, pair_rounds
from slomix_pipeline.rules.validity import Validity, validity
from slomix_pipeline.rules.values import FiledRound, Status

# To be raised with every change of what a rule makes of a round: what older rules made is worked out again.
RULES_VERSION = 2


class SessionRounds(NamedTuple):
    """What the rules make of a session's rounds, each by round key."""

    placed: Mapping[str, Placed]
    players: Mapping[str, Sequence[RoundPlayer]]
    validities: Mapping[str, Validity]


def work_out(
    rounds: Collection[FiledRound],
    window: timedelta,
    filler_maps: Collection[str],
    second_rounds_seen: Sequence[SecondRoundSeen] = (),
    overrides: Iterable[Override] = (),
) -> SessionRounds:
    """Pairs a session's rounds, takes each one's own numbers and judges what counts."""
    decided = of_kind(overrides, OverrideKind.ROUND)
    placed = pair_rounds(rounds, window, second_rounds_seen)
    players = own_numbers(rounds, placed)
    validities = {
        entry.key: validity(entry, placed[entry.key], players[entry.key], filler_maps, decided.get(entry.key))
        for entry in rounds
    }
    return SessionRounds(placed, players, validities)


def own_numbers(rounds: Iterable[FiledRound], placed: Mapping[str, Placed]) -> dict[str, list[RoundPlayer]]:
    """The players of every round, by round key, with the numbers of that round alone."""
    in_order = sorted(rounds, key=lambda entry: (entry.stamp, entry.key))
    stats = {entry.key: entry.stats for entry in in_order}
    players = {}
    previous: FiledRound | None = None
    for entry in in_order:
        place = placed[entry.key]
        partner = stats.get(place.partner) if place.partner else None
        # The header of an aborted round holds presets: how long it can have lasted is unknown.
        aborted = place.status is Status.ABORTED
        longest = None if aborted else longest_seconds(entry.stats.header)
        if aborted and _may_count_on(entry):
            players[entry.key] = orphan_players(entry.stats)
        elif place.number == 1:
            same_map = previous is not None and previous.map_name == entry.map_name and not aborted
            carried = carried_over(entry.stats, previous.stats if previous and same_map else None)
            players[entry.key] = round_one_players(entry.stats, partner, carried, longest)
        elif partner is None:
            players[entry.key] = orphan_players(entry.stats)
        else:
            players[entry.key] = round_two_players(partner, entry.stats, longest)
        previous = entry
    return players


def _may_count_on(entry: FiledRound) -> bool:
    """Whether an aborted round's numbers may be sums of two: its label is no help, and not everybody began with it."""
    return any(line.rounds != 0 for line in entry.stats.players)
