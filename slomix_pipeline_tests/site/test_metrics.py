"""``/internal/metrics``: text that Prometheus can read, for programs of this machine alone, off unless it is wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from slomix_pipeline.rules.backups import Verdict
from slomix_pipeline.settings import load_settings
from slomix_pipeline.site import metrics
from slomix_pipeline.site.app import create_app
from slomix_pipeline.site.metrics import PATH
from slomix_pipeline.warehouse.database import Database, site_url
from slomix_pipeline.warehouse.site_schema import ROLE
from slomix_pipeline.warehouse.site_store import SiteStore
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.reports.test_pipeline_report import a_backup
from slomix_pipeline_tests.site.test_pages import AWAY
from slomix_pipeline_tests.site_fixtures import OWN, Shown

HERE = ("127.0.0.1", 40000)


@contextmanager
def asking(url: str, client: tuple[str, int] = HERE, wanted: bool = True) -> Iterator[TestClient]:
    store = SiteStore(url)
    try:
        settings = load_settings(
            site_metrics=wanted, timezone="Europe/Ljubljana", site_address="https://stats.example.org"
        )
        app = create_app(settings, store)
        yield TestClient(app, base_url=f"{OWN}:3090", client=client, raise_server_exceptions=False)
    finally:
        store.close()


def of(database: Database) -> str:
    return site_url(database.url, ROLE)


def samples(answer: Response) -> dict[str, list[Sample]]:
    """What Prometheus reads of an answer, by the name of the family."""
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.documentation.endswith(".") and family.type != "unknown" for family in families)
    assert len({family.name for family in families}) == len(families)
    return {family.name: family.samples for family in families}


def value(found: dict[str, list[Sample]], name: str, **labels: str) -> float:
    (sample,) = (own for own in found[name] if labels.items() <= own.labels.items())
    return sample.value


def test_prometheus_reads_how_the_chain_stands(shown: Shown) -> None:
    with asking(of(shown.pipeline.database)) as client:
        assert client.get("/").status_code == 200 and client.get("/nowhere").status_code == 404
        found = samples(client.get(PATH))
    assert value(found, "slomix_database_up") == 1
    assert value(found, "slomix_files", server="main", kind="stats", status="ingested") == len(shown.evening.rounds)
    assert value(found, "slomix_rounds") == value(found, "slomix_rounds_valid") == len(shown.evening.rounds)
    assert value(found, "slomix_sessions") == 1
    assert value(found, "slomix_data_version") > 1 and value(found, "slomix_schema_version") >= 45
    (looked,) = shown.pipeline.rows("select looked_at from folder_look where folder = 'gametimes'")
    listed = value(found, "slomix_folder_listed_timestamp_seconds", server="main", folder="gametimes")
    assert listed == pytest.approx(looked["looked_at"].timestamp())
    assert value(found, "slomix_site_requests", status="2xx") == value(found, "slomix_site_requests", status="4xx") == 1
    assert value(found, "slomix_site_request_seconds") > 0


def test_the_age_of_backups_is_read_from_their_folder(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOMIX_BACKUP_FOLDER", str(tmp_path / "backups"))
    noon = datetime(2026, 2, 2, 12, tzinfo=UTC)
    a_backup(tmp_path / "backups", noon, Verdict.SAME)
    a_backup(tmp_path / "backups", noon + timedelta(days=1), Verdict.DIFFERS)
    with asking(of(shown.pipeline.database)) as client:
        found = samples(client.get(PATH))
    assert value(found, "slomix_backups") == 2
    assert value(found, "slomix_newest_compared_backup_timestamp_seconds") == noon.timestamp()
    assert value(found, "slomix_newest_backup_timestamp_seconds") == noon.timestamp() + 86400


def test_backups_that_can_not_be_seen_from_here_are_not_said_to_be_none(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOMIX_BACKUP_FOLDER", str(tmp_path / "elsewhere"))
    with asking(of(shown.pipeline.database)) as client:
        assert "slomix_backups" not in samples(client.get(PATH))


def test_a_folder_that_holds_everything_is_listed_for_both(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOMIX_GAMETIMES_FOLDER", "gamestats")
    with asking(of(shown.pipeline.database)) as client:
        found = samples(client.get(PATH))["slomix_folder_listed_timestamp_seconds"]
    assert {own.labels["folder"] for own in found} == {"gamestats", "gametimes"}


def test_no_metric_names_a_player(shown: Shown) -> None:
    with asking(of(shown.pipeline.database)) as client:
        text = client.get(PATH).text
    people = shown.pipeline.rows("select guid, name from session_player")
    assert people and not [own for own in people if own["guid"] in text or own["name"] in text]
    assert str(shown.pipeline.folder) not in text


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        (("203.0.113.9", 1), {}),
        (("testclient", 1), {}),
        (HERE, {"X-Forwarded-For": "203.0.113.9"}),
        (HERE, {"X-Forwarded-For": "127.0.0.1"}),
        (HERE, {"Forwarded": "for=127.0.0.1"}),
        (HERE, {"X-Real-IP": "127.0.0.1"}),
        (HERE, {"CF-Connecting-IP": "203.0.113.9"}),
        (HERE, {"Host": "stats.example.org"}),  # a proxy that says no more than what it was asked for
        (HERE, {"Host": "localhost"}),
    ],
)
def test_nobody_else_and_no_proxy_is_answered(shown: Shown, client: tuple[str, int], headers: dict[str, str]) -> None:
    with asking(of(shown.pipeline.database), client) as asked:
        answer = asked.get(PATH, headers=headers)
        assert answer.status_code == 404 and "slomix_rounds" not in answer.text


def test_they_are_off_unless_they_are_wanted(shown: Shown) -> None:
    with asking(of(shown.pipeline.database), wanted=False) as client:
        assert client.get(PATH).status_code == 404


def test_a_database_that_is_away_is_told_as_such() -> None:
    with asking(AWAY) as client:
        client.get("/")
        found = samples(client.get(PATH))
    assert value(found, "slomix_database_up") == 0 and value(found, "slomix_site_requests", status="5xx") == 1
    assert "slomix_rounds" not in found


def test_an_answer_is_kept_for_some_seconds(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    with asking(of(shown.pipeline.database)) as client:
        first = client.get(PATH).text
        client.get("/")
        assert client.get(PATH).text == first
        monkeypatch.setattr(metrics, "KEPT_SECONDS", 0)
        assert client.get(PATH).text != first


def test_what_is_in_trouble_is_counted(stored_pipeline: Pipeline) -> None:
    with stored_pipeline.database.transaction() as conn:
        conn.execute(
            """insert into file (server, name, kind, partition_key, status, requested_at)
               values ('main', 'x', 'stats', 'main:x', 'requested', '2026-02-02 12:00+00');
               insert into check_result (partition_key, check_name, passed, severity, metadata)
               values ('main:x', 'parse', false, 'ERROR', '{}');
               insert into due (thing, kind, partition_key, due_until)
               values ('asked:x', 'asked', 'x', now() + interval '1 hour');
               insert into post (thing, kind, partition_key, state, claimed_at)
               values ('result:y', 'result', 'y', 'refused', now());
               insert into dagster.daemon_heartbeats (daemon_type, daemon_id, timestamp, body)
               values ('SENSOR', 'x', '2026-02-02 12:00', '')"""
        )
    with asking(of(stored_pipeline.database)) as client:
        found = samples(client.get(PATH))
    assert value(found, "slomix_checks_failed", layer="parser", check="parse", severity="error") == 1
    assert value(found, "slomix_messages_due", kind="asked") == 1
    assert value(found, "slomix_messages_refused", kind="result") == 1
    noon = 1770033600
    assert value(found, "slomix_oldest_waiting_file_timestamp_seconds") == noon
    assert value(found, "slomix_dagster_daemon_seen_timestamp_seconds") == noon
    assert value(found, "slomix_dagster_runs", status="failure") == 0
