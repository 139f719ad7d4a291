"""``slomix export``: a session as JSON, schema ``slomix.session/1``. Keys and units are a stable contract.

Numbers come from the views; only rounding happens here.
"""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.commands.wording import SURRENDERED
from slomix_pipeline.formats.filenames import parse_file_name
from slomix_pipeline.rules.scoring import POLICY
from slomix_pipeline.rules.stamps import stamp_in_utc
from slomix_pipeline.rules.timing import TimingStatus
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import reading

SCHEMA = "slomix.session/1"
_SIDES = {1: "axis", 2: "allies", None: None}


def utc_text(moment: datetime) -> str:
    """``2026-02-02T20:13:52Z``."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def sessions_as_json(conn: Connection[DictRow]) -> list[dict[str, Any]]:
    """All sessions, oldest first, with counts and score."""
    return [
        {
            "key": row["session_key"],
            "server": row["server"],
            "started_at": utc_text(row["started_at"]),
            "ended_at": utc_text(row["ended_at"]),
            "rounds": row["rounds"],
            "matches": row["matches"],
            "score": _score(row),
        }
        for row in reading.session_rows(conn)
    ]


def session_as_json(conn: Connection[DictRow], session_key: str) -> dict[str, Any]:
    """One session with teams, score, matches and rounds in play order.

    Raises:
        KeyError: there is no such session.
    """
    rows = reading.session_rows(conn, session_key)
    if not rows:
        raise KeyError(session_key)
    session = rows[0]
    people = reading.rosters(conn, session_key)
    return {
        "schema": SCHEMA,
        "session": {
            "key": session_key,
            "server": session["server"],
            "started_at": utc_text(session["started_at"]),
            "ended_at": utc_text(session["ended_at"]),
        },
        "teams": {
            team: {"players": [{"guid": p["guid"], "name": p["name"]} for p in people if p["team"] == team]}
            for team in ("A", "B")
        },
        "score": _score(session),
        "matches": [_match(match) for match in reading.matches(conn, [session_key])],
        "rounds": _rounds(conn, session_key, session["server"]),
    }


def _score(row: DictRow) -> dict[str, Any]:
    return {
        "A": row["won_a"], "B": row["won_b"], "draws": row["draws"], "not_counted": row["not_counted"],
        "policy": POLICY,
    }  # fmt: skip


def _match(match: reading.MatchSeen) -> dict[str, Any]:
    return {
        "order": match.position,
        "map": match.map_name,
        "winner": match.winner,
        "status": match.status,
        "source": match.source,
        "reason": match.reason,
        "r1": match.first.key if match.first else None,
        "r2": match.second.key if match.second else None,
    }


def _rounds(conn: Connection[DictRow], session_key: str, server: str) -> list[dict[str, Any]]:
    """The rounds of a session in order, with the quarantined files whose stamps lie within it."""
    rounds = [_round(row) for row in reading.session_rounds(conn, session_key)]
    stamps = [round_["key"].partition(":")[2][:17] for round_ in rounds]
    lost = [_quarantined(row) for row in reading.quarantined_between(conn, server, min(stamps), max(stamps))]
    return sorted([*rounds, *lost], key=lambda round_: (round_["ended_at"], round_["key"]))


def _quarantined(row: DictRow) -> dict[str, Any]:
    name = parse_file_name(row["name"])
    assert name.stamp is not None
    zone = ZoneInfo(row["timezone"] or load_settings().timezone)
    return {
        "key": row["round_key"],
        "map": name.map_name,
        "round": name.number,
        "status": "quarantined",
        "valid": False,
        "reason": row["reason"],
        "ended_at": utc_text(stamp_in_utc(name.stamp, zone).at),
        "duration_seconds": None,
        "duration_source": None,
        "stopwatch": None,
        "surrendered": None,
        "timing_status": TimingStatus.NO_LUA_DATA,
        "flags": [],
        "players": [],
    }


def _round(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": row["round_key"],
        "map": row["map"],
        "round": row["number"],
        "status": row["status"],
        "valid": row["valid"],
        "reason": row["invalid_reason"] or row["reason"],
        "ended_at": utc_text(row["stamp"]),
        "duration_seconds": row["duration_seconds"],
        "duration_source": row["duration_source"],
        "stopwatch": row["attack_time_text"],
        "surrendered": SURRENDERED[row["surrender_side"]],
        "timing_status": row["timing_status"],
        "flags": list(row["flags"]),
        "players": [_player(player) for player in row["players"]],
    }


def _player(player: DictRow) -> dict[str, Any]:
    counts = (
        "kills", "deaths", "damage_given", "damage_received", "headshots", "hits", "shots", "gibs", "self_kills",
        "seconds_played",
    )  # fmt: skip
    return {
        "guid": player["guid"],
        "name": player["name"],
        "side": _SIDES[player["side"]],
        "team": player["team"],
        **{name: player[name] for name in counts},
        "dpm": _rounded(player["dpm"], 1),
        "accuracy": _rounded(player["accuracy"], 2),
        "revives_given": player["revives_given"],
        "xp": player["xp"],
        "flags": list(player["flags"]),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
