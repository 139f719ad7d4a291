"""One HTTP request with an end: whatever the network does, it is over in time, and nothing of it happens later.

Belongs here: the total time of a request, which requests has not (its limits are per address and per read: a server
that drips bytes holds it for ever), and whether anything of it can have reached the server.
Does not belong here: what an answer means (``client``).
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter


class OutOfTime(Exception):
    """The time was over before the answer was."""


class Attempt:
    """One request. ``connected``: whether a connection stood, so that something of the request may have arrived."""

    def __init__(self) -> None:
        self.connected = False
        self._over = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def run(self, request: Callable[[requests.Session], requests.Response], seconds: float) -> requests.Response:
        """The answer to ``request``, which is given a session to make it with.

        Raises:
            OutOfTime: it took longer; the connection is cut, and one that is still being made will never be used.
            requests.RequestException: as it raised.
        """
        outcome: list[requests.Response | Exception] = []

        def work() -> None:
            try:
                with requests.Session() as session:
                    for scheme in ("http://", "https://"):
                        session.mount(scheme, _Adapter(self))
                    outcome.append(request(session))
            except Exception as error:  # told to the caller, who waits
                outcome.append(error)

        # A thread, for a name server or a dead route can hold a connection back beyond any limit that can be set.
        thread = threading.Thread(target=work, name="discord-call", daemon=True)
        thread.start()
        thread.join(seconds)
        self._stop()
        if not outcome:
            raise OutOfTime
        if isinstance(outcome[0], Exception):
            raise outcome[0].with_traceback(None) from None
        return outcome[0]

    def use(self, connection: socket.socket) -> None:
        """Called when a connection stands, before anything is sent on it."""
        with self._lock:
            if self._over:
                connection.close()
                raise OutOfTime
            self.connected, self._socket = True, connection

    def _stop(self) -> None:
        with self._lock:
            self._over = True
            if self._socket is not None:
                with suppress(OSError):  # over by itself
                    self._socket.shutdown(socket.SHUT_RDWR)  # wakes whoever reads from it


class _Adapter(HTTPAdapter):
    """What requests gets its connections from; each is shown to its attempt."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__()
        self._attempt = attempt

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if not hasattr(pool.ConnectionCls, "attempt"):
            shown = {"attempt": self._attempt, "connect": _connect_and_show(pool.ConnectionCls)}
            pool.ConnectionCls = type("_Shown", (pool.ConnectionCls,), shown)
        return pool


def _connect_and_show(kind: Any) -> Callable[[Any], None]:
    def connect(connection: Any) -> None:
        kind.connect(connection)
        connection.attempt.use(connection.sock)

    return connect
