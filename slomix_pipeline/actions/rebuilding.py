"""``slomix rebuild``: sessions, or all of history, worked out anew from stored bytes, without the game server.

Belongs here: the order of things, what is told of them. Does not belong here: how batches are worked out side by side
(``import_batches``), what is derived and how it is compared (``warehouse.derived``).

Nothing new is announced; messages that are wrong now are corrected. It may be interrupted at any point: what is left is
in ``rebuild_left``, and the same command goes on from there.

From scratch, a batch of whole sessions is taken away, made anew and compared in one transaction. So nobody ever sees
history without it, a process that ends loses nothing, and a live round waits until the batch is through.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.actions.import_batches import Ways, work_out
from slomix_pipeline.actions.importing import Telling, batches_of, collisions_explained
from slomix_pipeline.actions.reworking import run_anew
from slomix_pipeline.discord.channels import OpenChannels
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.formats.keys import server_of
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.rules.batches import Batch
from slomix_pipeline.rules.reach import ReachOf
from slomix_pipeline.runtime.home import working_alone
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.chain import NUMBERS_OF_A_ROUND, OF_A_TIMING, Progress, run_stages
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.stages.gaming_session import gaming_session
from slomix_pipeline.stages.match_post import match_post
from slomix_pipeline.stages.match_score import match_score
from slomix_pipeline.stages.round_awards import round_awards
from slomix_pipeline.stages.session_teams import session_teams
from slomix_pipeline.warehouse import audit, derived, rebuilds, results, unfinished
from slomix_pipeline.warehouse.database import Database, locked_server
from slomix_pipeline.warehouse.derived import Compared
from slomix_pipeline.warehouse.one_transaction import one_transaction
from slomix_pipeline.warehouse.rebuilds import Rebuild
from slomix_pipeline.warehouse.rework import rules_in_force
from slomix_pipeline.warehouse.server_zones import settings_of

OF_SESSIONS = (gaming_session, session_teams, match_score, match_post)
_SESSIONS_AT_ONCE = 20
_TELLING = {unfinished.Stage.MATCH_POST, unfinished.Stage.TIMING_COMPARISON}


def rebuild_sessions(
    settings: Settings,
    database: Database,
    session_keys: Sequence[str],
    open_channels: OpenChannels,
    progress: Progress,
    patience: float | None = None,
) -> list[str]:
    """Works sessions out anew, from their rounds as they are: teams, score, what was told of them. Returns the keys of
    the sessions that these rounds are in now. ``patience``: as ``working_alone`` has it.

    Raises:
        Collided, AnotherWorks: see there.
    """
    now: list[str] = []
    with working_alone(database, patience), collisions_explained(), open_channels() as channels:
        tools = Tools(database, settings, NoGameServer(), channels)
        for at in range(0, len(session_keys), _SESSIONS_AT_ONCE):
            progress("working out sessions", at, len(session_keys))
            with database.connect() as conn:
                rounds = results.rounds_in(conn, session_keys[at : at + _SESSIONS_AT_ONCE])
            now += run_anew(tools, rounds, lambda *_: None, OF_SESSIONS)
    progress("working out sessions", len(session_keys), len(session_keys))
    return sorted(set(now))


def sessions_in(conn: Connection[DictRow], reach: ReachOf) -> list[str]:
    """The sessions that began within a reach, in order of play."""
    began = results.session_starts(conn)
    return [key for key, at in began.items() if reach(server_of(key)).holds(at)]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild came to. ``rounds``, ``records``: of how many files it took the stored bytes this time;
    ``resumed``: when one began that was stopped, and that this one went on with; ``compared``: by what was compared,
    from scratch, of the earlier one too; ``left_out``: rounds and records that it did not take through, as a run is at
    them, or nothing dates them; ``rows``: how many of the rows that are derived were compared, and how many are there.
    """

    rounds: int
    records: int
    resumed: datetime | None
    compared: Mapping[str, Compared] = field(default_factory=dict)
    left_out: Sequence[str] = ()
    rows: tuple[int, int] = (0, 0)

    @property
    def differing(self) -> list[str]:
        """What is not as it was."""
        return [name for name, compared in self.compared.items() if not compared.equal]

    @property
    def proved(self) -> bool:
        """Whether everything that is here was compared, and is as it was."""
        compared, there = self.rows
        return not self.differing and not self.left_out and compared >= there

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "rounds": self.rounds,
            "records": self.records,
            "resumed": self.resumed is not None,
            "equal": not self.differing,
            "proved": self.proved,
            "left_out": list(self.left_out),
            "rows_compared": self.rows[0],
            "rows": self.rows[1],
            "tables": {name: {**asdict(one), "equal": one.equal} for name, one in self.compared.items()},
        }


def rebuild(
    settings: Settings,
    database: Database,
    what: Rebuild,
    open_channels: OpenChannels,
    progress: Progress,
    patience: float | None = None,
) -> Rebuilt:
    """Takes all of history through all stages, from stored bytes. ``patience``: as ``working_alone`` has it.

    Raises:
        AnotherWorks, Collided, WorkerEnded: see there.
    """
    progress("waiting until no other command works here", 0, 1)
    with working_alone(database, patience), collisions_explained(), ExitStack() as stack:
        with database.transaction() as conn:
            resumed = rebuilds.begin(conn, what, rules_in_force(settings))
        with database.connect() as conn:
            records = rebuilds.left(conn, what, FileKind.TIMING)
            rounds = rebuilds.left(conn, what, FileKind.STATS)
            own = {server: settings_of(conn, settings, server) for server in audit.servers(conn)}
        for server, of_it in own.items():
            tools = Tools(database, of_it, NoGameServer(), tells_later=True)
            telling = Telling(tools, open_channels, stack)
            with database.connect() as conn:
                stamps = rebuilds.stamps_of(conn, server, rounds, tools.settings.timezone)
            of_server = [key for key in records if server_of(key) == server]
            for done in work_out(of_server, batches_of(tools, stamps), tools, progress, _WAYS[what]):
                telling.tell(done, announce=False)
            if resumed is not None:
                telling.tell(_left_untold(database, server), announce=False)
        with database.transaction() as conn:
            compared = derived.in_all(rebuilds.proofs(conn, what))
            left_out = rebuilds.left_out(conn, what)
            rows = _rows_compared(conn, compared) if compared else (0, 0)
            rebuilds.end(conn, what)
    return Rebuilt(len(rounds), len(records), resumed, compared, left_out, rows)


def _rows_compared(conn: Connection[DictRow], compared: Mapping[str, Compared]) -> tuple[int, int]:
    """How many rows of what is derived were compared, and how many there are; not of tables of which only some is."""
    there = {name: rows for name, rows in derived.rows_of_all(conn).items() if name not in derived.IN_PART}
    return sum(compared[name].after.rows for name in there if name in compared), sum(there.values())


def _left_untold(database: Database, server: str) -> list[str]:
    """The rounds that a rebuild had made anew when it was stopped, and of which it had told nothing yet."""
    with database.connect() as conn:
        left = unfinished.stages_left(conn, server)
    return [key for key, stages in left.items() if stages <= _TELLING]


# --- in a worker, or in this process ---


def _read_again(records: Sequence[str], tools: Tools, progress: Progress) -> None:
    run_stages(OF_A_TIMING, records, tools, progress)
    with tools.database.transaction() as conn:
        rebuilds.note_through(conn, Rebuild.EVERYTHING, FileKind.TIMING, records)


def _work_out_again(batch: Batch, tools: Tools, progress: Progress) -> None:
    run_stages(NUMBERS_OF_A_ROUND, batch.rounds, tools, progress)
    with tools.database.transaction() as conn:
        rebuilds.note_through(conn, Rebuild.EVERYTHING, FileKind.STATS, batch.rounds)


def _read_anew(records: Sequence[str], tools: Tools, progress: Progress) -> None:
    """Timing records are written over, as rounds point at them: all of each row is from the bytes then."""
    with one_transaction(tools.database) as whole, whole.connect() as conn:
        derived.keep(conn, records, derived.OF_RECORDS)
        run_stages(OF_A_TIMING, records, replace(tools, database=whole), progress)
        proof = derived.compare(conn, derived.OF_RECORDS)
        rebuilds.note_proof(conn, Rebuild.FROM_SCRATCH, f"records {records[0]}", {_AS_READ: proof["timing_record"]})
        rebuilds.note_through(conn, Rebuild.FROM_SCRATCH, FileKind.TIMING, records)


def _make_anew(batch: Batch, tools: Tools, progress: Progress) -> None:
    server = server_of(batch.rounds[0])
    with one_transaction(tools.database) as whole, whole.connect() as conn:
        inside = replace(tools, database=whole)
        locked_server(conn, server, shared=tools.planned is not None)
        derived.keep(conn, batch.rounds, derived.OF_ROUNDS)
        derived.take_away(conn)
        run_stages([stage for stage in NUMBERS_OF_A_ROUND if stage is not round_awards], batch.rounds, inside, progress)
        derived.put_back_earlier_endstats(conn)
        run_stages([round_awards], batch.rounds, inside)
        derived.put_back_pages(conn)
        proof = derived.compare(conn, derived.OF_ROUNDS)
        rebuilds.note_proof(conn, Rebuild.FROM_SCRATCH, f"rounds {batch.rounds[0]}", proof)
        rebuilds.note_through(conn, Rebuild.FROM_SCRATCH, FileKind.STATS, batch.rounds)


_AS_READ = "timing_record, as read"
_WAYS = {
    Rebuild.EVERYTHING: Ways(_read_again, _work_out_again),
    Rebuild.FROM_SCRATCH: Ways(_read_anew, _make_anew),
}
