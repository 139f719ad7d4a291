"""``slomix import``: a folder of files, of whatever age, through the same stages as live rounds; and the same of the
files of any other source.

Belongs here: the order of things, what is told of them, the summary. Reading the files: ``import_files``; working them
out: ``import_batches``; the game server as a source: ``syncing``.

It may be interrupted at any point. What it still owes is in the database, as of every run (``warehouse.unfinished``,
``warehouse.rework``), and the next import of the same files asks for it: known is only what is through.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.actions.import_batches import Collided, work_out
from slomix_pipeline.actions.import_files import Found, Offered, files_below, how_far, store_files
from slomix_pipeline.discord.channels import OpenChannels, channels_in_use
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.rules.batches import Batch, cut_into_batches
from slomix_pipeline.rules.overrides import CUT, OverrideKind, of_kind
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.runtime.home import dagster_instance, open_database, working_alone
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.chain import OF_A_SESSION, Progress, run_stages
from slomix_pipeline.stages.common import Tools, Wish
from slomix_pipeline.stages.match_post import match_post
from slomix_pipeline.stages.timing_comparison import timing_comparison
from slomix_pipeline.warehouse import due, files, overrides, parsed, results, rework, timing_records, unfinished
from slomix_pipeline.warehouse.database import Database, Deadlocked
from slomix_pipeline.warehouse.server_zones import settings_of
from slomix_pipeline.warehouse.unfinished import Stage


@dataclass
class Summary:
    """What an import came to. ``resumed``: files among the ingested ones that an earlier import left unfinished;
    ``unannounced``: rounds that an interrupted import was to announce, and this one was not asked to;
    ``renewed``: rounds known before that were worked out again, for what came since or was left undone; ``waiting``:
    endstats files whose round is not here; ``quarantined``, ``skipped``: name and reason; ``left_aside``: names of
    other files; ``zone_off_by``: from the timing records to the stamps of the rounds, where nothing was linked because
    the time zone of the stamps seems to be another."""

    found: int = 0
    ingested: int = 0
    resumed: int = 0
    renewed: int = 0
    known: int = 0
    waiting: int = 0
    unannounced: int = 0
    linked: int = 0
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    left_aside: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    zone_off_by: timedelta | None = None

    def as_json(self) -> dict[str, Any]:
        """For programs: counts, and the files that did not come to a good end, with reasons."""
        return {
            "found": self.found,
            "ingested": self.ingested,
            "resumed": self.resumed,
            "renewed": self.renewed,
            "known": self.known,
            "waiting": self.waiting,
            "unannounced": self.unannounced,
            "linked": self.linked,
            "quarantined": len(self.quarantined),
            "skipped": len(self.skipped),
            "left_aside": len(self.left_aside),
            "reasons": [{"name": name, "reason": reason} for name, reason in (*self.quarantined, *self.skipped)],
            "sessions": self.sessions,
            "zone_off_by_minutes": self.zone_off_by and round(self.zone_off_by / timedelta(minutes=1)),
        }


class Interrupted(KeyboardInterrupt):
    """Somebody stopped an import; the text says how far it came."""


def import_into_home(
    settings: Settings, server: str, directory: Path, timezone: str | None, publish: bool, progress: Progress
) -> Summary:
    """Imports a folder of a game server into the home of ``settings``; with ``publish`` its results are announced, on
    the stand-in when no webhook is set.

    Raises:
        Interrupted: by Ctrl-C.
        Collided: with a live run.
    """
    try:
        database = open_database(settings)
        with database.connect() as conn:
            own = settings_of(conn, settings, server)
        tools = tools_to_ingest(own, database, publish)
        progress("waiting until no other command works here", 0, 1)
        with working_alone(database), collisions_explained():
            summary = import_folder(
                directory, tools, lambda: channels_in_use(settings), timezone=timezone, progress=progress
            )
            tell_dagster(settings, database, progress)
    except KeyboardInterrupt:
        done, of = how_far(open_database(settings), server, directory)
        raise Interrupted(
            f"Stopped: {done} of {of} files are through. The next import of {directory} goes on from there."
        ) from None
    return summary


def tools_to_ingest(settings: Settings, database: Database, publish: bool) -> Tools:
    """What ``ingest`` works with; with ``publish`` its results are announced."""
    return Tools(database, settings, NoGameServer(), wish=Wish.ASKED if publish else None, tells_later=True)


@contextmanager
def collisions_explained() -> Iterator[None]:
    """What it means for a command that PostgreSQL let a live run go first.

    Raises:
        Collided: that.
    """
    try:
        yield
    except Deadlocked:
        raise Collided(
            "a run that worked on the same rounds went first; give the same command again: it goes on from there"
        ) from None


def tell_dagster(settings: Settings, database: Database, progress: Progress) -> None:
    """Gives this home's Dagster the keys of all partitions that it does not know yet."""
    progress("adding partitions", 0, 1)
    from slomix_pipeline.checks.catalogue import add_partitions  # loads Dagster

    with dagster_instance(settings, database) as instance:
        add_partitions(instance, database)


def import_folder(
    directory: Path, tools: Tools, open_channels: OpenChannels, *, timezone: str | None, progress: Progress
) -> Summary:
    """Ingests every game file below a folder; see ``ingest``."""
    return ingest(files_below(directory), tools, open_channels, timezone=timezone, progress=progress)


def ingest(
    offered: Sequence[Offered],
    tools: Tools,
    open_channels: OpenChannels,
    *,
    timezone: str | None = None,
    progress: Progress,
) -> Summary:
    """Ingests the files of a source. ``tools``: without game server, as all bytes are stored first, and without
    channels, which are opened when there is something to tell; ``timezone``: of the stamps, when it is not the
    setting's.

    Raises:
        WorkerEnded: a worker process was killed. Also raises what a stage raises.
    """
    summary = Summary()
    database = tools.database
    zone = ZoneInfo(timezone) if timezone else tools.settings.zone
    found, left_out = store_files(offered, database, tools.settings.server, timezone, zone, progress)
    summary.found, summary.known = found.count, found.known
    summary.skipped, summary.left_aside = left_out.skipped, left_out.aside
    rounds = found.of_kind[FileKind.STATS]
    with database.transaction() as conn:
        if announce := tools.wish is Wish.ASKED:
            unfinished.note_begun(conn, rounds, [Stage.SESSION_POST])
        promised = unfinished.begun(conn, rounds, Stage.SESSION_POST)
    with ExitStack() as stack:
        telling = Telling(tools, open_channels, stack)
        for done in work_out(found.keys(FileKind.TIMING), batches_of(tools, found.times(zone)), tools, progress):
            if not announce:
                telling.tell(done, announce=False)
        with database.connect() as conn:
            behind = _rounds_behind(conn, tools.settings, found.of_kind)
        for done in work_out([], _batches_behind(tools, behind), tools, progress):
            # These may be rounds of other folders, of which nobody asked to announce anything.
            telling.tell(done, announce=False)
        if announce:  # known ones too: what was never told of them is told now, all in order of play
            telling.tell(rounds, announce=True)
        _conclude(database, tools.settings.server, found, behind, summary)
        if announce:
            with database.connect() as conn:
                sessions = results.sessions_of(conn, rounds)
            summary.sessions = sorted({*summary.sessions, *sessions})
            run_stages(OF_A_SESSION, sessions, telling.tools(), progress)
        else:
            summary.unannounced = len(promised.since)
    with database.transaction() as conn:  # told now, or nobody asks for it any more
        unfinished.note_done(conn, promised)
    return summary


def batches_of(tools: Tools, stamps: Mapping[str, datetime]) -> list[Batch]:
    """The rounds of these stamps in batches, by these and the stamps of rounds that are parsed."""
    parsed_at, joined = _parsed_rounds(tools)
    return cut_into_batches({**parsed_at, **stamps}, stamps, tools.settings.session_gap, joined)


def _batches_behind(tools: Tools, rounds: Sequence[str]) -> list[Batch]:
    """Parsed rounds in batches."""
    if not rounds:
        return []
    parsed_at, joined = _parsed_rounds(tools)
    return cut_into_batches(parsed_at, rounds, tools.settings.session_gap, joined)


def _parsed_rounds(tools: Tools) -> tuple[dict[str, datetime], list[str]]:
    """The stamps of all parsed rounds of the server, and which of them somebody joined to the round before."""
    with tools.database.connect() as conn:
        decided = of_kind(overrides.in_force(conn, tools.settings.server), OverrideKind.SESSION)
        stamps = parsed.stamps(conn, tools.settings.server)
    return stamps, [key for key, decision in decided.items() if decision.value != CUT]


class Telling:
    """What is told of rounds once their numbers are there, by channels that are opened when they are needed first."""

    def __init__(self, tools: Tools, open_channels: OpenChannels, stack: ExitStack) -> None:
        self._tools, self._open_channels, self._stack = tools, open_channels, stack

    def tools(self) -> Tools:
        """The tools, with open channels."""
        if not self._tools.channels.all():
            self._tools = replace(self._tools, channels=self._stack.enter_context(self._open_channels()))
        return self._tools

    def tell(self, rounds: Sequence[str], *, announce: bool) -> None:
        """Announces the results of rounds, or only corrects what was said."""
        with self._tools.database.connect() as conn:
            anything = announce or due.anything(conn) or self._tools.settings.discord_dev_webhook is not None
        tools = self.tools() if anything else self._tools
        tools = tools if announce else replace(tools, wish=None)
        run_stages([match_post], rounds, tools)
        if tools.channels.at(tools.settings.server).dev is not None:
            run_stages([timing_comparison], rounds, tools)
        else:  # it only tells
            with tools.database.connect() as conn:
                unfinished.note_done(conn, unfinished.begun(conn, rounds, Stage.TIMING_COMPARISON))


def _rounds_behind(conn: Connection[DictRow], settings: Settings, of_kind: Mapping[FileKind, list[str]]) -> list[str]:
    """The rounds that are stale of a folder's stats files, or by its endstats files and timing records."""
    keys = [key for keys in of_kind.values() for key in keys]
    return [stale.round_key for stale in rework.stale_rounds(conn, settings, among=keys)]


def _conclude(database: Database, server: str, found: Found, behind: Sequence[str], summary: Summary) -> None:
    keys = found.keys(*FileKind)
    with database.connect() as conn:
        rows = files.named(conn, server, [name.name for name in found.todo])
        ingested = [row.name for row in rows if row.status is FileStatus.INGESTED]
        summary.ingested += len(ingested)
        summary.resumed += len(found.begun.intersection(ingested))
        summary.known += sum(row.status is FileStatus.KNOWN for row in rows)
        summary.waiting += sum(row.kind is FileKind.ENDSTATS and row.status is FileStatus.LISTED for row in rows)
        summary.quarantined += [(row.name, row.reason or "") for row in rows if row.status is FileStatus.QUARANTINED]
        summary.linked = timing_records.how_many_linked(conn, [*keys, *behind])
        if not summary.linked:
            keys_of_clocks = (found.keys(kind) for kind in (FileKind.STATS, FileKind.TIMING))
            summary.zone_off_by = timing_records.zone_off_by(conn, *keys_of_clocks)
        summary.renewed = len(set(behind) - set(keys))
        summary.sessions = results.sessions_of(conn, [*keys, *behind])
