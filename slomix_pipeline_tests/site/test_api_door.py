"""Who may ask the API, and how much."""

from collections.abc import Callable
from typing import Any, cast
from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from slomix_pipeline.settings import load_settings
from slomix_pipeline.site.api import application
from slomix_pipeline.site.api.door import Buckets
from slomix_pipeline.site.api.kit import api_url
from slomix_pipeline.site.app import create_app
from slomix_pipeline.site.serving import PROXIES
from slomix_pipeline_tests.site_fixtures import OWN, Shown

DOCUMENT = api_url("openapi.json")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_fills_with_time_and_never_over_its_brim() -> None:
    clock = Clock()
    buckets = Buckets(60, 2, clock=clock)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1.0]
    clock.now = 0.5
    assert buckets.take("a") == 0.5
    clock.now = 1.0
    assert (buckets.take("a"), buckets.take("b")) == (0, 0)
    clock.now = 100.0
    buckets.give_back("a")
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1.0]


def test_of_many_clients_only_some_are_remembered() -> None:
    buckets = Buckets(60, 1, most=100, clock=Clock())
    assert buckets.take("a") == 0
    for number in range(99):
        buckets.take(str(number))
        assert buckets.take("a") > 0
    for number in range(1000):
        buckets.take(str(number))
    assert len(buckets._left) == 100


@pytest.fixture
def behind(shown: Shown) -> Callable[[str], TestClient]:
    """The pages as who asks through an address has them, where a client may ask the API twice at once."""
    store = shown.client.app.state.answers._store  # type: ignore[attr-defined]
    with patch.object(application, "BURST", 2), patch.object(application, "PER_MINUTE", 1):
        app: Any = ProxyHeadersMiddleware(cast(Any, create_app(load_settings(), store)), PROXIES)
    return lambda address: TestClient(app, base_url=OWN, client=(address, 1))


@pytest.fixture
def narrow(behind: Callable[[str], TestClient]) -> TestClient:
    """The same, through the proxy of this machine."""
    return behind("127.0.0.1")


def test_who_asks_too_much_is_told_when_to_ask_again(narrow: TestClient) -> None:
    assert [narrow.get(DOCUMENT).status_code for _ in range(3)] == [200, 200, 429]
    refused = narrow.get(api_url("sessions"))
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
    assert 0 < int(refused.headers["retry-after"]) <= 60 and refused.headers["access-control-allow-origin"] == "*"
    assert narrow.get("/").status_code == 200, "pages are free"


def test_what_has_not_changed_costs_nothing(narrow: TestClient) -> None:
    tag = narrow.get(api_url("sessions")).headers["etag"]
    for _ in range(5):
        assert narrow.get(api_url("sessions"), headers={"If-None-Match": tag}).status_code == 304
    assert [narrow.get(DOCUMENT).status_code for _ in range(2)] == [200, 429]


def test_the_client_is_who_the_proxy_says_and_nobody_else_s_word_counts(behind: Callable[[str], TestClient]) -> None:
    proxy, other = behind("127.0.0.1"), behind("198.51.100.9")

    def asked(through: TestClient, client: str) -> int:
        code: int = through.get(DOCUMENT, headers={"X-Forwarded-For": client}).status_code
        return code

    assert [asked(proxy, "192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert asked(proxy, "192.0.2.2") == 200
    assert [asked(other, f"192.0.2.{number}") for number in range(3, 6)] == [200, 200, 429]


def test_addresses_of_one_network_of_ipv6_are_one_client(narrow: TestClient) -> None:
    codes = [
        narrow.get(DOCUMENT, headers={"X-Forwarded-For": address}).status_code
        for address in ("2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1::3", "2001:db8:0:2::1")
        + ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2")
    ]
    assert codes == [200, 200, 429, 200, 200, 200, 429, 200]


def test_programs_of_every_origin_may_ask_and_nobody_s_login_goes_with_it(shown: Shown) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    for url in (
        api_url("sessions"),
        api_url("nothing"),
        f"{api_url('sessions')}?limit=x",
        f"{api_url('sessions')}?on=%00",
    ):
        answer = shown.client.get(url, headers=origin)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
    asked = {**origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "if-none-match"}
    before = shown.client.options(api_url("sessions"), headers=asked)
    assert before.status_code == 204 and "GET" in before.headers["access-control-allow-methods"]
    assert "if-none-match" in before.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-origin" not in shown.client.get("/", headers=origin).headers
