"""The timing script among odd names, engines, disks and configs: it never throws, stops nothing and says what is wrong."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from slomix_pipeline.formats.names import clean_name
from slomix_pipeline.simulator.engine.game import GameEngine
from slomix_pipeline.simulator.engine.host import ALLIES, AXIS, CONSTANTS
from slomix_pipeline.simulator.engine.truth import TrueRound
from slomix_pipeline_tests.lua_fixtures import (
    ODD,
    SCRIPT,
    TIMING_VERSION,
    begin,
    check_quiet,
    check_truth,
    fields_of,
    fight,
    file_of,
    files,
    fill,
    guid,
    meta_of,
    record_of,
    start_engine,
    write_config,
)


@pytest.fixture
def engine(runtime: str, tmp_path: Path) -> GameEngine:
    return start_engine(runtime, tmp_path)


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_no_name_is_too_odd(engine: GameEngine, odd: str) -> None:
    engine.load_map("supply")
    engine.connect(0, odd, guid(1), AXIS)
    engine.connect(1, "dos", odd[:32].replace("\\", "/"), ALLIES)
    engine.cvars |= {"sv_hostname": odd, "net_ip": odd}
    played = engine.begin_play()
    engine.frames(2)
    engine.kill(0, 1)
    engine.client_command(0, odd, odd)
    engine.client_command(0, "callvote", "surrender")
    engine.frames(2)
    engine.surrender(AXIS)
    check_quiet(engine)
    meta = meta_of(engine, played)
    expected = clean_name(odd.encode("latin-1").decode("utf-8", "surrogateescape"))
    assert clean_name(meta["axis"][0]["name"]) == expected
    assert clean_name(json.loads(fields_of(engine, played)["Axis_JSON"])[0]["name"]) == expected
    assert clean_name(meta["surrender_caller"]["name"]) == expected
    assert record_of(engine, played).surrender_side == AXIS


@pytest.mark.parametrize("map_name", ["sup ply", "../../x", "a'b\"c", "\xff\x01", "", "über+1.0"])
def test_a_map_may_have_any_name(engine: GameEngine, map_name: str) -> None:
    begin(engine, map_name)
    engine.frames(2)
    engine.restart_map()
    engine.begin_play()
    engine.end_round("Wolf EndRound.", ALLIES)
    check_quiet(engine)
    assert len(files(engine)) == 2
    for name, data in files(engine).items():
        assert re.fullmatch(r"gametime-[\w-]*-R1-\d+\.json", name, re.ASCII)
        assert json.loads(data)["meta"]["round"] == 1
    assert [json.loads(data)["meta"]["restarts"] for data in files(engine).values()] == [0, 1]


# -- the engine's side


@pytest.mark.parametrize(
    "missing", [(name,) for name in CONSTANTS] + [tuple(CONSTANTS)], ids=lambda m: "+".join(m)[:30]
)
def test_a_constant_the_engine_does_not_export_is_known_anyway(
    runtime: str, tmp_path: Path, missing: tuple[str, ...]
) -> None:
    engine = start_engine(runtime, tmp_path, missing=missing)
    played = begin(engine)
    engine.frames(3)
    engine.kill(1, 0)
    engine.pause()
    engine.frames(3)
    engine.unpause()
    engine.frames(2)
    engine.client_command(1, "callvote", "surrender")
    engine.frames(1)
    engine.surrender(ALLIES)
    check_truth(engine)
    assert meta_of(engine, played)["surrender_caller"]["guid"] == guid(2)


def test_constants_are_taken_from_the_engine_when_it_has_other_numbers(runtime: str, tmp_path: Path) -> None:
    engine = start_engine(runtime, tmp_path)
    engine.constants |= {"CS_SERVERTOGGLES": 40, "CV_SVS_PAUSE": 64}
    played = begin(engine)
    engine.frames(3)
    engine.strings[40] = str(64 + 3)
    engine.frames(4)
    engine.strings[40] = "3"
    engine.frames(3)
    engine.end_round("Wolf EndRound.", ALLIES)
    assert record_of(engine, played).pause_seconds == 4
    assert record_of(engine, played).duration_seconds == 7


COUNTING = """
local seen = { deaths = 0, connects = 0, commands = 0, prints = 0 }
function et_Obituary() seen.deaths = seen.deaths + 1 end
function et_ClientConnect() seen.connects = seen.connects + 1 end
function et_ClientCommand() seen.commands = seen.commands + 1 end
function et_Print() seen.prints = seen.prints + 1 end
function et_RunFrame()
  et.trap_Cvar_Set("seen", seen.deaths .. " " .. seen.connects .. " " .. seen.commands .. " " .. tostring(seen.prints > 0))
end
"""


def test_modules_behind_it_get_every_event(runtime: str, tmp_path: Path) -> None:
    engine = GameEngine(runtime, tmp_path, [SCRIPT, COUNTING])
    begin(engine, per_side=2)
    engine.connect(8, "late", guid(9), AXIS)
    engine.kill(1, 0)
    engine.kill(0, 0)
    engine.client_command(1, "callvote", "surrender")
    engine.frame()
    assert engine.cvars["seen"] == "2 5 1 true"
    check_quiet(engine)


def test_no_callback_returns_anything_at_any_time(engine: GameEngine) -> None:
    engine.load_map("supply")
    fill(engine)
    moments: list[Callable[[], object]] = [
        lambda: None,
        engine.begin_play,
        lambda: engine.frames(1),
        lambda: engine.end_round("Wolf EndRound.", ALLIES),
    ]
    for moment in moments:
        moment()
        engine.connect(9, "someone", guid(10), AXIS)
        engine.kill(9, 0)
        engine.client_command(9, "callvote", "surrender")
        engine.call("et_ConsoleCommand", "slomix_timing")
        engine.call("et_ClientUserinfoChanged", 9)
        engine.disconnect(9)
    engine.quit()
    check_quiet(engine)


def test_a_script_that_is_loaded_in_the_middle_of_a_round_does_not_invent_its_beginning(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(10)
    engine.restart_lua()
    engine.frames(10)
    engine.kill(1, 0)
    engine.surrender(ALLIES)
    check_quiet(engine)
    record = record_of(engine, played)
    assert (record.started_at, record.duration_seconds, record.warmup_seconds) == (None, None, None)
    assert (record.pause_seconds, record.pause_count) == (None, None)
    assert (record.number, record.end_reason, record.winner_side) == (1, "surrender", AXIS)
    assert [p["guid"] for p in meta_of(engine, played)["axis"]] == played.axis


def test_a_script_that_is_loaded_in_an_intermission_writes_no_second_record(engine: GameEngine) -> None:
    begin(engine)
    engine.end_round("Wolf EndRound.", ALLIES)
    engine.restart_lua()
    engine.frames(5)
    engine.load_map("radar")
    check_truth(engine)


def test_nothing_is_written_while_a_round_is_played(engine: GameEngine) -> None:
    begin(engine)
    fight(engine, 20, Random(3))
    engine.end_round("Wolf EndRound.", ALLIES)
    assert engine.written_while_playing == []


@pytest.mark.parametrize("trouble", ["no rename function", "rename does nothing"])
def test_where_files_cannot_be_renamed_the_record_is_written_directly(engine: GameEngine, trouble: str) -> None:
    if trouble == "no rename function":
        engine.unavailable.add("trap_FS_Rename")
    else:
        engine.failing.add("rename")
    begin(engine)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)


def test_a_record_appears_under_its_name_only_when_it_is_whole(engine: GameEngine) -> None:
    begin(engine)
    engine.end_round("Wolf EndRound.", ALLIES)
    (name,) = files(engine)
    assert engine.written == [f"gametimes/{name}.tmp"]


def test_a_disk_that_takes_nothing_is_reported_and_stops_nothing(engine: GameEngine) -> None:
    engine.failing.add("open")
    begin(engine)
    engine.end_round("Wolf EndRound.", ALLIES)
    assert engine.errors == []
    assert any("CAN'T WRITE gametimes/gametime-supply-R1-" in line for line in engine.log)
    assert "CAN'T WRITE" in engine.cvars["slomix_timing"]


# -- is it alive, and how is it configured


def test_the_console_says_that_the_script_is_alive_and_what_it_wrote(engine: GameEngine) -> None:
    engine.load_map("supply")
    line = f"slomix_timing: version {TIMING_VERSION}, server main, records in gametimes/, webhook off\n"
    assert line in engine.log
    assert engine.cvars["slomix_timing"] == f"{TIMING_VERSION}, no round written yet"
    engine.begin_play()
    engine.end_round("Wolf EndRound.", ALLIES)
    (name,) = files(engine)
    assert f"slomix_timing: wrote gametimes/{name}\n" in engine.log
    assert engine.cvars["slomix_timing"] == f"{TIMING_VERSION}, wrote gametimes/{name}"


def play_a_round(engine: GameEngine) -> TrueRound:
    played = begin(engine)
    engine.frames(2)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_quiet(engine)
    return played


def said(engine: GameEngine) -> str:
    return "".join(line for line in engine.log if line.startswith("slomix_timing"))


def test_without_a_config_the_record_is_written_all_the_same_and_the_log_says_so(engine: GameEngine) -> None:
    (engine.folder / "slomix_config.lua").unlink()
    played = play_a_round(engine)
    assert record_of(engine, played).server_id is None
    assert "slomix_timing: no slomix_config.lua\n" in engine.log
    assert "(no server_id)" in said(engine)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('return {\n server_id = "main"\n webhook_url = "https://example.org/secret" }', "is broken near line 3"),
        ('return { webhook_url = "https://example.org/secret\n', "is broken near line"),
        ("x = nil; x.y = 1", "is broken near line 1"),
        ('os.execute("true") return {}', "is broken near line 1"),
        ("error({})", "is broken"),
        ("\x1bLua\x00\x01secret", "is broken"),
        ('server_id = "main"', "returns no table"),
        ("", "returns no table"),
        ("return { server_id = 3 }", "server_id must be a string"),
        ('return { webhook_retry_seconds = "secret" }', "webhook_retry_seconds must be a number"),
        ("return { webhook_spool_cap = 0 }", "webhook_spool_cap must be between"),
        ("return { webhook_spool_cap = 0/0 }", "webhook_spool_cap must be between"),
        ('return { webhook_url = "secret" }', "webhook_url is no address"),
        ('return { webhook_url = "https://x/$(secret)\\n" }', "webhook_url is no address"),
        ('return { sever_id = "main", 1 }', "unknown option sever_id"),
    ],
)
def test_a_broken_config_costs_no_record_and_is_named_without_its_secrets(
    engine: GameEngine, text: str, complaint: str
) -> None:
    write_config(engine, text)
    play_a_round(engine)
    assert len(files(engine)) == 1
    assert complaint in said(engine)
    assert "secret" not in said(engine)
    assert engine.commands == []


def test_one_wrong_option_leaves_the_others_as_they_are(engine: GameEngine) -> None:
    write_config(engine, 'return { server_id = "second", webhook_spool_cap = "many" }')
    assert record_of(engine, play_a_round(engine)).server_id == "second"


def test_the_config_is_looked_for_beside_the_script(engine: GameEngine) -> None:
    engine.script_folder = "luascripts/"
    (engine.folder / "luascripts").mkdir()
    (engine.folder / "slomix_config.lua").rename(engine.folder / "luascripts" / "slomix_config.lua")
    assert record_of(engine, play_a_round(engine)).server_id == "main"


def test_the_example_config_is_valid_and_changes_nothing(engine: GameEngine) -> None:
    write_config(engine, (SCRIPT.parent / "slomix_config.lua.example").read_text("latin-1"))
    assert record_of(engine, play_a_round(engine)).server_id is None
    assert "slomix_config.lua:" not in said(engine) and "broken" not in said(engine)


def test_no_record_holds_the_address_of_the_webhook(engine: GameEngine) -> None:
    write_config(engine, 'return { webhook_url = "https://example.org/secret" }')
    played = play_a_round(engine)
    assert b"secret" not in file_of(engine, played)
