"""``slomix audit``: what is missing is counted both ways, what does not count has its reason, and nothing is hidden."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from psycopg.types.json import Jsonb

from slomix_pipeline.cli.main import main
from slomix_pipeline.formats import gamestats, gametimes
from slomix_pipeline.formats.filenames import gametime_file_name, parse_file_name, stats_file_name
from slomix_pipeline.formats.gamestats import StatsFile
from slomix_pipeline.gameserver.source import RemoteFile
from slomix_pipeline.reports.audit import KEYS_SHOWN
from slomix_pipeline.reports.markdown import code, escape
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse import files
from slomix_pipeline_tests.building import lobby, make_stats, with_file_guids
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, round_key

# Evenings of the past, so that months and midnights lie where the test says.
EVENING = datetime(2025, 3, 1, 20, 0)
BEFORE_MIDNIGHT = datetime(2025, 4, 10, 23, 55)


def audit(pipeline: Pipeline, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["audit", *arguments], env={"SLOMIX_POSTGRES_URL": pipeline.database.url})


def report(pipeline: Pipeline, *arguments: str) -> str:
    done = audit(pipeline, *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def section(text: str, title: str) -> str:
    """What stands below a heading."""
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0].strip()


def month_rows(text: str) -> dict[str, list[int]]:
    """The table of months: rounds, valid, complete matches, R1 missing strict and real, R2 missing strict and real."""
    rows = [line.strip("| ").split(" | ") for line in section(text, "Rounds by month").splitlines() if line[:2] == "| "]
    return {row[0].strip("*"): [int(cell) for cell in row[1:]] for row in rows[1:]}


def first(kills: int) -> StatsFile:
    """A round 1; ``kills`` makes its bytes its own."""
    return make_stats(*lobby(kills=kills, deaths=kills, damage_given=5, damage_received=5, minutes_played=8.0, kd=1.0))


def second(kills: int) -> StatsFile:
    players = lobby(
        1, swap=True, kills=kills, deaths=kills, damage_given=9, damage_received=9, minutes_played=14.0, kd=1.0
    )
    return make_stats(*players, number=2, limit="8:00", attack_time="6:00")


def write(
    folder: Path, start: datetime, minutes: float, number: int, stats: StatsFile | bytes, map_name: str = "supply"
) -> str:
    """A stats file; returns its round's key."""
    name = stats_file_name(start + timedelta(minutes=minutes), map_name, number)
    if isinstance(stats, StatsFile):
        stats = with_file_guids(replace(stats, header=replace(stats.header, map_name=map_name)))
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(stats if isinstance(stats, bytes) else gamestats.dump(stats))
    return f"{SERVER}:{name.removesuffix('.txt')}"


@pytest.fixture
def oddities(pipeline: Pipeline, tmp_path: Path) -> dict[str, str]:
    """Keys of odd rounds by what they are. March: a match, an orphan of the same map later that day, an aborted round,
    and a round 2 whose round 1 was cut. April: a match across midnight, and a round 1 that stayed alone."""
    folder = tmp_path / "archive"
    started = make_stats(*lobby(kills=1, deaths=1), number=2, limit="12:00", attack_time="71:05")
    keys = {
        "r1": write(folder, EVENING, 0, 1, first(3)),
        "r2": write(folder, EVENING, 10, 2, second(7)),
        "orphan": write(folder, EVENING, 30, 2, second(8)),
        "aborted": write(folder, EVENING, 40, 2, started, "radar"),
        "cut": write(folder, EVENING, 50, 1, gamestats.dump(with_file_guids(first(4)))[:-30], "te_escape2"),
        "after the cut": write(folder, EVENING, 60, 2, second(9), "te_escape2"),
        "r1 before midnight": write(folder, BEFORE_MIDNIGHT, 0, 1, first(5)),
        "r2 after midnight": write(folder, BEFORE_MIDNIGHT, 12, 2, second(11)),
        "alone": write(folder, BEFORE_MIDNIGHT, 40, 1, first(6), "sw_goldrush_te"),
    }
    pipeline.import_(folder)
    return keys


def test_missing_rounds_are_counted_both_ways_by_month(pipeline: Pipeline, oddities: dict[str, str]) -> None:
    text = report(pipeline)
    # Strict in March: the aborted round and the one after the cut file; real: that and the orphan.
    # In April the match across midnight is no gap.
    assert month_rows(text) == {
        "2025-03": [5, 2, 1, 2, 2, 0, 0],
        "2025-04": [3, 3, 1, 1, 0, 2, 1],
        "all": [8, 5, 2, 3, 2, 2, 1],
    }
    differing = "1 `aborted` by the strict count only, 2 `complete` by the strict count only, 1 `r2_only` by the real"
    assert f"Where the counts differ: {differing} count only." in text
    assert "2 rounds 2 without round 1, 1 round 1 without round 2, 1 quarantined file" in text.split("\n## ", 1)[0]


def test_a_missing_round_comes_with_age_reason_and_the_file_that_may_be_it(
    pipeline: Pipeline, oddities: dict[str, str]
) -> None:
    rows = [line for line in section(report(pipeline), "Missing rounds").splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [oddities[name] for name in ("alone", "after the cut", "orphan")]
    alone, after_the_cut, orphan = rows
    assert "| round 2 |" in alone and "days |" in alone and "none was seen" in alone
    assert f"`{oddities['cut'].partition(':')[2]}.txt`, quarantined: cut" in after_the_cut
    assert "its round 1 is not here" in orphan and "none was seen" in orphan


def test_a_round_2_that_may_still_come_is_not_missing(pipeline: Pipeline) -> None:
    stamp = datetime.now(UTC) - timedelta(minutes=5)
    pipeline.put(stats_file_name(stamp, "supply", 1), gamestats.dump(with_file_guids(first(3))))
    pipeline.take_in()
    text = report(pipeline)
    assert month_rows(text)["all"] == [1, 1, 0, 0, 0, 1, 0]
    assert section(text, "Missing rounds") == "None is really missing."
    assert "nothing to look at" in text


def test_rounds_that_do_not_count_are_listed_by_status_and_reason(pipeline: Pipeline, oddities: dict[str, str]) -> None:
    text = report(pipeline)
    rows = section(text, "Rounds that do not count").splitlines()[2:]
    listed = {row.split("|")[1].strip(" `"): row for row in rows}
    assert listed.keys() == {"r2_only", "aborted"}
    assert oddities["aborted"] in listed["aborted"] and "every player's match began with it" in listed["aborted"]
    assert "2025-03-01" in listed["aborted"] and "days ago" in listed["aborted"]
    quarantined = section(text, "Quarantined files")
    assert (
        "| stats | cut: the last line has no end | 1 |" in quarantined
        and oddities["cut"].partition(":")[2] in quarantined
    )


def test_long_lists_are_cut_and_say_so(pipeline: Pipeline, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    for n in range(KEYS_SHOWN + 3):
        write(folder, EVENING, 120 * n, 2, second(10 + n), "radar")
    pipeline.import_(folder)
    (row,) = section(report(pipeline), "Rounds that do not count").splitlines()[2:]
    assert row.count(f"`{SERVER}:") == KEYS_SHOWN and row.endswith("and 3 more |")


def test_checks_that_did_not_pass_show_what_they_saw(pipeline: Pipeline, oddities: dict[str, str]) -> None:
    with pipeline.database.transaction() as conn:
        for key in (oddities["r1"], oddities["r2"]):
            facts = {"law": "kills = deaths", "who": ["a|b", "*c*"], "broken one": "broken: 3 ≠ 4"}
            conn.execute(
                "insert into check_result values (%s, 'record_parse', false, 'ERROR', %s)", [key, Jsonb(facts)]
            )
    found = section(report(pipeline), "Checks not passed").split("### ")
    (law,) = (text for text in found if text.startswith("`record_parse`"))
    assert law.startswith("`record_parse`: 2 of 2 not passed, 2 of them errors")
    assert f"- `{oddities['r2']}`: broken one: broken: 3 ≠ 4; law: kills = deaths; who: a\\|b, \\*c\\*" in law
    (parse,) = (text for text in found if text.startswith("`parse`"))
    assert "1 of them errors" in parse and "cut" in parse


def test_files_that_were_seen_but_never_fetched_are_listed(pipeline: Pipeline) -> None:
    name = stats_file_name(EVENING, "supply", 1)
    seen = (RemoteFile(name, 100, int(EVENING.timestamp())), parse_file_name(name), "older than the look-back")
    with pipeline.database.transaction() as conn:
        files.note_seen(conn, SERVER, [seen])
    text = report(pipeline)
    assert "| stats | listed | older than the look-back | 1 |" in text and f"`{name}`" in text
    assert "1 file never fetched" in text


def test_timing_coverage_is_told_by_month(pipeline: Pipeline) -> None:
    evening = play_evening(6, maps=2, ends_at=datetime.now(UTC) - timedelta(minutes=2))
    write_evening(pipeline.folder, evening)
    (pipeline.folder / "gametimes" / evening.rounds[0].timing_name).unlink()
    pipeline.take_in_all()
    rows = section(report(pipeline), "Lua timing by month").splitlines()
    assert any(row.startswith("| **all** | 4 | 3 | 75 |") for row in rows)


def test_a_report_can_begin_with_a_month_and_hold_one_server(pipeline: Pipeline, oddities: dict[str, str]) -> None:
    assert month_rows(report(pipeline, "--since", "2025-04")).keys() == {"2025-04", "all"}
    assert "None." in section(report(pipeline, "--since", "2025-04"), "Quarantined files")
    assert month_rows(report(pipeline, "--server", SERVER)) == month_rows(report(pipeline))
    unknown = audit(pipeline, "--server", "elsewhere")
    assert (unknown.exit_code, unknown.stdout) == (2, "") and SERVER in unknown.stderr
    for month in ("2025", "2025-13", "last"):
        assert audit(pipeline, "--since", month).exit_code == 2


def test_an_empty_database_says_so_in_every_section(pipeline: Pipeline, tmp_path: Path) -> None:
    written = tmp_path / "audit.md"
    assert audit(pipeline, "--output", str(written)).stdout == ""
    text = written.read_text("utf-8")
    assert "0 rounds stored, 0 count, 0 matches are complete; nothing to look at" in text
    assert section(text, "Rounds by month") == "No round is stored."
    sections = [part.partition("\n")[2].strip() for part in text.split("\n## ")[1:]]
    assert all(part and "\n" not in part for part in sections), sections


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a|b", r"a\|b"), ("*x* _y_", r"\*x\* \_y\_"), ("<i>[z](q)`", r"\<i\>\[z\](q)\`"), ("two\nlines", "two lines")],
)
def test_text_of_files_is_never_taken_for_markdown(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_keys_stay_in_one_piece_whatever_they_hold() -> None:
    assert [code("main:x"), code("a|b"), code("a`b")] == ["`main:x`", r"`a\|b`", "`` a`b ``"]


def test_timing_records_without_a_round_and_rounds_without_a_record_are_counted_by_reason(pipeline: Pipeline) -> None:
    first, second = play_evening(41, maps=1, ends_at=datetime.now(UTC) - timedelta(minutes=1)).rounds
    stray = replace(first.timing, ended_at=first.timing.ended_at - timedelta(minutes=4))
    for record in (first.timing, stray):
        name = gametime_file_name(record.map_name, record.number, int(record.ended_at.timestamp()))
        pipeline.put(name, gametimes.dump(record))
    for sim_round in (first, second):
        pipeline.put_stats(sim_round)
    pipeline.take_in_all()
    lines = section(report(pipeline), "Lua timing by month").splitlines()
    assert "Timing records no round uses: 1" in lines
    assert any(line.startswith("- 1 without a stats file: ") for line in lines)
    assert "Rounds without a record: 1, by the first broken link" in lines
    assert f"- 1 file not written: `{round_key(second)}`" in lines
