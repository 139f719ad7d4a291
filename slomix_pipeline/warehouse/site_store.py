"""The database as pages read it: as the role of ``site_schema``, one moment per page.

Belongs here: connections that are kept with what the server has planned on them (planning takes longer than most of
what pages ask), the version of the data, and what a database that is away becomes.
Does not belong here: what is read (the other readers of ``warehouse``, unchanged), caching answers (``site.answers``).
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.rules.sessions import still_runs
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse.database import PAGES_OPTIONS, UNHEARD_MS, Database, postgres_url, site_url
from slomix_pipeline.warehouse.site_schema import ROLE

_KEPT = 4  # connections that nobody uses just now
_AT_ONCE = 8  # connections at all: the database has rounds to take in, too
_WAIT_SECONDS = 2.0  # for one of them
_CONNECT_TIMEOUT_SECONDS = 3
# From one server to the next by the index: they are few, and their sessions many.
_VERSION = """
    with recursive known (server) as (
        select min(server) from session
        union all
        select (select min(s.server) from session s where s.server > known.server) from known
        where known.server is not null
    )
    select version, privacy, changed_at,
           array(select (select max(ended_at) from session s where s.server = known.server) from known
                 where known.server is not null order by known.server) as played_until
    from site.version"""


class StoreUnavailable(SlomixError):
    """The database does not answer, or does not let us read what pages show. The text is for the log."""


@dataclass(frozen=True)
class Version:
    """How new the data is. ``privacy``: raised by every wish to be hidden, and by every end of one; ``played_until``:
    when the newest session of each game server ended so far, which may go on."""

    number: int
    privacy: int
    changed_at: datetime
    played_until: tuple[datetime, ...] = ()

    def running(self, now: datetime, gap: timedelta) -> tuple[datetime, ...]:
        """When the sessions ended so far that may go on."""
        return tuple(ended_at for ended_at in self.played_until if still_runs(ended_at, now, gap))


@dataclass(frozen=True)
class Moment:
    """All that is read through ``conn`` is of one moment, and of this version."""

    conn: Connection[DictRow]
    version: Version


def reading_url(settings: Settings) -> str:
    """The address that pages read by: the one given, else this home's database as the role of pages.

    Raises:
        EmbeddedPostgresError: the embedded server can't be used.
    """
    if settings.site_postgres_url is not None:
        return settings.site_postgres_url.get_secret_value()
    return site_url(postgres_url(settings), ROLE)


class SiteStore:
    """What pages read from. Starts without a database, and finds it when it is there.

    Raises:
        DatabaseUnavailable: the address can't be read.
    """

    def __init__(self, url: str) -> None:
        Database(url)  # reads it as every address is read
        given = conninfo_to_dict(url)
        self._conninfo = make_conninfo(
            url,
            application_name="slomix site",
            options=f"{given.get('options', '')} {PAGES_OPTIONS}".strip(),
            connect_timeout=given.get("connect_timeout", _CONNECT_TIMEOUT_SECONDS),
            tcp_user_timeout=given.get("tcp_user_timeout", UNHEARD_MS),
        )
        self._idle: list[Connection[DictRow]] = []
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(_AT_ONCE)

    @contextmanager
    def moment(self) -> Iterator[Moment]:
        """Everything as it is at this moment.

        Raises:
            StoreUnavailable: the database is away, went away meanwhile, or too many read just now.
        """
        if not self._free.acquire(timeout=_WAIT_SECONDS):
            raise StoreUnavailable(f"{_AT_ONCE} pages are being read at once")
        conn = None
        try:
            conn, version = self._begun()
            yield Moment(conn, version)
            conn.commit()  # a rollback would forget what is planned
        except BaseException as error:
            if conn is not None and not self._still_good(conn, error):
                conn.close()
            if isinstance(error, _AWAY):
                raise StoreUnavailable(str(error).strip()) from None
            raise
        finally:
            if conn is not None and not conn.closed:
                self._put_aside(conn)
            self._free.release()

    def _begun(self) -> tuple[Connection[DictRow], Version]:
        """A connection, and the version that its snapshot has. Of lines that were put aside the server may have closed
        any: the next one is tried, at last a new one."""
        while kept := self._kept():
            try:
                return kept, _version(kept)
            except psycopg.Error:
                kept.close()
        conn = psycopg.connect(self._conninfo, row_factory=dict_row)
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        conn.prepare_threshold = 0
        try:
            return conn, _version(conn)
        except BaseException:
            conn.close()
            raise

    def _kept(self) -> Connection[DictRow] | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    @staticmethod
    def _still_good(conn: Connection[DictRow], error: BaseException) -> bool:
        """Whether a connection can be used again; after an error of the server's what was planned may be outdated."""
        if isinstance(error, psycopg.Error):
            return False
        with suppress(psycopg.Error):
            conn.rollback()
        return not conn.closed

    def _put_aside(self, conn: Connection[DictRow]) -> None:
        with self._lock:
            if len(self._idle) < _KEPT:
                self._idle.append(conn)
                return
        conn.close()

    def close(self) -> None:
        """Closes what is put aside."""
        while kept := self._kept():
            kept.close()


class HeldStore(SiteStore):
    """A store of which every moment is the same, ``held``, for what is read one after the other and belongs together.

    Raises:
        DatabaseUnavailable: the address can't be read.
        StoreUnavailable: the database is away.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._until_closed = ExitStack()
        self.held = self._until_closed.enter_context(super().moment())

    @contextmanager
    def moment(self) -> Iterator[Moment]:
        """The moment that is held; what fails in it ends alone.

        Raises:
            StoreUnavailable: the database went away meanwhile.
        """
        try:
            with self.held.conn.transaction():
                yield self.held
        except _AWAY as error:
            raise StoreUnavailable(str(error).strip()) from None

    def close(self) -> None:
        with suppress(StoreUnavailable):
            self._until_closed.close()
        super().close()


# Away, restarting, being migrated, or not yet set up: all of these are over some time, and none is the reader's fault.
_AWAY = (
    psycopg.OperationalError,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.UndefinedTable,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.FeatureNotSupported,
)


def _version(conn: Connection[DictRow]) -> Version:
    row = conn.execute(_VERSION).fetchone()
    assert row is not None
    return Version(row["version"], row["privacy"], row["changed_at"], tuple(row["played_until"]))
