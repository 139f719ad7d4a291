"""History made anew from stored bytes: it is as it was, says so, and whoever is stopped goes on."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # comes without types
import pytest

from slomix_pipeline.actions import rebuilding
from slomix_pipeline.actions.rebuilding import Rebuilt
from slomix_pipeline.actions.wiping import NotConfirmed, check_confirmed
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.rules import batches
from slomix_pipeline.runtime.home import working_alone
from slomix_pipeline.simulator.evening import SOME_EVENING, play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.stages.chain import OF_A_SESSION, nobody_watches, run_stages
from slomix_pipeline.warehouse import derived, rebuilds
from slomix_pipeline.warehouse.rebuilds import Rebuild
from slomix_pipeline_tests.as_played import differences
from slomix_pipeline_tests.pipeline_fixtures import SLOMIX, Pipeline, just_now, round_key
from slomix_pipeline_tests.site_fixtures import prepare

_SMALL_BATCHES = f"from slomix_pipeline.rules import batches; batches.ROUNDS_AT_ONCE = 1; {SLOMIX[-1]}"


@pytest.fixture
def evening(pipeline: Pipeline) -> Evening:
    """Two matches, told; and in its winner and a player's team decided otherwise since."""
    played = play_evening(61, maps=2, ends_at=just_now())
    write_evening(pipeline.folder, played)
    pipeline.take_in_all()
    first = round_key(played.rounds[1])
    other = "B" if pipeline.export()["matches"][0]["winner"] == "A" else "A"
    for what in (("winner", first, other), ("team", "latest", played.rounds[0].stats.players[0].guid, "open")):
        done = pipeline.slomix("override", *what, "--why", "seen on the demo")
        assert done.exit_code == 0, done.stderr
    return played


def rebuilt(pipeline: Pipeline, what: Rebuild = Rebuild.FROM_SCRATCH) -> Rebuilt:
    return rebuilding.rebuild(
        pipeline.settings, pipeline.database, what, lambda: nullcontext(pipeline.channels), nobody_watches
    )


def contents(pipeline: Pipeline) -> dict[str, list[str]]:
    """All but what checks say of a round's way: nobody asks the game server here."""
    found = pipeline.contents()
    of_the_way = ("'timing_chain'", "'transfer'")
    found["check_result"] = [row for row in found["check_result"] if not any(name in row for name in of_the_way)]
    return found


def test_what_is_made_anew_is_as_it_was_with_decisions_corrections_and_pages(
    pipeline: Pipeline, evening: Evening
) -> None:
    prepare(pipeline.database)
    run_stages(OF_A_SESSION, ["main:" + evening.rounds[0].stem[:17]], pipeline.tools("asked"))
    before, told = contents(pipeline), pipeline.titles()
    assert all(before[table] for table in ("correction", "override", "site_receipt", "site_card"))
    assert pipeline.rows("select * from site_picture") != []
    found = rebuilt(pipeline)
    assert found.differing == [] and (found.rounds, found.records) == (4, 4)
    assert found.compared["round_player"].before.rows > 0 and found.compared["award"].before.rows > 0
    assert found.compared["timing_record, as read"].before.rows == 4
    assert differences(before, contents(pipeline)) == []
    assert pipeline.rows("select * from site_picture") != []
    assert pipeline.titles() == told
    assert pipeline.rows("select * from rebuild") == []


def test_a_number_that_is_not_the_files_is_named_and_mended(pipeline: Pipeline, evening: Evening) -> None:
    key = round_key(evening.rounds[2])
    guid = evening.rounds[2].stats.players[0].guid
    with pipeline.database.transaction() as conn:
        conn.execute("update round_player set kills = kills + 1 where (round_key, guid) = (%s, %s)", [key, guid])
        conn.execute("update parsed_player set gibs = gibs + 1 where (round_key, guid) = (%s, %s)", [key, guid])
    found = rebuilt(pipeline)
    assert found.differing == ["parsed_player", "round_player"]
    assert found.compared["round_player"].keys == (f"{key} {guid}",)
    assert rebuilt(pipeline).differing == []


def test_what_a_run_is_at_is_left_out_and_nobody_says_everything(pipeline: Pipeline, evening: Evening) -> None:
    assert rebuilt(pipeline).proved
    name, key = evening.rounds[3].stats_name, round_key(evening.rounds[3])
    with pipeline.database.transaction() as conn:
        conn.execute("update file set status = 'requested' where name = %s", [name])
    found = rebuilt(pipeline)
    assert found.left_out == [key] and found.rows[0] < found.rows[1]
    assert found.differing == [] and not found.proved


def test_a_rebuild_that_was_stopped_takes_what_came_since_and_begins_anew_by_other_rules(
    pipeline: Pipeline, evening: Evening
) -> None:
    keys = sorted(map(round_key, evening.rounds))
    with pipeline.database.transaction() as conn:
        conn.execute("update file set partition_key = 'main:new' where partition_key = %s", [keys[3]])
        rebuilds.begin(conn, Rebuild.EVERYTHING, "rules")
        conn.execute("update file set partition_key = %s where partition_key = 'main:new'", [keys[3]])
        rebuilds.note_through(conn, Rebuild.EVERYTHING, FileKind.STATS, [keys[0], "main:new"])
        assert rebuilds.begin(conn, Rebuild.EVERYTHING, "rules") is not None
        assert rebuilds.left(conn, Rebuild.EVERYTHING, FileKind.STATS) == keys[1:]
    with working_alone(pipeline.database):  # the sensor for rework leaves alone what it is at
        assert set(keys[1:]) <= rebuilds.in_rebuild(pipeline.database)
    assert rebuilds.in_rebuild(pipeline.database) == set()
    with pipeline.database.transaction() as conn:
        assert rebuilds.begin(conn, Rebuild.EVERYTHING, "other rules") is None
        assert rebuilds.left(conn, Rebuild.EVERYTHING, FileKind.STATS) == keys


def test_pages_never_see_history_without_what_is_being_made_anew(
    pipeline: Pipeline, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def taken(conn: Any) -> None:
        take_away(conn)
        seen.append(len(pipeline.rows("select * from round")))
        assert not conn.execute("select from round").fetchall()

    take_away = derived.take_away
    monkeypatch.setattr(derived, "take_away", taken)
    assert rebuilt(pipeline).differing == [] and seen == [4]


def test_a_round_whose_new_file_can_not_be_read_keeps_what_was_read_of_the_earlier_one(
    pipeline: Pipeline, evening: Evening
) -> None:
    endstats = pipeline.rows("select name from file where kind = 'endstats' order by name")[-1]["name"]
    for name in (evening.rounds[0].stats_name, endstats):
        pipeline.put(name, b"cut")
    pipeline.take_in()
    before = contents(pipeline)
    assert [row for row in before["file"] if "keeps its earlier version" in row]
    assert rebuilt(pipeline).differing == []
    assert differences(before, contents(pipeline)) == []


def test_what_goes_with_a_round_or_a_session_is_made_anew_or_put_back(pipeline: Pipeline) -> None:
    """Every table whose rows a cascade takes away with them."""
    found = pipeline.rows(
        """with recursive gone (oid) as (
               select unnest(array['parsed_round', 'round', 'session']::regclass[])::oid
               union
               select conrelid from pg_constraint join gone on confrelid = gone.oid
               where contype = 'f' and confdeltype = 'c'
           ) select oid::regclass::text as name from gone"""
    )
    assert {row["name"] for row in found} == (derived.OF_ROUNDS.keys() | derived.GOES_WITH.keys()) - {
        "timing_record",
        "check_result",
    }


def test_a_rebuild_of_everything_that_ended_goes_on_with_what_is_left(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(2):
        write_evening(pipeline.folder, play_evening(day, maps=1, ends_at=SOME_EVENING + timedelta(days=day)))
    pipeline.import_(pipeline.folder)
    before = contents(pipeline)
    monkeypatch.setattr(rebuilding, "work_out", ends_after_one)
    with pytest.raises(KeyboardInterrupt):
        rebuilt(pipeline, Rebuild.EVERYTHING)
    monkeypatch.undo()
    pipeline.discord = None
    left = pipeline.rows("select * from rebuild_left where kind = 'stats' and not is_through")
    assert len(left) == 2
    found = rebuilt(pipeline, Rebuild.EVERYTHING)
    assert (found.resumed is not None, found.rounds) == (True, 2)
    assert rebuilt(pipeline, Rebuild.EVERYTHING).rounds == 4
    assert differences(before, contents(pipeline)) == []


def ends_after_one(
    records: Sequence[str], planned: Sequence[batches.Batch], tools: Any, progress: Any, ways: Any
) -> Iterator[Sequence[str]]:
    ways.read(records, tools, progress)
    first = [key for key in planned[0].rounds if key[:15] == planned[0].rounds[0][:15]]
    ways.work_out(batches.Batch(first, planned[0].planned), tools, progress)
    yield first
    raise KeyboardInterrupt


@pytest.mark.timeout(300)
def test_a_rebuild_from_scratch_that_was_killed_is_finished_by_the_same_command(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    for day in range(4):
        write_evening(pipeline.folder, play_evening(day, maps=1, ends_at=SOME_EVENING + timedelta(days=day)))
    pipeline.import_(pipeline.folder)
    before = contents(pipeline)
    killed = start(pipeline, tmp_path)
    proved = "select * from rebuild_proof where part like 'rounds%%'"
    while not pipeline.rows(proved):
        assert killed.poll() is None, killed.communicate()
        time.sleep(0.005)
    workers = psutil.Process(killed.pid).children(recursive=True)
    killed.kill()
    killed.communicate(timeout=60)
    psutil.wait_procs(workers, timeout=30)
    assert differences(before["round_player"], contents(pipeline)["round_player"]) == []
    done = start(pipeline, tmp_path)
    said, trouble = done.communicate(timeout=120)
    assert done.returncode == 0, said + trouble
    assert "An earlier one, begun at" in said and "Everything is as it was." in said
    assert differences(before, contents(pipeline)) == []


def start(pipeline: Pipeline, tmp_path: Path) -> "subprocess.Popen[str]":
    with pipeline.database.connect() as conn:
        name = f"{tmp_path.name}/home/{conn.info.dbname}"
    environment = os.environ | {"SLOMIX_HOME": str(tmp_path / "home"), "SLOMIX_POSTGRES_URL": pipeline.database.url}
    return subprocess.Popen(
        [*SLOMIX[:-1], _SMALL_BATCHES, "rebuild", "from-scratch", "--yes-wipe", name],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_nothing_is_taken_away_unless_the_name_is_typed(pipeline: Pipeline, evening: Evening) -> None:
    for typed in (None, "", "home", "[/b]\x1b"):
        with pytest.raises(NotConfirmed, match=rf"{pipeline.settings.home.parent.name}/home/\w+ has [0-9,]+ rows"):
            check_confirmed(pipeline.settings, pipeline.database, typed)
    refused = pipeline.slomix("rebuild", "from-scratch", "--yes-wipe", "other")
    assert refused.exit_code == 2 and "Nothing was done" in refused.stderr


def test_sessions_are_worked_out_anew_by_key_by_day_or_all(pipeline: Pipeline, evening: Evening) -> None:
    before = contents(pipeline)
    day = f"{evening.rounds[0].stamp - timedelta(days=1):%Y-%m-%d}"
    for chosen in (("latest",), ("--since", day), ("--all",)):
        with pipeline.database.transaction() as conn:
            conn.execute("update match set winner = null, points_a = null, points_b = null")
        done = pipeline.slomix("rebuild", "sessions", *chosen)
        assert done.exit_code == 0 and "1 sessions were worked out anew" in done.output, done.stderr
        after = contents(pipeline)
        assert differences(before["match"], after["match"]) == []
    assert "There are no such sessions" in pipeline.slomix("rebuild", "sessions", "--until", "2001-01-01").output
    assert pipeline.slomix("rebuild", "sessions").exit_code == 2
    assert pipeline.slomix("rebuild", "sessions", "--since", "x\x1b").exit_code == 2
