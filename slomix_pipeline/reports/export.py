"""``slomix export``: a session as JSON, schema ``slomix.session/1``. Keys and units are a stable contract.

Numbers come from the views; only rounding happens here.

Does not belong here: the schema as a document (``export_schema``), reading that others need too (``warehouse``).
"""

import csv
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.filenames import parse_file_name
from slomix_pipeline.formats.keys import server_of
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.reports.wording import SURRENDERED
from slomix_pipeline.rules.stamps import stamp_in_utc
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Flag, flag_text
from slomix_pipeline.rules.timing import TimingStatus
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import due, overrides, reading, teams
from slomix_pipeline.warehouse.due import MessageTrouble
from slomix_pipeline.warehouse.overrides import DecisionSeen
from slomix_pipeline.warehouse.reading import SessionScore
from slomix_pipeline.warehouse.server_zones import settings_of
from slomix_pipeline.warehouse.session_evidence import MatchEvidence, SessionEvidence, session_evidence
from slomix_pipeline.warehouse.session_rounds import (
    LostFile,
    PlayerOfRound,
    RoundOfSession,
    quarantined_within,
    session_rounds,
)

SCHEMA = "slomix.session/1"
_SIDES = {1: "axis", 2: "allies", None: None}


def utc_text(moment: datetime) -> str:
    """``2026-02-02T20:13:52Z``."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def sessions_as_json(conn: Connection[DictRow], settings: Settings) -> list[dict[str, Any]]:
    """All sessions, oldest first, with counts, score, what the teams are called and messages to look at."""
    rows = reading.session_rows(conn)
    names = teams.team_names(conn, [row.session_key for row in rows])
    decided = overrides.decided_sessions(conn)
    troubles: dict[str, list[dict[str, str | None]]] = {}
    for row in due.troubles(conn):
        troubles.setdefault(row.session_key, []).append(_trouble(row))
    return [
        {
            **listed_session(row, names[row.session_key], settings),
            "decisions": decided.get(row.session_key, 0),
            "message_troubles": troubles.get(row.session_key, []),
        }
        for row in rows
    ]


def listed_session(row: SessionScore, names: Mapping[str, TeamName], settings: Settings) -> dict[str, Any]:
    """A session in a list: counts, score, what the teams are called."""
    return {
        "key": row.session_key,
        "server": row.server,
        "started_at": utc_text(row.started_at),
        "ended_at": utc_text(row.ended_at),
        "rounds": row.rounds,
        "matches": row.matches,
        "score": _score(row, settings),
        "teams": {team: name.shown for team, name in names.items()},
    }


def troubles_of_no_session(conn: Connection[DictRow]) -> list[dict[str, str | None]]:
    """Messages to look at of rounds and sessions that belong to no session now."""
    known = {row.session_key for row in reading.session_rows(conn)}
    return [_trouble(row) for row in due.troubles(conn) if row.session_key not in known]


def _trouble(row: MessageTrouble) -> dict[str, str | None]:
    return {"thing": row.thing, "trouble": row.trouble, "detail": row.detail, "since": utc_text(row.since)}


def session_as_json(conn: Connection[DictRow], settings: Settings, session_key: str) -> dict[str, Any]:
    """One session with teams, score, matches and rounds in play order.

    Raises:
        KeyError: there is no such session.
    """
    evidence = session_evidence(conn, session_key)
    session = evidence.session
    return {
        "schema": SCHEMA,
        "session": {
            "key": session_key,
            "server": session.server,
            "started_at": utc_text(session.started_at),
            "ended_at": utc_text(session.ended_at),
        },
        "grade": {"letter": evidence.grade.letter, "reasons": list(evidence.grade.reasons)},
        "teams": _teams(evidence),
        "score": _score(session, settings),
        "matches": [match_as_json(match) for match in evidence.matches],
        "rounds": _rounds(conn, settings, session_key),
        "decisions": [_decision(row) for row in evidence.decisions],
        "corrections": [
            {"notice": row.notice, "cause": row.cause, "found_at": utc_text(row.found_at)}
            for row in evidence.corrections
        ],
    }


def _teams(session: SessionEvidence) -> dict[str, Any]:
    """Names, rosters and how sure they are; who stays open is in no roster."""
    evidence = session.teams
    by_guid = {p.guid: p.name for p in session.rosters}
    return {
        **{
            team: {
                "name": name.name,
                "shown": name.shown,
                "name_source": name.source,
                "colour": None if name.colour is None else f"#{name.colour:06X}",
                "players": [{"guid": p.guid, "name": p.name} for p in session.rosters if p.team == team],
            }
            for team, name in session.names.items()
        },
        "confidence": evidence.confidence if evidence else None,
        "reasons": list(evidence.reasons) if evidence else [],
        "open": [
            {"guid": guid, "name": by_guid.get(guid), "reason": why}
            for guid, why in sorted(evidence.open.items() if evidence else ())
        ],
        "flags": [_flag(flag, by_guid) for flag in (evidence.flags if evidence else ())],
    }


def _flag(flag: Flag, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "kind": flag.kind,
        "team": flag.team,
        "rounds": list(flag.rounds),
        "players": list(flag.players),
        "gone": list(flag.gone),
        "text": flag_text(flag, names),
    }


def _score(row: SessionScore, settings: Settings) -> dict[str, Any]:
    return {
        "A": row.points_a,
        "B": row.points_b,
        "draws": row.draws,
        "not_counted": row.not_counted,
        "without_points": row.without_points,
        "policy": row.policy or settings.scoring_policy,  # none before its first match is scored
    }


def match_as_json(match: MatchEvidence) -> dict[str, Any]:
    """A match of a session."""
    return {
        "order": match.position,
        "map": match.map,
        "winner": match.winner,
        "status": match.status,
        "source": match.source,
        "confidence": match.confidence,
        "disputed": match.disputed,
        "reason": match.reason,
        "points": None if match.points_a is None else {"A": match.points_a, "B": match.points_b},
        "attackers_first": match.attackers_first,
        "attackers_side": _SIDES[match.attackers_side],
        "times": [{"seconds": attack.seconds, "completed": attack.completed} for attack in match.attacks],
        "r1": match.r1_key,
        "r2": match.r2_key,
    }


def _decision(row: DecisionSeen) -> dict[str, Any]:
    return {
        "round": row.round_key,
        "id": row.id,
        "kind": row.kind,
        "guid": row.guid,
        "value": row.value,
        "reason": row.reason,
        "made_by": row.made_by,
        "made_at": utc_text(row.made_at),
    }


def _rounds(conn: Connection[DictRow], settings: Settings, session_key: str) -> list[dict[str, Any]]:
    """The rounds of a session in order, with the quarantined files whose stamps lie within it."""
    rounds = [round_as_json(row) for row in session_rounds(conn, session_key)]
    lost = [lost_round_as_json(conn, row, settings) for row in quarantined_within(conn, session_key)]
    return sorted([*rounds, *lost], key=lambda round_: (round_["ended_at"], round_["key"]))


def lost_round_as_json(conn: Connection[DictRow], row: LostFile, settings: Settings) -> dict[str, Any]:
    """A round whose file can't be read."""
    name = parse_file_name(row.name)
    assert name.stamp is not None
    zone = ZoneInfo(row.timezone) if row.timezone else settings_of(conn, settings, server_of(row.round_key)).zone
    return {
        "key": row.round_key,
        "map": name.map_name,
        "round": name.number,
        "status": FileStatus.QUARANTINED,
        "valid": False,
        "reason": row.reason,
        "ended_at": utc_text(stamp_in_utc(name.stamp, zone).at),
        "duration_seconds": None,
        "duration_source": None,
        "stopwatch": None,
        "surrendered": None,
        "timing_status": TimingStatus.NO_LUA_DATA,
        "flags": [],
        "players": [],
    }


def round_as_json(row: RoundOfSession) -> dict[str, Any]:
    """A round of a session."""
    return {
        "key": row.round_key,
        "map": row.map,
        "round": row.number,
        "status": row.status,
        "valid": row.valid,
        "reason": row.invalid_reason or row.reason,
        "ended_at": utc_text(row.stamp),
        "duration_seconds": row.duration_seconds,
        "duration_source": row.duration_source,
        "stopwatch": None if row.stopwatch_seconds is None else format_time(row.stopwatch_seconds),
        "surrendered": SURRENDERED[row.surrender_side],
        "timing_status": row.timing_status,
        "flags": list(row.flags),
        "players": [_player(player) for player in row.players],
    }


def _player(player: PlayerOfRound) -> dict[str, Any]:
    return {
        "guid": player.guid,
        "name": player.name,
        "side": _SIDES[player.side],
        "team": player.team,
        "kills": player.kills,
        "deaths": player.deaths,
        "damage_given": player.damage_given,
        "damage_received": player.damage_received,
        "headshots": player.headshots,
        "hits": player.hits,
        "shots": player.shots,
        "gibs": player.gibs,
        "self_kills": player.self_kills,
        "seconds_played": player.seconds_played,
        "dpm": _rounded(player.dpm, 1),
        "accuracy": _rounded(player.accuracy, 2),
        "revives_given": player.revives_given,
        "xp": player.xp,
        "flags": list(player.flags),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


_CSV_ROUND = (
    "key",
    "map",
    "round",
    "status",
    "valid",
    "ended_at",
    "duration_seconds",
    "duration_source",
    "timing_status",
)
_CSV_PLAYER = (
    "guid",
    "name",
    "side",
    "team",
    "kills",
    "deaths",
    "damage_given",
    "damage_received",
    "headshots",
    "hits",
    "shots",
    "gibs",
    "self_kills",
    "seconds_played",
    "dpm",
    "accuracy",
    "revives_given",
    "xp",
)

# Blanks before the sign don't hinder a spreadsheet, nor do signs of full width; a leading tab or line end has its own.
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def session_as_csv(exported: Mapping[str, Any]) -> str:
    """An export as CSV with a header: a line per player and round, in order; unknown is empty, flags are left out.

    Text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    match_of = {key: match["order"] for match in exported["matches"] for key in (match["r1"], match["r2"]) if key}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(["session", "match", "round", *_CSV_ROUND[1:2], "number", *_CSV_ROUND[3:], *_CSV_PLAYER])
    for round_ in exported["rounds"]:
        own = [round_.get(name) for name in _CSV_ROUND]
        for player in round_["players"]:
            cells = [exported["session"]["key"], match_of.get(round_["key"]), *own, *map(player.get, _CSV_PLAYER)]
            table.writerow([_no_formula(cell) for cell in cells])
    return text.getvalue()


def _no_formula(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell
