"""Sending to Discord when Discord, or what answers in its place, misbehaves."""

import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from slomix_pipeline.discord.client import ContentRefused, Discord, DiscordError, InDoubt, MessageGone, NotSent
from slomix_pipeline.discord.embeds import Embed, Message
from slomix_pipeline.discord.patience import Patience

TOKEN = "SECRETsecretSECRET-secret_1"
PATH = f"/api/webhooks/123/{TOKEN}"
HELLO = Message("hello")
GOOD = {"id": "777", "content": "hello"}


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def discord(httpserver: HTTPServer, slept: list[float]) -> Discord:
    return Discord(httpserver.url_for(PATH), timeout=5.0, sleep=slept.append)


def at(port: int, scheme: str = "http") -> Discord:
    return Discord(f"{scheme}://127.0.0.1:{port}{PATH}", timeout=5.0, sleep=lambda _: None)


def failure(call: Callable[[], Any]) -> DiscordError:
    """The error of ``call``, which must not tell the token, not even in its traceback."""
    with pytest.raises(DiscordError) as caught:
        call()
    assert TOKEN not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert caught.value.__context__ is None
    return caught.value


@contextmanager
def raw_server(answer: bytes | None) -> Iterator[int]:
    """A port where each caller is read once (or not at all, for None), given ``answer`` and dropped."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    caller, _ = listener.accept()
                except OSError:
                    return
                with caller:
                    if answer is not None:
                        caller.recv(65536)
                        caller.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_sent_message_gives_its_id_and_pings_nobody(httpserver: HTTPServer, discord: Discord) -> None:
    httpserver.expect_ordered_request(PATH, method="POST", query_string={"wait": "true"}).respond_with_json(GOOD)
    assert discord.send(Message("hello", (Embed("T"),))).message_id == "777"
    (request, _), *_ = httpserver.log
    assert request.get_json() == {"content": "hello", "embeds": [{"title": "T"}], "allowed_mentions": {"parse": []}}


def test_a_thread_in_the_address_is_kept_for_sending_and_editing(httpserver: HTTPServer) -> None:
    discord = Discord(httpserver.url_for(PATH) + "?thread_id=55")
    query = {"thread_id": "55", "wait": "true"}
    httpserver.expect_ordered_request(PATH, "POST", query_string=query).respond_with_json(GOOD)
    httpserver.expect_ordered_request(f"{PATH}/messages/777", "PATCH", query_string=query).respond_with_json(GOOD)
    discord.edit(discord.send(HELLO).message_id, HELLO)
    httpserver.check()


@pytest.mark.parametrize("via", [{"Via": "1.1 x"}, {}])
@pytest.mark.parametrize(
    ("body", "header", "pause"),
    [
        ('{"retry_after": 2.5}', {"Retry-After": "9"}, 2.5),
        ("<html>", {"Retry-After": "3"}, 3.0),
        ("", {}, 0.5),
        ("[NaN]", {}, 0.5),
    ],
)
def test_a_rate_limited_message_is_sent_when_the_time_has_passed(
    httpserver: HTTPServer,
    discord: Discord,
    slept: list[float],
    body: str,
    header: dict[str, str],
    pause: float,
    via: dict[str, str],
) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_response(Response(body, 429, {**header, **via}))
    httpserver.expect_ordered_request(PATH).respond_with_json(GOOD)
    assert discord.send(HELLO).message_id == "777"
    assert slept == [pause]


def test_waiting_for_a_rate_limit_ends_at_the_cap(httpserver: HTTPServer, discord: Discord, slept: list[float]) -> None:
    httpserver.expect_request(PATH).respond_with_json({"retry_after": 12}, 429)
    error = failure(lambda: discord.send(HELLO))
    assert isinstance(error, NotSent) and error.retriable
    assert slept == [12, 12]


def test_webhooks_that_share_their_patience_wait_no_longer_than_that_in_all(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_json({"retry_after": 3}, 429)
    slept: list[float] = []
    patience = Patience(10.0)
    one, other = (Discord(httpserver.url_for(PATH), sleep=slept.append, patience=patience) for _ in range(2))
    assert isinstance(failure(lambda: one.send(HELLO)), NotSent)
    assert isinstance(failure(lambda: other.send(HELLO)), NotSent)
    assert slept == [3] and 6 < patience.left <= 7  # behind another pause a try would be cut off
    calls = len(httpserver.log)
    patience.left = 4.9
    error = failure(lambda: other.send(HELLO))
    assert isinstance(error, NotSent) and error.retriable and "waiting for long enough" in str(error)
    assert patience.is_over and len(httpserver.log) == calls == 3


def test_a_rate_limit_then_a_failing_server_is_in_doubt(httpserver: HTTPServer, discord: Discord) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_json({"retry_after": 1}, 429)
    httpserver.expect_ordered_request(PATH).respond_with_data("", 500)
    assert isinstance(failure(lambda: discord.send(HELLO)), InDoubt)


def test_the_next_call_waits_when_the_headers_say_that_none_is_left(
    httpserver: HTTPServer, discord: Discord, slept: list[float]
) -> None:
    used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "20"}
    httpserver.expect_request(PATH).respond_with_json(GOOD, headers=used_up)
    discord.send(HELLO)
    assert slept == []
    discord.send(HELLO)
    assert len(slept) == 1 and 0 < slept[0] <= 20


def test_a_limit_beyond_the_cap_is_not_waited_for(httpserver: HTTPServer, discord: Discord, slept: list[float]) -> None:
    used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "3600"}
    httpserver.expect_ordered_request(PATH).respond_with_json(GOOD, headers=used_up)
    discord.send(HELLO)
    error = failure(lambda: discord.send(HELLO))
    assert isinstance(error, NotSent) and error.retriable and slept == []


@pytest.mark.parametrize(
    "answer",
    [(500, "{}"), (502, "<html>Bad gateway</html>"), (503, b"\xff\xfe"), (204, ""), (200, "<html>"), (200, "[]")],
)
def test_an_answer_that_proves_nothing_is_in_doubt_and_never_sent_again(
    httpserver: HTTPServer, discord: Discord, slept: list[float], answer: tuple[int, str | bytes]
) -> None:
    httpserver.expect_request(PATH).respond_with_data(answer[1], answer[0])
    assert isinstance(failure(lambda: discord.send(HELLO)), InDoubt)
    assert len(httpserver.log) == 1 and slept == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_deleted_or_wrong_webhook_says_which_setting_to_check(
    httpserver: HTTPServer, discord: Discord, status: int
) -> None:
    httpserver.expect_request(PATH).respond_with_data(f"no {PATH} here", status)
    httpserver.expect_request(f"{PATH}/messages/5").respond_with_json({"code": 10015, "message": PATH}, status)
    for call in (lambda: discord.send(HELLO), lambda: discord.edit("5", HELLO), discord.check):
        error = failure(call)
        assert isinstance(error, NotSent) and not error.retriable and not isinstance(error, MessageGone)
        assert "check SLOMIX_DISCORD_WEBHOOK" in str(error)


def test_a_refused_message_is_told_in_discords_words_without_the_token(
    httpserver: HTTPServer, discord: Discord
) -> None:
    words = {
        "code": 50035,
        "message": f"Invalid Form Body at {PATH}",
        "errors": {"content": {"_errors": [{"code": "X"}]}},
    }
    httpserver.expect_request(PATH).respond_with_json(words, 400)
    error = failure(lambda: discord.send(HELLO))
    assert isinstance(error, NotSent) and not error.retriable
    assert "Invalid Form Body" in str(error) and "content" in str(error)


def test_a_message_that_does_not_fit_is_not_even_tried(httpserver: HTTPServer, discord: Discord) -> None:
    for call in (lambda: discord.send(Message()), lambda: discord.edit("5", Message("x" * 2001))):
        error = failure(call)
        assert isinstance(error, NotSent) and not error.retriable
    assert httpserver.log == []


def test_a_redirected_message_is_not_taken_for_a_sent_one(httpserver: HTTPServer, discord: Discord) -> None:
    httpserver.expect_request(PATH).respond_with_data("", 301, {"Location": "/elsewhere"})
    httpserver.expect_request("/elsewhere", method="GET").respond_with_json({"id": "123"})
    error = failure(lambda: discord.send(HELLO))
    assert isinstance(error, NotSent) and not error.retriable


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nobody_is_told_whom_a_redirect_names(httpserver: HTTPServer, discord: Discord, status: int) -> None:
    httpserver.expect_request(PATH).respond_with_data("", status, {"Location": "/elsewhere"})
    for call in (lambda: discord.send(HELLO), discord.check):
        assert "redirects elsewhere" in str(failure(call))
    assert {request.path for request, _ in httpserver.log} == {PATH}


def test_a_refused_port_means_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(lambda: at(port).send(HELLO))
    assert isinstance(error, NotSent) and error.retriable


def test_an_unknown_host_means_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    discord = Discord(f"https://discord.invalid{PATH}", timeout=5.0)
    error = failure(lambda: discord.send(HELLO))
    assert isinstance(error, NotSent) and error.retriable


def test_a_connection_that_fails_in_its_tls_handshake_means_not_sent(httpserver: HTTPServer) -> None:
    assert isinstance(failure(lambda: at(httpserver.port, "https").send(HELLO)), NotSent)
    with raw_server(b"") as port:
        assert isinstance(failure(lambda: at(port, "https").send(HELLO)), NotSent)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"nonsense\r\n\r\n"])
def test_a_connection_dropped_after_the_message_is_in_doubt(answer: bytes) -> None:
    with raw_server(answer) as port:
        assert isinstance(failure(lambda: at(port).send(HELLO)), InDoubt)
        assert isinstance(failure(lambda: at(port).edit("5", HELLO)), InDoubt)


def test_a_server_that_does_not_answer_in_time_is_in_doubt(httpserver: HTTPServer) -> None:
    over = threading.Event()

    def never(request: Request) -> Response:
        over.wait(30)
        return Response("{}")

    httpserver.expect_request(PATH).respond_with_handler(never)
    discord = Discord(httpserver.url_for(PATH), timeout=0.2)
    try:
        assert isinstance(failure(lambda: discord.send(HELLO)), InDoubt)
    finally:
        over.set()


@contextmanager
def dripping(drops: bytes) -> Iterator[int]:
    """A port where each caller is given ``drops`` over and over, a few bytes at a time, and never let go."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip(caller: socket.socket) -> None:
            with caller, suppress(OSError):
                while not over.wait(0.02):
                    caller.sendall(drops)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=drip, args=[listener.accept()[0]], daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize("drops", [b"HTTP/1.1 100 Continue\r\n\r\n", b"H"])
def test_an_answer_that_only_drips_comes_to_an_end_in_doubt(drops: bytes) -> None:
    with dripping(drops) as port:
        discord = Discord(f"http://127.0.0.1:{port}{PATH}", timeout=0.5, max_wait=1.2, sleep=lambda _: None)
        assert isinstance(failure(lambda: discord.send(HELLO)), InDoubt)
        assert isinstance(failure(lambda: discord.edit("5", HELLO)), InDoubt)


def test_a_tls_handshake_that_only_drips_comes_to_an_end_and_sends_nothing() -> None:
    with dripping(b"\x16") as port:
        discord = Discord(f"https://127.0.0.1:{port}{PATH}", timeout=0.5, sleep=lambda _: None)
        error = failure(lambda: discord.send(HELLO))
        assert isinstance(error, NotSent) and error.retriable


def test_a_connection_that_stands_too_late_sends_nothing(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve, asked = socket.getaddrinfo, threading.Event()

    def slow(*arguments: Any, **more: Any) -> Any:
        asked.wait(30)
        return resolve(*arguments, **more)

    address = httpserver.url_for(PATH)
    monkeypatch.setattr(socket, "getaddrinfo", slow)
    error = failure(lambda: Discord(address, timeout=0.2).send(HELLO))
    assert isinstance(error, NotSent) and error.retriable
    asked.set()
    for thread in threading.enumerate():
        if thread.name == "discord-call":
            thread.join(30)
    assert httpserver.log == []


def test_what_is_wrong_with_a_message_is_told_from_what_is_wrong_with_its_webhook(
    httpserver: HTTPServer, discord: Discord
) -> None:
    errors = {"embeds": {"0": {"_errors": [{"code": "X"}]}}, "webhook_id": {"_errors": [{"code": "X"}]}}
    for body, of_content in (
        ({"code": 50035, "errors": {"embeds": errors["embeds"]}}, True),
        ({"code": 50006, "message": "Cannot send an empty message"}, True),
        ({"code": 50035, "errors": {"webhook_id": errors["webhook_id"]}}, False),
        ({"code": 220001, "message": "needs a thread"}, False),
        ({"code": 50035}, False),
    ):
        httpserver.expect_ordered_request(PATH).respond_with_json(body, 400)
        error = failure(lambda: discord.send(HELLO))
        assert isinstance(error, NotSent) and not error.retriable
        assert isinstance(error, ContentRefused) is of_content


def test_an_edit_is_repeated_until_it_works(httpserver: HTTPServer, discord: Discord, slept: list[float]) -> None:
    path = f"{PATH}/messages/777"
    httpserver.expect_ordered_request(path, "PATCH").respond_with_data("<html>", 502)
    httpserver.expect_ordered_request(path, "PATCH").respond_with_data(b"\xff\xfe", 500)
    httpserver.expect_ordered_request(path, "PATCH").respond_with_json({"retry_after": 7}, 429)
    httpserver.expect_ordered_request(path, "PATCH").respond_with_json(GOOD)
    discord.edit("777", Message(embeds=(Embed("new"),)))
    assert slept == [1, 2, 7]
    request, _ = httpserver.log[-1]
    assert request.get_json()["content"] == ""


def test_an_edit_that_keeps_failing_ends_in_doubt_at_the_cap(
    httpserver: HTTPServer, discord: Discord, slept: list[float]
) -> None:
    httpserver.expect_request(f"{PATH}/messages/777").respond_with_data("", 500)
    assert isinstance(failure(lambda: discord.edit("777", HELLO)), InDoubt)
    assert slept == [1, 2, 4, 8]


def test_editing_a_deleted_message_says_so(httpserver: HTTPServer, discord: Discord) -> None:
    httpserver.expect_request(f"{PATH}/messages/777").respond_with_json(
        {"code": 10008, "message": "Unknown Message"}, 404
    )
    assert isinstance(failure(lambda: discord.edit("777", HELLO)), MessageGone)


def test_the_token_is_in_no_description_and_no_log_line(
    httpserver: HTTPServer, discord: Discord, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for status in (200, 400, 500):
        httpserver.expect_ordered_request(PATH).respond_with_json({**GOOD, "message": PATH}, status)
    discord.send(HELLO)
    failure(lambda: discord.send(HELLO))
    failure(lambda: discord.send(HELLO))
    assert "/webhooks/…" in caplog.text, "urllib3 no longer logs addresses: then the filter can go"
    assert TOKEN not in "\n".join(r.getMessage() for r in caplog.records if r.name != "werkzeug")
    assert not [record for record in caplog.records if record.name.startswith("discord_webhook")]
    assert discord.describe() == f"{httpserver.host}:{httpserver.port}"
    assert TOKEN not in repr(discord)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://discord.com",
        f"discord.com{PATH}",
        f"ftp://discord.com{PATH}",
        f"https://user:{TOKEN}@discord.com{PATH}",
        f"https://discord.com{PATH}/x",
    ],
)
def test_what_is_no_webhook_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(ValueError, match="SLOMIX_DISCORD_WEBHOOK") as caught:
        Discord(address)
    assert TOKEN not in str(caught.value)


def test_words_that_can_not_be_stored_or_would_steer_a_terminal_are_told_as_they_are_written(
    httpserver: HTTPServer, discord: Discord
) -> None:
    httpserver.expect_request(PATH).respond_with_data('{"message": "no\\u0000 \\u001b]0;x\\u0007 \\ud800"}', 400)
    with pytest.raises(NotSent) as refused:
        discord.send(Message("x"))
    assert str(refused.value).endswith(r"no\x00 \x1b]0;x\x07 \ud800")
