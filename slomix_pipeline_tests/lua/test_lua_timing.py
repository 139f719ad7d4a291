"""The timing script on a fake engine: whole matches are played, and its records are compared with what was played."""

import json
from pathlib import Path
from random import Random

import pytest

from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.filenames import FileKind, parse_file_name
from slomix_pipeline.simulator.engine.game import GameEngine
from slomix_pipeline.simulator.engine.host import ALLIES, AXIS
from slomix_pipeline_tests.lua_fixtures import (
    begin,
    check_truth,
    fields_of,
    fight,
    file_of,
    files,
    guid,
    meta_of,
    person,
    play_an_evening,
    record_of,
    start_engine,
)


@pytest.fixture
def engine(runtime: str, tmp_path: Path) -> GameEngine:
    return start_engine(runtime, tmp_path)


# -- whole matches


def test_both_rounds_of_a_match_are_told_as_they_were_played(engine: GameEngine) -> None:
    random = Random(1)
    first = begin(engine)
    fight(engine, 40, random)
    engine.end_round("Wolf EndRound.", ALLIES)
    engine.load_map("supply", limit=f"{first.played_ms / 60000:f}", restart=1)
    engine.frames(5)
    second = engine.begin_play()
    fight(engine, 41, random)
    engine.end_round("Timelimit hit.", AXIS)
    engine.load_map("radar")
    check_truth(engine)
    assert [r.number for r in engine.rounds] == [1, 2]
    assert record_of(engine, first).end_reason == "objective"
    assert record_of(engine, second).end_reason == "time_expired"
    assert record_of(engine, first).limit_seconds == 600
    assert record_of(engine, second).limit_seconds == round(first.played_ms / 1000)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_in_an_evening_its_records_are_true(runtime: str, tmp_path: Path, seed: int) -> None:
    engine = start_engine(runtime, tmp_path)
    play_an_evening(engine, Random(seed))
    check_truth(engine)


# -- what the record is


def test_the_record_is_named_after_map_round_and_end_and_is_known_by_the_pipeline(engine: GameEngine) -> None:
    played = begin(engine, "te_escape2")
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    (name,) = files(engine)
    assert name == f"gametime-te_escape2-R1-{played.end_unix}.json"
    assert parse_file_name(name).kind is FileKind.TIMING


def test_readers_of_the_older_records_find_every_key_and_field_they_know(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.kill(1, 0)
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    older = [
        "map",
        "round",
        "round_start_unix",
        "round_end_unix",
        "actual_duration_seconds",
        "warmup_seconds",
        "pause_seconds",
        "pause_count",
        "server_ip",
        "server_port",
        "match_id",
        "spawn_stats",
    ]
    meta, fields = meta_of(engine, played), fields_of(engine, played)
    assert set(older) <= set(meta) and meta["match_id"] == str(played.end_unix)
    assert set(meta["spawn_stats"][0]) == {
        "guid",
        "name",
        "side",
        "spawns",
        "deaths",
        "dead_seconds",
        "avg_respawn",
        "max_respawn",
    }
    assert list(fields) == [
        "Map",
        "Round",
        "Winner",
        "Defender",
        "Lua_Playtime",
        "Lua_Timelimit",
        "Lua_Pauses",
        "Lua_EndReason",
        "Lua_Warmup",
        "Lua_WarmupStart",
        "Lua_RoundStart",
        "Lua_RoundEnd",
        "Lua_SurrenderTeam",
        "Lua_SurrenderCaller",
        "Lua_SurrenderCallerName",
        "Lua_AxisScore",
        "Lua_AlliesScore",
        "Axis_JSON",
        "Allies_JSON",
        "Lua_Pauses_JSON",
        "Lua_SpawnSummary",
    ]
    assert fields["Lua_Playtime"] == "11 sec" and fields["Lua_Timelimit"] == "10 min"
    assert fields["Lua_SpawnSummary"] == "Players:4 | Spawns:4 | AvgRespawn:0s | MaxRespawn:0s"
    assert json.loads(fields["Axis_JSON"]) == [{"guid": guid(1), "name": "uno"}, {"guid": guid(3), "name": "tres"}]
    payload_alone = json.dumps({"payload": json.loads(file_of(engine, played))["payload"]}).encode()
    for name in ("number", "ended_at", "started_at", "duration_seconds", "limit_seconds", "winner_side", "end_reason"):
        assert getattr(gametimes.parse(payload_alone), name) == getattr(record_of(engine, played), name)


@pytest.mark.parametrize(
    ("minutes", "shown", "seconds"),
    [("10", "10 min", 600), ("7.683333", "7.683 min", 461), ("0.5", "0.5 min", 30), ("20.000000", "20 min", 1200)],
)
def test_the_limit_may_have_fractions_as_every_time_to_beat_has(
    engine: GameEngine, minutes: str, shown: str, seconds: int
) -> None:
    played = begin(engine)
    engine.cvars["timelimit"] = minutes
    engine.frames(2)
    engine.end_round("Timelimit hit.", AXIS)
    assert fields_of(engine, played)["Lua_Timelimit"] == shown
    assert record_of(engine, played).limit_seconds == seconds


@pytest.mark.parametrize("minutes", ["", "nan", "inf", "soon"])
def test_a_limit_that_is_no_number_is_unknown(engine: GameEngine, minutes: str) -> None:
    played = begin(engine)
    engine.cvars["timelimit"] = minutes
    engine.end_round("Wolf EndRound.", ALLIES)
    assert record_of(engine, played).limit_seconds is None
    check_truth(engine)


def test_winner_and_defender_are_unknown_when_the_engine_does_not_say(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frame()
    engine.strings[13] = "\\other\\1"
    engine.end_round("Wolf EndRound.", ALLIES, intermission=0.3)
    assert record_of(engine, played).defender_side is None
    assert record_of(engine, played).winner_side == ALLIES


# -- the clock


def test_pauses_are_listed_and_count_neither_as_play_nor_as_time_dead(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(10)
    engine.kill(1, 0)
    engine.frames(2)
    engine.pause()
    engine.frames(90)
    engine.unpause()
    engine.frames(3)
    engine.respawn(1)
    engine.frames(10)
    engine.pause()
    engine.frames(0.7)
    engine.unpause()
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    record, victim = record_of(engine, played), person(engine, played, 2)
    assert record.duration_seconds == 31 and (record.pause_count, record.pause_seconds) == (2, 91)
    assert fields_of(engine, played)["Lua_Pauses"] == "2 (91 sec)"
    assert (victim["guid"], victim["dead_seconds"], victim["avg_respawn"]) == (guid(2), 5, 5)


def test_a_pause_that_is_never_lifted_is_left_out_too(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.pause()
    engine.frames(60)
    engine.load_map("radar")
    check_truth(engine)
    assert record_of(engine, played).pause_seconds == 60


def test_a_server_that_catches_up_is_measured_on_its_game_clock(engine: GameEngine) -> None:
    played = begin(engine)
    engine.wall_per_level = 0.9
    engine.frames(100)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    record = record_of(engine, played)
    assert record.duration_seconds == 101 and record.started_at is not None
    assert (record.ended_at - record.started_at).total_seconds() < 93


def test_the_warm_up_is_measured_across_the_restart_that_ends_it(engine: GameEngine) -> None:
    first = begin(engine, warmup=42)
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    engine.load_map("supply", restart=1)
    engine.frames(17)
    engine.restart_map()
    engine.frames(20)
    second = engine.begin_play()
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    assert record_of(engine, first).warmup_seconds in (42, 43)
    assert record_of(engine, second).warmup_seconds in (37, 38)
