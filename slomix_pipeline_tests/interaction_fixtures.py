"""Slash commands over the pages of an evening, for tests: a key pair that signs calls as Discord does.

Belongs here: the fixture ``commands``, and ``commands_on`` for a pipeline of a test's own. Does not belong here: what is
answered (the tests in ``site``).
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient
from httpx import Response

from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.site.app import create_app
from slomix_pipeline.site.interactions.endpoint import PATH
from slomix_pipeline.warehouse import link_requests, site_schema
from slomix_pipeline.warehouse.database import Database, site_url
from slomix_pipeline.warehouse.site_store import SiteStore
from slomix_pipeline_tests.site_fixtures import OWN, Shown

APPLICATION, GUILD, SOMEBODY, TOKEN = "100000000000000001", "200000000000000002", "300000000000000003", "a-secret-token"
KEY = Ed25519PrivateKey.generate()
PUBLIC_KEY = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


class Commands:
    """What people type on Discord, as it arrives here."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def send(
        self,
        body: bytes,
        *,
        key: Ed25519PrivateKey = KEY,
        age: float = 0,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A signed call. ``headers``: others than belong there."""
        timestamp = str(int(time.time() - age))
        own = {
            "X-Signature-Ed25519": key.sign(timestamp.encode() + body).hex(),
            "X-Signature-Timestamp": timestamp,
            **(headers or {}),
        }
        answer: Response = self.client.post(PATH, content=body, headers=own)
        return answer

    def call(self, kind: int, data: dict[str, Any], user: str = SOMEBODY, **other: Any) -> Response:
        """A call of a kind by somebody."""
        member = {"user": {"id": user, "username": "somebody"}, "permissions": "0"}
        sent = {"id": "1", "type": kind, "application_id": APPLICATION, "token": TOKEN, "guild_id": GUILD}
        return self.send(json.dumps({**sent, "member": member, "data": data, **other}).encode())

    def typed(self, name: str, user: str = SOMEBODY, **options: str) -> dict[str, Any]:
        """The answer to a command, by whose options not given are None."""
        answer = self.call(2, {"type": 1, "name": name, "options": _options(options)}, user)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def message(self, name: str, user: str = SOMEBODY, **options: str) -> dict[str, Any]:
        """The message of an answer."""
        answer = self.typed(name, user, **options)
        assert answer["type"] == 4
        message: dict[str, Any] = answer["data"]
        return message

    def choices(self, name: str, option: str, text: str = "") -> list[dict[str, str]]:
        """What can be chosen while somebody types an option."""
        focused = {"type": 3, "name": option, "value": text, "focused": True}
        answer = self.call(4, {"type": 1, "name": name, "options": [focused]}).json()
        assert answer["type"] == 8
        found: list[dict[str, str]] = answer["data"]["choices"]
        return found

    def pressed(self, custom_id: str) -> dict[str, Any]:
        """The answer to a button."""
        answer = self.call(3, {"component_type": 2, "custom_id": custom_id})
        assert answer.status_code == 200
        said: dict[str, Any] = answer.json()
        return said


def _options(given: dict[str, str]) -> list[dict[str, Any]]:
    return [{"type": 6 if name == "user" else 3, "name": name, "value": value} for name, value in given.items()]


def command_settings(database: Database, **other: Any) -> Settings:
    """Settings with which commands are answered on a database whose sessions are over, though they were played just
    now."""
    own = {
        "discord_application_id": APPLICATION,
        "discord_public_key": PUBLIC_KEY,
        "discord_guild": GUILD,
        "link_postgres_url": site_url(database.url, link_requests.ROLE),
        "session_gap": "10 s",
        "pairing_window": "5 s",
    }
    return load_settings(**{**own, **other})


@contextmanager
def commands_on(database: Database, **settings: Any) -> Iterator[Commands]:
    """Commands of what a database holds."""
    store = SiteStore(site_url(database.url, site_schema.ROLE))
    try:
        yield Commands(TestClient(create_app(command_settings(database, **settings), store), base_url=OWN))
    finally:
        store.close()


@pytest.fixture(scope="module")
def commands(shown: Shown) -> Iterator[Commands]:
    """Commands of what the evening's pages show."""
    with commands_on(shown.pipeline.database) as found:
        yield found


def embed_of(message: dict[str, Any]) -> dict[str, Any]:
    """The one embed of a message."""
    (embed,) = message["embeds"]
    found: dict[str, Any] = embed
    return found


def text_of(message: dict[str, Any]) -> str:
    """All that a message says."""
    return json.dumps(message, ensure_ascii=False)
