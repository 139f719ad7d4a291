"""More than one machine: runs that Celery's workers execute give what one process gives, whoever of them is killed."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import LiteralString

import pytest
from pydantic import SecretStr

from slomix_pipeline.actions.importing import import_folder
from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.sensors.folders import GAMESTATS, GAMETIMES
from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.history import write_day
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline.simulator.writing import write_round
from slomix_pipeline.stages.chain import OF_A_ROUND, nobody_watches
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.cluster import REDIS, WORKERS, Machines, machines, redis, results
from slomix_pipeline_tests.postgres_fixtures import copied_database

DAYS = 36  # of 14 rounds

pytestmark = pytest.mark.skipif(REDIS is None, reason="redis-server is not installed")
pytest.importorskip("dagster_celery", reason="the extra celery is not installed")


@dataclass(frozen=True)
class Served:
    """A game server's ``folder``, and the settings of all machines that read it over SFTP."""

    folder: Path
    settings: Settings
    database: Database


@pytest.fixture
def served(database: Database, tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "server"
    for name in (GAMESTATS, GAMETIMES):
        (folder / name).mkdir(parents=True)
    with ExitStack() as stack:
        broker = stack.enter_context(redis(tmp_path))
        sftp = stack.enter_context(SftpServer(folder, "tester", "a password"))
        settings = load_settings(
            home=tmp_path / "nowhere",
            postgres_url=SecretStr(database.url),
            launcher="celery",
            celery_broker=SecretStr(broker),
            sftp_host="127.0.0.1",
            sftp_port=sftp.port,
            sftp_user="tester",
            sftp_password=SecretStr("a password"),
            sftp_host_key=sftp.host_key_fingerprint,
        )
        yield Served(folder, settings, database)


@pytest.fixture
def as_in_one_process(postgres_server: str, migrated_template: str) -> Iterator[Database]:
    """An empty database for what is compared."""
    with copied_database(postgres_server, migrated_template) as other:
        yield other


def imported(served: Served, other: Database, home: Path) -> Database:
    """The same files, taken through the stages by an import."""
    settings = load_settings(home=home, postgres_url=SecretStr(other.url))
    tools = Tools(other, settings, NoGameServer(), Channels())
    import_folder(served.folder, tools, lambda: nullcontext(Channels()), timezone=None, progress=nobody_watches)
    return other


def count(database: Database, question: LiteralString) -> int:
    with database.connect() as conn:
        row = conn.execute(question).fetchone()
    assert row is not None
    return int(row["count"])


def nothing_of_a_run_is_on_a_disk(folder: Path) -> bool:
    kept = {path.name for name in (*WORKERS, "daemon", "code") for path in (folder / name).rglob("*") if path.is_file()}
    return kept <= {"dagster.yaml", "workspace.yaml"}


@pytest.mark.timeout(900)
def test_two_workers_with_homes_of_their_own_give_what_one_process_gives(
    served: Served, as_in_one_process: Database, tmp_path: Path
) -> None:
    evening = play_evening(71, maps=2, ends_at=datetime.now(UTC) - timedelta(minutes=1))
    with machines(tmp_path, served.settings, with_ui=False) as found:
        found.wait_until("Dagster has no tables", lambda: count(served.database, _TABLES) == 2)
        for number, played in enumerate(evening.rounds, start=1):
            write_round(served.folder, played)
            found.wait_until(f"round {number} is not there", partial(_has_done, served.database, number))
        found.wait_until("not both of them worked", lambda: found.worked(served.database) == set(WORKERS))
    assert results(served.database) == results(imported(served, as_in_one_process, tmp_path / "one"))
    assert nothing_of_a_run_is_on_a_disk(tmp_path)


_TABLES = "select count(*) from pg_tables where schemaname = 'dagster' and tablename in ('runs', 'run_tags')"


def _has_done(database: Database, rounds: int) -> bool:
    """Whether runs succeeded with so many rounds."""
    done = "select count(*) from dagster.runs where status = 'SUCCESS' and pipeline_name = 'ingest_rounds'"
    return count(database, done) == rounds


@pytest.mark.cluster
@pytest.mark.timeout(900)
def test_a_backfill_of_500_rounds_outlives_a_worker_that_is_killed(
    served: Served, as_in_one_process: Database, tmp_path: Path
) -> None:
    for day in range(DAYS):
        write_day(served.folder, day)
    rounds = DAYS * 14
    with machines(tmp_path, served.settings) as found:
        found.wait_until(
            "not all files were seen",
            lambda: count(served.database, "select count(*) from dagster.dynamic_partitions") == 2 * rounds,
        )
        with served.database.connect() as conn:
            listed = conn.execute(
                "select partition from dagster.dynamic_partitions where partitions_def_name = 'rounds' order by id"
            ).fetchall()
        began = time.monotonic()
        backfill = found.backfill([stage.__name__ for stage in OF_A_ROUND], [row["partition"] for row in listed])
        found.wait_until("nothing was begun", lambda: found.executing(served.database) == set(WORKERS))
        found.kill(WORKERS[0])
        found.wait_until("the backfill did not end", lambda: _has_ended(found, backfill))
        print(f"{rounds} rounds, one of two workers killed: {time.monotonic() - began:.0f} s")
        found.wait_until("rounds are left", lambda: not _left(served.database))
        parts = [name for name in ("code", "daemon", "ui") if not found.works(name, "serve", name)]
        assert parts == [] and found.works(WORKERS[1], "worker")
        killed = count(served.database, "select count(*) from dagster.runs where status = 'FAILURE'")
        again = count(served.database, "select count(*) from dagster.run_tags where key = 'dagster/retry_number'")
    assert killed >= 1 and again >= 1
    assert results(served.database) == results(imported(served, as_in_one_process, tmp_path / "one"))
    assert nothing_of_a_run_is_on_a_disk(tmp_path)


def _has_ended(found: Machines, backfill: str) -> bool:
    asked = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
      __typename ... on PartitionBackfill { status } } }"""
    return str(found.ask_ui(asked, id=backfill)["partitionBackfillOrError"]["status"]).startswith("COMPLETED")


def _left(database: Database) -> int:
    return count(database, "select count(*) from file where finished_at is null or status = 'listed'")
