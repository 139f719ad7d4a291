"""What all stages share: how a round asset is declared, and walking over servers and sessions under their lock."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import dagster as dg
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline import partitions
from slomix_pipeline.checks.layers import check_specs
from slomix_pipeline.gameserver.source import FileMissing, GameServer, check_listed
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse.database import Database, locked_server
from slomix_pipeline.warehouse.files import FileRow, contents
from slomix_pipeline.warehouse.results import sessions_of, touched_sessions, unscored_sessions

# Backfill policies are beta, partitions of checks a preview; the pinned version is known to have both.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

OWNER = "team:stats"
Conn = Connection[DictRow]
Declared = Callable[[Callable[..., Any]], dg.AssetsDefinition]


def round_asset(
    name: str, *, stage: str, kinds: set[str], deps: Sequence[str | dg.AssetDep] = (), **more: Any
) -> Declared:
    """Declares an asset of the rounds partitions; a whole folder of rounds is one run."""
    declared: Declared = dg.asset(
        name=name,
        partitions_def=partitions.rounds,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="rounds",
        owners=[OWNER],
        kinds=kinds,
        tags={"stage": stage.replace(" ", "-")},
        deps=list(deps),
        check_specs=check_specs(name),
        **more,
    )
    return declared


@contextmanager
def round_by_round(database: Database) -> Iterator[Conn]:
    """A connection on which each ``conn.transaction()`` commits by itself."""
    with database.connect() as conn:
        conn.autocommit = True
        yield conn


def bytes_of(conn: Conn, row: FileRow, gameserver: GameServer, folder: str, limit: int) -> bytes:
    """A file's bytes: from the game server, or as stored when they came by import or are gone from there.

    Raises:
        FileMissing: gone, and never stored.
        TooLarge: it has more than ``limit`` bytes.
        NotWhole: it isn't as it was listed: read it again.
        TransientError, PermanentError: see ``GameServer``.
    """
    if row.imported and row.sha256:
        return contents(conn, [row.sha256])[row.sha256]
    try:
        data = gameserver.read(folder, row.name, limit)
    except FileMissing:
        if row.sha256 is None:
            raise
        return contents(conn, [row.sha256])[row.sha256]
    check_listed(data, row.name, row.size)
    return data


def by_server(keys: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The keys of each game server."""
    for server, group in groupby(sorted(keys), key=partitions.server_of):
        yield server, list(group)


def for_touched_sessions(
    database: Database, keys: Sequence[str], work: Callable[[Conn, str, list[Stamped]], None], *, placed: bool = True
) -> None:
    """Calls ``work`` with every session that holds one of the rounds, as stamps alone tell sessions.

    ``placed``: sessions of placed rounds only; the stage that places them says False.

    One transaction per game server, under its lock: a session is rewritten as a whole or not at all.
    """
    gap = load_settings().session_gap
    for server, own in by_server(keys):
        with database.transaction() as conn:
            locked_server(conn, server)
            for session in touched_sessions(conn, server, own, gap, placed=placed):
                work(conn, server, session)


def for_stored_sessions(database: Database, keys: Sequence[str], work: Callable[[Conn, str], None]) -> None:
    """Calls ``work`` with the key of every stored session that holds one of the rounds, and of those that a round left
    and that are unscored since; locked as above."""
    for server, own in by_server(keys):
        with database.transaction() as conn:
            locked_server(conn, server)
            for session_key in sorted({*sessions_of(conn, own), *unscored_sessions(conn, server)}):
                work(conn, session_key)
