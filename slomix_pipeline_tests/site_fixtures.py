"""The public pages over a database with a played evening, for tests.

Belongs here: the fixture ``shown`` (one evening for all tests of a module, which change nothing), ``pages_of`` for a
pipeline of a test's own, and following every link. Does not belong here: what pages say (the tests in ``site``).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.site.api import application
from slomix_pipeline.site.app import create_app
from slomix_pipeline.stages.site_preparing import prepare_news, prepare_next
from slomix_pipeline.stages.usual import learn_usual
from slomix_pipeline.warehouse.database import Database, site_url
from slomix_pipeline.warehouse.site_schema import ROLE
from slomix_pipeline.warehouse.site_store import SiteStore
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, open_pipeline
from slomix_pipeline_tests.postgres_fixtures import copied_database

OWN = "http://127.0.0.1"
_LINKS = re.compile(r'(?:href|src)="(/[^"#]*)')


@dataclass(frozen=True)
class Shown:
    """A played evening and the pages about it."""

    pipeline: Pipeline
    evening: Evening
    client: TestClient


@contextmanager
def pages_of(database: Database) -> Iterator[TestClient]:
    """The pages over a database, read as the role of pages, by somebody who may ask the API as often as he likes."""
    store = SiteStore(site_url(database.url, ROLE))
    try:
        with patch.object(application, "BURST", 1_000_000):
            app = create_app(load_settings(), store)
        yield TestClient(app, base_url=OWN, follow_redirects=False)
    finally:
        store.close()


def prepare(database: Database) -> None:
    """What the sensor of pages does when it is its turn."""
    now = datetime.now(UTC)
    while prepare_next(database, load_settings(), now) or prepare_news(database, now):
        pass


def play_and_tell(pipeline: Pipeline, seed: int = 61, maps: int = 2) -> Evening:
    """An evening of which everything was told, learned and prepared."""
    evening = play_evening(seed, maps=maps, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    pipeline.report_sessions()
    learn_usual(pipeline.database)
    prepare(pipeline.database)
    return evening


@pytest.fixture(scope="module")
def shown(postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Two matches of an evening, told and prepared; for tests that only look."""
    with (
        copied_database(postgres_server, migrated_template) as database,
        open_pipeline(database, tmp_path_factory.mktemp("shown")) as pipeline,
        pages_of(database) as client,
    ):
        yield Shown(pipeline, play_and_tell(pipeline), client)


def crawl(client: TestClient, *starts: str) -> dict[str, Response]:
    """Every answer that can be reached by links of this site, by address."""
    found: dict[str, Response] = {}
    waiting = list(starts or ("/",))
    while waiting:
        url = waiting.pop()
        if url in found:
            continue
        found[url] = answer = client.get(url)
        if answer.is_redirect:
            waiting.append(answer.headers["location"])
        elif answer.headers["content-type"].startswith("text/html"):
            waiting += links_of(answer)
    return found


def links_of(answer: Response) -> list[str]:
    """The addresses of this site that a page leads to or shows."""
    return [unescape(found) for found in _LINKS.findall(answer.text)]


def seen_text(answer: Response) -> str:
    """What a page says, without its tags."""
    return unescape(re.sub(r"<[^>]*>", " ", answer.text))
