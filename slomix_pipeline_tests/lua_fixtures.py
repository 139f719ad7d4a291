"""Shared by the tests of the game-side scripts: the scripts, an engine that runs them, play, and the records read back."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.filenames import gametime_file_name
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.simulator.engine.game import GameEngine
from slomix_pipeline.simulator.engine.host import ALLIES, AXIS, RUNTIMES, SPECTATOR
from slomix_pipeline.simulator.engine.people import (
    MOD_FALLING,
    MOD_GPG40,
    MOD_GRENADE,
    MOD_LUGER,
    MOD_MP40,
    MOD_SUICIDE,
    MOD_THOMPSON,
    WEAPON_OF,
    WORLD,
)
from slomix_pipeline.simulator.engine.truth import TrueRound

SCRIPT = bundled_folder("lua") / "stats_discord_webhook.lua"
GAMESTATS_SCRIPT = bundled_folder("lua") / "gamestats.lua"
ENDSTATS_SCRIPT = bundled_folder("lua") / "endstats.lua"
TIMING_VERSION = "2.1.0"
CONFIG = "slomix_config.lua"
START = 1767982500
NAMES = ("uno", "dos", "tres", "quatro", "cinco", "seis")


# Names that break careless scripts; bytes in Latin-1.
ODD = {
    "quotes": "\"'`${x}%s%d\\",
    "control bytes": "".join(chr(c) for c in range(1, 32)) + "\x7f",
    "a NUL byte": "a\x00b",
    "no UTF-8": "\xff\xfe\x80\xc3",
    "UTF-8": "žćš€😀".encode().decode("latin-1"),
    "a character cut in half": "\xf0\x9f\x98",
    "a surrogate": "\xed\xa0\x80",
    "empty": "",
    "very long": "x" * 5000,
    "colours": "^1red^^7^x^ \x1b^",
    "looks like JSON": '"}],"round":2,"x":[{"',
    "looks like the end": "Exit: Axis Surrender",
}


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    """Every Lua that a game server may have."""
    return str(request.param)


def guid(number: int) -> str:
    return f"{number:02X}" * 16


def start_engine(runtime: str, home: Path, *scripts: str | Path, missing: tuple[str, ...] = ()) -> GameEngine:
    """An engine with our script, after whatever else is given, with a config that names the server."""
    engine = GameEngine(runtime, home, [*scripts, SCRIPT], missing=missing, unix=START)
    write_config(engine, 'return { server_id = "main" }')
    return engine


def write_config(engine: GameEngine, text: str) -> None:
    (engine.folder / CONFIG).write_bytes(text.encode("latin-1"))


def fill(engine: GameEngine, per_side: int = 2) -> None:
    """Players on both sides: Axis have the even slots, Allies the odd ones."""
    for slot in range(2 * per_side):
        engine.connect(slot, NAMES[slot], guid(slot + 1), ALLIES if slot % 2 else AXIS)


def begin(engine: GameEngine, map_name: str = "supply", warmup: float = 3, per_side: int = 2) -> TrueRound:
    """A map with two teams, in its first seconds of play."""
    engine.load_map(map_name)
    fill(engine, per_side)
    engine.frames(warmup)
    return engine.begin_play()


def fight(engine: GameEngine, seconds: float, random: Random) -> None:
    """Everybody does what people do, now and then."""
    for _ in range(round(seconds * 2)):
        for slot in sorted(engine.clients):
            if engine.clients[slot].on_a_side:
                _act(engine, slot, random)
            if random.random() < 0.1:
                engine.frame()
        engine.frames(0.5)


def _act(engine: GameEngine, slot: int, random: Random) -> None:
    client = engine.clients[slot]
    living = [s for s, c in sorted(engine.clients.items()) if c.on_a_side and not c.limbo and c.wait_ms is None]
    mates = [s for s in living if engine.clients[s].side == client.side and s != slot]
    enemies = [s for s in living if engine.clients[s].side != client.side]
    if client.limbo:
        if random.random() < 0.15:
            engine.respawn(slot)
    elif client.wait_ms is not None:
        _lie(engine, slot, mates, enemies, random)
    elif random.random() < 0.5:
        _attack(engine, slot, mates, enemies, random)
    else:
        _work(engine, slot, random)


def _lie(engine: GameEngine, slot: int, mates: list[int], enemies: list[int], random: Random) -> None:
    deed = random.random()
    if deed < 0.15 and mates:
        engine.revive(random.choice(mates), slot)
    elif deed < 0.3 and mates + enemies:
        engine.gib(random.choice(mates + enemies), slot)
        engine.tap_out(slot)
    elif deed < 0.5:
        engine.tap_out(slot)


def _attack(engine: GameEngine, slot: int, mates: list[int], enemies: list[int], random: Random) -> None:
    mod = random.choice([*[MOD_MP40, MOD_THOMPSON, MOD_LUGER, MOD_GRENADE, MOD_GPG40] * 3, *sorted(WEAPON_OF)])
    head = mod in (MOD_MP40, MOD_THOMPSON, MOD_LUGER) and random.random() < 0.3
    deed = random.random()
    if deed < 0.55 and enemies:
        engine.damage(random.choice(enemies), slot, random.randint(5, 60), mod, head=head)
    elif deed < 0.75 and enemies:
        engine.finish(random.choice(enemies), slot, random.randint(20, 150), mod, head=head)
    elif deed < 0.8 and mates:
        engine.kill(random.choice(mates), slot, mod)
    elif deed < 0.83:
        engine.kill(slot, slot, random.choice([MOD_SUICIDE, MOD_GRENADE]))
    elif deed < 0.86:
        engine.kill(slot, WORLD, MOD_FALLING)
    elif deed < 0.95:
        engine.shoot(slot, mod, random.randint(1, 8))


def _work(engine: GameEngine, slot: int, random: Random) -> None:
    deed = random.random()
    if deed < 0.02:
        engine.plant(slot)
    elif deed < 0.03:
        engine.defuse(slot)
    elif deed < 0.05:
        engine.repair(slot)
    elif deed < 0.06:
        engine.take_objective(slot, random.choice([AXIS, ALLIES]))
        engine.frames(1.1)


def play_an_evening(engine: GameEngine, random: Random, rounds: int = 5) -> None:
    """Rounds of all kinds: played to their end, given up, restarted, left; people come, go, pause and vote."""
    engine.load_map("supply", restart=0)
    fill(engine, per_side=3)
    for number in range(rounds):
        engine.frames(random.randint(1, 4))
        engine.begin_play()
        for _ in range(random.randint(1, 4)):
            fight(engine, random.randint(2, 6), random)
            _something_happens(engine, random)
        end = random.choice(["Wolf EndRound.", "Timelimit hit.", "Axis Surrender", "restart", "map"])
        if end == "restart":
            engine.restart_map()
        elif end == "map":
            engine.load_map(f"map{number}")
        else:
            engine.end_round(end, random.choice([0, AXIS, ALLIES]), intermission=random.choice([0, 1, 2, 5]))
            if engine.rounds[-1].number == 1:
                engine.load_second_round()
            else:
                engine.load_map(random.choice(["supply", f"map{number}"]), restart=random.choice([0, 1]))
    engine.quit()


def _something_happens(engine: GameEngine, random: Random) -> None:
    slot = random.choice(sorted(engine.clients))
    client = engine.clients[slot]
    event = random.choice(["pause", "leave", "team", "rename", "vote", "back", "nothing"])
    if event == "pause":
        engine.pause()
        engine.frames(random.randint(1, 20) / 4)
        engine.unpause()
    elif event == "leave" and len(engine.clients) > 4:
        engine.disconnect(slot)
    elif event == "back":
        missing = sorted(set(range(6)) - set(engine.clients))
        if missing:
            engine.connect(missing[0], "back again", guid(missing[0] + 1), random.choice([AXIS, ALLIES]))
    elif event == "team":
        engine.set_team(slot, random.choice([s for s in (AXIS, ALLIES, SPECTATOR) if s != client.side]))
    elif event == "rename":
        engine.rename(slot, client.name + "'\x02\xff")
    elif event == "vote":
        engine.client_command(slot, "callvote", "surrender")
        engine.frames(1)
        engine.vote_fails()


def files(engine: GameEngine) -> dict[str, bytes]:
    folder = engine.folder / "gametimes"
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))} if folder.is_dir() else {}


def file_of(engine: GameEngine, played: TrueRound) -> bytes:
    return files(engine)[gametime_file_name(played.map_name, played.number, played.end_unix)]


def meta_of(engine: GameEngine, played: TrueRound) -> dict[str, Any]:
    meta = json.loads(file_of(engine, played).decode("utf-8"))["meta"]
    assert isinstance(meta, dict)
    return meta


def fields_of(engine: GameEngine, played: TrueRound) -> dict[str, str]:
    payload = json.loads(file_of(engine, played).decode("utf-8"))["payload"]
    return {field["name"]: field["value"] for field in payload["embeds"][0]["fields"]}


def record_of(engine: GameEngine, played: TrueRound) -> TimingRecord:
    return gametimes.parse(file_of(engine, played))


def person(engine: GameEngine, played: TrueRound, number: int) -> dict[str, Any]:
    """What is told of the player with ``guid(number)``."""
    (found,) = [p for p in meta_of(engine, played)["spawn_stats"] if p["guid"] == guid(number)]
    assert isinstance(found, dict)
    return found


def check_quiet(engine: GameEngine) -> None:
    """No script threw, none returned anything, nothing but records is left in the folder."""
    assert engine.errors == []
    assert engine.returned == []
    assert [name for name in files(engine) if not name.endswith(".json")] == []


def check_truth(engine: GameEngine) -> None:
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
    assert (record.schema, record.server_id, record.script_version) == ("slomix.timing/1", "main", TIMING_VERSION)
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
