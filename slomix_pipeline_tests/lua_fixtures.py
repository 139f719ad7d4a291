"""Shared by the tests of the game-side scripts: the script, an engine that runs it, and the records read back."""

import json
from pathlib import Path
from typing import Any

from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.filenames import gametime_file_name
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.settings import project_folder
from slomix_pipeline_tests.fake_engine import ALLIES, AXIS, FakeEngine, TrueRound

SCRIPT = project_folder() / "lua" / "stats_discord_webhook.lua"
CONFIG = "slomix_config.lua"
START = 1767982500
NAMES = ("uno", "dos", "tres", "quatro", "cinco", "seis")


def guid(number: int) -> str:
    return f"{number:02X}" * 16


def start_engine(runtime: str, home: Path, *scripts: str | Path, missing: tuple[str, ...] = ()) -> FakeEngine:
    """An engine with our script, after whatever else is given, with a config that names the server."""
    engine = FakeEngine(runtime, home, [*scripts, SCRIPT], missing=missing, unix=START)
    write_config(engine, 'return { server_id = "main" }')
    return engine


def write_config(engine: FakeEngine, text: str) -> None:
    (engine.folder / CONFIG).write_bytes(text.encode("latin-1"))


def fill(engine: FakeEngine, per_side: int = 2) -> None:
    """Players on both sides: Axis have the even slots, Allies the odd ones."""
    for slot in range(2 * per_side):
        engine.connect(slot, NAMES[slot], guid(slot + 1), ALLIES if slot % 2 else AXIS)


def begin(engine: FakeEngine, map_name: str = "supply", warmup: float = 3, per_side: int = 2) -> TrueRound:
    """A map with two teams, in its first seconds of play."""
    engine.load_map(map_name)
    fill(engine, per_side)
    engine.frames(warmup)
    return engine.begin_play()


def files(engine: FakeEngine) -> dict[str, bytes]:
    folder = engine.folder / "gametimes"
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))} if folder.is_dir() else {}


def file_of(engine: FakeEngine, played: TrueRound) -> bytes:
    return files(engine)[gametime_file_name(played.map_name, played.number, played.end_unix)]


def meta_of(engine: FakeEngine, played: TrueRound) -> dict[str, Any]:
    meta = json.loads(file_of(engine, played).decode("utf-8"))["meta"]
    assert isinstance(meta, dict)
    return meta


def fields_of(engine: FakeEngine, played: TrueRound) -> dict[str, str]:
    payload = json.loads(file_of(engine, played).decode("utf-8"))["payload"]
    return {field["name"]: field["value"] for field in payload["embeds"][0]["fields"]}


def record_of(engine: FakeEngine, played: TrueRound) -> TimingRecord:
    return gametimes.parse(file_of(engine, played))


def person(engine: FakeEngine, played: TrueRound, number: int) -> dict[str, Any]:
    """What is told of the player with ``guid(number)``."""
    (found,) = [p for p in meta_of(engine, played)["spawn_stats"] if p["guid"] == guid(number)]
    assert isinstance(found, dict)
    return found


def check_quiet(engine: FakeEngine) -> None:
    """No script threw, none returned anything, nothing but records is left in the folder."""
    assert engine.errors == []
    assert engine.returned == []
    assert [name for name in files(engine) if not name.endswith(".json")] == []


def check_truth(engine: FakeEngine) -> None:
    """Every round that was played has exactly one record, and it says what happened."""
    check_quiet(engine)
    names = {gametime_file_name(r.map_name, r.number, r.end_unix) for r in engine.rounds}
    assert set(files(engine)) == names and len(names) == len(engine.rounds)
    for played in engine.rounds:
        _check_clock(record_of(engine, played), played)
        _check_people(meta_of(engine, played), played)


def _check_clock(record: TimingRecord, played: TrueRound) -> None:
    aborted = played.ended_by != "exit"
    assert (record.map_name, record.number) == (played.map_name, played.number)
    assert record.started_at is not None and record.started_at.timestamp() == played.start_unix
    assert record.ended_at.timestamp() == played.end_unix
    assert (record.duration_seconds or 0) == (played.played_ms + 500) // 1000
    assert record.pause_count == len(played.pauses)
    assert record.pause_seconds == (sum(pause.ms for pause in played.pauses) + 500) // 1000
    assert record.warmup_seconds == played.warmup_seconds
    assert record.winner_side == (None if aborted else played.winner)
    assert record.aborted is aborted
    assert (record.schema, record.server_id, record.script_version) == ("slomix.timing/1", "main", "2.0.0")
    assert [(p["start"], p["end"], p["sec"]) for p in record.raw["meta"]["pauses"]] == [
        (pause.start, pause.end, (pause.ms + 500) // 1000) for pause in played.pauses
    ]


def _check_people(meta: dict[str, Any], played: TrueRound) -> None:
    assert [p["guid"] for p in meta["axis"]] == played.axis
    assert [p["guid"] for p in meta["allies"]] == played.allies
    told = {p["guid"]: p for p in meta["spawn_stats"]}
    assert len(told) == len(meta["spawn_stats"])
    assert set(told) == {true.guid for true in played.players.values() if true.spawns + true.deaths}
    for key, player in told.items():
        true = played.players[key]
        waits = true.waits
        assert (player["spawns"], player["deaths"]) == (true.spawns, true.deaths)
        assert player["dead_seconds"] == true.dead_ms // 1000
        assert player["avg_respawn"] == (sum(waits) // len(waits) // 1000 if waits else 0)
        assert player["max_respawn"] == max(waits, default=0) // 1000
