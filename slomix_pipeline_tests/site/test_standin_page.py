"""The stand-in's page in a real browser: nothing of what players wrote runs, and everybody can read and reach it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_httpserver import HTTPServer

from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.embeds import Attachment, Embed, Field, Message
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline_tests.kept import served_page
from slomix_pipeline_tests.site.conftest import Opened, sideways

if TYPE_CHECKING:
    from playwright.sync_api import Page

ELSEWHERE = "https://elsewhere.example"
HOSTILE = (
    "<script>document.title = 'hit'</script>",
    '"><img src=x onerror="document.title = \'hit\'">',
    f"<img src={ELSEWHERE}/x.png>",
    f"![x]({ELSEWHERE}/x.png)",
    "[x](javascript:document.title='hit')",
    "<a href=\"javascript:document.title='hit'\">x</a>",
    "<svg onload=document.title='hit'>",
    f'"><style>body {{ background: url({ELSEWHERE}/x) }}</style>',
    f"<meta http-equiv=refresh content=0;url={ELSEWHERE}>",
    "</main></body></html>",
    "<!--",
    "{messages}",
)
LONG = "x" * 200
NOON = 1770120000  # 2026-02-03 12:00 UTC
DOT = bytes.fromhex(  # a picture of one point
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[StandIn]:
    with served_page(tmp_path) as running:
        yield running


def say(there: StandIn, *messages: Message) -> list[str]:
    discord = Discord(there.webhook_url)
    return [discord.send(message).message_id for message in messages]


def everywhere(text: str) -> Message:
    """A text in each place of a message that can hold one."""
    embed = Embed(text, text, fields=(Field(text, text), Field(text, text, True)), footer=text)
    return Message(text, (embed,), (Attachment.of("x.png", text, DOT),))


def test_what_players_wrote_runs_nothing_and_loads_nothing_from_elsewhere(there: StandIn, opened: Opened) -> None:
    say(there, *map(everywhere, HOSTILE))
    page = opened()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto(there.url, wait_until="networkidle")
    assert page.title() == "Discord stand-in" and page.url == there.url
    assert complaints == []
    assert {url for url in asked if not url.startswith((there.url, "data:"))} == set()
    assert len([url for url in asked if "/attachments/" in url]) == len(HOSTILE)
    assert page.locator("article").count() == len(HOSTILE)
    for text in HOSTILE:
        assert page.get_by_text(text, exact=True).count() or "](" in text, text
    links = page.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert links and all(link.startswith(ELSEWHERE) for link in links)


def test_the_page_s_own_rules_stop_what_would_slip_through(
    there: StandIn, opened: Opened, httpserver: HTTPServer
) -> None:
    page = opened()
    page.goto(there.url)
    stopped = page.evaluate(
        """async elsewhere => {
            const stopped = [];
            document.addEventListener("securitypolicyviolation", e => stopped.push(e.effectiveDirective));
            const box = document.createElement("div");
            box.innerHTML = `<img src="${elsewhere}/x.png" onerror="document.title='hit'"><iframe src="${elsewhere}">`;
            const script = document.createElement("script");
            script.textContent = "document.title = 'hit'";
            document.body.append(box, script);
            await fetch(`${elsewhere}/y`).catch(() => {});
            await new Promise(done => setTimeout(done, 100));
            return stopped.sort();
        }""",
        httpserver.url_for("").rstrip("/"),
    )
    assert {"connect-src", "frame-src", "img-src", "script-src-attr", "script-src-elem"} <= set(stopped)
    assert page.title() == "Discord stand-in"
    assert httpserver.log == []


def test_news_appear_by_themselves_and_edits_replace_what_was_said(there: StandIn, opened: Opened) -> None:
    page = opened()
    page.goto(there.url)
    page.get_by_text("Nothing said yet").wait_for()
    first, second = say(there, Message("one"), Message("two ||hidden||"))
    page.get_by_text("two").wait_for()
    assert page.locator("#count").inner_text() == "2 messages"
    assert page.get_by_text("Nothing said yet").count() == 0
    page.evaluate("window.kept = document.querySelector('article:last-child')")
    Discord(there.webhook_url).edit(first, Message("three"))
    page.get_by_text("three").wait_for()
    assert page.get_by_text("one", exact=True).count() == 0
    ids = page.locator("article").evaluate_all("all => all.map(one => one.id)")
    assert ids == [f"m{first}", f"m{second}"], "in its place"
    assert page.locator(f"#m{first} .edited").is_visible() and page.locator(f"#m{second} .edited").count() == 0
    assert page.evaluate("document.querySelector('article:last-child') === window.kept"), "what did not change stays"


def test_pictures_are_there_with_their_words(there: StandIn, opened: Opened) -> None:
    files = (Attachment.of("a.png", "the result in words", DOT), Attachment.of("b.png", "another", DOT))
    say(there, Message(embeds=(Embed("t", image="a.png"),), attachments=files))
    page = opened()
    page.goto(there.url, wait_until="networkidle")
    pictures = page.locator("img").evaluate_all("all => all.map(one => [one.alt, one.naturalWidth])")
    assert sorted(pictures) == [["another", 1], ["the result in words", 1]]
    assert page.locator(".embed img").get_attribute("alt") == "the result in words"


@pytest.mark.parametrize("width", [320, 390, 760])
def test_nothing_reaches_beyond_the_side_of_the_window(there: StandIn, opened: Opened, width: int) -> None:
    fields = [Field(LONG, f"`{LONG}`", True) for _ in range(3)] + [Field("n", f"{ELSEWHERE}/{LONG}")]
    block = f"```\n{LONG}\n```\n> {LONG}\n- {LONG}\n# {LONG}"
    say(there, Message(block, (Embed(LONG, f"**{LONG}** <t:{NOON}:F>\n{block}", fields=tuple(fields), footer=LONG),)))
    page = opened(width)
    page.goto(there.url)
    assert sideways(page) == []


def test_the_keyboard_reaches_everything_that_can_be_clicked(there: StandIn, opened: Opened) -> None:
    say(there, Message(f"||secret **word**|| [a link]({ELSEWHERE}/)"), Message(embeds=(Embed("t", f"{ELSEWHERE}/b"),)))
    page = opened()
    page.goto(there.url)
    clickable = page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter(
            e => getComputedStyle(e).cursor === "pointer" && getComputedStyle(e.parentElement).cursor !== "pointer"
        ).map(e => e.textContent)"""
    )
    assert clickable == ["secret word", "a link", f"{ELSEWHERE}/b"]
    assert [focused(page) for _ in clickable] == clickable


def focused(page: "Page") -> str:
    """What the next press of Tab reaches; that it shows that it was."""
    page.keyboard.press("Tab")
    text, seen, outline = page.evaluate(
        """() => {
            const e = document.activeElement, style = getComputedStyle(e);
            return [e.textContent, style.color !== "rgba(0, 0, 0, 0)", style.outlineStyle];
        }"""
    )
    assert seen and outline != "none", text
    return str(text)


@pytest.mark.parametrize(
    ("zone", "full", "clock"),
    [("America/New_York", "3 February 2026 07:00", "07:00"), ("Asia/Kolkata", "3 February 2026 17:30", "17:30")],
)
def test_times_are_told_in_the_reader_s_zone(there: StandIn, opened: Opened, zone: str, full: str, clock: str) -> None:
    say(there, Message(f"<t:{NOON}> and <t:{NOON}:t> and <t:{NOON}:R>"))
    page = opened(timezone_id=zone)
    page.clock.set_fixed_time(datetime.fromtimestamp(NOON + 7200, UTC))
    page.goto(there.url)
    assert page.locator(".content").inner_text() == f"{full} and {clock} and 2 hours ago"
    assert page.locator(".stamp").first.get_attribute("title") == f"Tuesday, {full}"
    said_at = page.locator("header time")
    assert "UTC" not in said_at.inner_text()
    assert f"{there.messages()[0]['timestamp'][:16]}" in (said_at.get_attribute("datetime") or "")


def test_the_page_can_be_read_without_its_script(there: StandIn, opened: Opened) -> None:
    say(there, Message(f"at <t:{NOON}>"))
    page = opened(java_script_enabled=False)
    page.goto(there.url)
    assert page.locator(".content").inner_text() == "at 03 February 2026 12:00 UTC"
