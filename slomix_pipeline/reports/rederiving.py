"""A round worked out anew from its stored bytes, to be held against what is stored.

Belongs here: asking the rules the stages ask, and naming every number that differs from the stored one.
Does not belong here: rules, and writing: a stage that runs again mends what differs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.rules.differential import RoundPlayer
from slomix_pipeline.rules.linking import Link
from slomix_pipeline.rules.pairing import SIDES_UNSEEN, Placed
from slomix_pipeline.rules.policy import WEAPON_COLUMNS
from slomix_pipeline.rules.timing import time_round
from slomix_pipeline.rules.validity import Validity
from slomix_pipeline.rules.values import FiledRound, with_true_limit
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import timing_records
from slomix_pipeline.warehouse.placing import work_out_sessions
from slomix_pipeline.warehouse.touched import touched_sessions


@dataclass(frozen=True)
class Rederived:
    """What the rules make of a round now. ``rounds``: all of its session, by key; ``record``: its timing record."""

    rounds: Mapping[str, FiledRound]
    placed: Placed
    validity: Validity
    players: Sequence[RoundPlayer]
    record: TimingRecord | None


def rederive(conn: Connection[DictRow], settings: Settings, server: str, key: str) -> Rederived:
    """Works a parsed round out anew, with the rounds of its session."""
    sessions = touched_sessions(conn, server, [key], settings.session_gap, placed=False)
    session = next(session for session in sessions if any(entry.key == key for entry in session))
    ((rounds, found),) = work_out_sessions(conn, settings, server, [session])
    record = timing_records.record_of(conn, found.links[key].record_key)
    return Rederived(rounds, found.placed[key], found.validities[key], found.players[key], record)


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
        seconds = [player.seconds_played for player in now.players]
        header = now.rounds[place.key].stats.header
        if place.number == 2 and place.partner:
            header = with_true_limit(header, now.rounds[place.partner].stats.header)
        seen = SIDES_UNSEEN not in place.flags
        timing = time_round(header, place.status, seconds, Link(stored["link_class"]), now.record, seen)
        yield "duration", (stored["duration_seconds"], stored["duration_source"]), tuple(timing.duration)
        yield "surrender_side", stored["surrender_side"], timing.surrender_side
        yield "timing_status", stored["timing_status"], timing.status.value


def _columns(player: RoundPlayer) -> dict[str, Any]:
    """A player's own numbers under the names of their columns."""
    plain = {f.name: getattr(player, f.name) for f in fields(player) if f.name not in ("weapons", "counters")}
    return plain | player.counters | {"flags": list(player.flags)}
