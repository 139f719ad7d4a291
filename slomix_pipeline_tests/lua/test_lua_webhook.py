"""The timing script announces rounds: in the background, from a spool, and never at the cost of a record.

Commands are really run by a shell; ``curl`` is a stand-in that notes what it was given.
"""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from slomix_pipeline.simulator.engine.game import GameEngine
from slomix_pipeline.simulator.engine.host import ALLIES, AXIS
from slomix_pipeline.simulator.engine.truth import TrueRound
from slomix_pipeline_tests.lua_fixtures import (
    check_quiet,
    check_truth,
    fields_of,
    files,
    fill,
    guid,
    start_engine,
    write_config,
)

ADDRESS = "https://example.org/hooks/1?secret=a%20b"
CURL = """#!/bin/sh
here=$(dirname "$0")
echo "$@" >> "$here/calls"
turn=0
while [ -e "$here/hang" ] && [ "$turn" -lt 200 ]; do turn=$((turn + 1)); sleep 0.05; done
cp "$2" "$here/settings"
cp "${4#@}" "$here/body"
exit "$(cat "$here/code")"
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """All programs the shell finds: what our curl needs, and our curl, which ends with the exit code in ``code`` and waits while ``hang`` exists."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "curl").write_text(CURL)
    (folder / "curl").chmod(0o755)
    (folder / "code").write_text("0")
    for name in ("cat", "cp", "dirname", "sleep"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


@pytest.fixture
def engine(runtime: str, tmp_path: Path, programs: Path) -> GameEngine:
    engine = start_engine(
        runtime,
        tmp_path / "it's a server's home",
    )
    engine.shell_path = programs
    configure(engine)
    engine.load_map("supply")
    fill(engine)
    return engine


def configure(engine: GameEngine, more: str = "") -> None:
    write_config(engine, f'return {{ server_id = "main", webhook_url = "{ADDRESS}", {more} }}')


def play(engine: GameEngine, intermission: float = 0.3) -> TrueRound:
    """A short round, then the next map's warm-up."""
    played = engine.begin_play()
    engine.frames(2)
    engine.end_round("Wolf EndRound.", ALLIES, intermission)
    engine.load_map(engine.cvars["mapname"])
    return played


def spool(engine: GameEngine, pattern: str = "*") -> list[str]:
    return sorted(path.name for path in (engine.folder / "slomix_spool").glob(pattern))


def waiting(engine: GameEngine) -> int:
    return len(spool(engine, "gametime-*.json"))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def under_way(engine: GameEngine) -> bool:
    """Whether curl was started for the oldest announcement and has not ended."""
    first = (engine.folder / "slomix_spool" / "queue.txt").read_text().splitlines()[:1]
    if not first or first[0].split()[3] == "0":
        return False
    result = engine.folder / "slomix_spool" / f"{first[0].split()[0]}.exit"
    return not (result.is_file() and result.read_text().endswith("\n"))


def deliver(engine: GameEngine) -> None:
    """Frames until the oldest announcement, if it is due, was started, has ended and was looked at."""
    engine.frames(1.1)
    until(lambda: not under_way(engine))
    engine.frames(1.1)


def said(engine: GameEngine) -> str:
    return "".join(line for line in engine.log if line.startswith("slomix_timing: webhook: "))


def test_a_round_is_announced_once_and_the_spool_is_empty_again(engine: GameEngine, programs: Path) -> None:
    played = play(engine)
    assert waiting(engine) == 1
    deliver(engine)
    engine.frames(200)
    assert said(engine) == f"slomix_timing: webhook: announced gametime-supply-R1-{played.end_unix}\n"
    assert len((programs / "calls").read_text().splitlines()) == len(engine.commands) == 1
    assert waiting(engine) == 0 and spool(engine, "*.exit") == []
    check_truth(engine)


def test_the_announcement_is_what_its_readers_know_and_within_discords_limits(
    engine: GameEngine, programs: Path
) -> None:
    for slot in range(4, 20):
        engine.connect(slot, "a name of quite some length", guid(slot + 1), AXIS)
    played = play(engine)
    deliver(engine)
    body = json.loads((programs / "body").read_text("utf-8"))
    assert (body["username"], body["content"]) == ("ET:Legacy Stats", "STATS_READY")
    sent = {field["name"]: field["value"] for field in body["embeds"][0]["fields"]}
    assert all(0 < len(value) <= 1024 for value in sent.values()) and len(sent) <= 25
    whole = fields_of(engine, played)
    assert {name: whole[name] for name in sent} == sent
    assert set(whole) - set(sent) == {"Axis_JSON", "Lua_SurrenderCaller", "Lua_SurrenderCallerName"}
    assert len(json.loads(whole["Axis_JSON"])) == 18


def test_the_address_is_in_no_command_line_no_log_and_no_record(engine: GameEngine, programs: Path) -> None:
    (programs / "code").write_text("22")
    play(engine)
    deliver(engine)
    settings = (programs / "settings").read_text().splitlines()
    assert f'url = "{ADDRESS}"' in settings and "fail" in settings and "max-time = 20" in settings
    assert "secret" not in (programs / "calls").read_text() + "".join(engine.commands + engine.log)
    assert all(b"secret" not in data for data in files(engine).values())


def test_the_record_is_complete_before_anything_is_announced(engine: GameEngine) -> None:
    seen: list[int] = []

    def run(command: str) -> bool:
        seen.append(len(files(engine)))
        return True

    engine._execute = run  # type: ignore[method-assign]
    engine.load_map("supply")
    play(engine, intermission=3)
    assert seen == [1]


def test_a_failure_is_logged_with_its_exit_code_and_tried_again_later_each_time(
    engine: GameEngine, programs: Path
) -> None:
    (programs / "code").write_text("22")
    played = play(engine)
    name = f"gametime-supply-R1-{played.end_unix}"
    deliver(engine)
    assert said(engine) == f"slomix_timing: webhook: {name}: curl ended with exit code 22, next attempt in 60 s\n"
    engine.frames(55)
    assert len(engine.commands) == 1
    engine.frames(5)
    deliver(engine)
    assert len(engine.commands) == 2 and "next attempt in 120 s" in said(engine)
    (programs / "code").write_text("0")
    engine.frames(121)
    deliver(engine)
    assert said(engine).endswith(f"announced {name}\n") and waiting(engine) == 0
    check_quiet(engine)


def test_after_ten_attempts_it_gives_up_and_says_so(engine: GameEngine, programs: Path) -> None:
    configure(engine, "webhook_retry_seconds = 1")
    (programs / "code").write_text("6")
    engine.load_map("supply")
    play(engine)
    for attempt in range(10):
        engine.frames(attempt)
        deliver(engine)
    engine.frames(30)
    assert len(engine.commands) == 10 and waiting(engine) == 0
    assert "webhook: gave up gametime-supply-R1-" in said(engine) and "exit code 6" in said(engine)
    assert len(files(engine)) == 1


def test_a_server_that_never_answers_blocks_no_frame_and_counts_as_failed(engine: GameEngine, programs: Path) -> None:
    (programs / "hang").touch()
    began = time.monotonic()
    play(engine)
    engine.frames(30)
    assert time.monotonic() - began < 5 and len(engine.commands) == 1
    engine.frames(10)
    assert "curl never ended, next attempt in 60 s" in said(engine)
    assert len(files(engine)) == 1
    (programs / "hang").unlink()
    until(lambda: spool(engine, "*.exit") != [])


def test_without_curl_the_exit_code_says_so(engine: GameEngine, programs: Path) -> None:
    (programs / "curl").unlink()
    play(engine)
    deliver(engine)
    assert "curl ended with exit code 127" in said(engine)
    check_truth(engine)


def test_a_shell_that_throws_costs_neither_the_record_nor_the_game(engine: GameEngine) -> None:
    def refuse(command: str) -> bool:
        raise OSError("no shell here")

    engine._execute = refuse  # type: ignore[method-assign]
    engine.load_map("supply")
    play(engine)
    engine.frames(5)
    check_truth(engine)
    assert "webhook: " in said(engine) and "no shell here" in said(engine)


def test_nothing_is_started_while_a_round_is_played(engine: GameEngine, programs: Path) -> None:
    (programs / "code").write_text("22")
    play(engine)
    deliver(engine)
    assert len(engine.commands) == 1
    engine.begin_play()
    engine.frames(300)
    assert len(engine.commands) == 1
    engine.end_round("Wolf EndRound.", ALLIES, intermission=3)
    assert len(engine.commands) == 2


def test_a_full_spool_drops_the_oldest_and_says_so(engine: GameEngine, programs: Path) -> None:
    (programs / "hang").touch()
    configure(engine, "webhook_spool_cap = 3")
    engine.load_map("supply")
    rounds = [play(engine) for _ in range(5)]
    names = [f"gametime-supply-R{played.number}-{played.end_unix}" for played in rounds]
    assert spool(engine, "gametime-*.json") == sorted(f"{name}.json" for name in names[2:])
    assert [line.split()[-1] for line in said(engine).splitlines()] == names[:2]
    assert len(files(engine)) == 5
    check_truth(engine)
    (programs / "hang").unlink()


def test_what_was_not_announced_is_announced_after_the_server_was_started_anew(
    engine: GameEngine, programs: Path
) -> None:
    (programs / "code").write_text("7")
    play(engine)
    deliver(engine)
    play(engine)
    assert waiting(engine) == 2
    engine.quit()
    (programs / "code").write_text("0")
    for cvar in [name for name in engine.cvars if name.startswith("slomix")]:
        del engine.cvars[cvar]
    engine.load_map("radar")
    engine.frames(60)
    deliver(engine)
    deliver(engine)
    assert said(engine).count("announced") == 2 and waiting(engine) == 0


def test_an_attempt_under_way_at_a_map_change_is_not_started_twice(engine: GameEngine, programs: Path) -> None:
    (programs / "hang").touch()
    play(engine)
    engine.frames(1.1)
    engine.load_map("radar")
    engine.frames(5)
    assert len(engine.commands) == 1
    (programs / "hang").unlink()
    until(lambda: spool(engine, "*.exit") != [])
    engine.frames(1.1)
    assert said(engine).count("announced") == 1


@pytest.mark.parametrize("text", ["", "nonsense\n\n", "../../etc/x 0 0 0\n", "gone 0 0 0\n", "a b c d\n"])
def test_a_damaged_queue_is_no_trouble(engine: GameEngine, programs: Path, text: str) -> None:
    (engine.folder / "slomix_spool").mkdir(exist_ok=True)
    (engine.folder / "slomix_spool" / "queue.txt").write_text(text)
    (programs / "code").write_text("26")
    engine.load_map("supply")
    play(engine)
    engine.frames(3)
    check_truth(engine)
    assert not any("etc/x" in command for command in engine.commands)


def test_without_an_address_nothing_is_spooled_or_run(engine: GameEngine) -> None:
    write_config(engine, 'return { server_id = "main" }')
    engine.load_map("supply")
    play(engine)
    engine.frames(30)
    assert engine.commands == [] and spool(engine) == []
    check_truth(engine)
