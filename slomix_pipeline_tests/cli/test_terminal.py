"""What files and people wrote is shown as text by every command: no markup of it works, nothing of it reaches the
terminal."""

import io
import itertools
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from slomix_pipeline.cli import terminal
from slomix_pipeline.cli.main import main
from slomix_pipeline.cli.terminal import Terminal, print_findings, print_json, print_lines, print_markdown
from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.names import is_unseen, visible
from slomix_pipeline.rules.score_policies import DEFAULT_POLICY, POLICIES
from slomix_pipeline.sensors.folders import GAMETIMES
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, round_key

HOSTILE = (
    "[/b]",
    "[red]x",
    "[link=https://example.invalid]x[/link]",
    "\x1b]0;owned\x07",
    "\x9b31mred",
    "\u202eabc\u2066",
    "a\u2028b\u2029",
    "=cmd|' /C calc'!A0",
    "**bold** `code` <b>",
    "x" * 200,
)
# In a file's name anything may be but a slash.
HOSTILE_FILES = ("[b]x[red].txt", "\x1b]0;owned\x07.txt", "\u202etxt.exe", "two\nlines.txt", "\x9b31m.txt")


def unseen(text: str) -> set[str]:
    return {c for c in text if is_unseen(c) and c != "\n"}


# --- one string ---


def test_what_can_be_seen_stays_and_what_can_not_is_escaped() -> None:
    assert visible("ünï [/b] 👩\u200d🚀 ^1\\n") == "ünï [/b] 👩\u200d🚀 ^1\\n"
    assert visible("\x1b\x07\x9b\x7f\n\t") == r"\x1b\x07\x9b\x7f\n\t"
    assert visible("\u202e\u2066\u2028\ufeff\U000e0041") == r"\u202e\u2066\u2028\ufeff\U000e0041"
    assert visible(os.fsdecode(b"caf\xe9\x9b")) == r"caf\xe9\x9b"


@given(st.text())
def test_no_text_at_all_reaches_the_terminal_unescaped(text: str) -> None:
    assert not {c for c in visible(text) if is_unseen(c)}


@given(st.text(max_size=20))
def test_json_is_readable_whole_and_holds_nothing_unseen(text: str) -> None:
    printed = printed_by(lambda: print_json({text: [text]}))
    assert json.loads(printed) == {text: [text]}
    assert not unseen(printed)


def printed_by(work: Any) -> str:
    result = CliRunner().invoke(click.command()(work))
    assert result.exception is None
    return result.stdout


@pytest.mark.parametrize("text", HOSTILE)
def test_lines_tables_and_markdown_show_text_as_it_is(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    there = Terminal(file=printed, force_terminal=True, color_system=None, width=1000)
    monkeypatch.setattr(terminal, "out", there)
    table = Table(text, box=None)
    table.add_row(text)
    there.print(text)
    there.print(table)
    there.print(Text("own", "red"), text)
    assert printed.getvalue().count(visible(text)) == 4
    print_markdown(f"# {text}\n\n| a |\n|---|\n| {text} |\n")
    assert not unseen(printed.getvalue())


def test_a_report_keeps_its_lines() -> None:
    assert printed_by(lambda: print_lines("a\x1b\nb\n")) == "a\\x1b\nb\n"
    csv = CliRunner().invoke(click.command()(lambda: print_lines("a,\u202e\r\nb\r\n", "\r\n")))
    assert csv.stdout_bytes == b"a,\\u202e\r\nb\r\n"


# --- every command ---


@pytest.fixture
def hostile(pipeline: Pipeline) -> Evening:
    """An evening whose players, maps' headers, records and other files have hostile names, and one file is cut."""
    evening = play_evening(90, maps=2, ends_at=datetime.now(UTC) - timedelta(minutes=2))
    for sim_round in evening.rounds:
        data = with_names(gamestats.dump(sim_round.stats))
        pipeline.put(sim_round.stats_name, data)
        said = {"winner": "[/b]\x1b]0;x\x07", "end_reason": "[red]\u202e", "server": "\x9b31m"}
        when = {"round": sim_round.number, "round_end_unix": int(sim_round.stamp.timestamp()) - 3}
        record = {"map": sim_round.map_name} | when | said
        pipeline.put(sim_round.timing_name, json.dumps(record).encode())
    cut = (evening.rounds[0].stamp + timedelta(seconds=40)).strftime("%Y-%m-%d-%H%M%S")
    pipeline.put(f"{cut}-supply-round-1.txt", b"\x1b]0;x\x07[/b]\\[/b]\x9b31m\nline\n")
    for name in HOSTILE_FILES:
        (pipeline.folder / "gamestats" / name).write_bytes(b"[/b]")
    pipeline.take_in(GAMETIMES)
    pipeline.take_in()
    return evening


def with_names(data: bytes) -> bytes:
    """A stats file in whose lines every player has a hostile name, and whose header has hostile texts."""
    header, *lines = data.split(b"\n")
    fields = header.split(b"\\")
    fields[0], fields[2] = "[/b]\x1b]0;x\x07\u202e".encode(), b"[red]\x9b31m"
    names = itertools.cycle(name.encode() for name in HOSTILE if "\n" not in name)
    renamed = [b"\\".join([guid, next(names), *rest]) for guid, _, *rest in (line.split(b"\\") for line in lines[:-1])]
    return b"\n".join([b"\\".join(fields), *renamed, lines[-1]])


def every_command(group: click.Group = main, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, (*above, name))
        else:
            yield (*above, name)


# What these two print is about invented players, by the same helpers.
OF_INVENTED_PLAYERS = {("run",), ("demo",)}
PRINTS_ITS_ADDRESS_ALONE = {("site",)}
# Each with its exit code; the words in capitals stand for what the test has.
RUNS = """
1 import FOLDER
0 sessions
0 sessions --json
0 export latest
0 export latest --csv
2 export TEXT
0 files
0 files --json
0 files --status quarantined
2 files --status TEXT
0 explain ROUND
0 explain ROUND --json
0 explain ROUND --player GUID
0 explain --session latest
2 explain TEXT
2 explain ROUND --player TEXT
0 board kills --min-rounds 1
0 board kd --min-rounds 1 --json
0 board accuracy --map MAP --since 2020-01-01
2 board TEXT
2 board kills --map TEXT
0 player GUID
0 player GUID --json
2 player TEXT
2 player x
0 compare GUID GUID
0 compare GUID GUID --json
2 compare GUID TEXT
0 records
0 records --json
0 odds
0 odds --json
0 odds --score
0 odds --score --json
0 balance GUID MATE
0 balance GUID MATE --apart GUID,MATE --json
2 balance GUID MATE --together GUID,MATE
2 balance GUID
2 balance GUID TEXT
0 records --map MAP
2 records --map TEXT
0 map MAP
0 map MAP --json
2 map TEXT
0 report
0 report --json
1 doctor --json
1 doctor --settings
0 audit
0 audit --output FOLDER/report
2 audit --server TEXT
0 whatif --policy OTHER
0 whatif --policy OTHER --json
0 team name TEXT GUID
0 team list
0 sessions
2 team forget TEXT2
0 team forget TEXT
0 override winner ROUND none WHY
0 override round ROUND out WHY
0 override session FIRST cut WHY
0 override team latest GUID B WHY
2 override winner TEXT A WHY
2 override team latest TEXT B WHY
2 override pair ROUND TEXT WHY
0 override list
0 override list --json
0 explain --session latest
0 override revoke 1 WHY
0 override list --all
2 override revoke 99 WHY
2 identity link GUID TEXT WHY
2 identity link GUID 80351110224678912 --name=TEXT WHY
0 identity link GUID 80351110224678912 --name=[/b][red]**x** WHY
0 identity reject GUID MATE WHY
2 identity merge GUID MATE WHY
2 identity merge GUID TEXT WHY
0 identity hide MATE WHY
0 identity list
0 identity list --json
0 explain --session latest
0 identity revoke 1 WHY
0 identity list --all
2 identity revoke 99 WHY
0 identity link GUID 80351110224678912 WHY
0 identity unlink GUID WHY
2 identity unlink TEXT WHY
0 identity requests
0 identity requests --json
2 identity requests --drop TEXT
0 discord register --dry-run
1 discord register
0 post board kills --min-rounds 1
0 post board accuracy --map MAP --since 2020-01-01
2 post board TEXT
2 post board kills --map TEXT
0 post player GUID
2 post player TEXT
2 post player x
0 post compare GUID GUID
2 post compare GUID TEXT
0 post records
0 post records --map MAP
2 post records --map TEXT
0 post map MAP
2 post map TEXT
2 post
2 post --retry TEXT records
2 post --retry TEXT
2 post --told TEXT
0 backup list
0 backup list --json
2 backup --TEXT
2 restore TEXT
1 restore FOLDER/RTL/STATS
1 move --to TEXT
0 migrate
2 serve TEXT
1 worker
0 sync --all
2 sync --server TEXT
2 sync --since TEXT
0 validate
0 validate --json
0 validate latest
2 validate TEXT
0 rebuild sessions latest
2 rebuild sessions TEXT
0 rebuild everything
2 rebuild from-scratch
2 rebuild from-scratch --yes-wipe TEXT
1 doctor
1 lua status
0 lua deploy
2 lua deploy TEXT
2 TEXT
2 sessions --TEXT
2 sessions TEXT
"""


def test_every_command_shows_hostile_text_as_text(pipeline: Pipeline, hostile: Evening, tmp_path: Path) -> None:
    folder = tmp_path / "[red]\x1b]0;x\x07"
    (folder / "\u202e").mkdir(parents=True)
    for name in HOSTILE_FILES:
        (folder / name).write_bytes(b"[/b]")
    (folder / "\u202e" / hostile.rounds[0].stats_name).write_bytes(b"[/b]\x1b\n")
    text = "[/b]\x1b]0;x\x07\u202e"
    words = {
        "FOLDER": str(folder),
        "TEXT2": f"{text}2",
        "TEXT": text,
        "ROUND": round_key(hostile.rounds[-1]),
        "FIRST": round_key(hostile.rounds[-2]),
        "GUID": min(hostile.rounds[0].players),
        "MAP": hostile.rounds[0].map_name,
        "MATE": max(hostile.rounds[0].players),
        "RTL/STATS": f"\u202e/{hostile.rounds[0].stats_name}",
        "OTHER": next(name for name in POLICIES if name != DEFAULT_POLICY),
        "WHY": f"--why={text}\n--by={text}",
    }
    with pipeline.database.connect() as conn:
        conn.execute("insert into link_request values ('80351110224678913', %s, %s)", [text, text])
        conn.execute("insert into usual_rate select distinct guid, 300, 1 from round_player")
    wrong, ran = [], set()
    for run in RUNS.strip().splitlines():
        expected, *written = run.split()
        arguments = [part for word in written for part in replaced(word, words).split("\n")]
        done = pipeline.slomix(*arguments)
        crashed = done.exception is not None and not isinstance(done.exception, SystemExit)
        raw = unseen(done.stdout + done.stderr)
        if done.exit_code != int(expected) or crashed or raw:
            wrong.append((run, done.exit_code, raw, done.exception, done.stderr))
        ran |= {command for command in every_command() if tuple(written[: len(command)]) == command}
    assert not wrong
    assert set(every_command()) - ran == OF_INVENTED_PLAYERS | PRINTS_ITS_ADDRESS_ALONE


def replaced(word: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        word = word.replace(name, value)
    return word


# --- settings ---


@pytest.mark.parametrize(
    ("arguments", "setting", "shown"),
    [
        (["import", ".", "--server", "A"], {}, "Invalid value for --server: at most 24 of a-z, 0-9, _ and -"),
        (["sessions"], {"SLOMIX_TIMEZONE": "[/b]\x1b]0;x\x07"}, "unknown time zone '[/b]\\\\x1b]0;x\\\\x07'"),
        (["sessions"], {"SLOMIX_SCORING_POLICY": "[red]\u202e"}, "unknown score policy '[red]\\\\u202e'"),
        (["sessions"], {"SLOMIX_SESSION_GAP": "[/b]"}, "'[/b]' is not a duration"),
    ],
)
def test_a_setting_that_can_not_be_used_is_shown_whole(
    arguments: list[str], setting: dict[str, str], shown: str
) -> None:
    done = CliRunner().invoke(main, arguments, env=setting)
    assert (done.exit_code, unseen(done.stderr)) == (2, set())
    assert shown.replace("\\\\", "\\") in done.stderr


def test_findings_are_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    from slomix_pipeline.reports.findings import failed, ok

    with pytest.raises(SystemExit) as ended:
        print_findings([ok("[/b]", "a\x1bb"), failed("x", "[red]y", "[b]")])
    assert ended.value.code == 1
    assert capsys.readouterr().out == "ok    [/b]: a\\x1bb\nwrong x: [red]y. Fix: [b]\n"
