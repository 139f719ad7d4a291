"""Who asked on Discord to be linked to which player, until an admin decides it; and the role that may note it.

Belongs here: ``link_request``, its role, and which player a Discord user is. Does not belong here: the links themselves
(``identities``), what is answered (``site.interactions``), what else pages may read (``site_schema``).

The role has one right beside those that PostgreSQL gives everybody: to add requests. Whatever becomes of the process
of the pages, it lists no request and makes no link.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow

from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import roles
from slomix_pipeline.warehouse.database import UNHEARD_MS, Database, DatabaseUnavailable, postgres_url, site_url
from slomix_pipeline.warehouse.rows import rows_of

ROLE = roles.LINKS
LONGEST_NAME = 64  # characters of what somebody is called on Discord

_GRANT = f"grant insert on link_request to {ROLE};"
_OPTIONS = "-cstatement_timeout=2s -clock_timeout=1s"
_CONNECT_TIMEOUT_SECONDS = 2


class NotNoted(Exception):
    """A request could not be stored just now; the text is for the log."""


@dataclass(frozen=True)
class Wish:
    """That a Discord user wants to be linked to a player. ``called``: what he is called on Discord."""

    discord_id: str
    called: str
    guid: str


@dataclass(frozen=True)
class LinkRequest:
    """A row of ``link_request``. ``called``: what the user is called on Discord; ``player``: the name that the GUID
    plays under."""

    discord_id: str
    called: str
    guid: str
    player: str | None
    asked_at: datetime


def noting_url(settings: Settings) -> str:
    """The address that requests are noted by: the one given, else this home's database as the role for that.

    Raises:
        EmbeddedPostgresError: the embedded server can't be used.
    """
    if settings.link_postgres_url is not None:
        return settings.link_postgres_url.get_secret_value()
    return site_url(postgres_url(settings), ROLE)


def note(url: str, wish: Wish) -> None:
    """Stores that somebody asked; what he asked for before is forgotten.

    Raises:
        NotNoted: the database is away, or does not let us.
    """
    with _connected(url) as conn:
        try:
            _store(conn, wish)
        except psycopg.errors.UniqueViolation:  # he asked twice at once: by now the other wish is there to be forgotten
            _store(conn, wish)


def check(url: str) -> None:
    """Looks whether requests can be noted by an address.

    Raises:
        NotNoted: see ``note``.
    """
    with _connected(url):
        pass


@contextmanager
def _connected(url: str) -> Iterator[Connection[tuple[Any, ...]]]:
    """A connection on which each statement commits by itself. Its errors hold no part of a password: an address that
    libpq would read wrongly is not given to it.

    Raises:
        NotNoted: also for what goes wrong on it.
    """
    try:
        Database(url)  # reads it as every address is read
        given = make_conninfo(
            url,
            application_name="slomix link",
            options=f"{conninfo_to_dict(url).get('options', '')} {_OPTIONS}".strip(),
            connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            tcp_user_timeout=UNHEARD_MS,
        )
        with psycopg.connect(given, autocommit=True) as conn:
            yield conn
    except DatabaseUnavailable:
        raise NotNoted("SLOMIX_LINK_POSTGRES_URL can't be read: write it as SLOMIX_POSTGRES_URL is written") from None
    except psycopg.Error as error:
        raise NotNoted(str(error).strip()) from None


def _store(conn: Connection[tuple[Any, ...]], wish: Wish) -> None:
    conn.execute(
        "insert into link_request (discord_id, called, guid) values (%s, %s, %s)",
        [wish.discord_id, wish.called[:LONGEST_NAME], wish.guid],
    )


def listed(conn: Connection[DictRow]) -> list[LinkRequest]:
    """All that wait, oldest first."""
    with conn.cursor(row_factory=rows_of(LinkRequest)) as cursor:
        return cursor.execute(
            """select discord_id, called, guid, name as player, asked_at
               from link_request left join player_name using (guid) order by asked_at, discord_id"""
        ).fetchall()


def drop(conn: Connection[DictRow], discord_id: str) -> bool:
    """Forgets what a Discord user asked for. Returns whether he had."""
    return conn.execute("delete from link_request where discord_id = %s", [discord_id]).rowcount > 0


def linked_player(conn: Connection[DictRow], discord_id: str) -> str | None:
    """The GUID of the player that a Discord user is, read as pages read; None: nobody's, or who wished to be hidden."""
    row = conn.execute("select site.linked_player(%s) as guid", [discord_id]).fetchone()
    return None if row is None else row["guid"]


def make_role(conn: Connection[DictRow]) -> None:
    """Makes the role where it is missing and we may do everything; ``conn`` commits each statement."""
    if roles.may_make(conn):
        roles.make(conn, ROLE)


def grant(conn: Connection[DictRow]) -> None:
    """Lets the role note requests, where there is such a role."""
    if roles.is_there(conn, ROLE):
        conn.execute(_GRANT)


def statements_for_role(conn: Connection[DictRow]) -> str:
    """What whoever may do everything runs so that the role is there and can note requests, on one line."""
    made = [] if roles.is_there(conn, ROLE) else [roles.create_statement(ROLE)]
    return " ".join([*made, _GRANT])


def trouble_with_role(conn: Connection[DictRow]) -> str | None:
    """Why the role can't note requests, or may do more with what is stored; None: all is as it should be."""
    if not roles.is_there(conn, ROLE):
        return f"there is no role {ROLE}"
    may = conn.execute(
        """select r.rolsuper or has_schema_privilege(r.rolname, 'site', 'usage')
                  or has_table_privilege(r.rolname, 'link_request', 'select, update, delete')
                  or exists (select from pg_class c
                             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
                               and c.oid <> 'link_request'::regclass
                               and has_table_privilege(r.rolname, c.oid, 'select, insert, update, delete')) as more,
                  has_table_privilege(r.rolname, 'link_request', 'insert') as note
           from pg_roles r where r.rolname = %s""",
        [ROLE],
    ).fetchone()
    assert may is not None
    if may["more"]:
        return f"the role {ROLE} may do more than note who asks to be linked"
    return None if may["note"] else f"the role {ROLE} may not note who asks to be linked"
