"""A session's rounds with place, own numbers and validity: the rules in the order they need each other.

Does not belong here: the rules themselves, what a session comes to (``session_result``).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.rules.counters import carried_over, longest_seconds
from slomix_pipeline.rules.differential import RoundPlayer, orphan_players, round_one_players, round_two_players
from slomix_pipeline.rules.linking import Clocked, Link
from slomix_pipeline.rules.overrides import Override, OverrideKind, of_kind, place_as_decided
from slomix_pipeline.rules.pairing import Placed, SecondRoundSeen, pair_rounds
from slomix_pipeline.rules.timing_records import FiledRecord, link_timing_records
from slomix_pipeline.rules.validity import Validity, validity
from slomix_pipeline.rules.values import FiledRound, Status, with_true_limit

# To be raised with every change of what a rule makes of a round: what older rules made is worked out again.
RULES_VERSION = 5


class SessionRounds(NamedTuple):
    """What the rules make of a session's rounds, each by round key; ``links``: the timing record it is placed with."""

    placed: Mapping[str, Placed]
    players: Mapping[str, Sequence[RoundPlayer]]
    validities: Mapping[str, Validity]
    links: Mapping[str, Link]


def work_out(
    rounds: Collection[FiledRound],
    window: timedelta,
    filler_maps: Collection[str],
    second_rounds_seen: Sequence[SecondRoundSeen] = (),
    overrides: Iterable[Override] = (),
    records: Sequence[FiledRecord] = (),
) -> SessionRounds:
    """Links a session's rounds to their timing records, pairs them, takes each one's own numbers and judges what
    counts. ``records``: the server's timing records from around the session."""
    overrides = list(overrides)
    decided = of_kind(overrides, OverrideKind.ROUND)
    clocked = [Clocked(entry.key, entry.map_name, entry.number, entry.stamp) for entry in rounds]
    links = link_timing_records(clocked, records).links
    by_key = {filed.key: filed.record for filed in records}
    linked = {key: by_key[link.record_key] for key, link in links.items() if link.record_key}
    stats = {entry.key: entry.stats for entry in rounds}
    placed = place_as_decided(pair_rounds(rounds, window, second_rounds_seen, linked), overrides, stats)
    players = own_numbers(rounds, placed, linked)
    validities = {
        entry.key: validity(entry, placed[entry.key], players[entry.key], filler_maps, decided.get(entry.key))
        for entry in rounds
    }
    return SessionRounds(placed, players, validities, links)


def own_numbers(
    rounds: Iterable[FiledRound], placed: Mapping[str, Placed], records: Mapping[str, TimingRecord] | None = None
) -> dict[str, list[RoundPlayer]]:
    """The players of every round, by round key, with the numbers of that round alone. ``records``: the linked ones."""
    in_order = sorted(rounds, key=lambda entry: (entry.stamp, entry.key))
    stats = {entry.key: entry.stats for entry in in_order}
    players = {}
    previous: FiledRound | None = None
    for entry in in_order:
        place = placed[entry.key]
        partner = stats.get(place.partner) if place.partner else None
        record = (records or {}).get(entry.key)
        # The header of an aborted round holds presets: how long it can have lasted is unknown.
        aborted = place.status is Status.ABORTED
        header = entry.stats.header
        if place.number == 2 and partner:
            header = with_true_limit(header, partner.header)
        longest = None if aborted else longest_seconds(header, record.pause_seconds if record else None)
        if aborted and _may_count_on(entry):
            players[entry.key] = orphan_players(entry.stats)
        elif not place.goes_on:
            same_map = previous is not None and previous.map_name == entry.map_name and not aborted
            carried = carried_over(entry.stats, previous.stats if previous and same_map else None, longest)
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
