"""The watching of a folder: when it is listed, what it waits for, what it asks for once, and who hears of trouble."""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy

from slomix_pipeline import partitions
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.gameserver.source import PermanentError, RemoteFile, TransientError
from slomix_pipeline.runtime.home import dagster_environment
from slomix_pipeline.sensors import folders
from slomix_pipeline.sensors.folders import GAMESTATS, GAMETIMES, Cursor
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse import files
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, round_key


class Scripted(NoGameServer):
    """A game server whose folder is what the test says at each look; counts listings."""

    def __init__(self, *looks: tuple[int, list[RemoteFile]] | Exception) -> None:
        self.looks = list(looks)
        self.listings = 0

    def describe(self) -> str:
        return "a scripted server"

    def folder_changed_at(self, folder: str) -> int:
        look = self.looks[0]
        if isinstance(look, Exception):
            raise look
        return look[0]

    def list_folder(self, folder: str) -> list[RemoteFile]:
        self.listings += 1
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        assert not isinstance(look, Exception)
        return look[1]

    def read(self, folder: str, name: str, limit: int) -> bytes:
        raise AssertionError("a sensor reads no file")

    def close(self) -> None: ...


def fresh(size: int = 100, ago: int = 60) -> RemoteFile:
    """A file of a round that ended just now."""
    moment = datetime.now(UTC) - timedelta(seconds=ago)
    return RemoteFile(f"{moment:%Y-%m-%d-%H%M%S}-supply-round-1.txt", size, int(moment.timestamp()))


def test_a_quiet_folder_is_listed_once_and_looked_at_often(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "RESTLESS", 0.0)
    pipeline.gameserver = server = Scripted((7, []))
    for _ in range(3):
        outcome = pipeline.tick()
        assert isinstance(outcome, dg.SkipReason) and "nothing new" in str(outcome.skip_message)
    assert server.listings == 1
    assert Cursor.load(pipeline.cursors[GAMESTATS]).changed_at == 7


def test_a_folder_that_changed_is_listed_again(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "RESTLESS", 0.0)
    pipeline.gameserver = server = Scripted((7, []))
    pipeline.tick()
    server.looks = [(8, [])]
    pipeline.tick()
    assert server.listings == 2


def test_a_quiet_folder_is_listed_once_a_minute_anyway(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "RESTLESS", 0.0)
    pipeline.gameserver = server = Scripted((7, []))
    pipeline.tick()
    age_cursor(pipeline)
    pipeline.tick()
    assert server.listings == 2


def age_cursor(pipeline: Pipeline, name: str = GAMESTATS) -> None:
    """As if the last listing was some minutes ago."""
    cursor = json.loads(pipeline.cursors[name] or "{}")
    aged = {
        k: v - 10 * folders.LIST_ANYWAY if k.endswith("ed_at") and k != "changed_at" else v for k, v in cursor.items()
    }
    pipeline.cursors[name] = json.dumps(aged)


def test_a_growing_file_is_waited_for(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "RESTLESS", 0.0)  # however long it takes
    grown = fresh(size=300)
    sizes = [replace(grown, size=size) for size in (0, 100, 100, 200)]
    pipeline.gameserver = Scripted(*((7, [file]) for file in (sizes[0], sizes[1], sizes[3], grown)))
    outcome = pipeline.tick(seconds=10)
    assert isinstance(outcome, dg.SensorResult) and outcome.run_requests
    (request,) = outcome.run_requests
    key = f"main:{grown.name[:-4]}"
    assert request.run_key == f"{key}:300:{grown.modified_at}:1"


def test_a_file_that_grows_over_several_ticks_is_taken_in_the_end(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "RESTLESS", 0.0)
    grown = fresh(size=300)
    for size in (0, 100, 200):
        pipeline.gameserver = Scripted((7, [replace(grown, size=size)]))
        assert isinstance(pipeline.tick(seconds=0), dg.SkipReason)
    pipeline.gameserver = Scripted((7, [grown]))
    assert isinstance(pipeline.tick(seconds=10), dg.SensorResult)


def test_a_file_rewritten_in_place_is_found_though_its_folder_did_not_move(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "RESTLESS", 0.0)
    file = fresh()
    pipeline.gameserver = Scripted((7, [file]))
    assert isinstance(pipeline.tick(seconds=10), dg.SensorResult)
    assert isinstance(pipeline.tick(), dg.SkipReason)
    age_cursor(pipeline)
    pipeline.gameserver = Scripted((7, [replace(file, size=200)]))
    outcome = pipeline.tick(seconds=10)
    assert isinstance(outcome, dg.SensorResult) and outcome.run_requests
    assert str(outcome.run_requests[0].run_key).endswith(f":200:{file.modified_at}:1")


def test_nothing_is_requested_twice(pipeline: Pipeline) -> None:
    pipeline.gameserver = Scripted((7, [fresh()]))
    first = pipeline.tick(seconds=10)
    assert isinstance(first, dg.SensorResult) and len(first.run_requests or []) == 1
    pipeline.cursors.clear()  # nor after a sensor lost its cursor
    assert isinstance(pipeline.tick(), dg.SkipReason)


def test_a_new_partition_is_there_before_its_run_is_asked_for(pipeline: Pipeline) -> None:
    file = fresh()
    pipeline.gameserver = Scripted((7, [file]))
    outcome = pipeline.tick(seconds=10)
    assert isinstance(outcome, dg.SensorResult) and len(outcome.run_requests or []) == 1
    assert pipeline.instance.get_dynamic_partitions("rounds") == [f"main:{file.name[:-4]}"]


def test_an_old_file_becomes_a_partition_without_a_run(pipeline: Pipeline) -> None:
    pipeline.gameserver = Scripted((7, [fresh(ago=3 * 24 * 3600)]))
    assert isinstance(pipeline.tick(), dg.SkipReason)
    assert len(pipeline.instance.get_dynamic_partitions("rounds")) == 1
    assert [row["status"] for row in pipeline.rows("select status from file")] == ["listed"]


def test_a_new_round_does_not_wait_for_the_old_files_beside_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [fresh(ago=30 * 24 * 3600 + n) for n in range(50)]
    new = fresh()
    key = f"main:{new.name[:-4]}"
    pipeline.gameserver = Scripted((7, [*old, new]))
    outcome = pipeline.tick(seconds=10)
    assert isinstance(outcome, dg.SensorResult)
    assert [request.partition_key for request in outcome.run_requests or []] == [key]
    assert pipeline.instance.get_dynamic_partitions("rounds") == [key]
    with pipeline.database.transaction() as conn:  # it is through
        conn.execute("update file set status = 'ingested', finished_at = now()")
    assert isinstance(pipeline.tick(), dg.SkipReason)
    assert pipeline.instance.get_dynamic_partitions("rounds") == [key, *(f"main:{f.name[:-4]}" for f in old[::-1])]
    assert len(pipeline.rows("select * from file where status = 'listed' and reason = %s", folders.TOO_OLD)) == 50


def test_what_a_process_that_ended_could_not_make_a_partition_of_is_as_new_to_the_next(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = fresh(ago=30 * 24 * 3600)
    pipeline.gameserver = Scripted((7, [file]))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(partitions, "add_keys", _killed)
        pipeline.tick()
    assert pipeline.rows("select * from file") == []
    pipeline.tick()
    assert [row["status"] for row in pipeline.rows("select status from file")] == ["listed"]
    assert pipeline.instance.get_dynamic_partitions("rounds") == [f"main:{file.name[:-4]}"]


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_every_process_lists_once_at_its_start(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "RESTLESS", 0.0)
    pipeline.gameserver = server = Scripted((7, []))
    pipeline.tick()
    pipeline.tick()
    assert server.listings == 1
    monkeypatch.setattr(os, "getpid", lambda: -1)
    pipeline.tick()
    assert server.listings == 2


def test_ten_thousand_keys_are_added_by_a_few_statements_to_the_storage_in_use(database: Database) -> None:
    keys = [f"main:{n:05}" for n in range(10_000)]
    with dagster_on(database) as instance:
        partitions.add_keys(instance, partitions.rounds, keys[:10])
        with statements() as said:
            partitions.add_keys(instance, partitions.rounds, [*keys, *keys])
            partitions.add_keys(instance, partitions.rounds, ())
        assert len([text for text in said if "dynamic_partitions" in text]) <= 4
        assert list(instance.get_dynamic_partitions("rounds")) == keys


def test_a_record_is_left_to_its_round_and_taken_when_it_is_still_there_a_minute_later(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "RESTLESS", 0.0)
    now = int(time.time())
    record = RemoteFile(f"gametime-supply-R1-{now}.json", 500, now)
    pipeline.gameserver = server = Scripted((7, [record]))
    assert isinstance(pipeline.tick(GAMETIMES, seconds=0.1), dg.SkipReason)
    assert server.listings == 1
    assert pipeline.rows("select * from file") == []
    age_cursor(pipeline, GAMETIMES)
    with monkeypatch.context() as patch:
        patch.setattr(folders, "LEFT_TO_ITS_ROUND", timedelta())
        outcome = pipeline.tick(GAMETIMES, seconds=10)
    assert isinstance(outcome, dg.SensorResult)
    assert [request.partition_key for request in outcome.run_requests or []] == [f"main:{record.name[:-5]}"]


def test_a_look_reads_no_more_of_the_ledger_than_has_news(pipeline: Pipeline) -> None:
    old = [fresh(ago=30 * 24 * 3600 + n) for n in range(50)]
    pipeline.gameserver = Scripted((7, old))
    pipeline.tick()
    changed = replace(old[3], size=7)
    with pipeline.database.connect() as conn:
        assert files.news_in(conn, "main", old) == {}
        found = files.news_in(conn, "main", [*old[:3], changed, *old[4:], (new := fresh())])
        assert files.waiting(conn, "main") == {}
    assert {name: row and row.size for name, row in found.items()} == {changed.name: 100, new.name: None}


def test_only_what_looks_other_than_at_the_last_look_is_asked_about(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[str]] = []

    def news_in(conn: object, server: str, listing: list[RemoteFile]) -> dict[str, None]:
        asked.append({file.name for file in listing})
        return found(conn, server, listing)  # type: ignore[arg-type, return-value]

    found = files.news_in
    monkeypatch.setattr(files, "news_in", news_in)
    old = [fresh(ago=30 * 24 * 3600 + n) for n in range(5)]
    for listing in (old, old, [replace(old[0], size=7), *old[1:]], old):
        pipeline.gameserver = Scripted((7, listing))
        pipeline.tick(seconds=0)
        age_cursor(pipeline)
    assert asked == [{file.name for file in old}, set(), {old[0].name}, {old[0].name}]


@contextmanager
def dagster_on(database: Database) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance whose storage is PostgreSQL, as in a home."""
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        for name, value in dagster_environment(load_settings(home=home), database).items():
            patch.setenv(name, value)
        with dg.DagsterInstance.from_config(str(Path(home, "dagster"))) as instance:
            yield instance


@contextmanager
def statements() -> Iterator[list[str]]:
    """What Dagster says to databases meanwhile."""
    said: list[str] = []

    def hear(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", hear)
    yield said
    sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", hear)


def test_a_run_that_never_happened_is_requested_again_after_a_while(pipeline: Pipeline) -> None:
    file = fresh()
    pipeline.gameserver = Scripted((7, [file]))
    pipeline.tick(seconds=10)  # requested, and its run was lost
    assert isinstance(pipeline.tick(), dg.SkipReason)
    with pipeline.database.transaction() as conn:
        conn.execute("update file set requested_at = requested_at - interval '40 seconds'")
    age_cursor(pipeline)
    again = pipeline.tick(seconds=10)
    assert isinstance(again, dg.SensorResult) and again.run_requests
    assert str(again.run_requests[0].run_key).endswith(":2")
    assert isinstance(pipeline.tick(), dg.SkipReason)


def test_a_server_that_can_not_be_reached_is_skipped_and_the_cursor_stays(pipeline: Pipeline) -> None:
    pipeline.gameserver = server = Scripted((7, []))
    pipeline.tick()
    before = pipeline.cursors[GAMESTATS]
    server.looks = [TransientError("the line is dead")]
    outcome = pipeline.tick()
    assert isinstance(outcome, dg.SkipReason) and "the line is dead" in str(outcome.skip_message)
    assert pipeline.cursors[GAMESTATS] == before


def test_a_failed_listing_is_not_an_empty_one(pipeline: Pipeline) -> None:
    pipeline.gameserver = Scripted(TransientError("the line is dead"))
    pipeline.tick()
    assert pipeline.rows("select * from folder_look") == []


def test_what_somebody_has_to_change_fails_the_tick(pipeline: Pipeline) -> None:
    pipeline.gameserver = Scripted(PermanentError("no such folder"))
    with pytest.raises(PermanentError, match="no such folder"):
        pipeline.tick()


def test_without_a_game_server_the_sensor_says_what_to_set(pipeline: Pipeline) -> None:
    # Given back before the fixture takes it away; the test's own monkeypatch would do so after it, and leave it set.
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SLOMIX_GAMESERVER_DIR")
        outcome = pipeline.tick()
    assert isinstance(outcome, dg.SkipReason) and "SLOMIX_SFTP_HOST" in str(outcome.skip_message)


def test_after_a_downtime_the_sensor_looks_back_to_its_last_look(pipeline: Pipeline) -> None:
    four_days = fresh(ago=4 * 24 * 3600)
    with pipeline.database.transaction() as conn:
        conn.execute("insert into folder_look values ('main', 'gamestats', now() - interval '5 days')")
    pipeline.gameserver = Scripted((7, [four_days]))
    outcome = pipeline.tick(seconds=10)
    assert isinstance(outcome, dg.SensorResult) and len(outcome.run_requests or []) == 1


def test_a_cursor_of_another_version_costs_a_listing_and_no_more() -> None:
    for text in (None, "", "nonsense", "[]", "7", '{"something": 1}'):
        assert Cursor.load(text) == Cursor()


def test_a_backlog_of_a_real_folder_is_one_run_per_folder(pipeline: Pipeline) -> None:
    evening = play_evening(1, maps=3, ends_at=datetime.now(UTC) - timedelta(minutes=1))
    write_evening(pipeline.folder, evening)
    for name in (GAMETIMES, GAMESTATS):
        outcome = pipeline.tick(name, seconds=10)
        assert isinstance(outcome, dg.SensorResult)
        assert len(outcome.run_requests or []) == 1
        pipeline.apply(outcome, "ingest_rounds" if name == GAMESTATS else "ingest_timings")
    assert len(pipeline.export()["rounds"]) == 6


def test_a_file_replaced_on_the_server_is_taken_again(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "RESTLESS", 0.0)
    (first, *_), (second, *_) = (play_evening(seed, maps=["supply"]).rounds for seed in (1, 2))
    moment = datetime.now(UTC) - timedelta(minutes=1)
    first, second = (replace(r, ended_at=moment) for r in (first, second))
    path = pipeline.folder / GAMESTATS / first.stats_name
    pipeline.put_stats(first)
    pipeline.take_in()
    assert isinstance(pipeline.tick(), dg.SkipReason)
    old = pipeline.export()
    inode, changed = path.stat().st_ino, path.parent.stat().st_mtime_ns
    pipeline.put_stats(second)
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    assert (path.stat().st_ino, path.parent.stat().st_mtime_ns) == (inode, changed)
    age_cursor(pipeline)
    pipeline.take_in()
    new = pipeline.export()
    assert old["rounds"][0]["players"] != new["rounds"][0]["players"]
    assert {p["guid"] for p in new["rounds"][0]["players"]} == set(second.players)
    (check,) = pipeline.rows("select metadata from check_result where check_name = 'transfer'")
    assert "replaces" in check["metadata"]
    assert round_key(second) == new["rounds"][0]["key"]
