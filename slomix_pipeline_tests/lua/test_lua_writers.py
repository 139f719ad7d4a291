"""Both our writers of stats files among odd names, engines and disks: they never throw, stop nothing and say how it is."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from slomix_pipeline.formats import endstats, gamestats
from slomix_pipeline.formats.filenames import FileKind, parse_file_name
from slomix_pipeline.formats.names import clean_name
from slomix_pipeline.rules.endstats import engine_clean_name
from slomix_pipeline.simulator.engine.game import GameEngine
from slomix_pipeline.simulator.engine.host import ALLIES, AXIS, CONSTANTS
from slomix_pipeline_tests.lua_fixtures import (
    ENDSTATS_SCRIPT,
    GAMESTATS_SCRIPT,
    ODD,
    SCRIPT,
    START,
    begin,
    fight,
    fill,
    guid,
    start_engine,
)
from slomix_pipeline_tests.played_awards import untrue_awards
from slomix_pipeline_tests.played_truth import check_all_files, folder_files

WRITERS = {"gamestats": GAMESTATS_SCRIPT, "endstats": ENDSTATS_SCRIPT}
KINDS = {"gamestats": FileKind.STATS, "endstats": FileKind.ENDSTATS}


@pytest.fixture
def engine(runtime: str, tmp_path: Path) -> GameEngine:
    return GameEngine(runtime, tmp_path, WRITERS.values(), unix=START)


def play(engine: GameEngine, seconds: float = 8, map_name: str = "supply") -> None:
    begin(engine, map_name)
    fight(engine, seconds, Random(2))
    engine.kill(1, 0)
    engine.kill(3, 0)
    engine.end_round("Wolf EndRound.", ALLIES, intermission=5)


def data_of(engine: GameEngine, writer: str) -> bytes:
    (data,) = folder_files(engine, KINDS[writer]).values()
    return data


def check_quiet(engine: GameEngine) -> None:
    """No script threw, none returned anything, nothing unfinished is left in the folder."""
    assert (engine.errors, engine.returned) == ([], [])
    folder = engine.folder / "gamestats"
    assert not folder.is_dir() or [p.name for p in folder.iterdir() if p.suffix != ".txt"] == []


# -- names


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_no_name_is_too_odd(engine: GameEngine, odd: str) -> None:
    engine.load_map("supply")
    engine.connect(0, odd, guid(1), AXIS)
    engine.connect(1, "dos", "2A3B4C5D" + odd[:24], ALLIES)
    engine.cvars |= {"sv_hostname": odd, "g_customconfig": odd}
    engine.begin_play()
    for _ in range(2):
        engine.kill(1, 0)
        engine.respawn(1)
        engine.kill(0, 1)
        engine.respawn(0)
    engine.client_command(0, odd, odd)
    engine.frames(2)
    engine.end_round("Wolf EndRound.", ALLIES, intermission=5)
    check_quiet(engine)
    stats, awards = gamestats.parse(data_of(engine, "gamestats")), endstats.parse(data_of(engine, "endstats"))
    raw = odd.encode("latin-1").decode("utf-8", "surrogateescape").replace("\\", "/")
    line, other = stats.players
    assert line.clean_name == clean_name(raw[:64])
    assert clean_name(stats.header.server_name) == clean_name(raw[:255])
    assert (line.guid, other.guid) == (guid(1)[:8], "2A3B4C5D")
    assert {block.guid[:8]: block.lines[0].kills for block in awards.blocks if block.guid} == {
        guid(1)[:8]: 2,
        other.guid: 2,
    }
    assert awards.blocks[0].subject == engine_clean_name(line.name)


@pytest.mark.parametrize("sent", ["", "unknown", "NO_GUID", "\x01\xff!"])
def test_whoever_has_no_guid_has_his_own_line_without_one(engine: GameEngine, sent: str) -> None:
    engine.load_map("supply")
    for slot in range(4):
        engine.connect(slot, f"no id {slot}", sent, ALLIES if slot % 2 else AXIS)
    engine.begin_play()
    engine.kill(1, 0)
    engine.kill(2, 3)
    engine.frames(3)
    engine.end_round("Wolf EndRound.", ALLIES, intermission=5)
    check_quiet(engine)
    lines = data_of(engine, "gamestats").decode().splitlines()[1:]
    assert [line.split(" \t")[0] for line in lines] == [
        "\\no id 0\\0\\1\\16 2 2 1 0 0",
        "\\no id 1\\0\\2\\16 0 0 0 1 0",
        "\\no id 2\\0\\1\\16 0 0 0 1 0",
        "\\no id 3\\0\\2\\16 2 2 1 0 0",
    ]
    blocks = endstats.parse(data_of(engine, "endstats")).blocks
    assert {block.subject: block.lines[0].kills for block in blocks} == {
        "no id 0": 1,
        "no id 1": 0,
        "no id 2": 0,
        "no id 3": 1,
    }


def test_nobody_goes_on_from_somebody_else_who_had_no_guid_either(engine: GameEngine) -> None:
    begin(engine)
    engine.connect(8, "first", "unknown", AXIS)
    engine.kill(1, 8)
    engine.disconnect(8)
    engine.connect(8, "second", "unknown", AXIS)
    engine.kill(3, 8)
    engine.end_round("Wolf EndRound.", ALLIES, intermission=5)
    engine.load_second_round()
    engine.begin_play()
    engine.kill(1, 8)
    engine.end_round("Wolf EndRound.", ALLIES, intermission=5)
    first, second = (data.decode().splitlines()[1:] for data in folder_files(engine).values())
    own = [line.split(" \t")[0] for line in first + second if line.startswith("\\")]
    assert own == ["\\first\\0\\1\\16 2 2 1 0 0", "\\second\\0\\1\\16 2 2 1 0 0", "\\second\\0\\2\\16 2 2 1 0 0"]
    check_quiet(engine)


@pytest.mark.parametrize("map_name", ["sup ply", "../../x", "a'b\"c", "\xff\x01", "", "über+1.0", "a\\b\tc"])
def test_a_map_may_have_any_name(engine: GameEngine, map_name: str) -> None:
    play(engine, map_name=map_name)
    check_quiet(engine)
    files = folder_files(engine) | folder_files(engine, FileKind.ENDSTATS)
    assert len(files) == 2
    assert {parse_file_name(name).number for name in files} == {1}
    assert gamestats.parse(data_of(engine, "gamestats")).header.map_name.strip()
    engine.load_second_round()
    engine.begin_play()
    fight(engine, 8, Random(3))
    engine.end_round("Wolf EndRound.", ALLIES, intermission=5)
    second = gamestats.parse(list(folder_files(engine).values())[-1])
    assert (second.header.number, {line.rounds for line in second.players}) == (2, {1})


# -- the engine's side


@pytest.mark.parametrize(
    "missing", [(name,) for name in CONSTANTS] + [tuple(CONSTANTS)], ids=lambda m: "+".join(m)[:30]
)
def test_a_constant_the_engine_does_not_export_is_known_anyway(
    runtime: str, tmp_path: Path, missing: tuple[str, ...]
) -> None:
    engine = GameEngine(runtime, tmp_path, WRITERS.values(), missing=missing, unix=START)
    played = begin(engine)
    fight(engine, 8, Random(5))
    engine.kill(1, 0)
    engine.pause()
    engine.frames(10)
    engine.unpause()
    fight(engine, 8, Random(6))
    engine.end_round("Wolf EndRound.", ALLIES, intermission=5)
    check_all_files(engine)
    assert untrue_awards(engine, played, None) == []


def test_constants_are_taken_from_the_engine_when_it_has_other_numbers(runtime: str, tmp_path: Path) -> None:
    engine = GameEngine(runtime, tmp_path, WRITERS.values(), unix=START)
    engine.constants |= {"CS_SERVERTOGGLES": 40, "CV_SVS_PAUSE": 64, "MOD_SUICIDE": 133, "MOD_GPG40": 139}
    begin(engine)
    engine.strings[40] = "67"
    engine.frames(4)
    engine.strings[40] = "3"
    engine.call("et_Obituary", 1, 0, 139)
    engine.call("et_Obituary", 3, 0, 139)
    engine.shoot(0)
    engine.frames(3)
    engine.end_round("Wolf EndRound.", ALLIES, intermission=5)
    assert gamestats.parse(data_of(engine, "gamestats")).header.playtime == "3650"
    names = {award.kind.name: award.text for award in endstats.parse(data_of(engine, "endstats")).awards if award.kind}
    assert names["riflenade_kills"] == "2"


COUNTING = """
local seen = { damages = 0, deaths = 0, connects = 0, commands = 0, prints = 0 }
function et_Damage() seen.damages = seen.damages + 1 end
function et_Obituary() seen.deaths = seen.deaths + 1 end
function et_ClientConnect() seen.connects = seen.connects + 1 end
function et_ClientCommand() seen.commands = seen.commands + 1 end
function et_Print() seen.prints = seen.prints + 1 end
function et_RunFrame()
  local counts = { seen.damages, seen.deaths, seen.connects, seen.commands, tostring(seen.prints > 0) }
  et.trap_Cvar_Set("seen", table.concat(counts, " "))
end
"""


def test_modules_behind_them_get_every_event(runtime: str, tmp_path: Path) -> None:
    engine = GameEngine(runtime, tmp_path, [*WRITERS.values(), COUNTING])
    begin(engine, per_side=2)
    engine.connect(8, "late", guid(9), AXIS)
    engine.kill(1, 0)
    engine.kill(0, 0)
    engine.damage(200, 3, 50)  # no player: a barrel
    engine.client_command(1, "callvote", "surrender")
    engine.frame()
    assert engine.cvars["seen"] == "3 2 5 1 true"
    check_quiet(engine)


def test_no_callback_throws_or_returns_anything_at_any_time(engine: GameEngine) -> None:
    engine.load_map("supply")
    fill(engine)
    moments: list[Callable[[], object]] = [
        lambda: None,
        engine.begin_play,
        lambda: engine.frames(1),
        engine.pause,
        lambda: engine.end_round("Wolf EndRound.", ALLIES),
        engine.quit,
    ]
    for moment in moments:
        moment()
        engine.connect(9, "someone", guid(10), AXIS)
        engine.kill(9, 0)
        engine.gib(0, 9)
        engine.revive(0, 9)
        for line in (
            "Item: 9 team_CTF_redflag",
            "Item: 99",
            "Repair: 99999999999999999999",
            "Medic_Revive: 9",
            ": ",
            "\n",
            "Dynamite_Plant: x",
            "Exit: Axis Surrender",
            "Medic_Revive: 0 77\n",
        ):
            engine.print_line(line)
        engine.call("et_Obituary", 9, 1022, 34)
        engine.call("et_Obituary", 9, 63, 34)
        engine.call("et_Obituary", 500, 9, 34)
        engine.call("et_Damage", 9, 1023, 12.5, 0, 34)
        engine.call("et_ClientSpawn", 63, 0, 0, 0)
        engine.call("et_ClientUserinfoChanged", 9)
        engine.disconnect(9)
    check_quiet(engine)


@pytest.mark.parametrize("garbage", ["", "x", "1 2", "-5 99 1 2 3", "7 255 1 2 3 4 5 6 7 8"])
def test_unreadable_spawn_waves_stop_nothing(engine: GameEngine, garbage: str) -> None:
    engine.strings[31] = garbage
    play(engine)
    check_quiet(engine)
    assert len(folder_files(engine)) == 1


def test_scripts_loaded_in_the_middle_of_a_round_write_nothing_and_say_so(engine: GameEngine) -> None:
    begin(engine)
    fight(engine, 10, Random(1))
    engine.restart_lua()
    fight(engine, 10, Random(2))
    engine.end_round("Wolf EndRound.", ALLIES)
    check_quiet(engine)
    assert folder_files(engine) == {} == folder_files(engine, FileKind.ENDSTATS)
    for writer in WRITERS:
        assert f"slomix_{writer}: loaded in the middle of a map: nothing is written before the next one\n" in engine.log
    engine.load_second_round()
    engine.begin_play()
    fight(engine, 10, Random(2))
    engine.end_round("Wolf EndRound.", ALLIES)
    assert len(folder_files(engine)) == 1


def test_nothing_is_written_while_a_round_is_played(engine: GameEngine) -> None:
    play(engine)
    assert engine.written_while_playing == []


# -- disks


@pytest.mark.parametrize("trouble", ["no rename function", "rename does nothing"])
def test_where_files_cannot_be_renamed_they_are_written_directly(engine: GameEngine, trouble: str) -> None:
    if trouble == "no rename function":
        engine.unavailable.add("trap_FS_Rename")
    else:
        engine.failing.add("rename")
    play(engine)
    check_all_files(engine)
    check_quiet(engine)
    assert endstats.parse(data_of(engine, "endstats")).awards


def test_a_file_appears_under_its_name_only_when_it_is_whole(engine: GameEngine) -> None:
    play(engine)
    names = [*folder_files(engine, FileKind.ENDSTATS), *folder_files(engine)]
    assert [name for name in engine.written if name.startswith("gamestats/")] == [f"gamestats/{n}.tmp" for n in names]


def test_a_disk_that_takes_nothing_is_reported_and_stops_nothing(engine: GameEngine) -> None:
    engine.failing.add("open")
    play(engine)
    check_quiet(engine)
    for writer in WRITERS:
        assert any(line.startswith(f"slomix_{writer}: CAN'T WRITE gamestats/") for line in engine.log)
        assert "CAN'T WRITE gamestats/" in engine.cvars[f"slomix_{writer}"]


# -- are they alive


@pytest.mark.parametrize("writer", WRITERS)
def test_the_console_says_that_a_script_is_alive_and_what_it_wrote(engine: GameEngine, writer: str) -> None:
    engine.load_map("supply")
    engine.frames(1)
    version = engine.cvars[f"slomix_{writer}"].split(",")[0]
    alive = [line for line in engine.log if line.startswith(f"slomix_{writer}: version {version}, ")]
    assert len(alive) == 1 and alive[0].endswith("files in gamestats/\n")
    assert engine.cvars[f"slomix_{writer}"] == f"{version}, no round written yet"
    play(engine)
    (name,) = folder_files(engine, KINDS[writer])
    assert f"slomix_{writer}: wrote gamestats/{name}\n" in engine.log
    assert engine.cvars[f"slomix_{writer}"] == f"{version}, wrote gamestats/{name}"


def test_the_readme_shows_what_the_scripts_say_of_themselves(runtime: str, tmp_path: Path) -> None:
    engine = start_engine(runtime, tmp_path, GAMESTATS_SCRIPT, ENDSTATS_SCRIPT)
    engine.load_map("supply")
    said = [line.strip() for line in engine.log if ": version " in line]
    readme = (SCRIPT.parent / "README.md").read_text("utf-8")
    assert len(said) == 3 and [line for line in said if f"`{line}`" not in readme] == []


def test_all_three_scripts_go_together_and_the_record_comes_first(runtime: str, tmp_path: Path) -> None:
    engine = GameEngine(runtime, tmp_path, [GAMESTATS_SCRIPT, ENDSTATS_SCRIPT, SCRIPT], unix=START)
    play(engine)
    check_quiet(engine)
    folders = [name.split("/")[0] for name in engine.written if not name.startswith("slomix_spool")]
    endings = [name.removesuffix(".tmp").rpartition("-")[2] for name in engine.written[:2]]
    assert folders == ["gametimes", "gamestats", "gamestats"] and endings[1] == "endstats.txt"
