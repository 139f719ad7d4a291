"""The ledger of what was said: once, corrected when it changes, and never twice after a crash."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from slomix_pipeline.discord.client import Discord, Sent
from slomix_pipeline.discord.embeds import Embed, Message
from slomix_pipeline.discord.ledger import tell
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.rules.things import Thing, ThingKind, ToldAs
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.discord.conftest import PATH
from slomix_pipeline_tests.kept import served_page


def states(database: Database) -> list[str]:
    """What the ledger says of everything told."""
    with database.connect() as conn:
        return [row["state"] for row in conn.execute("select state from post order by thing")]


THING = Thing(ThingKind.RESULT, "main:x-round-2")


def said(text: str) -> Message:
    return Message(embeds=(Embed(text),))


MAX_AGE = timedelta(hours=6)


def outcome(database: Database, discord: Discord, text: str, announce: bool = True) -> str:
    return tell(database, discord, THING, said(text), announce=announce, max_age=MAX_AGE).outcome


def texts(page: StandIn) -> list[str]:
    return [message["embeds"][0]["title"] for message in page.messages()]


@pytest.fixture
def page(tmp_path: Path) -> Any:
    with served_page(tmp_path / "page") as running:
        yield running


@pytest.fixture
def discord(page: StandIn) -> Discord:
    return Discord(page.webhook_url)


def test_a_thing_is_said_once_and_edited_only_when_it_changes(
    database: Database, discord: Discord, page: StandIn
) -> None:
    assert outcome(database, discord, "first") == "sent"
    assert outcome(database, discord, "first") == "unchanged"
    assert page.messages()[0]["edited_timestamp"] is None
    assert outcome(database, discord, "second") == "edited"
    assert outcome(database, discord, "second", announce=False) == "unchanged"
    assert outcome(database, discord, "third", announce=False) == "edited"
    assert texts(page) == ["third"]


def test_what_may_not_be_announced_is_not_said_but_what_was_said_is_corrected(
    database: Database, discord: Discord, page: StandIn
) -> None:
    assert outcome(database, discord, "first", announce=False) == "silent"
    assert states(database) == []
    assert texts(page) == []


def test_many_tellers_at_once_say_it_once(database: Database, page: StandIn) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(6)

    def teller() -> None:
        start.wait()
        outcomes.append(outcome(database, Discord(page.webhook_url), "news"))

    threads = [threading.Thread(target=teller) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["sent"] + ["unchanged"] * 5
    assert texts(page) == ["news"]


class _Dies:
    """A Discord whose caller's process ends while it sends; before or after the message went out."""

    def __init__(self, page: Discord | None) -> None:
        self.page = page

    def send(self, message: Message) -> Sent:
        if self.page:
            self.page.send(message)
        raise KeyboardInterrupt


@pytest.mark.parametrize("went_out", [False, True])
def test_after_a_crash_while_sending_nothing_is_said_twice(
    database: Database, discord: Discord, page: StandIn, went_out: bool
) -> None:
    with pytest.raises(KeyboardInterrupt):
        tell(database, _Dies(discord if went_out else None), THING, said("news"), announce=True, max_age=MAX_AGE)  # type: ignore[arg-type]
    for _ in range(2):
        told = tell(database, discord, THING, said("news"), announce=True, max_age=MAX_AGE)
        assert (told.outcome, told.outcome.is_trouble) == (ToldAs.IN_DOUBT, True)
        assert "ended before it knew" in told.detail
    assert len(texts(page)) == went_out
    assert states(database) == ["in_doubt"]


def test_what_surely_was_not_sent_is_sent_later(
    database: Database, discord: Discord, page: StandIn, failing: Discord, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_json({"message": "Unknown Webhook", "code": 10015}, 404)
    told = tell(database, failing, THING, said("news"), announce=True, max_age=MAX_AGE)
    assert (told.outcome, told.outcome.is_trouble, told.outcome.stands) == (ToldAs.REFUSED, True, False)
    assert "SLOMIX_DISCORD_WEBHOOK" in told.detail and "SECRET" not in told.detail
    assert states(database) == ["refused"]
    assert outcome(database, discord, "news", announce=False) == "silent"
    assert outcome(database, discord, "news") == "sent"
    assert texts(page) == ["news"]


def test_what_may_have_been_sent_is_never_sent_again(
    database: Database, discord: Discord, page: StandIn, failing: Discord, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_data("", 500)
    assert outcome(database, failing, "news") == "in_doubt"
    assert outcome(database, discord, "news") == "in_doubt"
    assert outcome(database, discord, "other news") == "in_doubt"
    assert texts(page) == []


def test_a_message_that_somebody_deleted_is_not_said_again(
    database: Database, failing: Discord, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH, method="POST").respond_with_json({"id": "777"})
    httpserver.expect_request(f"{PATH}/messages/777").respond_with_json({"code": 10008}, 404)
    assert outcome(database, failing, "news") == "sent"
    told = tell(database, failing, THING, said("other"), announce=True, max_age=MAX_AGE)
    assert told.outcome == "unchanged" and "deleted" in told.detail
    assert [request.method for request, _ in httpserver.log] == ["POST", "PATCH"]


def test_an_edit_that_failed_is_made_by_the_next_one_who_looks(
    database: Database, failing: Discord, httpserver: HTTPServer
) -> None:
    httpserver.expect_ordered_request(PATH, method="POST").respond_with_json({"id": "777"})
    httpserver.expect_ordered_request(f"{PATH}/messages/777").respond_with_data("", 403)
    assert outcome(database, failing, "news") == "sent"
    assert outcome(database, failing, "other") == "uncorrected"
    httpserver.expect_ordered_request(f"{PATH}/messages/777").respond_with_json({"id": "777"})
    assert outcome(database, failing, "other", announce=False) == "edited"
    assert outcome(database, failing, "other", announce=False) == "unchanged"
