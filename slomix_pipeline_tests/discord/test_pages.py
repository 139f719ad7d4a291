"""What does not fit into one message is told as several: in order, whole, each once."""

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.embeds import FIELDS_LIMIT, Embed, Message, block, violations
from slomix_pipeline.discord.pages import pages
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.discord.telling import Telling
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.rules.things import Thing, ThingKind, ToldAs
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.discord.conftest import PATH
from slomix_pipeline_tests.kept import served_page

THING = Thing(ThingKind.SESSION, "main:2031-05-06-200000")
LINES = st.lists(st.text(st.characters(exclude_characters="\n\r "), min_size=1, max_size=300), max_size=120)


@given(LINES, st.integers(0, FIELDS_LIMIT), st.text(max_size=200))
def test_all_lines_stand_in_order_and_every_message_fits(lines: list[str], cards: int, description: str) -> None:
    lines = [line.strip() or "x" for line in lines]
    fields = (*(field for n in range(cards) for field in block(f"card {n}", ["x"])), *block("Players", lines))
    parts = pages(Message(embeds=(Embed("title", description, fields=fields),)))
    assert not any(violations(part) for part in parts)
    shown = [field for part in parts for field in part.embeds[0].fields]
    assert [line for field in shown[cards:] for line in field.value.split("\n")] == lines
    assert all(part.embeds[0].fields[0].name in ("Players", "card 0") for part in parts[1:])  # it says whose lines


def test_a_line_that_is_longer_than_a_field_goes_on_in_the_next_one() -> None:
    line = " ".join(f"word{n}" for n in range(400))
    values = [field.value for field in block("Long", [line])]
    assert len(values) > 2 and " ".join(values) == line
    assert not violations(Message(embeds=(Embed("t", fields=block("Long", [line])),)))


def test_pictures_stay_with_the_first_message() -> None:
    fields = block("Players", ["x" * 300] * 40)
    first, *more = pages(Message(embeds=(Embed("t", fields=fields, image="a.png"), Embed("", image="b.png"))))
    assert [embed.image for embed in first.embeds] == ["a.png", "b.png"]
    assert more and all(embed.image is None for part in more for embed in part.embeds)


def told_of(database: Database, discord: Discord, lines: int, wanted: Collection[str]) -> dict[str, ToldAs]:
    """Tells a thing of so many lines. Returns what became of each message."""
    tools = Tools(database, Settings(_env_file=None), NoGameServer())
    telling = Telling(tools, discord, [ThingKind.SESSION], wanted)
    fields = block("Players", [f"{n:03} {'x' * 300}" for n in range(lines)])
    telling.tell(THING, Message(embeds=(Embed("Session", fields=fields),)))
    return {name.removeprefix(THING.name): told.outcome for name, told in telling.said.items()}


class Told:
    """A thing that is told on the page again and again."""

    def __init__(self, database: Database, page: StandIn) -> None:
        self.page = page
        self.database = database

    def tell(self, lines: int, *, wanted: bool = True) -> dict[str, ToldAs]:
        """Returns what became of each message."""
        return told_of(self.database, Discord(self.page.webhook_url), lines, {THING.name} if wanted else ())

    def lines(self) -> list[str]:
        """What all messages show, in the order of the channel."""
        fields = [field for message in self.page.messages() for field in message["embeds"][0].get("fields", ())]
        return [line[:3] for field in fields for line in field["value"].split("\n")]


@pytest.fixture
def told(database: Database, tmp_path: Path) -> Iterator[Told]:
    with served_page(tmp_path / "page") as page:
        yield Told(database, page)


def numbers(count: int) -> list[str]:
    return [f"{n:03}" for n in range(count)]


def test_a_long_report_is_told_as_several_messages_in_order_each_once(told: Told) -> None:
    assert told.tell(50) == {"": "sent", "#2": "sent", "#3": "sent"}
    assert told.lines() == numbers(50)
    assert told.tell(50) == {"": "unchanged", "#2": "unchanged", "#3": "unchanged"}
    assert len(told.page.messages()) == 3


def test_a_report_that_grew_gets_another_message_and_one_that_shrank_says_so(told: Told) -> None:
    told.tell(10)
    assert told.tell(30, wanted=False) == {"": "edited", "#2": "sent"}
    assert told.lines() == numbers(30)
    assert told.tell(10, wanted=False) == {"": "edited", "#2": "edited"}
    assert told.lines() == numbers(10)
    assert "Nothing more" in told.page.messages()[1]["embeds"][0]["description"]
    assert told.tell(10, wanted=False) == {"": "unchanged", "#2": "unchanged"}


def test_nothing_follows_a_message_that_is_not_there(told: Told) -> None:
    told.page.misbehave(Fault.REFUSED_CONTENT)
    assert told.tell(30) == {"": "refused"}
    assert told.page.messages() == []


def test_a_further_message_that_fails_is_due_and_follows_later_once(
    database: Database, failing: Discord, httpserver: HTTPServer
) -> None:
    def tell() -> dict[str, ToldAs]:
        return told_of(database, failing, 30, {THING.name})

    httpserver.expect_ordered_request(PATH, method="POST").respond_with_json({"id": "1"})
    httpserver.expect_ordered_request(PATH, method="POST").respond_with_json({"retry_after": 3600}, 429)
    assert tell() == {"": "sent", "#2": "failed"}
    with database.connect() as conn:
        (waiting,) = conn.execute("select thing, kind, partition_key, part from undelivered")
    assert waiting == {"thing": f"{THING.name}#2", "kind": "session", "partition_key": THING.partition_key, "part": 2}
    httpserver.expect_ordered_request(PATH, method="GET").respond_with_json({})
    httpserver.expect_ordered_request(PATH, method="POST").respond_with_json({"id": "2"})
    assert tell() == {"": "unchanged", "#2": "sent"}
    assert tell() == {"": "unchanged", "#2": "unchanged"}
    with database.connect() as conn:
        assert conn.execute("select from undelivered").fetchall() == []
