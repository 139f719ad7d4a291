"""Files of messages: sent and edited as Discord documents, kept and shown by the stand-in, refused where Discord would."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug import Request

from slomix_pipeline.discord.client import ContentRefused, Discord
from slomix_pipeline.discord.embeds import Attachment, Embed, Message, digest, violations
from slomix_pipeline.discord.pictures import with_pictures
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.discord.standin_files import read_call
from slomix_pipeline_tests.discord.conftest import PATH
from slomix_pipeline_tests.kept import served_page

PIXEL = b"\x89PNG\r\n\x1a\n--\r\n\r\n\x00\xff--"  # what could end a part of a body is within it
SUMMARY = Message(embeds=(Embed("fox wins 4–3", color=0x3498DB),))
CARD = Attachment.of("result.png", '4 to 3, "drawn" <b>', PIXEL)
SCORE = Attachment.of("score.png", "up and down", PIXEL + b"2")


@pytest.fixture
def there(tmp_path: Path) -> Iterator[StandIn]:
    with served_page(tmp_path) as running:
        yield running


def without_bytes(*files: Attachment) -> tuple[Attachment, ...]:
    """The files as they are known once they were sent."""
    return tuple(replace(file, data=None) for file in files)


def body_of(request: Request) -> Any:
    return json.loads(request.form["payload_json"])


def test_files_go_out_with_their_words_beside_the_message(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH, "POST", query_string={"wait": "true", "thread_id": "55"}).respond_with_json(
        {"id": "7"}
    )
    Discord(httpserver.url_for(PATH) + "?thread_id=55").send(with_pictures(SUMMARY, [CARD, SCORE]))
    ((request, _),) = httpserver.log
    assert {name: file.read() for name, file in request.files.items()} == {
        "files[0]": CARD.data,
        "files[1]": SCORE.data,
    }
    assert [file.mimetype for file in request.files.values()] == ["image/png", "image/png"]
    assert body_of(request)["attachments"] == [
        {"id": 0, "filename": "result.png", "description": CARD.alt},
        {"id": 1, "filename": "score.png", "description": "up and down"},
    ]
    images = [embed["image"]["url"] for embed in body_of(request)["embeds"]]
    assert images == ["attachment://result.png", "attachment://score.png"]
    assert body_of(request)["allowed_mentions"] == {"parse": []}


def test_an_edit_replaces_the_files_keeps_them_or_takes_them_away_and_stays_in_its_thread(
    httpserver: HTTPServer,
) -> None:
    query = {"wait": "true", "thread_id": "55"}
    httpserver.expect_request(f"{PATH}/messages/7", "PATCH", query_string=query).respond_with_json({"id": "7"})
    discord = Discord(httpserver.url_for(PATH) + "?thread_id=55")
    discord.edit("7", with_pictures(SUMMARY, [SCORE]))
    discord.edit("7", with_pictures(SUMMARY, without_bytes(SCORE)))
    discord.edit("7", SUMMARY)
    replaced, kept, taken = (request for request, _ in httpserver.log)
    assert [entry["id"] for entry in body_of(replaced)["attachments"]] == [0]
    assert "attachments" not in kept.get_json() and kept.get_json()["embeds"][0]["image"]
    assert taken.get_json()["attachments"] == []


def test_a_digest_covers_the_files_and_does_not_tell_new_from_kept() -> None:
    assert digest(with_pictures(SUMMARY, [CARD])) == digest(with_pictures(SUMMARY, without_bytes(CARD)))
    others = [
        SUMMARY,
        with_pictures(SUMMARY, [SCORE]),
        with_pictures(SUMMARY, [replace(CARD, alt="else")]),
        with_pictures(SUMMARY, [Attachment.of(CARD.name, CARD.alt, PIXEL + b"x")]),
        with_pictures(SUMMARY, [CARD, SCORE]),
    ]
    assert len({digest(message) for message in [with_pictures(SUMMARY, [CARD]), *others]}) == 6


@pytest.mark.parametrize(
    "files",
    [
        [Attachment.of(f"{number}.png", "", PIXEL) for number in range(11)],
        [Attachment.of("a.png", "", b"x" * (10 * 2**20 + 1))],
        [Attachment.of("a.png", "", b"")],
        [Attachment.of("a.png", "x" * 1025, PIXEL)],
        [Attachment.of("../a b.png", "", PIXEL)],
        [CARD, CARD],
        [CARD, *without_bytes(SCORE)],
    ],
)
def test_files_beyond_the_limits_are_not_even_tried(httpserver: HTTPServer, files: list[Attachment]) -> None:
    message = Message("text", attachments=tuple(files))
    assert violations(message)
    with pytest.raises(ContentRefused):
        Discord(httpserver.url_for(PATH)).send(message)
    assert httpserver.log == []


def test_an_image_that_is_not_attached_is_found() -> None:
    assert violations(Message(embeds=(Embed("", image="else.png"),), attachments=(CARD,)))
    assert violations(with_pictures(SUMMARY, [CARD, SCORE])) == []


def test_the_stand_in_keeps_files_replaces_and_drops_them(there: StandIn, tmp_path: Path) -> None:
    discord = Discord(there.webhook_url)
    sent = discord.send(SUMMARY)
    discord.edit(sent.message_id, with_pictures(SUMMARY, [CARD, SCORE]))
    (message,) = there.messages()
    assert [(file["filename"], file["description"]) for file in message["attachments"]] == [
        ("result.png", CARD.alt),
        ("score.png", "up and down"),
    ]
    assert [there.picture(file["id"]) for file in message["attachments"]] == [CARD.data, SCORE.data]
    discord.edit(sent.message_id, with_pictures(SUMMARY, without_bytes(CARD, SCORE)))
    assert there.messages()[0]["attachments"] == message["attachments"]
    discord.edit(sent.message_id, with_pictures(SUMMARY, [SCORE]))
    (only,) = there.messages()[0]["attachments"]
    assert there.picture(only["id"]) == SCORE.data
    discord.edit(sent.message_id, SUMMARY)
    assert there.messages()[0]["attachments"] == [] and list((tmp_path / "files").iterdir()) == []


def test_the_page_shows_pictures_with_their_words_and_nothing_of_them_runs(there: StandIn, tmp_path: Path) -> None:
    Discord(there.webhook_url).send(with_pictures(SUMMARY, [CARD]))
    (file,) = there.messages()[0]["attachments"]
    page = requests.get(there.url, timeout=10).text
    assert f'<img src="attachments/{file["id"]}" alt="4 to 3, &quot;drawn&quot; &lt;b&gt;"' in page
    answer = requests.get(f"{there.url}attachments/{file['id']}", timeout=10)
    assert (answer.content, answer.headers["Content-Type"]) == (PIXEL, "image/png")
    assert (
        answer.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer.headers["Content-Security-Policy"]
    )
    assert requests.get(f"{there.url}attachments/1", timeout=10).status_code == 404
    there.write_page(tmp_path / "page.html")
    assert 'src="data:image/png;base64,' in (tmp_path / "page.html").read_text("utf-8")


def test_what_is_no_picture_is_named_above_the_embeds_and_never_served_as_a_page(there: StandIn) -> None:
    page = Attachment.of("evil.html", "", b"<script>alert(1)</script>")
    Discord(there.webhook_url).send(replace(SUMMARY, attachments=(page,)))
    (file,) = there.messages()[0]["attachments"]
    assert (
        requests.get(f"{there.url}attachments/{file['id']}", timeout=10).headers["Content-Type"]
        == "application/octet-stream"
    )
    assert '<div class="files"><div>evil.html</div></div>' in requests.get(there.url, timeout=10).text


def post(there: StandIn, body: Any, files: dict[str, bytes]) -> requests.Response:
    parts: dict[str, Any] = {"payload_json": (None, json.dumps(body), "application/json")}
    parts |= {name: ("a.png", data, "image/png") for name, data in files.items()}
    return requests.post(there.webhook_url, files=parts, params={"wait": "true"}, timeout=10)


@pytest.mark.parametrize(
    ("body", "files", "status", "code"),
    [
        ({"attachments": [{"id": 3}]}, {"files[0]": b"x"}, 400, 50035),
        ({"attachments": [{"id": 0, "description": "x" * 1025}]}, {"files[0]": b"x"}, 400, 50035),
        ({"attachments": [{}]}, {"files[0]": b"x"}, 400, 50035),
        ({}, {f"files[{number}]": b"x" for number in range(11)}, 400, 50035),
        ({}, {"files[0]": b"x" * (10 * 2**20 + 1)}, 413, 40005),
        ({"content": ""}, {"else": b"x"}, 400, 50006),
    ],
)
def test_files_that_discord_would_refuse_are_refused(
    there: StandIn, body: Any, files: dict[str, bytes], status: int, code: int
) -> None:
    answer = post(there, body, files)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert there.messages() == []


def test_a_file_alone_is_a_message_and_a_broken_body_is_none(there: StandIn) -> None:
    assert post(there, {}, {"files[0]": b"x"}).json()["attachments"][0]["size"] == 1
    header = {"Content-Type": "multipart/form-data; boundary=b"}
    for body in (
        b"",
        b"--b\r\n\r\n{}",
        b'--b\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n{\r\n--b--',
    ):
        answer = requests.post(there.webhook_url, data=body, headers=header, timeout=10)
        assert answer.json()["code"] == 50109


def test_a_body_is_read_whatever_its_parts_hold() -> None:
    request = requests.Request(
        "POST", "http://x", files={"payload_json": (None, '{"a": 1}'), "files[2]": ("ž.png", PIXEL, "image/png")}
    ).prepare()
    assert isinstance(request.body, bytes)
    call = read_call(request.headers["Content-Type"], request.body)
    assert call.body == {"a": 1}
    assert call.files[2].data == PIXEL and call.files[2].content_type == "image/png"
