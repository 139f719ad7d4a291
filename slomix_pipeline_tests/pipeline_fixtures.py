"""The whole pipeline in one process, for tests: PostgreSQL, a game server, Dagster's instance, Discord's stand-in.

Belongs here: the fixtures ``pipeline`` (files in a local folder) and ``sftp_pipeline`` (the same over real SFTP), and
what a sensor tick does with a listing.
Does not belong here: files (``slomix_pipeline.simulator``, ``building``), what a test expects (``as_played``).
"""

import itertools
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from slomix_pipeline.actions.importing import Summary, import_folder
from slomix_pipeline.checks.catalogue import add_partitions
from slomix_pipeline.cli.main import main
from slomix_pipeline.definitions import build_defs
from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.filenames import FileKind, parse_file_name
from slomix_pipeline.gameserver.choose import NoGameServer, open_game_server
from slomix_pipeline.gameserver.source import GameServer
from slomix_pipeline.jobs import PUBLISH_TAG, wish_of
from slomix_pipeline.partitions import contiguous_ranges, range_tags, rounds, sessions, timings
from slomix_pipeline.reports.export import session_as_json
from slomix_pipeline.runtime.home import dagster_instance
from slomix_pipeline.sensors import folders
from slomix_pipeline.sensors.folders import GAMESTATS, GAMETIMES, LEFT_TO_ITS_ROUND
from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline.simulator.values import SimRound
from slomix_pipeline.stages import asked_pictures, session_pictures
from slomix_pipeline.stages.chain import OF_A_ROUND, OF_A_SESSION, OF_A_TIMING, run_stages
from slomix_pipeline.stages.common import Tools, Wish
from slomix_pipeline.warehouse import reading
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.facts import KEPT
from slomix_pipeline.warehouse.rework import stale_rounds
from slomix_pipeline.warehouse.rework_causes import Cause
from slomix_pipeline.warehouse.session_reports import sessions_to_report
from slomix_pipeline_tests.kept import drawn_at_once, empty_instance, map_drawn_at_once, served_page

SERVER = "main"
SLOMIX = [sys.executable, "-c", "from slomix_pipeline.cli.main import main; main()"]  # as a process of its own
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_JOBS = {
    "ingest_rounds": str(rounds.name),
    "ingest_timings": str(timings.name),
    "report_sessions": str(sessions.name),
}
_STAGES = {"ingest_rounds": OF_A_ROUND, "ingest_timings": OF_A_TIMING, "report_sessions": OF_A_SESSION}
_FOLDER_JOBS = {GAMESTATS: "ingest_rounds", GAMETIMES: "ingest_timings"}


def just_now() -> datetime:
    """When an evening may end that is to be fresh, and whose timing records are left to no run any more."""
    return datetime.now(UTC) - LEFT_TO_ITS_ROUND - timedelta(seconds=15)


@dataclass
class Pipeline:
    """Everything a test drives. ``folder`` is the game server's disk."""

    database: Database
    instance: dg.DagsterInstance
    folder: Path
    gameserver: GameServer
    page: StandIn
    discord: Discord | None
    dev: Discord | None = None
    admin: Discord | None = None
    summaries: Discord | None = None
    cursors: dict[str, str | None] = field(default_factory=dict)
    run_keys: set[str] = field(default_factory=set)
    clock: Iterator[int] = field(default_factory=itertools.count)
    facts_hold: bool = True  # False where a test changes by hand what rounds gave

    def slomix(self, *arguments: str, typed: str | None = None, **settings: str) -> Result:
        """A command on this database, in this process, with the webhook that the pipeline has. ``typed``: where it asks."""
        own = {"SLOMIX_POSTGRES_URL": self.database.url}
        if self.discord:
            own["SLOMIX_DISCORD_WEBHOOK"] = self.page.webhook_url
        return CliRunner().invoke(main, arguments, input=typed, env=own | settings)

    @property
    def settings(self) -> Settings:
        """Those in force now: a test may change them."""
        return load_settings()

    @property
    def channels(self) -> Channels:
        return Channels(self.discord, self.dev, self.admin, self.summaries)

    @property
    def resources(self) -> dict[str, Any]:
        return {
            "settings": self.settings,
            "database": self.database,
            "gameserver": self.gameserver,
            "discord": self.channels,
        }

    def tools(self, publish: str | None = None) -> Tools:
        """What stages work with here."""
        return Tools(self.database, self.settings, self.gameserver, self.channels, Wish(publish) if publish else None)

    def run(
        self,
        keys: str | Sequence[str],
        publish: str | None = None,
        *,
        job: str = "ingest_rounds",
        raise_on_error: bool = True,
    ) -> dg.ExecuteInProcessResult:
        """Materialises one key as a run of its own, several as one range run (they must lie side by side)."""
        wanted = [keys] if isinstance(keys, str) else list(keys)
        tags = {PUBLISH_TAG: str(publish)} if publish else {}
        self.instance.add_dynamic_partitions(_JOBS[job], wanted)
        if isinstance(keys, str):
            return self._execute(job, tags, keys, raise_on_error)
        ranges = contiguous_ranges(self.instance.get_dynamic_partitions(_JOBS[job]), wanted)
        assert len(ranges) == 1, ranges
        return self._execute(job, tags | range_tags(*ranges[0]), None, raise_on_error)

    def _execute(
        self, job: str, tags: dict[str, str], key: str | None, raise_on_error: bool
    ) -> dg.ExecuteInProcessResult:
        return (
            build_defs(**self.resources)
            .resolve_job_def(job)
            .execute_in_process(
                instance=self.instance, tags=tags, partition_key=key, run_config=_QUIET, raise_on_error=raise_on_error
            )
        )

    def run_job(self, job: str) -> dg.ExecuteInProcessResult:
        """Runs a job without partitions."""
        return self._execute(job, {}, None, True)

    def work(self, keys: str | Sequence[str], publish: str | None = None, *, job: str = "ingest_rounds") -> None:
        """What ``run`` does, without Dagster: for tests that look at what came out, not at the run."""
        run_stages(_STAGES[job], [keys] if isinstance(keys, str) else list(keys), self.tools(publish))

    def tick(self, name: str = GAMESTATS, seconds: float = 0.1) -> dg.SensorResult | dg.SkipReason:
        """One tick of a folder's sensor, without what Dagster then does with its result."""
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursors.get(name))
        outcome = folders.watch(
            context,
            self.settings,
            self.database,
            self.gameserver,
            folders.watched_folders(self.settings)[name],
            seconds,
        )
        self.cursors[name] = context.cursor
        return outcome

    def apply(
        self, outcome: dg.SensorResult | dg.SkipReason, job: str, raise_on_error: bool = True
    ) -> list[dg.ExecuteInProcessResult]:
        """What Dagster does with a tick's result: adds partitions, starts runs, one per run key for ever."""
        if isinstance(outcome, dg.SkipReason):
            return []
        for added in outcome.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(added.partitions_def_name, list(added.partition_keys))
        results = []
        for request in outcome.run_requests or []:
            assert request.run_key
            if request.run_key not in self.run_keys:
                self.run_keys.add(request.run_key)
                results.append(self._execute(job, dict(request.tags), request.partition_key, raise_on_error))
        return results

    def list_folder(self, name: str = GAMESTATS, raise_on_error: bool = True) -> list[dg.ExecuteInProcessResult]:
        """One tick of a folder's sensor, which must find something, and the runs it asks for."""
        return self.apply(self.tick(name, seconds=10), _FOLDER_JOBS[name], raise_on_error)

    def list_folders(self) -> None:
        """One tick of each sensor, timing records first, as they are written first."""
        self.list_folder(GAMETIMES)
        self.list_folder(GAMESTATS)

    def take_in(self, name: str = GAMESTATS) -> None:
        """``list_folder`` with the work of the runs instead of the runs."""
        self.work_off(self.tick(name, seconds=10), _FOLDER_JOBS[name])

    def take_in_all(self) -> None:
        """``list_folders`` with the work of the runs instead of the runs."""
        self.take_in(GAMETIMES)
        self.take_in(GAMESTATS)

    def work_off(self, outcome: dg.SensorResult | dg.SkipReason, job: str) -> None:
        """``apply`` with the work of the runs instead of the runs."""
        if isinstance(outcome, dg.SkipReason):
            return
        for added in outcome.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(added.partitions_def_name, list(added.partition_keys))
        for request in outcome.run_requests or []:
            assert request.run_key
            if request.run_key not in self.run_keys:
                self.run_keys.add(request.run_key)
                wish = wish_of(dg.DagsterRun("", tags=dict(request.tags)))
                self.work(self._keys_of(request, job), wish, job=job)

    def _keys_of(self, request: dg.RunRequest, job: str) -> list[str]:
        """The partitions that a run is asked for: one, or a range in Dagster's order."""
        if request.partition_key:
            return [request.partition_key]
        order = list(self.instance.get_dynamic_partitions(_JOBS[job]))
        first, last = (order.index(request.tags[f"dagster/asset_partition_range_{end}"]) for end in ("start", "end"))
        return order[first : last + 1]

    def put(self, name: str, content: bytes) -> str:
        """Writes a file where the game server would. Returns its partition key."""
        timing = parse_file_name(name).kind is FileKind.TIMING
        path = self.folder / (GAMETIMES if timing else GAMESTATS) / name
        path.write_bytes(content)
        written_at = int(time.time()) - 3600 + next(self.clock)  # no two versions of a file within one second
        os.utime(path, (written_at, written_at))
        return f"{SERVER}:{name.rsplit('.', 1)[0]}"

    def put_bytes_and_run(self, name: str, content: bytes) -> str:
        """Writes a stats file and runs its round as after a tick that saw it; the run may fail. Returns its key."""
        key = self.put(name, content)
        self.list_folder(raise_on_error=False)
        return key

    def put_and_take_in(self, name: str, content: bytes) -> str:
        """``put_bytes_and_run`` with the work of the run instead of the run."""
        key = self.put(name, content)
        self.take_in()
        return key

    def put_stats(self, sim_round: SimRound) -> str:
        """Writes the stats file of a simulated round. Returns its key."""
        return self.put(sim_round.stats_name, gamestats.dump(sim_round.stats))

    def import_(self, directory: Path, publish: str | None = None, timezone: str | None = None) -> Summary:
        """``slomix import`` of a folder: without asking a game server."""
        # A dev channel is known by its setting, which no test makes.
        asked = replace(
            self.tools(publish),
            gameserver=NoGameServer(),
            channels=self.channels if self.dev else Channels(),
            tells_later=self.discord is not None,
        )
        summary = import_folder(
            directory, asked, lambda: nullcontext(self.channels), timezone=timezone, progress=lambda *_: None
        )
        add_partitions(self.instance, self.database)
        return summary

    def export(self, session: str = "latest") -> dict[str, Any]:
        """A session as ``slomix export`` prints it."""
        with self.database.snapshot() as conn:
            key = reading.resolve_session(conn, session)
            assert key is not None, session
            return session_as_json(conn, self.settings, key)

    def report_sessions(self) -> list[str]:
        """What the sensor of ended sessions does when the quiet time is over. Returns the reported keys."""
        with self.database.transaction() as conn:
            found = conn.execute("select now() + interval '1 hour' as later").fetchone()
            assert found is not None
            due = [key for key, _ in sessions_to_report(conn, found["later"], 50)]
        for key in due:
            self.work(key, Wish.LIVE, job="report_sessions")
        return due

    def stale(self) -> list[str]:
        """The rounds that the rework sensor would run again."""
        return list(self.causes())

    def causes(self) -> dict[str, tuple[Cause, ...]]:
        """The same, each with what makes it stale."""
        with self.database.connect() as conn:
            settings = load_settings(discord_webhook=self.page.webhook_url if self.discord else None)
            return {stale.round_key: stale.causes for stale in stale_rounds(conn, settings)}

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        with self.database.connect() as conn:
            return conn.execute(query, values).fetchall()

    def file(self, key: str) -> dict[str, Any]:
        """The ledger's row of a round's or record's file."""
        (row,) = self.rows("select * from file where partition_key = %s", key)
        return row

    def check_facts(self) -> None:
        """What is kept of players for boards is exactly what the rounds give now; so it is to be after every test."""
        with self.database.connect() as conn:
            for kept, given in _FACTS:
                assert conn.execute(_DIFFERENCE.format(kept=kept, given=given)).fetchall() == []

    def contents(self) -> dict[str, list[str]]:
        """Every row of every table of ours, without times of writing: equal for equal results."""
        tables = [
            row["table_name"]
            for row in self.rows(
                """select table_name from information_schema.tables
                   where table_schema = 'public' and table_type = 'BASE TABLE'
                     and table_name not in ('folder_look', 'server_zone', 'uncatalogued', 'data_version', 'site_picture')"""
            )
        ]
        return {
            table: sorted(
                _LISTED_AT.sub("", str({k: v for k, v in row.items() if k not in _WRITTEN_AT}))
                for row in self.rows(f'select * from "{table}"')
            )
            for table in tables
        }

    def titles(self) -> list[str]:
        """The titles of all messages on the stand-in, oldest first."""
        return [message["embeds"][0]["title"] for message in self.page.messages()]


# What is kept, and what it is kept of.
_FACTS: tuple[tuple[LiteralString, LiteralString], ...] = (
    *((f"select * from {table}", f"select * from {view} given") for table, view, _ in KEPT),
    ("select guid, name, sum(rounds) from alias_fact group by guid, name", "select guid, name, rounds from alias"),
)
_DIFFERENCE = """with kept as materialized ({kept}), given as materialized ({given})
                 select 'kept alone' as found, d.* from (table kept except all table given) d union all
                 select 'given alone', d.* from (table given except all table kept) d"""

_LISTED_AT = re.compile(r", at [0-9-]{10} [0-9:]{5} UTC")  # what a check says of the last look into a folder
_WRITTEN_AT = frozenset(
    (
        "parsed_at",
        "rules_at",
        "timed_at",
        "stored_at",
        "first_seen_at",
        "arrived_at",
        "finished_at",
        "checked_at",
        "reported_at",
        "requested_at",
        "claimed_at",
        "sent_at",
        "edited_at",
        "applied_at",
        "scored_at",
        "told_of",
        "noted_at",
        "worked_at",
        "prepared_of",
        "awarded_at",
        "past",
    )
)


@contextmanager
def open_pipeline(database: Database, tmp_path: Path, *, over_sftp: bool = False) -> Iterator[Pipeline]:
    """A pipeline on an empty game server below ``tmp_path``."""
    folder = tmp_path / "server"
    for name in (GAMESTATS, GAMETIMES):
        (folder / name).mkdir(parents=True)
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(folders, "LOOK_EVERY", 0.01)
        patch.setattr(folders, "LOOK_FOR_RECORDS_EVERY", 0.01)
        patch.setattr(session_pictures, "drawn", drawn_at_once)
        patch.setattr(asked_pictures, "drawn", map_drawn_at_once)
        settings = {"home": str(tmp_path / "home"), "gameserver_dir": str(folder)}
        if over_sftp:
            server = stack.enter_context(SftpServer(folder, "tester", "a password"))
            settings = {
                "home": str(tmp_path / "home"),
                "sftp_host": "127.0.0.1",
                "sftp_port": str(server.port),
                "sftp_user": "tester",
                "sftp_password": "a password",
                "sftp_host_key": server.host_key_fingerprint,
            }
        for name, value in settings.items():
            patch.setenv(f"SLOMIX_{name.upper()}", value)
        page = stack.enter_context(served_page(tmp_path / "discord"))
        gameserver = stack.enter_context(open_game_server(load_settings()))
        instance = stack.enter_context(empty_instance())
        opened = Pipeline(database, instance, folder, gameserver, page, Discord(page.webhook_url))
        yield opened
        if opened.facts_hold:
            opened.check_facts()


@pytest.fixture
def pipeline(database: Database, tmp_path: Path) -> Iterator[Pipeline]:
    """Files in a local folder."""
    with open_pipeline(database, tmp_path) as opened:
        yield opened


@pytest.fixture
def sftp_pipeline(database: Database, tmp_path: Path) -> Iterator[Pipeline]:
    """Files on a real SFTP server."""
    with open_pipeline(database, tmp_path, over_sftp=True) as opened:
        yield opened


@pytest.fixture
def stored_pipeline(pipeline: Pipeline) -> Iterator[Pipeline]:
    """Files in a local folder, and a Dagster that keeps its records in PostgreSQL, as it does outside tests."""
    with dagster_instance(pipeline.settings, pipeline.database) as instance:
        yield replace(pipeline, instance=instance)


def round_key(sim_round: SimRound, server: str = SERVER) -> str:
    """The key of a simulated round."""
    return f"{server}:{sim_round.stem}"
