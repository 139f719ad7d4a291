"""Who may call the address of slash commands, in which time he is answered, and that nothing breaks it."""

import asyncio
import json
import logging
from collections.abc import Iterable
from itertools import repeat
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from slomix_pipeline.discord import api
from slomix_pipeline.discord.standin_files import Call
from slomix_pipeline.discord.standin_refusals import refusals
from slomix_pipeline.site.app import create_app
from slomix_pipeline.site.interactions import answering, endpoint
from slomix_pipeline.site.interactions.commands import COMMANDS, CommandName
from slomix_pipeline.site.interactions.endpoint import LONGEST_BODY, PATH
from slomix_pipeline.site.interactions.signing import OLDEST
from slomix_pipeline.warehouse.site_store import SiteStore
from slomix_pipeline_tests.interaction_fixtures import (
    APPLICATION,
    GUILD,
    TOKEN,
    Commands,
    command_settings,
    commands_on,
)
from slomix_pipeline_tests.site_fixtures import OWN, Shown

PING = json.dumps({"type": 1, "id": "1", "application_id": APPLICATION, "token": TOKEN}).encode()


def test_a_ping_is_answered(commands: Commands) -> None:
    answer = commands.send(PING)
    assert answer.status_code == 200 and answer.json() == {"type": 1}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Signature-Ed25519": ""},
        {"X-Signature-Ed25519": "ab" * 63},
        {"X-Signature-Ed25519": "ab" * 64},
        {"X-Signature-Ed25519": "zz" * 64},
        {"X-Signature-Ed25519": " " * 128},
        {"X-Signature-Timestamp": ""},
        {"X-Signature-Timestamp": "now"},
        {"X-Signature-Timestamp": "1"},
        {"X-Signature-Timestamp": "9" * 40},
    ],
    ids=str,
)
def test_a_call_with_another_signature_or_timestamp_is_refused(commands: Commands, headers: dict[str, str]) -> None:
    assert commands.send(PING, headers=headers).status_code == 401


def test_a_call_that_was_changed_or_signed_by_somebody_else_or_is_unsigned_is_refused(commands: Commands) -> None:
    signed = commands.send(PING).request
    changed = commands.client.post(PATH, content=PING + b" ", headers=dict(signed.headers) | {"Content-Length": "999"})
    assert changed.status_code == 401
    assert commands.send(PING, key=Ed25519PrivateKey.generate()).status_code == 401
    assert commands.client.post(PATH, content=PING).status_code == 401
    assert commands.client.post(PATH, content=b"no json at all").status_code == 401, (
        "it was read before it was verified"
    )


def test_a_call_from_before_or_from_later_is_refused_though_it_is_signed(commands: Commands) -> None:
    assert commands.send(PING, age=OLDEST - 5).status_code == 200
    assert commands.send(PING, age=OLDEST + 5).status_code == 401
    assert commands.send(PING, age=-OLDEST - 5).status_code == 401


def test_a_call_that_is_too_long_is_not_even_verified(commands: Commands) -> None:
    assert commands.send(PING + b" " * (LONGEST_BODY - len(PING))).status_code == 200
    assert commands.send(PING + b" " * (LONGEST_BODY - len(PING) + 1)).status_code == 413


def arriving(parts: Iterable[bytes], pause: float = 0) -> Request:
    """A call whose bytes come in parts."""
    coming = iter(parts)

    async def receive() -> Message:
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": next(coming), "more_body": True}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def test_of_a_call_that_comes_in_parts_no_more_is_read_than_it_may_have() -> None:
    parts = iter([b" " * LONGEST_BODY, b" ", b"never read"])
    assert asyncio.run(endpoint._read(arriving(parts))) is None
    assert list(parts) == [b"never read"]


def test_a_call_that_does_not_come_to_its_end_is_not_waited_for(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "ARRIVES_WITHIN", 0.01)
    store = SiteStore("postgresql://slomix_web@127.0.0.1:1/nowhere")
    own = endpoint._Endpoint(command_settings(shown.pipeline.database), store)
    answer = asyncio.run(own.called(arriving(repeat(b" "), pause=0.005)))
    assert answer.status_code == 408


def test_a_call_for_another_application_or_from_another_server_is_refused(commands: Commands) -> None:
    data = {"type": 1, "name": "status"}
    assert commands.call(2, data).status_code == 200
    assert commands.call(2, data, application_id="100000000000000009").status_code == 403
    assert commands.call(1, {}, application_id="100000000000000009").status_code == 403
    assert commands.call(2, data, guild_id="200000000000000009").status_code == 403
    assert commands.call(2, data, guild_id=None).status_code == 403


def test_what_is_no_call_is_refused(commands: Commands) -> None:
    for body in (b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"type": 99}', b'{"type": 2, "data": 7}'):
        assert commands.send(body).status_code == 400


def test_only_calls_are_answered_there_and_without_settings_nothing_is(commands: Commands, shown: Shown) -> None:
    assert commands.client.get(PATH).status_code == 405
    assert shown.client.post(PATH, content=PING).status_code == 404
    with commands_on(shown.pipeline.database, discord_guild=None) as incomplete:
        assert incomplete.send(PING).status_code == 404


def test_a_database_that_is_away_is_told_to_who_asks(shown: Shown) -> None:
    store = SiteStore("postgresql://slomix_web@127.0.0.1:1/nowhere")
    app = create_app(command_settings(shown.pipeline.database), store)
    away = Commands(TestClient(app, base_url=OWN))
    message = away.message("status")
    assert message["flags"] == 64 and "does not answer just now" in message["content"]
    assert away.choices("session", "which") == []


def test_what_breaks_is_told_to_who_asks_and_no_token_is_logged(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(asked: object) -> None:
        raise RuntimeError("this is a bug")

    monkeypatch.setitem(answering._COMMANDS, CommandName.STATUS, breaks)
    with caplog.at_level(logging.DEBUG):
        message = commands.message("status")
        commands.send(b"{")
    assert message["flags"] == 64 and "log of the site" in message["content"]
    assert "this is a bug" in caplog.text and TOKEN not in caplog.text


Told = list[tuple[str, str, Any]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Every answer takes longer; here is what is told later, as method, address and message."""
    found: Told = []
    monkeypatch.setattr(endpoint, "AT_ONCE_WITHIN", 0)
    monkeypatch.setattr(endpoint, "_told", lambda method, url, message: found.append((method, url, message)))
    return found


WEBHOOK = f"https://discord.com/api/v10/webhooks/{APPLICATION}/{TOKEN}"


def test_an_answer_that_takes_longer_is_told_later(commands: Commands, told: Told) -> None:
    assert commands.typed("status") == {"type": 5}
    assert commands.typed("link", who="nobody") == {"type": 5, "data": {"flags": 64}}
    assert commands.pressed("top/kills/all/0/") == {"type": 6}
    assert {(method, url) for method, url, _ in told} == {("PATCH", f"{WEBHOOK}/messages/@original")}
    assert told[0][2]["embeds"][0]["title"] and "nobody" in told[1][2]["content"] and len(told) == 3
    assert commands.choices("player", "who") == [], "choices can't be told later"
    assert len(told) == 3


def test_why_there_is_no_answer_is_told_later_to_who_asked_alone(commands: Commands, told: Told) -> None:
    assert commands.typed("player", who="nobody of that name") == {"type": 5}
    (taken_back, original, _), (method, url, message) = told
    assert (taken_back, original) == ("DELETE", f"{WEBHOOK}/messages/@original")
    assert (method, url) == ("POST", WEBHOOK) and message["flags"] == 64
    told.clear()
    assert commands.pressed("a button of old") == {"type": 6}
    ((method, url, message),) = told
    assert (method, url) == ("POST", WEBHOOK) and message["flags"] == 64, "the message with the button stays"


def test_what_is_told_before_discord_knows_of_it_is_told_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = [404, 200, 429, 404]

    def call(*_: object, **__: object) -> requests.Response:
        answer = requests.Response()
        answer.status_code = statuses.pop(0)
        return answer

    monkeypatch.setattr(api, "call", call)
    monkeypatch.setattr(endpoint, "AGAIN_AFTER", 0)
    assert endpoint._told("PATCH", WEBHOOK, {}) is None
    assert endpoint._told("PATCH", WEBHOOK, {}) == "status 404" and statuses == []


def test_no_token_is_logged_or_told_when_discord_can_not_be_reached(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        trouble = endpoint._told("PATCH", f"http://127.0.0.1:1/api/webhooks/1/{TOKEN}", {})
    assert trouble == "ConnectionError" and TOKEN not in caplog.text


def test_to_be_refused_costs_no_connection_what_is_planned_on_it(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled_back: list[object] = []
    monkeypatch.setattr(SiteStore, "_still_good", lambda conn, error: rolled_back.append(error))
    assert commands.message("player", who="nobody of that name")["flags"] == 64
    assert rolled_back == []


_TEXT = st.text(max_size=20) | st.sampled_from(
    ["latest", "2026-02-02", "a", "\x00", "\ud800", "%s", "'; drop table match; --", "top/kd/30/1/", "top/kd/30/-7/x"]
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_OPTION = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["which", "part", "who", "user", "a", "b", "board", "period", "map", "x"]),
        "value": _TEXT | _ANYTHING,
    },
    optional={"focused": st.booleans()},
)
_DATA = st.fixed_dictionaries(
    {"name": st.sampled_from([command.name.value for command in COMMANDS]) | _TEXT},
    optional={
        "type": st.integers(0, 4),
        "options": st.lists(_OPTION, max_size=4),
        "target_id": st.just("300000000000000003") | _ANYTHING,
        "custom_id": _TEXT,
    },
)
_CALL = st.fixed_dictionaries(
    {"type": st.integers(0, 6), "application_id": st.just(APPLICATION), "guild_id": st.just(GUILD)},
    optional={"data": _DATA | _ANYTHING, "token": _TEXT, "member": _ANYTHING, "user": _ANYTHING},
)


@settings(max_examples=250)
@given(call=_CALL | _ANYTHING)
def test_whatever_a_signed_call_holds_the_answer_is_none_of_a_broken_server(commands: Commands, call: Any) -> None:
    answer = commands.send(json.dumps(call).encode())
    assert answer.status_code in (200, 400, 403)
    if answer.status_code == 200 and "data" in answer.json() and "choices" not in answer.json()["data"]:
        message = answer.json()["data"]
        assert refusals(Call(message, {})) == {} and message["allowed_mentions"] == {"parse": []}
        assert message["content"] or message["embeds"]
