"""A session's rounds with their own numbers: pairing decides which rule each file's numbers need."""

from collections.abc import Iterable, Mapping

from slomix_pipeline.rules.differential import RoundPlayer, orphan_players, round_one_players, round_two_players
from slomix_pipeline.rules.pairing import Placed
from slomix_pipeline.rules.values import FiledRound


def own_numbers(rounds: Iterable[FiledRound], placed: Mapping[str, Placed]) -> dict[str, list[RoundPlayer]]:
    """The players of every round, by round key, with the numbers of that round alone."""
    stats = {entry.key: entry.stats for entry in rounds}
    players = {}
    for key, place in placed.items():
        partner = stats.get(place.partner) if place.partner else None
        if place.number == 1:
            players[key] = round_one_players(stats[key], partner)
        elif partner is None:
            players[key] = orphan_players(stats[key])
        else:
            players[key] = round_two_players(partner, stats[key])
    return players
