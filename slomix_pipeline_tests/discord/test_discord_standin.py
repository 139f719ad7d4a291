"""The stand-in answers as Discord does, and its page shows hostile names harmlessly."""

import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.discord import embeds, render, standin
from slomix_pipeline.discord.client import Discord, MessageGone, NotSent
from slomix_pipeline.discord.embeds import Embed, Field, Message, escape
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline_tests.kept import served_page

CARD = Embed(
    "Team B wins", "by **1:41**", 0x3BA55D, (Field("R1", "6:42", True),), "key", datetime(2026, 2, 2, 21, tzinfo=UTC)
)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[StandIn]:
    with served_page(tmp_path) as running:
        yield running


def post(there: StandIn, body: Any) -> requests.Response:
    return requests.post(there.webhook_url, json=body, params={"wait": "true"}, timeout=10)


def test_a_message_is_sent_edited_and_read_back(there: StandIn) -> None:
    discord = Discord(there.webhook_url)
    discord.check()
    sent = discord.send(Message("R1 is over"))
    discord.edit(sent.message_id, Message(embeds=(CARD,)))
    (message,) = there.messages()
    assert message["id"] == sent.message_id and message["edited_timestamp"]
    assert message["content"] == ""
    assert message["embeds"][0]["title"] == "Team B wins" and message["embeds"][0]["type"] == "rich"
    assert requests.get(f"{there.webhook_url}/messages/{sent.message_id}", timeout=10).json() == message


def test_messages_and_webhook_outlive_a_restart(tmp_path: Path) -> None:
    with StandIn(tmp_path) as first:
        address = first.webhook_url
        sent = Discord(address).send(Message("before"))
    with StandIn(tmp_path) as second:
        assert second.webhook_url.split("/")[-2:] == address.split("/")[-2:]
        Discord(second.webhook_url).edit(sent.message_id, Message("after"))
        assert [message["content"] for message in second.messages()] == ["after"]
    assert [path.name for path in tmp_path.iterdir()] == ["discord.json"]


def test_what_holds_the_token_is_for_its_owner_alone(there: StandIn, tmp_path: Path) -> None:
    Discord(there.webhook_url).send(Message("hello"))
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {
        "discord.json": 0o600,
        "address": 0o600,
    }


def test_a_port_in_use_is_an_error_and_is_free_again_afterwards(tmp_path: Path) -> None:
    with StandIn(tmp_path / "a") as first:
        port = int(first.url.rsplit(":", 1)[1].rstrip("/"))
        with pytest.raises(OSError), StandIn(tmp_path / "b", port):
            pass
    with StandIn(tmp_path / "b", port) as second:
        assert second.url == first.url


def test_ids_grow_so_that_messages_stay_in_order(there: StandIn) -> None:
    discord = Discord(there.webhook_url)
    ids = [int(discord.send(Message(str(number))).message_id) for number in range(5)]
    assert ids == sorted(set(ids)) and ids[0] > 10**17


def test_editing_an_unknown_message_says_that_it_is_gone(there: StandIn) -> None:
    with pytest.raises(MessageGone):
        Discord(there.webhook_url).edit("123", Message("x"))


@pytest.mark.parametrize(("part", "status", "code"), [(-1, 401, 50027), (-2, 404, 10015)])
def test_a_wrong_address_is_answered_as_discord_does(there: StandIn, part: int, status: int, code: int) -> None:
    parts = there.webhook_url.split("/")
    parts[part] = "1"
    answer = requests.post("/".join(parts), json={"content": "x"}, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    with pytest.raises(NotSent, match="check SLOMIX_DISCORD_WEBHOOK"):
        Discord("/".join(parts)).send(Message("x"))


def test_a_webhook_knows_only_its_own_messages_and_those_of_its_thread(there: StandIn) -> None:
    sent = Discord(there.webhook_url).send(Message("x"))
    in_thread = Discord(there.webhook_url + "?thread_id=55").send(Message("y"))
    Discord(there.webhook_url + "?thread_id=55").edit(in_thread.message_id, Message("z"))
    with pytest.raises(MessageGone):
        Discord(there.webhook_url).edit(in_thread.message_id, Message("z"))
    old = there.webhook_url
    there.replace_webhook()
    with pytest.raises(NotSent, match="check SLOMIX_DISCORD_WEBHOOK"):
        Discord(old).send(Message("x"))
    with pytest.raises(MessageGone):
        Discord(there.webhook_url).edit(sent.message_id, Message("z"))


def test_without_wait_nothing_is_told(there: StandIn) -> None:
    answer = requests.post(there.webhook_url, json={"content": "x"}, timeout=10)
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("embed", "path"),
    [
        (Embed("t" * 257), "embeds.0.title"),
        (Embed("t", "d" * 4097), "embeds.0.description"),
        (Embed("t", footer="f" * 2049), "embeds.0.footer.text"),
        (Embed("t", fields=(Field("n" * 257, "v"),)), "embeds.0.fields.0.name"),
        (Embed("t", fields=(Field("n", "v" * 1025),)), "embeds.0.fields.0.value"),
        (Embed("t", fields=(Field("n", " "),)), "embeds.0.fields.0.value"),
        (Embed("t", fields=(Field("n", "v"),) * 26), "embeds.0.fields"),
        (Embed("t", "d" * 4096, footer="f" * 2000), "embeds"),
        (Embed(""), "embeds.0.description"),
    ],
)
def test_what_breaks_a_limit_is_refused_at_its_place(there: StandIn, embed: Embed, path: str) -> None:
    message = Message(embeds=(embed,))
    answer = post(there, embeds.to_payload(message))
    assert (answer.status_code, answer.json()["code"]) == (400, 50035)
    place = answer.json()["errors"]
    for key in path.split("."):
        place = place[key]
    assert place["_errors"]
    assert embeds.violations(message), "both ends agree on the limits"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 50006),
        ({"content": " "}, 50006),
        ({"content": "x" * 2001}, 50035),
        ({"embeds": [{"title": "t"}] * 11}, 50035),
        ([], 50035),
        ({"content": 5}, 50035),
        ({"embeds": ["x"]}, 50035),
        ({"embeds": [{"title": "t", "color": "red"}]}, 50035),
        ({"embeds": [{"title": "t", "timestamp": "yesterday"}]}, 50035),
    ],
)
def test_a_body_that_is_no_message_is_refused(there: StandIn, body: Any, code: int) -> None:
    answer = post(there, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert there.messages() == []


def test_a_body_that_is_no_json_is_refused(there: StandIn) -> None:
    assert requests.post(there.webhook_url, data=b"{", timeout=10).json()["code"] == 50109


def test_an_edit_that_names_one_part_keeps_the_other_and_may_not_empty_the_message(there: StandIn) -> None:
    message = post(there, {"content": "text", "embeds": [{"title": "t"}]}).json()
    address = f"{there.webhook_url}/messages/{message['id']}"
    assert requests.patch(address, json={"embeds": []}, timeout=10).json()["content"] == "text"
    assert requests.patch(address, json={"content": ""}, timeout=10).json()["code"] == 50006


def test_the_page_starts_empty_then_shows_what_was_said_and_asks_for_news_only(there: StandIn) -> None:
    page = requests.get(there.url, timeout=10).text
    assert "Nothing said yet …" in page and "0 messages" in page and 'data-live="yes"' in page
    known = re.search(r'data-revision="(\w+)"', page)
    assert known
    news = there.url + "messages?known="
    assert requests.get(news + known[1], timeout=10).status_code == 204
    sent = Discord(there.webhook_url).send(Message(embeds=(CARD,)))
    answer = requests.get(news + known[1], timeout=10)
    assert sent.message_id in answer.text and "Nothing said" not in answer.text
    assert answer.headers["X-Count"] == "1 message"
    assert requests.get(news + answer.headers["X-Revision"], timeout=10).status_code == 204


def test_a_snapshot_holds_the_messages_and_needs_nothing_from_elsewhere(there: StandIn, tmp_path: Path) -> None:
    Discord(there.webhook_url).send(Message(embeds=(CARD,)))
    there.write_page(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "Team B wins" in text and 'data-live="no"' in text
    assert not re.search(r'(?:src|href)="(?!data:)|url\(|@import', text)
    assert there.webhook_url.rsplit("/", 1)[1] not in text


def test_what_a_player_wrote_is_never_taken_for_a_place_in_the_page(there: StandIn) -> None:
    Discord(there.webhook_url).send(Message("{count} {script_hash} {revision} {messages}"))
    assert "{count} {script_hash} {revision} {messages}" in requests.get(there.url, timeout=10).text


class Seen(HTMLParser):
    """The text, tags and attributes of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


hostile = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="\\`*_~|<>[]()#@:/.-&\"'=ab1 \n", max_size=40),
    st.sampled_from(
        ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "[x](javascript:alert(1))", "&lt;b&gt;"]
    ),
)


@given(hostile)
def test_an_escaped_name_is_shown_exactly_as_it_is(name: str) -> None:
    seen = Seen(render.markdown_line(f"**{escape(name)}**" if escape(name) else ""))
    assert seen.text == embeds.plain(name)
    assert seen.tags <= {"strong"}
    in_a_block = Seen(render.markdown(escape(name)))
    assert in_a_block.text.rstrip("\n") == embeds.plain(name)
    assert in_a_block.tags <= {"p"}


@given(st.lists(hostile, min_size=4, max_size=4))
def test_unescaped_text_makes_markup_of_discord_only(texts: list[str]) -> None:
    content, title, value, footer = texts
    embed = {
        "title": title,
        "description": content,
        "fields": [{"name": title, "value": value}],
        "footer": {"text": footer},
    }
    picture = {"id": "7", "filename": title, "content_type": "image/png", "description": content}
    message = {"id": "1", "timestamp": "2026-02-02T21:00:00+00:00", "content": content, "embeds": [embed]}
    seen = Seen(render.message_html(message | {"attachments": [picture]}, "Slomix", lambda file: file["id"]))
    layout = {"article", "div", "header", "b", "span", "time", "footer", "img"}
    discords = {
        "p",
        "em",
        "strong",
        "u",
        "s",
        "code",
        "pre",
        "a",
        "ul",
        "ol",
        "li",
        "blockquote",
        "h1",
        "h2",
        "h3",
        "small",
        "br",
    }
    assert seen.tags <= layout | discords
    allowed = {
        "id",
        "src",
        "alt",
        "class",
        "style",
        "aria-hidden",
        "datetime",
        "data-style",
        "title",
        "tabindex",
        "href",
        "rel",
        "start",
    }
    assert seen.attributes <= allowed


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** *b* _c_ __d__ ~~e~~", "<strong>a</strong> <em>b</em> <em>c</em> <u>d</u> <s>e</s>"),
        ("***a***", "<em><strong>a</strong></em>"),
        ("**\\[x\\]**y", "<strong>[x]</strong>y"),
        ("snake_case_name", "snake_case_name"),
        ("`a*b*`", "<code>a*b*</code>"),
        ("||a **b**||", '<span class="spoiler" tabindex="0">a <strong>b</strong></span>'),
        ("[a *b*](https://x.example/)", '<a href="https://x.example/">a <em>b</em></a>'),
        ("[a](javascript:x)", "[a](javascript:x)"),
        ("https://x.example/a.", '<a href="https://x.example/a" rel="noopener noreferrer">https://x.example/a</a>.'),
        ("@everyone <@12> <:gg:3>", None),
        ("&amp; <b>", "&amp;amp; &lt;b&gt;"),
    ],
)
def test_markdown_within_a_line_is_discords(text: str, html: str | None) -> None:
    pills = " ".join(f'<span class="mention">{pill}</span>' for pill in ("@everyone", "&lt;@12&gt;", ":gg:"))
    assert render.markdown_line(text) == (html or pills)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a\nb", "<p>a<br>b</p>"),
        ("## H\ntext", "<h2>H</h2><p>text</p>"),
        ("#### no", "<p>#### no</p>"),
        ("-# small", "<small>small</small>"),
        ("> a\n> b\nc", "<blockquote><p>a<br>b</p></blockquote><p>c</p>"),
        (">>> a\nb", "<blockquote><p>a<br>b</p></blockquote>"),
        (">no", "<p>&gt;no</p>"),
        ("+ a", "<p>+ a</p>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("text\n```py\n<b>\n# x\n```\nend", "<p>text</p><pre><code>&lt;b&gt;\n# x</code></pre><p>end</p>"),
        ("```open", "<p>```open</p>"),
    ],
)
def test_blocks_are_discords(text: str, html: str) -> None:
    assert re.sub(r">\n+(?=<|$)", ">", render.markdown(text)) == html


def test_a_time_tag_says_utc_until_the_reader_s_zone_is_known() -> None:
    html = render.markdown_line("<t:1770066000:R>")
    assert 'datetime="2026-02-02T21:00:00Z"' in html and "02 February 2026 21:00 UTC" in html
    assert render.markdown_line("<t:999999999999:R>") == "&lt;t:999999999999:R&gt;"


def test_inline_fields_stand_three_in_a_row() -> None:
    fields = [{"name": "n", "value": "v", "inline": inline} for inline in (True, True, True, True, True, False, True)]
    html = render.message_html(
        {"id": "1", "timestamp": "2026-02-02T21:00:00+00:00", "embeds": [{"fields": fields}]}, "S", str
    )
    assert re.findall(r'class="field (w\d+)"', html) == ["w4", "w4", "w4", "w6", "w6", "w12", "w12"]


def test_only_the_latest_messages_are_shown_and_the_rest_is_counted(
    there: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standin, "PAGE_MESSAGES", 1)
    for text in ("first", "second"):
        Discord(there.webhook_url).send(Message(text))
    page = requests.get(there.url, timeout=10).text
    assert "not shown here: 1" in page and "second" in page and "first</p>" not in page and "2 messages" in page


def test_a_name_that_was_made_to_point_here_is_told_nothing(there: StandIn) -> None:
    Discord(there.webhook_url).send(Message("for our eyes"))
    for path in ("", "messages"):
        answer = requests.get(f"{there.url}{path}", headers={"Host": "evil.example.org"}, timeout=10)
        assert answer.status_code == 400 and "our eyes" not in answer.text
