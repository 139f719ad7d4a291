"""Names that try to be something else are text wherever they are told: on pages, in pictures, feeds, tables and posts."""

import csv
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from httpx import Response

from slomix_pipeline.discord.standin_files import Call
from slomix_pipeline.discord.standin_refusals import refusals
from slomix_pipeline.site.templating import url_of
from slomix_pipeline_tests.interaction_fixtures import commands_on, text_of
from slomix_pipeline_tests.pipeline_fixtures import open_pipeline
from slomix_pipeline_tests.postgres_fixtures import copied_database
from slomix_pipeline_tests.site.conftest import Opened
from slomix_pipeline_tests.site.hostile_evening import FORMULA, IMAGE, MAPS, NAMES, SCRIPT, TEMPLATE, play_hostile
from slomix_pipeline_tests.site.looking import evenly, of_each_kind, served, wrong_at_every_size
from slomix_pipeline_tests.site_fixtures import Shown, crawl, pages_of, seen_text

TURNED, PILED = re.compile("[\u202a-\u202e\u2066-\u2069]"), re.compile("\u0301{3}")


@pytest.fixture(scope="module")
def hostile(postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with (
        copied_database(postgres_server, migrated_template) as database,
        open_pipeline(database, tmp_path_factory.mktemp("hostile")) as pipeline,
        pages_of(database) as client,
    ):
        yield Shown(pipeline, play_hostile(pipeline), client)


@pytest.fixture(scope="module")
def crawled(hostile: Shown) -> dict[str, Response]:
    return crawl(hostile.client)


def of_kind(found: dict[str, Response], kind: str) -> dict[str, Response]:
    return {url: answer for url, answer in found.items() if answer.headers.get("content-type", "").startswith(kind)}


class _Elements(HTMLParser):
    """The elements of a page that do something, each with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_no_name_becomes_an_element_turns_a_line_or_piles_up(crawled: dict[str, Response]) -> None:
    assert {answer.status_code for answer in crawled.values()} <= {200, 302}
    pages = of_kind(crawled, "text/html")
    for url, answer in pages.items():
        assert not TURNED.search(answer.text) and not PILED.search(answer.text), url
        for tag, attributes in _Elements(answer.text).found:
            assert not any(name.startswith("on") for name in attributes), url
            assert tag not in ("img", "script") or str(attributes["src"]).startswith(("/sessions/", "/static/")), url
            assert tag != "a" or str(attributes.get("href", "/")).startswith(("/", "#")), (url, attributes)
    session = seen_text(next(answer for url, answer in pages.items() if re.fullmatch("/sessions/main:[^/?]*", url)))
    for name in (IMAGE, SCRIPT, TEMPLATE, FORMULA, "javascript:alert(1)", "gnp.exe", "../../x", "%00", "(no name) "):
        assert name in session
    assert "decided by a person" in session and f"{IMAGE} {FORMULA}" in session
    assert TEMPLATE in next(
        answer.text
        for url, answer in pages.items()
        if url.startswith("/players/") and f"<title>{TEMPLATE}" in answer.text
    )


def test_pictures_feeds_and_tables_hold_them_as_text(hostile: Shown, crawled: dict[str, Response]) -> None:
    drawn = of_kind(crawled, "image/svg+xml")
    said = ""
    for url, answer in drawn.items():
        root = ElementTree.fromstring(answer.content)
        assert {one.tag.rpartition("}")[2] for one in root.iter()} & {
            "script",
            "image",
            "foreignObject",
            "a",
        } == set(), url
        assert not TURNED.search(answer.text), url
        said += "".join(root.itertext())
    assert len(drawn) >= 2 and "<img src=x" in said and TEMPLATE in said
    key = hostile.pipeline.export()["session"]["key"]
    assert hostile.client.get(url_of("sessions", key, "card.png")).content.startswith(b"\x89PNG")
    for url in ("/feed.xml", "/corrections.xml"):
        told = "".join(ElementTree.fromstring(hostile.client.get(url).content).itertext())
        assert not TURNED.search(told) and (url == "/feed.xml" or IMAGE in told)
    table = hostile.client.get(f"/api/v1/sessions/{key}.csv")
    names = {row["name"] for row in csv.DictReader(io.StringIO(table.text))}
    assert f"'{FORMULA}" in names and FORMULA not in names and IMAGE in names
    listed = hostile.client.get("/api/v1/players?limit=200")
    assert listed.headers["content-type"] == "application/json" and IMAGE in {
        one["name"] for one in listed.json()["items"]
    }


def test_messages_and_answers_to_commands_hold_them_and_ping_nobody(hostile: Shown) -> None:
    assert len(hostile.pipeline.page.messages()) > 3
    with commands_on(hostile.pipeline.database) as commands:
        who = [choice["value"] for choice in commands.choices("player", "who")]
        answers = [commands.message("session", part=part) for part in ("result", "players", "why")]
        answers += [commands.message("player", who=one) for one in who]
        answers += [commands.message("compare", a=who[0], b=who[1]), commands.message("records")]
        answers += [commands.message("map", map=choice["value"]) for choice in commands.choices("map", "map")]
    for answer in answers:
        assert answer["allowed_mentions"] == {"parse": []} and refusals(Call(answer, {})) == {}
    for said in (*map(text_of, answers), *map(text_of, hostile.pipeline.page.messages())):
        assert not TURNED.search(said) and not PILED.search(said), said
    assert len(who) == len(NAMES["A"] + NAMES["B"])


@pytest.mark.timeout(600)
def test_a_browser_shows_the_whole_evening_and_runs_nothing_of_it(
    opened: Opened, hostile: Shown, crawled: dict[str, Response]
) -> None:
    """All pages, but of kinds of which there are more than 40, as comparisons and receipts, 40 evenly spread."""
    pages = evenly(crawled, 40)
    page = opened()
    with served(hostile.client.app) as base:
        assert wrong_at_every_size(page, base, pages) == {}
        for url in of_each_kind(pages):
            page.goto(base + url)
            pictures = page.locator("img")
            pictures.evaluate_all("all => all.forEach(one => one.loading = 'eager')")
            pictures.evaluate_all("all => Promise.all(all.map(one => one.decode()))")
            assert pictures.evaluate_all("all => all.every(one => one.naturalWidth > 0 && one.alt !== '')"), url
    assert len(pages) > 300 and all(any(url_of("maps", name) == url for url in pages) for name in MAPS)
