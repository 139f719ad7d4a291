"""The public pages as a child of ``slomix run``: a process of its own, which neither waits for Dagster nor falls
with it.

Belongs here: starting it with what it may know, and again when it fell.
Does not belong here: what it serves (``site``).
"""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Self

from slomix_pipeline.runtime.children import end_child, start_child
from slomix_pipeline.settings import Settings, as_environment, environment_without_settings
from slomix_pipeline.site.settings import site_settings
from slomix_pipeline.warehouse import link_requests, site_schema
from slomix_pipeline.warehouse.database import Database, site_url

_PROGRAM = "from slomix_pipeline.site.serving import main; main()"
_LEAVE_WITHIN = 3.0  # seconds
_AGAIN_AFTER = 5.0  # seconds after it was started last
_LONG_LIFE = 60.0  # seconds after which a fall is a new one


class SiteProcess:
    """Runs within its block, on ``port``."""

    def __init__(self, settings: Settings, database: Database, port: int, say: Callable[[str], None]) -> None:
        reading, noting = (
            own.get_secret_value() if own else site_url(database.url, role)
            for own, role in (
                (settings.site_postgres_url, site_schema.ROLE),
                (settings.link_postgres_url, link_requests.ROLE),
            )
        )
        told = site_settings(settings, reading, noting, port)
        self._environment = environment_without_settings() | as_environment(told)
        self._home = settings.home
        self._child: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._say = say
        self._has_said = False
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        self.keep_up()
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            end_child(self._child, self._home, _LEAVE_WITHIN)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The number of its process."""
        return () if self._child is None else (self._child.pid,)

    def keep_up(self) -> None:
        """Starts it where it does not run; that it fell is said once, not as often as it falls again at once."""
        ended = self._child is None or self._child.poll() is not None
        lived = time.monotonic() - self._started_at
        if ended and self._child is not None and not self._has_said:
            self._say("The public pages ended by themselves (logs/site.log says why): starting again …")
            self._has_said = True
        elif not ended and lived >= _LONG_LIFE:
            self._has_said = False
        if ended and lived >= _AGAIN_AFTER:
            self._child = start_child("site", [sys.executable, "-c", _PROGRAM], self._environment, self._home)
            self._started_at = time.monotonic()
