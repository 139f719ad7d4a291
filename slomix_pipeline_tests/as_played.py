"""An evening as it was played, in the shape in which it is exported, and what differs between two such shapes.

Belongs here: the comparison. Does not belong here: how files come into a database (``pipeline_fixtures``), what an
evening's files look like (``slomix_pipeline.simulator``).
"""

from typing import Any

from slomix_pipeline.reports.export import utc_text
from slomix_pipeline.simulator.values import Evening, SimRound, TruePlayer
from slomix_pipeline_tests.pipeline_fixtures import SERVER, round_key


def as_played(evening: Evening, *, timed: bool = True, server: str = SERVER) -> dict[str, Any]:
    """What an export has to say of an evening, of the keys that the simulator knows. ``timed``: with its records."""
    score = evening.score
    return {
        "session": {
            "key": f"{server}:{evening.rounds[0].stem[:17]}",
            "server": server,
            "ended_at": utc_text(evening.rounds[-1].stamp),
        },
        "teams": {"A": set(evening.team_a), "B": set(evening.team_b)},
        "score": {"A": score.a, "B": score.b, "draws": score.draws, "not_counted": 0},
        "matches": [
            (n, match.map_name, match.winner, "complete", round_key(match.r1, server), round_key(match.r2, server))
            for n, match in enumerate(evening.matches, start=1)
        ],
        "rounds": [_round_as_played(evening, sim_round, timed, server) for sim_round in evening.rounds],
    }


def _round_as_played(evening: Evening, sim_round: SimRound, timed: bool, server: str) -> dict[str, Any]:
    shown = sim_round.duration_seconds if sim_round.attackers_won else sim_round.limit_seconds
    off = abs(shown - sim_round.duration_seconds)
    status = "ALIGNED" if off <= 30 else "MINOR DIFF" if off <= 60 else "DISCREPANCY"
    return {
        "key": round_key(sim_round, server),
        "map": sim_round.map_name,
        "round": sim_round.number,
        "status": "complete",
        "valid": True,
        "ended_at": utc_text(sim_round.stamp),
        "duration_seconds": sim_round.duration_seconds,
        "timing_status": status if timed else "NO LUA DATA",
        "players": {
            guid: _player_as_played(player, "A" if guid in evening.team_a else "B")
            for guid, player in sim_round.players.items()
        },
    }


_COUNTS = (
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
    "revives_given",
    "xp",
)


def _player_as_played(player: TruePlayer, team: str) -> dict[str, Any]:
    return {
        **{name: getattr(player, name) for name in _COUNTS},
        "side": {1: "axis", 2: "allies"}[player.side],
        "team": team,
        "dpm": round(player.damage_given * 60 / player.seconds_played, 1),
        "accuracy": round(100 * player.hits / player.shots, 2),
    }


def as_exported(session: dict[str, Any]) -> dict[str, Any]:
    """An export, cut down to what ``as_played`` knows; a duration without its fraction of a second."""
    played = {*_COUNTS, "side", "team", "dpm", "accuracy"}
    return {
        "session": {k: session["session"][k] for k in ("key", "server", "ended_at")},
        "teams": {team: {p["guid"] for p in session["teams"][team]["players"]} for team in ("A", "B")},
        "score": {k: v for k, v in session["score"].items() if k not in ("policy", "without_points")},
        "matches": [(m["order"], m["map"], m["winner"], m["status"], m["r1"], m["r2"]) for m in session["matches"]],
        "rounds": [
            {
                **{k: r[k] for k in ("key", "map", "round", "status", "valid", "ended_at", "timing_status")},
                "duration_seconds": None if r["duration_seconds"] is None else int(r["duration_seconds"]),
                "players": {p["guid"]: {k: v for k, v in p.items() if k in played} for p in r["players"]},
            }
            for r in session["rounds"]
        ],
    }


def differences(found: Any, expected: Any, path: str = "") -> list[str]:
    """Where two nested values differ, one line each: pytest's own comparison of whole evenings is unreadable."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return [
            line
            for k in sorted(found.keys() | expected.keys(), key=str)
            for line in differences(found.get(k), expected.get(k), f"{path}/{k}")
        ]
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = enumerate(zip(found, expected, strict=True))
        return [line for n, (a, b) in pairs for line in differences(a, b, f"{path}/{n}")]
    return [] if found == expected else [f"{path}: {found} instead of {expected}"]
