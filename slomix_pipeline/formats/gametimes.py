"""Timing records (gametimes files): the true clock of one round, written by a script on the game server.

Belongs here: the shapes such a record comes in, as one value. Which round it belongs to is a rule
(``rules.timing_records``). A record is recognised by its content: ``{"meta", "payload"}`` of the webhook script, its
announcement alone, one flat JSON object, or ``key=value`` lines.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.names import decode, encode, readable
from slomix_pipeline.formats.times import parse_time

MAX_SIZE = 1 << 20  # bytes; a record of 64 players has some 30 kB
EARLIEST_UNIX = 1_577_836_800  # 2020-01-01: earlier clocks are not set
LATEST_UNIX = 4_102_444_800  # 2100-01-01


@dataclass(frozen=True, slots=True)
class TimingRecord:
    """One round's timing. Seconds leave pauses out of ``duration_seconds``; sides are 1 Axis, 2 Allies, 0 nobody.

    ``number`` is the round as labelled by the script. ``raw`` keeps every key of the record, known or not.
    The fields after it are written by our own script alone: ``aborted`` is whether the round was left before its end
    (its number is then the one it really had), ``restarts`` how often it had been begun before and restarted,
    ``exit_print`` the engine's own words at the end. Without them ``surrender_side`` is who merely called a vote.
    """

    map_name: str
    number: int
    ended_at: datetime
    started_at: datetime | None
    duration_seconds: float | None
    limit_seconds: int | None
    pause_seconds: int | None
    pause_count: int | None
    warmup_seconds: int | None
    winner_side: int | None
    defender_side: int | None
    end_reason: str | None
    surrender_side: int | None
    script_version: str | None
    raw: dict[str, Any]
    schema: str | None = None
    server_id: str | None = None
    aborted: bool | None = None
    restarts: int | None = None
    exit_print: str | None = None

    @property
    def engine_surrender(self) -> int | None:
        """The side that gave up in the engine's own words, 0 nobody; None when they are not known."""
        return self.surrender_side if self.exit_print else None


# Our name, then the names it has had: keys of the flat shapes and of ``meta``, then the webhook's fields.
_NAMES: dict[str, tuple[str, ...]] = {
    "map": ("map", "mapname"),
    "round": ("round", "round_number"),
    "start": ("round_start_unix", "start_unix", "lua_roundstart", "start unix"),
    "end": ("round_end_unix", "end_unix", "lua_roundend", "end unix"),
    "duration": ("actual_duration_seconds", "playtime_seconds", "duration_seconds", "lua_playtime", "duration"),
    "limit_seconds": ("limit_seconds",),
    "limit": ("lua_timelimit", "time limit", "timelimit"),
    "pause_seconds": ("pause_seconds", "total_pause_seconds"),
    "pause_count": ("pause_count",),
    "pauses": ("lua_pauses", "pauses"),
    "warmup": ("warmup_seconds", "lua_warmup"),
    "winner": ("winner", "winner_team"),
    "defender": ("defender", "defender_team"),
    "end_reason": ("end_reason", "lua_endreason", "end reason"),
    "surrender": ("surrender_team", "lua_surrenderteam"),
    "version": ("script_version", "version"),
    "schema": ("schema",),
    "server_id": ("server_id",),
    "aborted": ("aborted",),
    "restarts": ("restarts",),
    "exit_print": ("exit_print",),
}


def parse(data: bytes) -> TimingRecord:
    """Reads a timing record of any known shape.

    Raises:
        FormatError: not such a record, or without map, round or a plausible end time.
    """
    raw = _raw_values(data)
    flat = _flatten(raw)
    map_name = _text(flat, "map")
    if not map_name:
        raise FormatError("the timing record names no map")
    number = _integer(_first(flat, "round"))
    if number not in (0, 1, 2):
        label = str(_first(flat, "round"))[:20]
        raise FormatError(f"the timing record's round is {label!r}; 1 or 2 belongs there")
    ended_at = _unix_time(_first(flat, "end"))
    if ended_at is None:
        raise FormatError("the timing record has no plausible end time")
    pauses = re.fullmatch(r"(\d{1,9}) \((\d{1,9}) sec\)", str(_first(flat, "pauses") or ""))
    return TimingRecord(
        map_name=map_name,
        number=number or 2,  # the engine's own count is 0 in the second round; some versions passed it on
        ended_at=ended_at,
        started_at=_unix_time(_first(flat, "start")),
        duration_seconds=_positive(_number(_first(flat, "duration"))),
        limit_seconds=_limit_seconds(flat),
        pause_seconds=_count(_first(flat, "pause_seconds")) if pauses is None else int(pauses[2]),
        pause_count=_count(_first(flat, "pause_count")) if pauses is None else int(pauses[1]),
        warmup_seconds=_count(_first(flat, "warmup")),
        winner_side=_side(_first(flat, "winner")),
        defender_side=_side(_first(flat, "defender")),
        end_reason=_end_reason(flat),
        surrender_side=_side(_first(flat, "surrender")),
        script_version=_version(flat),
        raw=raw,
        schema=_text(flat, "schema") or None,
        server_id=_text(flat, "server_id") or None,
        aborted=_flag(_first(flat, "aborted")),
        restarts=_count(_first(flat, "restarts")),
        exit_print=_text(flat, "exit_print") or None,
    )


def _raw_values(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_SIZE:
        raise FormatError(f"larger than {MAX_SIZE} bytes: no timing record")
    text = decode(data).strip()
    if not text:
        raise FormatError("empty file")
    if text.startswith("{"):
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError):
            raise FormatError("cut or damaged: not whole JSON") from None
        return raw if isinstance(raw, dict) else {}
    pairs = [line.partition("=") for line in text.splitlines() if line.strip()]
    if not all(sign for _, sign, _ in pairs):
        raise FormatError("neither JSON nor key=value lines")
    return {key.strip(): value.strip() for key, _, value in pairs}


def _flatten(raw: dict[str, Any]) -> dict[str, Any]:
    """All values by lower-case name; ``meta`` wins over the webhook's fields, which are text made for people."""
    payload = raw.get("payload", raw)  # the announcement alone is a record too
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            payload = None
    flat: dict[str, Any] = {}
    embeds = payload.get("embeds") if isinstance(payload, dict) else None
    for embed in embeds if isinstance(embeds, list) else []:
        if not isinstance(embed, dict):
            continue
        for field in embed.get("fields") or [] if isinstance(embed.get("fields"), list) else []:
            if isinstance(field, dict):
                flat[str(field.get("name")).lower()] = field.get("value")
        footer = embed.get("footer")
        flat["footer"] = footer.get("text") if isinstance(footer, dict) else None
    meta = raw.get("meta")
    own = meta if isinstance(meta, dict) else {k: v for k, v in raw.items() if k != "payload"}
    return flat | {str(key).lower(): value for key, value in own.items()}


def _first(flat: dict[str, Any], what: str) -> Any:
    return next((flat[name] for name in _NAMES[what] if flat.get(name) not in (None, "")), None)


def _text(flat: dict[str, Any], what: str) -> str:
    """The value as text that can be stored: JSON may escape characters that no database takes."""
    return readable(str(_first(flat, what) or "")).strip()


def _number(value: Any) -> float | None:
    """The number a value starts with (``461``, ``"461 sec"``, ``"7.683 min"``)."""
    if isinstance(value, bool):
        return None
    found = re.match(r"\s*(-?\d{1,12}(?:\.\d{1,9})?)(?![\d.e])", str(value), re.ASCII)
    return float(found[1]) if found else None


def _integer(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number == int(number) else None


def _count(value: Any) -> int | None:
    """A whole number that can have been counted; None for others."""
    number = _integer(value)
    return number if number is not None and 0 <= number < 1 << 31 else None


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def _side(value: Any) -> int | None:
    side = _integer(value)
    return side if side in (0, 1, 2) else None


def _unix_time(value: Any) -> datetime | None:
    seconds = _number(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds and EARLIEST_UNIX <= seconds <= LATEST_UNIX else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _limit_seconds(flat: dict[str, Any]) -> int | None:
    """The limit in seconds: a number of them, ``7.683 min`` as the webhook prints it, or a time as in stats files."""
    seconds = _count(_first(flat, "limit_seconds"))
    if seconds is not None:
        return seconds
    text = str(_first(flat, "limit") or "").strip()
    minutes = re.fullmatch(r"(\d{1,4}(?:\.\d{1,6})?) min", text)
    return round(float(minutes[1]) * 60) if minutes else parse_time(text)


def _end_reason(flat: dict[str, Any]) -> str | None:
    reason = _text(flat, "end_reason")
    return reason if reason not in ("", "unknown") else None


def _version(flat: dict[str, Any]) -> str | None:
    found = re.search(r"v?(\d{1,5}\.\d{1,5}\.\d{1,5})", f"{_first(flat, 'version') or ''} {flat.get('footer') or ''}")
    return found[1] if found else None


def dump(
    record: TimingRecord,
    *,
    axis: Sequence[Mapping[str, str]] = (),
    allies: Sequence[Mapping[str, str]] = (),
    spawn_stats: Sequence[Mapping[str, Any]] = (),
) -> bytes:
    """The record as the webhook script writes it; ``parse`` gives it back in all but ``raw``, which is not read.

    ``axis`` and ``allies`` are rosters of ``{"guid", "name"}``; ``spawn_stats`` has one mapping per player, with at
    least ``spawns``, ``avg_respawn`` and ``max_respawn`` (seconds).
    """
    start = None if record.started_at is None else _plain(record.started_at.timestamp())
    end = _plain(record.ended_at.timestamp())
    duration = _plain(record.duration_seconds)
    meta = {
        "map": record.map_name,
        "round": record.number,
        "round_start_unix": start,
        "round_end_unix": end,
        "actual_duration_seconds": duration,
        "warmup_seconds": record.warmup_seconds,
        "pause_seconds": record.pause_seconds,
        "pause_count": record.pause_count,
        "server_ip": "0.0.0.0",
        "server_port": "27960",
        "match_id": str(end),
        "spawn_stats": list(spawn_stats),
    }
    own = ("schema", "server_id", "aborted", "restarts", "exit_print")
    meta |= {name: getattr(record, name) for name in own if getattr(record, name) is not None}
    minutes = None if record.limit_seconds is None else f"{record.limit_seconds / 60:.3f}".rstrip("0").rstrip(".")
    fields = {
        "Map": record.map_name,
        "Round": record.number,
        "Winner": record.winner_side,
        "Defender": record.defender_side,
        "Lua_Playtime": _with_unit(duration, "sec"),
        "Lua_Timelimit": _with_unit(minutes, "min"),
        "Lua_Pauses": f"{record.pause_count} ({record.pause_seconds} sec)",
        "Lua_EndReason": record.end_reason,
        "Lua_Warmup": _with_unit(record.warmup_seconds, "sec"),
        "Lua_WarmupStart": start,
        "Lua_RoundStart": start,
        "Lua_RoundEnd": end,
        "Lua_SurrenderTeam": record.surrender_side,
        "Lua_SurrenderCaller": "",
        "Lua_SurrenderCallerName": "",
        "Lua_AxisScore": int(record.winner_side == 1),
        "Lua_AlliesScore": int(record.winner_side == 2),
        "Axis_JSON": _json(list(axis)),
        "Allies_JSON": _json(list(allies)),
        "Lua_Pauses_JSON": "[]",
        "Lua_SpawnSummary": _spawn_summary(spawn_stats),
    }
    version = "" if record.script_version is None else f" v{record.script_version}"
    embed = {
        "title": f"Round Complete: {record.map_name} R{record.number}",
        "description": "Timing: Playtime (no pauses) · Warmup · Wall-clock",
        "color": 3447003,
        "fields": [
            {"name": k, "value": "" if v is None else str(v), "inline": not k.endswith("_JSON")}
            for k, v in fields.items()
        ],
        "footer": {"text": f"Slomix Lua Webhook{version}"},
    }
    payload = {"username": "ET:Legacy Stats", "content": "STATS_READY", "embeds": [embed]}
    return encode(_json({"meta": meta, "payload": payload}))


def _plain(number: float | None) -> float | None:
    """Whole numbers without ``.0``."""
    return int(number) if number is not None and number == int(number) else number


def _with_unit(value: object, unit: str) -> str | None:
    return None if value is None else f"{value} {unit}"


def _spawn_summary(spawn_stats: Sequence[Mapping[str, Any]]) -> str:
    spawns = sum(s["spawns"] for s in spawn_stats)
    average = sum(s["avg_respawn"] * s["spawns"] for s in spawn_stats) // max(spawns, 1)
    longest = max((s["max_respawn"] for s in spawn_stats), default=0)
    return f"Players:{len(spawn_stats)} | Spawns:{spawns} | AvgRespawn:{average}s | MaxRespawn:{longest}s"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
