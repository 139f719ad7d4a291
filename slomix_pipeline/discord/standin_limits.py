"""The stand-in's rate limits, told as Discord tells them ("Rate Limits").

Belongs here: buckets, the global limit, their headers, the answer 429. Does not belong here: what a client makes of
them (``client``).
"""

import math
import time
from typing import Any

from starlette.responses import JSONResponse

CALLS_ALLOWED, CALLS_WINDOW = 20, 1.0  # per seconds; Discord's own limit differs and is to be read from its headers


def refused_for(seconds: float, headers: dict[str, str], *, everywhere: bool = False) -> JSONResponse:
    """The answer to a call too many: of its bucket, or ``everywhere`` at once."""
    scope = (
        {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"} if everywhere else {"X-RateLimit-Scope": "user"}
    )
    body: dict[str, Any] = {"message": "You are being rate limited.", "retry_after": seconds, "global": everywhere}
    return JSONResponse(body, 429, {**headers, **scope, "Retry-After": str(math.ceil(seconds))})


def bucket_headers(bucket: str, allowed: int, used: int, seconds: float) -> dict[str, str]:
    """How Discord tells the state of a bucket: ``used`` of ``allowed`` calls, until ``seconds`` from now."""
    return {
        "X-RateLimit-Limit": str(allowed),
        "X-RateLimit-Remaining": str(max(0, allowed - used)),
        "X-RateLimit-Reset": f"{time.time() + seconds:.3f}",
        "X-RateLimit-Reset-After": f"{seconds:.3f}",
        "X-RateLimit-Bucket": bucket,
    }


class Limits:
    """So many calls of each bucket in a window of seconds; a bucket is a kind of call. And at times none at all."""

    def __init__(self) -> None:
        self.allowed, self.window = CALLS_ALLOWED, CALLS_WINDOW
        self.closed_until = 0.0  # time.monotonic()
        self._used: dict[str, tuple[float, int]] = {}  # by bucket: when its window ends, calls in it

    def count(self, bucket: str) -> tuple[JSONResponse | None, dict[str, str]]:
        """Count one call: the refusal, if it is too many, and the headers that any other answer to it has."""
        now = time.monotonic()
        if now < self.closed_until:
            return refused_for(round(self.closed_until - now, 3), {}, everywhere=True), {}
        ends, used = self._used.get(bucket, (0.0, 0))
        if now >= ends:
            ends, used = now + self.window, 0
        used += 1
        self._used[bucket] = ends, used
        headers = bucket_headers(bucket, self.allowed, used, ends - now)
        return (refused_for(round(ends - now, 3), headers) if used > self.allowed else None), headers
