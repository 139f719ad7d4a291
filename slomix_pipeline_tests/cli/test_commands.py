"""The commands on a home of their own: exit codes and what they print; as real processes where that is at stake."""

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from slomix_pipeline.cli.main import main
from slomix_pipeline.simulator.evening import SOME_EVENING, play_evening
from slomix_pipeline.simulator.rough import play_rough_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse.embedded import start_embedded, stop_embedded
from slomix_pipeline_tests.pipeline_fixtures import SLOMIX
from slomix_pipeline_tests.postgres_fixtures import folder_for_servers


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home all tests of this module share."""
    with folder_for_servers() as folder:
        yield folder / "home"


@pytest.fixture(scope="module")
def evening(home: Path) -> Iterator[Evening]:
    """An evening of a year ago, imported into the home together with a cut file and a note."""
    played = play_evening(2, maps=6, ends_at=SOME_EVENING)
    folder = home.parent / "archive"
    write_evening(folder, played)
    cut = play_evening(3, maps=6, ends_at=SOME_EVENING + timedelta(days=2)).rounds[0]
    (folder / "gamestats" / cut.stats_name).write_bytes(b"^1Server\\supply\\cut")
    (folder / "readme.txt").write_text("not a game file")
    done = process(home, "import", str(folder))
    assert done.returncode == 0, done.stderr
    assert "ingested 36" in done.stdout and "quarantined 1" in done.stdout and "left aside" in done.stdout
    start_embedded(home / "postgres")  # else every command starts and stops it
    yield played
    stop_embedded(home / "postgres")


def environment(home: Path, **more: str) -> dict[str, str]:
    return os.environ | {"SLOMIX_ENV_FILE": "", "SLOMIX_HOME": str(home)} | more


def slomix(home: Path, *arguments: str, **more: str) -> Result:
    """A command in this process."""
    return CliRunner().invoke(main, arguments, env=environment(home, **more))


def process(home: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """The same as people run it."""
    return subprocess.run(
        [*SLOMIX, *arguments], env=environment(home, **more), capture_output=True, text=True, timeout=300, check=False
    )


def test_importing_again_finds_everything_known(home: Path, evening: Evening) -> None:
    before = slomix(home, "export", "latest").stdout
    again = slomix(home, "import", str(home.parent / "archive"))
    assert again.exit_code == 0
    assert "ingested 0, already known 36, quarantined 1" in again.stdout
    assert slomix(home, "export", "latest").stdout == before


def test_a_folder_without_any_game_file_is_a_failure(home: Path, evening: Evening, tmp_path: Path) -> None:
    assert slomix(home, "import", str(tmp_path)).exit_code == 1


def test_sessions_are_listed_with_the_score_that_was_played(home: Path, evening: Evening) -> None:
    listed = json.loads(slomix(home, "sessions", "--json").stdout)
    assert [
        set(session) >= {"key", "server", "started_at", "ended_at", "rounds", "matches", "score"} for session in listed
    ]
    assert [(s["rounds"], s["matches"], s["score"]["A"], s["score"]["B"]) for s in listed] == [
        (12, 6, evening.score.a, evening.score.b)
    ]
    assert listed[0]["key"] in slomix(home, "sessions").stdout


def test_an_export_tells_what_was_played(home: Path, evening: Evening) -> None:
    session = json.loads(process(home, "export", "latest").stdout)
    assert session["schema"] == "slomix.session/1"
    assert [match["winner"] for match in session["matches"]] == [match.winner for match in evening.matches]
    for stored, played in zip(session["rounds"], evening.rounds, strict=True):
        kills = {player["guid"]: player["kills"] for player in stored["players"]}
        assert kills == {guid: player.kills for guid, player in played.players.items()}


def test_a_session_nobody_knows_ends_with_exit_code_2(home: Path, evening: Evening) -> None:
    done = process(home, "export", "main:1999-01-01-000000")
    assert (done.returncode, done.stdout) == (2, "")
    assert "slomix sessions lists them" in done.stderr


def test_quarantined_files_are_listed_with_their_reason(home: Path, evening: Evening) -> None:
    rows = json.loads(slomix(home, "files", "--status", "quarantined", "--json").stdout)
    assert [(row["kind"], row["status"], row["reason"]) for row in rows] == [
        ("stats", "quarantined", "not a stats file: no line ends")
    ]
    assert {"server", "name", "sha256"} <= set(rows[0])
    assert slomix(home, "files", "--status", "lost").exit_code == 2


def test_the_doctor_finds_nothing_wrong_here_and_says_what_is_wrong_there(home: Path, evening: Evening) -> None:
    fine = slomix(home, "doctor")
    assert fine.exit_code == 0, fine.stdout
    secret = "hunter2-hunter2"
    wrong = slomix(
        home, "doctor", SLOMIX_GAMESERVER_DIR=str(home / "nowhere"), SLOMIX_DISCORD_WEBHOOK=f"https://{secret}"
    )
    assert wrong.exit_code == 1
    assert "SLOMIX_GAMESTATS_FOLDER" in wrong.stdout and "SLOMIX_DISCORD_WEBHOOK" in wrong.stdout
    assert secret not in wrong.stdout + wrong.stderr


def test_a_setting_that_can_not_be_used_is_named(home: Path) -> None:
    done = process(home, "sessions", SLOMIX_SESSION_GAP="an hour or so")
    assert done.returncode == 2
    assert "SLOMIX_SESSION_GAP" in done.stderr and "60 min" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_out_of_reach_is_one_clear_line(home: Path) -> None:
    done = process(home, "sessions", SLOMIX_POSTGRES_URL="postgresql://u:hunter2@127.0.0.1:1/x")
    assert done.returncode == 1
    assert "hunter2" not in done.stderr and "Traceback" not in done.stderr and "PostgreSQL" in done.stderr


def test_the_demo_comes_out_as_it_was_played(home: Path) -> None:
    done = process(home, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    a, b, drawn = play_evening(3).score
    assert f"fox (A) {a} - {b} owl (B), {drawn} drawn" in done.stdout
    assert (home / "demo" / "posts.html").stat().st_size > 1000


def test_a_rough_evening_through_our_scripts_comes_out_as_the_engine_played_it(home: Path) -> None:
    done = process(home, "demo", "--through-lua")
    assert done.returncode == 0, done.stdout + done.stderr
    a, b, drawn = play_rough_evening(3).score
    assert f"fox (A) {a} - {b} owl (B), {drawn} drawn" in done.stdout


def test_run_brings_everything_up_and_takes_everything_down(home: Path) -> None:
    # Its own home: the demo above may be running in the shared one.
    own = home.parent / "run"
    more = {"SLOMIX_UI_PORT": "0", "SLOMIX_STANDIN_PORT": "0", "SLOMIX_DEMO_ROUND_EVERY": "1 h"}
    with subprocess.Popen([*SLOMIX, "run"], env=environment(own, **more), stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        said: dict[str, str] = {}
        for line in run.stdout:
            what, _, address = line.partition("http://")
            if address:
                said[what.strip()] = f"http://{address.strip()}"
            if "Ctrl-C" in line:
                break
        try:
            for address in (said["Dagster UI"], said["Discord stand-in"]):
                with urllib.request.urlopen(address, timeout=20) as answer:
                    assert answer.status == 200
            second = process(own, "run", **more)
            assert second.returncode == 1 and "already runs" in second.stderr
        finally:
            run.send_signal(signal.SIGINT)
            run.wait(60)
        assert run.returncode == 0
    for address in said.values():
        with pytest.raises(OSError):
            urllib.request.urlopen(address, timeout=5)
