"""What all stages share: what they work with, what they say they did, and walking over sessions under their lock.

Does not belong here: any one stage, their order (``chain``).
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.discord.patience import Patience
from slomix_pipeline.formats.keys import server_of
from slomix_pipeline.gameserver.source import GameServer, GameServerError
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import unfinished
from slomix_pipeline.warehouse.check_results import CheckName, Outcome, store_outcomes
from slomix_pipeline.warehouse.database import Database, locked_server
from slomix_pipeline.warehouse.files import FileRow
from slomix_pipeline.warehouse.results import rounds_in, sessions_of, unscored_sessions
from slomix_pipeline.warehouse.server_zones import settings_of
from slomix_pipeline.warehouse.touched import touched_sessions

Conn = Connection[DictRow]

_BYTES_AT_ONCE = 4 << 20  # of files that a stage holds; a single one may have more


class NotAsPlanned(Exception):
    """A session holds a round that is not among those planned for: a live run brought it meanwhile, or a person joined
    sessions. Whoever planned has to work these rounds out again without a plan."""


class Wish(StrEnum):
    """Who wants what is new to be announced; without a wish only what was said before is corrected."""

    LIVE = "live"  # a sensor: fresh rounds
    ASKED = "asked"  # a person: all


@dataclass(frozen=True)
class Tools:
    """What stages work with: the same for all of them, whoever calls.

    ``settings``, ``gameserver``, ``channels``: of one game server in a stage, of all before (``at``).
    ``patience``: how long they wait for whoever else tells; what they can't tell by then stays due.
    ``tells_later``: the caller has told what the stages make later, with the channels it has then.
    ``planned``: whole sessions, by their rounds, that nobody else of the caller's works on: such callers work side by
    side, while everybody else waits. None: nobody else works on the game server meanwhile.
    """

    database: Database
    settings: Settings
    gameserver: GameServer
    channels: Channels = field(default_factory=Channels)
    wish: Wish | None = None
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("slomix_pipeline"))
    patience: Patience = field(default_factory=Patience)
    tells_later: bool = False
    planned: frozenset[str] | None = None

    def at(self, server: str) -> "Tools":
        """The same with the settings, the files and the channels of one game server."""
        with self.database.connect() as conn:
            own = settings_of(conn, self.settings, server)
        return replace(self, settings=own, gameserver=self.gameserver.of(server), channels=self.channels.at(server))

    @property
    def tells_results(self) -> bool:
        """Whether anybody is told results."""
        return self.tells_later or self.channels.results is not None


@dataclass(frozen=True)
class Done:
    """What a stage did.

    ``outcomes``: what its checks found, by check and partition key; also of partitions that it was not called for.
    ``totals``: of all that it was called for; ``by_key``: of single partitions. Both are shown to people as they are:
    numbers, texts, ``Markdown``, or lists and mappings of them.
    ``left_out``: the keys that it has to be called for again.
    """

    outcomes: Mapping[CheckName, Mapping[str, Outcome]] = field(default_factory=dict)
    totals: Mapping[str, Any] = field(default_factory=dict)
    by_key: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    left_out: Collection[str] = ()


Stage = Callable[[Sequence[str], Tools], Done]


def perform(stage: Stage, keys: Sequence[str], tools: Tools) -> Done:
    """Runs a stage over partitions, of one game server after the other; keeps what its checks found, and that it is
    through with them, if nothing comes after it.

    Raises what the stage raises. Of several game servers one whose files can't be had stops no other: what it lacks is
    asked for again.
    """
    parts: dict[str, Done] = {}
    trouble: GameServerError | None = None
    for server, own in by_server(keys):
        try:
            parts[server] = _perform(stage, own, tools.at(server))
        except GameServerError as error:
            tools.log.warning(f"game server {server}: {error}")
            trouble = error
    if trouble is not None and not parts:
        raise trouble
    return joined(parts)


def _perform(stage: Stage, keys: Sequence[str], tools: Tools) -> Done:
    begun = None
    if end := next((end for end in unfinished.Stage if end == stage.__name__), None):
        with tools.database.connect() as conn:
            begun = unfinished.begun(conn, keys, end)
    done = stage(keys, tools)
    with tools.database.transaction() as conn:
        for check, outcomes in done.outcomes.items():
            store_outcomes(conn, check, outcomes)
        if begun is not None:
            unfinished.note_done(conn, begun.only(begun.since.keys() - set(done.left_out)))
    return done


def joined(parts: Mapping[str, Done]) -> Done:
    """What a stage did for several game servers, as one: totals by the server's id."""
    if len(parts) == 1:
        return next(iter(parts.values()))
    outcomes: dict[CheckName, dict[str, Outcome]] = {}
    for check, found in ((check, found) for done in parts.values() for check, found in done.outcomes.items()):
        outcomes.setdefault(check, {}).update(found)
    return Done(
        outcomes,
        {f"{server}: {name}": total for server, done in parts.items() for name, total in done.totals.items()},
        {key: facts for done in parts.values() for key, facts in done.by_key.items()},
        [key for done in parts.values() for key in done.left_out],
    )


@contextmanager
def round_by_round(database: Database) -> Iterator[Conn]:
    """A connection on which each ``conn.transaction()`` commits by itself."""
    with database.connect() as conn:
        conn.autocommit = True
        yield conn


def in_portions(rows: Iterable[FileRow]) -> Iterator[list[FileRow]]:
    """Files in order, so many at a time that their bytes can be held at once."""
    portion: list[FileRow] = []
    size = 0
    for row in rows:
        portion.append(row)
        size += row.size or 0
        if size >= _BYTES_AT_ONCE:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def by_server(keys: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The keys of each game server, in their order."""
    for server, group in groupby(sorted(keys, key=server_of), key=server_of):
        yield server, list(group)


@contextmanager
def sessions_touched(
    tools: Tools, server: str, keys: Sequence[str], *, placed: bool = True
) -> Iterator[tuple[Conn, list[list[Stamped]]]]:
    """The sessions that hold one of the rounds, as stamps alone tell sessions, and a transaction to rewrite them in.

    ``placed``: sessions of placed rounds only; the stage that places them says False.

    One transaction per game server, under its lock: a session is rewritten as a whole or not at all.

    Raises:
        NotAsPlanned: one of these sessions has another round than those planned for.
    """
    with _locked(tools, server) as conn:
        sessions = touched_sessions(conn, server, keys, tools.settings.session_gap, placed=placed)
        _check_planned(tools, (entry.key for session in sessions for entry in session))
        yield conn, sessions


@contextmanager
def sessions_stored(tools: Tools, server: str, keys: Sequence[str]) -> Iterator[tuple[Conn, list[str]]]:
    """The keys of the stored sessions that hold one of the rounds, and of those that a round left and that are unscored
    since; locked as above.

    Raises:
        NotAsPlanned: as above.
    """
    with _locked(tools, server) as conn:
        sessions = sorted({*sessions_of(conn, keys), *unscored_sessions(conn, server, among=tools.planned)})
        _check_planned(tools, rounds_in(conn, sessions) if tools.planned is not None else ())
        yield conn, sessions


@contextmanager
def _locked(tools: Tools, server: str) -> Iterator[Conn]:
    with tools.database.transaction() as conn:
        locked_server(conn, server, shared=tools.planned is not None)
        yield conn


def _check_planned(tools: Tools, keys: Iterable[str]) -> None:
    if tools.planned is not None and (others := sorted(set(keys) - tools.planned)):
        raise NotAsPlanned(f"{others[0]} belongs to a session that is being worked out without it")
