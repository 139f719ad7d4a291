"""The page of the chain's status: how each stage stands now, kept by nobody, and without what is nobody's business."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from dagster._daemon.types import DaemonHeartbeat
from fastapi.testclient import TestClient

from slomix_pipeline.discord.client import Discord
from slomix_pipeline.sensors import outbox
from slomix_pipeline.sensors.folders import GAMESTATS, GAMETIMES
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.site.app import create_app
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.site_store import SiteStore
from slomix_pipeline_tests.discord.telling_steps import deliver, live, posts
from slomix_pipeline_tests.gameserver_fixtures import PASSWORD, USER, connected
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now
from slomix_pipeline_tests.site.test_pages import AWAY, rows_of
from slomix_pipeline_tests.site_fixtures import OWN, Shown, pages_of, play_and_tell, seen_text


def states(client: TestClient) -> dict[str, str]:
    return {row[0]: row[1] for row in rows_of(client.get("/status").text)[1:]}


def test_the_status_is_of_now_and_kept_by_nobody(shown: Shown) -> None:
    page = shown.client.get("/status")
    assert page.status_code == 200 and page.headers["cache-control"] == "no-store" and "etag" not in page.headers
    assert states(shown.client)["Game server"] == "ok"
    assert str(shown.pipeline.folder) not in page.text and "127.0.0.1:" not in page.text


def test_each_stage_that_is_in_trouble_turns_alone(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    play_and_tell(pipeline)
    with pages_of(pipeline.database) as client:
        before = states(client)
        for change, stage, state in (
            ("update folder_look set looked_at = now() - interval '1 hour'", "Game server", "down"),
            ("update file set status = 'requested', requested_at = now() - interval '1 hour'", "Files", "warn"),
            ("update check_result set passed = false, severity = 'ERROR', checked_at = now()", "Checks", "warn"),
        ):
            with pipeline.database.transaction() as conn:
                conn.execute(change.encode())
            after = states(client)
            assert after[stage] == state and {**after, stage: before[stage]} == before
            before = after
        assert "Something is down" in client.get("/status").text


def test_the_daemon_s_signs_of_life_are_seen_where_dagster_keeps_them_here(stored_pipeline: Pipeline) -> None:
    with pages_of(stored_pipeline.database) as client:
        assert states(client)["Watch"] == "unknown"
        for ago, state in ((10, "ok"), (600, "down")):
            beat = DaemonHeartbeat(time.time() - ago, "SENSOR", "a daemon", [])
            stored_pipeline.instance.add_daemon_heartbeat(beat)
            assert states(client)["Watch"] == state


def change(pipeline: Pipeline, statement: str) -> None:
    with pipeline.database.transaction() as conn:
        conn.execute(statement.encode())


def test_a_game_server_that_is_away_turns_its_stage_alone_until_it_is_back(pipeline: Pipeline) -> None:
    server = SftpServer(pipeline.folder, USER, PASSWORD)
    with server:
        remote = replace(pipeline, gameserver=connected(server))

    def an_hour_later() -> dict[str, str]:
        """After an hour in which nobody looked, and then a look into both folders."""
        change(pipeline, "update folder_look set looked_at = looked_at - interval '1 hour'")
        remote.cursors.clear()
        for folder in (GAMETIMES, GAMESTATS):
            remote.tick(folder)
        return states(client)

    with pages_of(pipeline.database) as client:
        with server:
            write_evening(remote.folder, play_evening(57, maps=1, ends_at=just_now()))
            remote.take_in_all()
            before = an_hour_later()
            assert before["Game server"] == "ok"
        away = an_hour_later()
        assert away["Game server"] == "down" and {**away, "Game server": "ok"} == before
        with server:
            assert an_hour_later() == before


def test_a_discord_that_is_away_turns_its_stage_alone_until_all_is_told(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SETTLE", timedelta(0))
    monkeypatch.setenv("SLOMIX_DISCORD_WEBHOOK", pipeline.page.webhook_url)
    first, second = (play_evening(seed, maps=1, ends_at=just_now()) for seed in (57, 58))
    hurried = replace(pipeline, discord=Discord(pipeline.page.webhook_url, sleep=lambda _: None))
    with pages_of(pipeline.database) as client:
        live(hurried, first)
        before = states(client)
        assert before["Discord"] == "ok"
        pipeline.page.__exit__()
        live(hurried, second)
        assert "failed" in posts(pipeline).values()
        change(pipeline, "update post set claimed_at = claimed_at - interval '2 minutes' where state = 'failed'")
        change(pipeline, "update due set asked_at = asked_at - interval '2 minutes'")
        away = states(client)
        assert away["Discord"] == "warn" and {**away, "Discord": "ok"} == before
        pipeline.page.__enter__()
        deliver(pipeline)
        assert states(client) == before and set(posts(pipeline).values()) == {"sent"}


def test_where_nobody_plays_that_is_idle_and_rounds_to_work_out_again_are_counted(pipeline: Pipeline) -> None:
    write_evening(pipeline.folder, play_evening(57, maps=1, ends_at=just_now() - timedelta(days=2)))
    pipeline.import_(pipeline.folder)
    with pages_of(pipeline.database) as client:
        before = states(client)
        assert before["Rounds"] == "idle" and "work out again" not in seen_text(client.get("/status"))
        change(pipeline, "update round set rules = 'of long ago'")
        assert pipeline.stale() and states(client) == before
        assert f"{len(pipeline.stale())} rounds to work out again" in seen_text(client.get("/status"))


def test_an_empty_database_is_idle_or_not_known(database: Database) -> None:
    with pages_of(database) as client:
        assert set(states(client).values()) <= {"ok", "idle", "unknown"}


def test_without_a_database_that_is_the_status() -> None:
    page = TestClient(create_app(load_settings(), SiteStore(AWAY)), base_url=OWN).get("/status")
    assert page.status_code == 503 and "The database does not answer" in seen_text(page)
