"""Who may ask the API, and how much: programs of every origin, each client so often.

Belongs here: CORS, the bucket of each client, HEAD. Does not belong here: who the client is behind a proxy (the
server's ``forwarded_allow_ips``, ``site.serving``); pages, which are free.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slomix_pipeline.site.api.problems import problem

PER_MINUTE, BURST = 120, 60  # requests of a client; so many at once
_REMEMBERED = 10_000  # clients; who has not asked for longest is forgotten, and has a full bucket again
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag, Link, Retry-After"}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-None-Match",
    "Access-Control-Max-Age": "86400",
}


class Buckets:
    """What clients may still ask for: a bucket each, which fills with time."""

    def __init__(
        self, per_minute: float, burst: int, most: int = _REMEMBERED, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._a_second, self._burst, self._most, self._clock = per_minute / 60, burst, most, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # as of when

    def take(self, client: str) -> float:
        """Takes one from a client's bucket. Returns 0, or the seconds until there is one."""
        left = self._left_of(client)
        self._keep(client, left - 1 if left >= 1 else left)
        return 0 if left >= 1 else (1 - left) / self._a_second

    def give_back(self, client: str) -> None:
        """Takes back that one was taken."""
        self._keep(client, self._left_of(client) + 1)

    def _left_of(self, client: str) -> float:
        now = self._clock()
        left, as_of = self._left.get(client, (self._burst, now))
        return min(self._burst, left + (now - as_of) * self._a_second)

    def _keep(self, client: str, left: float) -> None:
        self._left[client] = min(self._burst, left), self._clock()
        self._left.move_to_end(client)
        if len(self._left) > self._most:
            self._left.popitem(last=False)


class Door:
    """Lets requests in. What the client has already (304) costs nothing."""

    def __init__(self, app: ASGIApp, buckets: Buckets) -> None:
        self._app, self._buckets = app, buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = _client(scope)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(CORS)
                if message["status"] == 304:
                    self._buckets.give_back(client)
            await send(message)

        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send_on)
        elif wait := self._buckets.take(client):
            text = f"More than {PER_MINUTE} requests a minute, or {BURST} at once."
            refused = problem(429, text, headers={"Retry-After": str(ceil(wait))})
            await refused(scope, receive, send_on)
        else:  # the server sends no body to who asks for the head alone
            method = "GET" if scope["method"] == "HEAD" else scope["method"]
            await self._app({**scope, "method": method}, receive, send_on)


def _client(scope: Scope) -> str:
    """Who asks. Of IPv6 everybody has as many addresses as he likes, within one network; what is no address is nobody's
    in particular, and as short."""
    try:
        address = ip_address(scope["client"][0] if scope["client"] else "")
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)
