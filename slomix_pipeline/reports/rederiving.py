"""A round worked out anew from its stored bytes, to be held against what is stored.

Belongs here: asking the rules the stages ask, and naming every number that differs from the stored one.
Does not belong here: rules, and writing: a stage that runs again mends what differs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.gamestats import WeaponCounts
from slomix_pipeline.rules.differential import RoundPlayer
from slomix_pipeline.rules.pairing import Placed
from slomix_pipeline.rules.policy import WEAPON_COLUMNS
from slomix_pipeline.rules.scoring import MatchResult
from slomix_pipeline.rules.session_result import SessionResult
from slomix_pipeline.rules.timing import LengthFrom, RoundTiming
from slomix_pipeline.rules.validity import Validity
from slomix_pipeline.rules.values import FiledRound
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse.placing import SessionRead, results_of_sessions
from slomix_pipeline.warehouse.receipts import PlayerStored, RoundStored
from slomix_pipeline.warehouse.touched import touched_sessions


@dataclass(frozen=True)
class Rederived:
    """What the rules make of a round now. ``rounds``: all of its session, by key; ``match``: the one it is part of."""

    rounds: Mapping[str, FiledRound]
    placed: Placed
    validity: Validity
    players: Sequence[RoundPlayer]
    timing: RoundTiming
    match: MatchResult


def rederive(conn: Connection[DictRow], settings: Settings, server: str, key: str) -> Rederived:
    """Works a parsed round out anew, with the rounds of its session."""
    sessions = touched_sessions(conn, server, [key], settings.session_gap, placed=False)
    session = next(session for session in sessions if any(entry.key == key for entry in session))
    ((read, now),) = results_of_sessions(conn, settings, server, [session])
    return rederived(read, now)[key]


def rederived(read: SessionRead, now: SessionResult) -> dict[str, Rederived]:
    """The rounds of a session that was worked out anew, by key."""
    matches = {match.first.match_key: match.result for match in now.matches}
    return {
        key: Rederived(
            read.rounds,
            placed,
            now.rounds.validities[key],
            now.rounds.players[key],
            now.timings[key],
            matches[placed.match_key],
        )
        for key, placed in now.rounds.placed.items()
    }


def differences(
    now: Rederived,
    stored: RoundStored,
    players: Mapping[str, PlayerStored],
    weapons: Mapping[str, Mapping[str, WeaponCounts]],
) -> list[dict[str, Any]]:
    """Every value of a placed round that is stored otherwise than the rules now have it: what, stored, now."""
    return [
        {"what": what, "stored": was, "now": value}
        for what, was, value in _pairs(now, stored, players, weapons)
        if was != value
    ]


def _pairs(
    now: Rederived,
    stored: RoundStored,
    players: Mapping[str, PlayerStored],
    weapons: Mapping[str, Mapping[str, WeaponCounts]],
) -> Iterator[tuple[str, Any, Any]]:
    """Name, stored value and present value of all there is to compare."""
    place, validity = now.placed, now.validity
    yield "match_key", stored.match_key, place.match_key
    yield "partner_key", stored.partner_key, place.partner
    yield "number", stored.number, place.number
    yield "status", stored.status, place.status
    yield "reason", stored.reason, place.reason
    yield "flags", list(stored.flags), list(place.flags)
    yield "unscored_reason", stored.unscored_reason, validity.unscored_reason
    yield "invalid_reason", stored.invalid_reason, validity.invalid_reason
    yield "players", sorted(players), sorted(player.guid for player in now.players)
    for player in now.players:
        row = players.get(player.guid)
        for name, value in _columns(player).items():
            yield f"{player.guid} {name}", row.numbers[name] if row else None, value
        rows, counted = _counts(weapons.get(player.guid, {})), _counts(player.weapons or {})
        yield f"{player.guid} weapons", rows, counted
    if stored.timing_status:
        yield "duration", _length(stored.duration_seconds, stored.duration_source), _length(*now.timing.duration)
        yield "surrender_side", stored.surrender_side, now.timing.surrender_side
        yield "timing_status", stored.timing_status, now.timing.status
    if stored.match_status:
        yield "match_winner", stored.match_winner, now.match.winner
        yield "match_source", stored.match_source, now.match.source
        yield "match_reason", stored.match_reason, now.match.reason


def _length(seconds: float | None, source: LengthFrom | None) -> tuple[float | None, str | None]:
    """As plain words: in a tuple an enumeration's member would be shown as code writes it."""
    return seconds, source and source.value


def _counts(weapons: Mapping[str, WeaponCounts]) -> dict[str, tuple[int, ...]]:
    return {weapon: tuple(getattr(counts, name) for name in WEAPON_COLUMNS) for weapon, counts in weapons.items()}


def _columns(player: RoundPlayer) -> dict[str, Any]:
    """A player's own numbers under the names of their columns."""
    plain = {f.name: getattr(player, f.name) for f in fields(player) if f.name not in ("weapons", "counters")}
    return plain | player.counters | {"flags": list(player.flags)}
