"""What tests of Discord share: a Discord that answers as the test says; a match, and what is told of it."""

from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer

from slomix_pipeline.discord.client import Discord
from slomix_pipeline.sensors import outbox, rework
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now, round_key

PATH = "/api/webhooks/123/SECRETsecretSECRET-secret_1"


@pytest.fixture
def failing(httpserver: HTTPServer) -> Discord:
    """A Discord that answers as the test says."""
    return Discord(httpserver.url_for(PATH), sleep=lambda _: None)


@pytest.fixture
def at_once(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits."""
    monkeypatch.setattr(rework, "SETTLE", timedelta(0))
    monkeypatch.setattr(outbox, "SETTLE", timedelta(0))
    monkeypatch.setenv("SLOMIX_SESSION_OVER_AFTER", "0")
    monkeypatch.setenv("SLOMIX_DISCORD_WEBHOOK", pipeline.page.webhook_url)


@pytest.fixture
def evening() -> Evening:
    """A match that ended just now."""
    return play_evening(57, maps=1, ends_at=just_now())


@pytest.fixture
def result(evening: Evening) -> str:
    """The name of its result in the ledger."""
    return f"result:{round_key(evening.rounds[1])}"


@pytest.fixture
def summary(evening: Evening) -> str:
    """The name of its summary."""
    return f"session:{SERVER}:{evening.rounds[0].stem[:17]}"
