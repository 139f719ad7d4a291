"""The page of the chain's status: how each stage stands now, kept by nobody, and without what is nobody's business."""

import time

from dagster._daemon.types import DaemonHeartbeat
from fastapi.testclient import TestClient

from slomix_pipeline.settings import load_settings
from slomix_pipeline.site.app import create_app
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.site_store import SiteStore
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
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


def test_an_empty_database_is_idle_or_not_known(database: Database) -> None:
    with pages_of(database) as client:
        assert set(states(client).values()) <= {"ok", "idle", "unknown"}


def test_without_a_database_that_is_the_status() -> None:
    page = TestClient(create_app(load_settings(), SiteStore(AWAY)), base_url=OWN).get("/status")
    assert page.status_code == 503 and "The database does not answer" in seen_text(page)
