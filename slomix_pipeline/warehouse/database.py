"""Which PostgreSQL is used, connections to it, and the lock per game server.

Belongs here: the address for our own code and for Dagster, connecting, transactions, advisory locks.
Does not belong here: the embedded server's life (``embedded``), tables (``migrations`` and one module per thing).

The address may hold a password: it is never part of a repr or of an error.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse.connections import KeptConnection

CONNECT_TIMEOUT_SECONDS = 10
OLDEST_VERSION = 15  # of PostgreSQL, that our SQL needs: there whoever owns a database owns its schema public
# Seconds until PostgreSQL asks a silent machine, between questions, and how many stay without an answer: what a machine
# that vanished has locked is free after a minute; by default it stays so for hours.
_KEEPALIVE = "-ctcp_keepalives_idle=20 -ctcp_keepalives_interval=10 -ctcp_keepalives_count=3"
UNHEARD_MS = 10_000  # what a server's machine does not acknowledge for so long breaks the connection; else minutes
DAGSTER_SCHEMA = "dagster"
# How pages read: the schema site before any other, changing nothing, and not waited for. Planning their views takes
# longer than a plan of its own for each key could save.
PAGES_OPTIONS = (
    "-csearch_path=site,public -cdefault_transaction_read_only=on -cstatement_timeout=5s "
    "-cidle_in_transaction_session_timeout=10s -cplan_cache_mode=force_generic_plan -ctimezone=UTC"
)
COMMAND_WORKS = "a command works rounds out"  # the name of the lock of who does so outside Dagster's runs

# A second "@", or "/", "?", "#" before the first one, is a password that was not percent-encoded: parts of it would be
# read as the host and shown in errors.
_ADDRESS = re.compile(r"postgres(?:ql)?://(?:[^@/?#]*@)?[^@]*")


Deadlocked = psycopg.errors.DeadlockDetected  # PostgreSQL ended a transaction that others waited for; try it again


# The tables that an import fills.
_GROWING = (
    "file, file_content, unfinished, uncatalogued, check_result, parsed_round, parsed_player, parsed_weapon, "
    "timing_record, round, round_player, round_weapon, round_timing, round_endstats, endstats_file, award, versus, "
    "session, session_round, session_player, match, player_round_fact, player_session_fact, "
    "session_map, round_in_book, map_attack, book_night, player_weapon_fact, player_match_fact, player_night_fact, "
    "player_met_fact, player_duel_fact, alias_fact"
)


class StillHeld(Exception):
    """Somebody else holds a lock for longer than we wait. The text is its name."""


class DatabaseUnavailable(SlomixError):
    """PostgreSQL can't be reached or refuses us; the text says why, without password."""


def postgres_url(settings: Settings) -> str:
    """The address in force, of who owns our tables: the one given, else the embedded server's, which is started or
    joined.

    Raises:
        EmbeddedPostgresError, OwnershipError, DatabaseUnavailable: the embedded server can't be used.
    """
    if settings.postgres_url is not None:
        return settings.postgres_url.get_secret_value()
    from slomix_pipeline.warehouse.embedded import start_embedded  # needs Unix; a given server doesn't

    return start_embedded(settings.postgres_dir)


def dagster_url(url: str) -> str:
    """An address as Dagster's storage takes it: its tables are in a schema of their own.

    Dagster works through psycopg2, which has to be named: SQLAlchemy 2.1 takes a bare ``postgresql://`` for psycopg 3.
    A commit doesn't wait for the disk there (a crash of the machine may cost the last moments of Dagster's log, never a
    round): bulk imports are a third faster.
    """
    # Host and port go into the query: there they mean to SQLAlchemy what they mean to libpq, sockets included.
    # User and password stay in front, where SQLAlchemy hides the password.
    given = conninfo_to_dict(url)
    login = ":".join(quote(str(given.pop(key)), safe="") for key in ("user", "password") if key in given)
    name = quote(str(given.pop("dbname", "")), safe="")
    own = f"-csearch_path={DAGSTER_SCHEMA} -csynchronous_commit=off -ctimezone=UTC"  # it has columns without a zone
    given["options"] = f"{given.get('options', '')} {own}".strip()
    return f"postgresql+psycopg2://{login}@/{name}?{urlencode(given, quote_via=quote)}"


def site_url(url: str, role: str) -> str:
    """The address of the database at ``url`` for another ``role``, without a password."""
    given = conninfo_to_dict(url)
    name = quote(str(given.pop("dbname", "")), safe="")
    for login in ("user", "password"):
        given.pop(login, None)
    return f"postgresql://{quote(role, safe='')}@/{name}?{urlencode(given, quote_via=quote)}"


def url_beside(url: str, name: str) -> str:
    """The address of another database on the same server, by the same login."""
    return _url(conninfo_to_dict(url) | {"dbname": name})


def with_password(url: str, password: str) -> str:
    """The address with a password."""
    return _url(conninfo_to_dict(url) | {"password": password})


def without_password(url: str) -> str:
    """The address as it may be shown."""
    return _url({name: value for name, value in conninfo_to_dict(url).items() if "password" not in name})


def _url(given: dict[str, str | int | None]) -> str:
    login = ":".join(quote(str(given.pop(key)), safe="") for key in ("user", "password") if key in given)
    name = quote(str(given.pop("dbname", "")), safe="")
    return f"postgresql://{login}@/{name}?{urlencode(given, quote_via=quote)}"


def advisory_key(name: str) -> int:
    """The key of the PostgreSQL advisory lock ``name``: the first 8 bytes of the sha256 of ``"slomix <name>"``."""
    return int.from_bytes(hashlib.sha256(f"slomix {name}".encode()).digest()[:8], "big", signed=True)


def locked_server(conn: psycopg.Connection[DictRow], server: str, *, shared: bool = False) -> None:
    """Waits until this transaction is the only one that changes the game server ``server``, and stays so to its end.

    ``shared``: beside others that share the lock too, and agreed on who changes what.

    The lock is PostgreSQL's, of the key ``advisory_key("server <id>")``: a killed process leaves none behind.
    """
    lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    conn.execute(f"SELECT {lock}(%s)", [advisory_key(f"server {server}")])


class Database:
    """One PostgreSQL database; holds its address (``url``: for handing on, never for showing).

    Raises:
        DatabaseUnavailable: the address can't be read.
    """

    def __init__(self, url: str) -> None:
        try:
            if _ADDRESS.fullmatch(url) is None:
                raise ValueError
            given = conninfo_to_dict(url)
            self._conninfo = make_conninfo(
                url,
                application_name="slomix",
                connect_timeout=given.get("connect_timeout", CONNECT_TIMEOUT_SECONDS),
                tcp_user_timeout=given.get("tcp_user_timeout", UNHEARD_MS),
                options=f"{given.get('options', '')} -ctimezone=UTC {_KEEPALIVE}".strip(),
            )
        except (ValueError, psycopg.Error):
            raise DatabaseUnavailable(
                "the PostgreSQL address can't be read; write SLOMIX_POSTGRES_URL as "
                "postgresql://user:password@host/name and percent-encode special characters in the password "
                "(@ is %40, / is %2F, # is %23)"
            ) from None
        self.url = url
        self.user = None if given.get("user") is None else str(given["user"])
        self.name = f"{given.get('dbname', '')} on {given.get('host', 'localhost')}"

    def __repr__(self) -> str:
        return f"Database({self.name})"

    def connect(self) -> psycopg.Connection[DictRow]:
        """A connection as if new: rows are dicts, times UTC, nothing commits by itself. As a context manager it commits
        (rolls back after an exception) and closes.

        Raises:
            DatabaseUnavailable: the server can't be reached or refuses us.
        """
        try:
            return KeptConnection.open(self._conninfo)
        except psycopg.OperationalError as error:
            raise DatabaseUnavailable(f"PostgreSQL database {self.name}: {error}") from None

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[DictRow]]:
        """A connection whose changes are committed at the end, all or none.

        Raises:
            DatabaseUnavailable: the server can't be reached or refuses us.
        """
        with self.connect() as conn:
            yield conn

    @contextmanager
    def snapshot(self) -> Iterator[psycopg.Connection[DictRow]]:
        """A connection for reading several things that belong together: all of its statements see one moment, so of a
        run at work all or nothing.

        Raises:
            DatabaseUnavailable: the server can't be reached or refuses us.
        """
        with self.connect() as conn:
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            conn.read_only = True
            yield conn

    def learn_sizes(self) -> None:
        """Has PostgreSQL look at how much its tables hold, as its plans go by that. By itself it looks once a minute,
        too seldom for what grows from nothing to years in that time."""
        with self.connect() as conn:
            conn.autocommit = True
            conn.execute(f"analyze {_GROWING}")

    @contextmanager
    def hold(self, name: str, *, patience: float | None = None) -> Iterator[psycopg.Connection[DictRow]]:
        """Waits until nobody else holds the lock ``name``, and holds it to the end; each statement on the connection
        commits by itself. A killed process leaves no lock behind.

        Args:
            patience: seconds to wait; None: as long as it takes.

        Raises:
            DatabaseUnavailable: the server can't be reached or refuses us.
            StillHeld: somebody held it for longer than ``patience``.
        """
        with self.connect() as conn:
            conn.autocommit = True
            try:
                if patience is not None:
                    conn.execute(
                        "SELECT set_config('lock_timeout', %s, false)", [f"{max(1, round(patience * 1000))}ms"]
                    )
                conn.execute("SELECT pg_advisory_lock(%s)", [advisory_key(name)])
            except psycopg.errors.LockNotAvailable:
                raise StillHeld(name) from None
            if patience is not None:
                conn.execute("RESET lock_timeout")
            yield conn

    @contextmanager
    def try_hold(self, name: str) -> Iterator[psycopg.Connection[DictRow] | None]:
        """As ``hold``, without waiting: None when somebody else holds the lock.

        Raises:
            DatabaseUnavailable: the server can't be reached or refuses us.
        """
        with self.connect() as conn:
            conn.autocommit = True
            row = conn.execute("SELECT pg_try_advisory_lock(%s) AS got", [advisory_key(name)]).fetchone()
            yield conn if row is not None and row["got"] else None
