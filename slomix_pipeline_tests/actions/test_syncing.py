"""Syncs with a real SFTP server: what they take, what they leave to ``slomix run``, how they go on."""

import os
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from slomix_pipeline.actions import syncing
from slomix_pipeline.actions.importing import Summary
from slomix_pipeline.actions.syncing import Synced, sync
from slomix_pipeline.gameserver.source import GameServer, RemoteFile, TransientError
from slomix_pipeline.rules.reach import Reach, reach_of
from slomix_pipeline.sensors.folders import GAMESTATS
from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.simulator.evening import SOME_EVENING, play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening, write_round
from slomix_pipeline.stages.chain import nobody_watches
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, round_key

LOOK_BACK = Reach()
OLD = play_evening(2, maps=1, ends_at=SOME_EVENING)
OLDER = play_evening(3, maps=1, ends_at=SOME_EVENING - timedelta(days=1))
FRESH = play_evening(4, maps=1, ends_at=just_now())


@pytest.fixture(autouse=True)
def no_time_between_listings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "HELD_STILL", 0.0)


def synced(pipeline: Pipeline, reach: Reach = LOOK_BACK, *, publish: bool = False, beside_run: bool = False) -> Synced:
    return sync(
        pipeline.settings,
        pipeline.database,
        reach,
        lambda: nullcontext(pipeline.channels),
        publish=publish,
        beside_run=beside_run,
        progress=nobody_watches,
    )


def keys(evening: Evening) -> list[str]:
    return [round_key(sim_round) for sim_round in evening.rounds]


def stored(pipeline: Pipeline) -> list[str]:
    return [row["round_key"] for row in pipeline.rows("select round_key from parsed_round order by stamp")]


def test_a_sync_of_some_days_takes_exactly_what_was_played_then(sftp_pipeline: Pipeline) -> None:
    for evening in (OLD, OLDER):
        write_evening(sftp_pipeline.folder, evening)
    day = f"{OLDER.rounds[0].stamp:%Y-%m-%d}"
    found = synced(sftp_pipeline, reach_of(day, day, False, UTC))
    assert (found.summary.found, found.summary.ingested, found.summary.linked) == (6, 6, 2)
    assert stored(sftp_pipeline) == keys(OLDER)
    assert {row["sha256"] is None for row in sftp_pipeline.rows("select * from file")} == {False}
    again = synced(sftp_pipeline, reach_of(day, day, False, UTC))
    assert (again.summary.known, again.summary.ingested) == (6, 0)
    everything = synced(sftp_pipeline, Reach(everything=True))
    assert (everything.summary.known, everything.summary.ingested) == (6, 6)
    assert stored(sftp_pipeline) == [*keys(OLDER), *keys(OLD)]
    assert sftp_pipeline.titles() == [] and sftp_pipeline.stale() == []


def test_without_days_it_takes_what_the_look_back_holds_silently_and_sensors_find_no_news(
    sftp_pipeline: Pipeline,
) -> None:
    for evening in (OLD, FRESH):
        write_evening(sftp_pipeline.folder, evening)
    assert synced(sftp_pipeline).summary.ingested == 6
    assert stored(sftp_pipeline) == keys(FRESH)
    assert not isinstance(sftp_pipeline.tick(), dg.SensorResult)
    assert sftp_pipeline.titles() == []
    assert synced(sftp_pipeline, publish=True).summary.known == 6
    assert len(sftp_pipeline.titles()) == 2  # the match and the session
    synced(sftp_pipeline, publish=True)
    assert len(sftp_pipeline.titles()) == 2


def test_what_sensors_have_asked_for_or_are_about_to_see_is_left_to_them(sftp_pipeline: Pipeline) -> None:
    first, second = FRESH.rounds
    write_round(sftp_pipeline.folder, first)
    asked = sftp_pipeline.tick(seconds=10)
    write_round(sftp_pipeline.folder, second)
    for path in sftp_pipeline.folder.rglob("*.*"):
        if path.name != first.stats_name:
            os.utime(path)
    beside = synced(sftp_pipeline, beside_run=True)
    assert beside.summary.found == 0 and {first.stats_name, second.stats_name} <= set(beside.left)
    sftp_pipeline.work_off(asked, "ingest_rounds")
    sftp_pipeline.take_in()
    told = sftp_pipeline.titles()
    assert len(told) == 2 and stored(sftp_pipeline) == keys(FRESH)
    after = synced(sftp_pipeline)
    assert after.summary.known >= 2 and sftp_pipeline.titles() == told
    assert stored(sftp_pipeline) == keys(FRESH)


def test_a_run_that_a_sensor_asked_for_and_a_sync_do_the_same_work_once(sftp_pipeline: Pipeline) -> None:
    write_evening(sftp_pipeline.folder, FRESH)
    asked = sftp_pipeline.tick(seconds=10)
    assert synced(sftp_pipeline).summary.ingested == 6  # as if slomix run had ended
    sftp_pipeline.work_off(asked, "ingest_rounds")
    assert stored(sftp_pipeline) == keys(FRESH) and len(sftp_pipeline.titles()) == 1


def test_a_sync_that_lost_the_game_server_keeps_what_came_and_the_next_one_goes_on(
    sftp_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_evening(sftp_pipeline.folder, OLD)
    with monkeypatch.context() as patch, pytest.raises(TransientError):
        patch.setattr(syncing, "_read", after(3, syncing._read))
        synced(sftp_pipeline, Reach(everything=True))
    assert len(sftp_pipeline.rows("select * from file where sha256 is not null")) == 3
    found = synced(sftp_pipeline, Reach(everything=True)).summary
    assert (found.ingested, found.resumed) == (6, 3)
    assert sftp_pipeline.rows("select * from unfinished") == []


def after(calls: int, read: Callable[[GameServer, str, RemoteFile], bytes]) -> Any:
    left = iter(range(calls))

    def lost(gameserver: GameServer, folder: str, file: RemoteFile) -> bytes:
        if next(left, None) is None:
            raise TransientError("the line is cut")
        return read(gameserver, folder, file)

    return lost


def test_a_file_that_is_still_being_written_is_left(sftp_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    write_evening(sftp_pipeline.folder, OLD)
    written = sftp_pipeline.folder / GAMESTATS / OLD.rounds[1].stats_name
    whole = written.read_bytes()
    written.write_bytes(whole[:100])
    monkeypatch.setattr("time.sleep", lambda _: written.write_bytes(whole))
    assert synced(sftp_pipeline, Reach(everything=True)).left == [OLD.rounds[1].stats_name]
    assert stored(sftp_pipeline) == keys(OLD)[:1]


def test_a_newer_version_that_a_sensor_has_seen_is_not_written_over(sftp_pipeline: Pipeline) -> None:
    write_evening(sftp_pipeline.folder, OLD)
    synced(sftp_pipeline, Reach(everything=True))
    later = datetime.now(UTC) + timedelta(days=1)
    with sftp_pipeline.database.transaction() as conn:
        conn.execute("update file set modified_at = %s, sha256 = null where kind = 'timing'", [later])
    found = synced(sftp_pipeline, Reach(everything=True)).summary
    assert (len(found.skipped), found.ingested) == (2, 0)
    seen = {row["modified_at"] for row in sftp_pipeline.rows("select * from file where kind = 'timing'")}
    assert seen == {later}


def test_only_the_game_server_that_is_named_is_asked(sftp_pipeline: Pipeline) -> None:
    settings = sftp_pipeline.settings
    assert [own.server for own in syncing.servers_meant(settings, None)] == [settings.server]
    with pytest.raises(syncing.NothingToAsk, match="there is main"):
        syncing.servers_meant(settings, "other")


def test_a_game_server_that_can_not_be_reached_keeps_no_other_from_being_asked() -> None:
    def lost_first(own: Settings, reach: Reach) -> Synced:
        if own.server == "a":
            raise TransientError("no route")
        return Synced(own.server, "somewhere", Summary(), [])

    servers = load_settings(servers="a,b").game_servers
    done, failed = syncing.sync_each(servers, lambda _: LOOK_BACK, lost_first)
    assert [one.server for one in done] == ["b"] and failed.keys() == {"a"}
