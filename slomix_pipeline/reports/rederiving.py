"""A round worked out anew from its stored bytes, to be held against what is stored.

Belongs here: asking the rules the stages ask, and naming every number that differs from the stored one.
Does not belong here: rules, and writing: a stage that runs again mends what differs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.differential import RoundPlayer
from slomix_pipeline.rules.pairing import Placed
from slomix_pipeline.rules.policy import WEAPON_COLUMNS
from slomix_pipeline.rules.scoring import MatchResult
from slomix_pipeline.rules.timing import RoundTiming
from slomix_pipeline.rules.validity import Validity
from slomix_pipeline.rules.values import FiledRound
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse.placing import result_of_session
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
    read, now = result_of_session(conn, settings, server, session)
    placed = now.rounds.placed[key]
    (match,) = (match for match in now.matches if match.first.match_key == placed.match_key)
    return Rederived(
        read.rounds, placed, now.rounds.validities[key], now.rounds.players[key], now.timings[key], match.result
    )


def differences(
    now: Rederived,
    stored: DictRow,
    players: Mapping[str, Mapping[str, Any]],
    weapons: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> list[dict[str, Any]]:
    """Every value of a placed round that is stored otherwise than the rules now have it: what, stored, now."""
    return [
        {"what": what, "stored": was, "now": value}
        for what, was, value in _pairs(now, stored, players, weapons)
        if was != value
    ]


def _pairs(
    now: Rederived,
    stored: DictRow,
    players: Mapping[str, Mapping[str, Any]],
    weapons: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> Iterator[tuple[str, Any, Any]]:
    """Name, stored value and present value of all there is to compare."""
    place = now.placed
    for name, value in (
        ("match_key", place.match_key),
        ("partner_key", place.partner),
        ("number", place.number),
        ("status", place.status.value),
        ("reason", place.reason),
        ("flags", list(place.flags)),
        ("unscored_reason", now.validity.unscored_reason),
        ("invalid_reason", now.validity.invalid_reason),
    ):
        yield name, stored[name], value
    yield "players", sorted(players), sorted(player.guid for player in now.players)
    for player in now.players:
        row = players.get(player.guid, {})
        for name, value in _columns(player).items():
            yield f"{player.guid} {name}", row.get(name), value
        rows = {w: tuple(c[column] for column in WEAPON_COLUMNS) for w, c in weapons.get(player.guid, {}).items()}
        counted = {w: tuple(getattr(c, column) for column in WEAPON_COLUMNS) for w, c in (player.weapons or {}).items()}
        yield f"{player.guid} weapons", rows, counted
    if stored["timing_status"]:
        yield "duration", (stored["duration_seconds"], stored["duration_source"]), tuple(now.timing.duration)
        yield "surrender_side", stored["surrender_side"], now.timing.surrender_side
        yield "timing_status", stored["timing_status"], now.timing.status.value
    if stored["match_status"]:
        yield "match_winner", stored["match_winner"], now.match.winner
        yield "match_source", stored["match_source"], now.match.source
        yield "match_reason", stored["match_reason"], now.match.reason


def _columns(player: RoundPlayer) -> dict[str, Any]:
    """A player's own numbers under the names of their columns."""
    plain = {f.name: getattr(player, f.name) for f in fields(player) if f.name not in ("weapons", "counters")}
    return plain | player.counters | {"flags": list(player.flags)}
