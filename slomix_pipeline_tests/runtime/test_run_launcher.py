"""How Dagster's runs get their processes, by the shipped configuration on a real database: started, ended, watched."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import dagster as dg
import psutil  # type: ignore[import-untyped]  # comes without types
import psycopg
import pytest
from dagster._core.launcher.base import WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext

from slomix_pipeline.jobs import ADMIN_TAG
from slomix_pipeline.runtime import fork_server, run_coordinator, run_launcher
from slomix_pipeline.runtime.dagster_yaml import dagster_yaml
from slomix_pipeline.runtime.fork_server import end_fork_server
from slomix_pipeline.runtime.home import dagster_instance
from slomix_pipeline.runtime.run_launcher import PROCESS_TAG, ForkingRunLauncher
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import roles
from slomix_pipeline.warehouse.database import Database, dagster_url, site_url
from slomix_pipeline.warehouse.ownership import make_dagster_schema
from slomix_pipeline_tests.postgres_fixtures import copied_database

S = dg.DagsterRunStatus


@dg.op
def says_who_runs_it(context: dg.OpExecutionContext) -> None:
    context.log.info("done")


@dg.op
def waits_for_long() -> None:
    time.sleep(600)


@dg.op
def dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dg.job(executor_def=dg.in_process_executor)
def short() -> None:
    says_who_runs_it()


@dg.job(executor_def=dg.in_process_executor)
def long() -> None:
    waits_for_long()


@dg.job(executor_def=dg.in_process_executor)
def deadly() -> None:
    dies()


@pytest.fixture(scope="module")
def records(postgres_server: str) -> Iterator[Database]:
    """What Dagster writes to: of all tests, as a fork server keeps the address that it was started with."""
    with copied_database(postgres_server, "template0") as made:
        yield made


@pytest.fixture(scope="module")
def home(records: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of Dagster's with the configuration that is shipped."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "dagster.yaml").write_text(dagster_yaml(load_settings(), ()))
    with pytest.MonkeyPatch.context() as patch:
        make_dagster_schema(records, roles.DAGSTER)
        patch.setenv("SLOMIX_MAX_RUNS", "2")
        patch.setenv("SLOMIX_DAGSTER_PG_URL", dagster_url(site_url(records.url, roles.DAGSTER)))
        patch.setenv("DAGSTER_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def daemon(home: Path) -> Iterator[dg.DagsterInstance]:
    """Its instance, and a fork server of this module's."""
    end_fork_server()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance
    end_fork_server()


@pytest.fixture
def instance(daemon: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    """The daemon's, as it were, which knows of no run yet."""
    yield daemon
    for run in daemon.get_runs():
        daemon.run_coordinator.cancel_run(run.run_id)
    assert soon(lambda: all(run.is_finished for run in daemon.get_runs()))
    daemon.wipe()


def soon(is_so: Callable[[], bool]) -> bool:
    end = time.monotonic() + 60
    while not is_so() and time.monotonic() < end:
        time.sleep(0.05)
    return is_so()


def created(instance: dg.DagsterInstance, job: dg.JobDefinition) -> str:
    code = dg.reconstructable(job).get_python_origin()
    location = RemoteRepositoryOrigin(GrpcServerCodeLocationOrigin("127.0.0.1", 1), "nowhere")
    origin = RemoteJobOrigin(location, job.name)  # what is queued has to have one
    return instance.create_run_for_job(job, job_code_origin=code, remote_job_origin=origin).run_id


def launched(instance: dg.DagsterInstance, job: dg.JobDefinition) -> str:
    run_id = created(instance, job)
    instance.launch_run(run_id, None)  # type: ignore[arg-type]  # our launcher asks for no code location
    return run_id


def run_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRun:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run


def has(instance: dg.DagsterInstance, run_id: str, status: dg.DagsterRunStatus) -> bool:
    return soon(lambda: run_of(instance, run_id).status is status)


def process_of(instance: dg.DagsterInstance, run_id: str) -> psutil.Process:
    return psutil.Process(int(run_of(instance, run_id).tags[PROCESS_TAG].split()[0]))


def test_a_run_is_executed_by_a_process_of_its_own(instance: dg.DagsterInstance) -> None:
    first, second = launched(instance, short), launched(instance, short)
    assert has(instance, first, S.SUCCESS) and has(instance, second, S.SUCCESS)
    numbers = {run_of(instance, run_id).tags[PROCESS_TAG].split()[0] for run_id in (first, second)}
    assert len(numbers) == 2 and str(os.getpid()) not in numbers


def test_any_process_can_cancel_a_run(instance: dg.DagsterInstance, home: Path) -> None:
    run_id = launched(instance, long)
    assert has(instance, run_id, S.STARTED)
    process = process_of(instance, run_id)
    with dg.DagsterInstance.from_config(str(home)) as elsewhere:
        assert elsewhere.run_launcher.terminate(run_id)
        assert has(elsewhere, run_id, S.CANCELED)
        assert not elsewhere.run_launcher.terminate(run_id)
    assert soon(lambda: not process.is_running())


def test_a_run_that_is_canceled_before_its_process_has_begun_is_canceled(instance: dg.DagsterInstance) -> None:
    run_id = launched(instance, long)
    assert instance.run_launcher.terminate(run_id)
    assert has(instance, run_id, S.CANCELED)


def test_a_run_whose_process_is_gone_is_canceled_at_once(instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(long, tags={PROCESS_TAG: "1 1.0"}, status=S.STARTED)
    assert instance.run_launcher.terminate(run.run_id)
    assert run_of(instance, run.run_id).status is S.CANCELED


def test_a_run_whose_process_dies_has_failed_at_once_and_says_so(instance: dg.DagsterInstance) -> None:
    run_id = launched(instance, deadly)
    assert has(instance, run_id, S.FAILURE)
    (failure,) = instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert failure.get_dagster_event().message == "its process ended by itself (exit code -9)"


def test_a_run_whose_process_dies_has_failed_though_that_could_not_be_noted_at_first(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = instance.report_run_failed
    refused: list[tuple[Any, ...]] = []

    def refuse_twice(*arguments: Any) -> object:  # as while the disk is full
        if len(refused) < 2:
            refused.append(arguments)
            raise psycopg.errors.DiskFull
        return report(*arguments)

    monkeypatch.setattr(run_launcher, "NOTED_AGAIN_AFTER", 0.05)
    monkeypatch.setattr(instance, "report_run_failed", refuse_twice)
    assert has(instance, launched(instance, deadly), S.FAILURE)
    assert len(refused) == 2


def test_who_never_launched_anything_knows_whether_a_runs_process_lives(
    instance: dg.DagsterInstance, home: Path
) -> None:
    """As a daemon does that was started anew."""
    run_id = launched(instance, long)
    assert has(instance, run_id, S.STARTED)
    with dg.DagsterInstance.from_config(str(home)) as elsewhere:
        launcher = elsewhere.run_launcher
        assert launcher.supports_check_run_worker_health
        assert launcher.check_run_worker_health(run_of(elsewhere, run_id)).status is WorkerStatus.RUNNING
        process_of(instance, run_id).kill()
        assert has(elsewhere, run_id, S.FAILURE)
        assert launcher.check_run_worker_health(run_of(elsewhere, run_id)).status is WorkerStatus.FAILED


def test_a_number_that_another_process_has_by_now_is_no_sign_of_life(instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(long, tags={PROCESS_TAG: f"{os.getpid()} 1.0"}, status=S.STARTED)
    assert instance.run_launcher.check_run_worker_health(run).status is WorkerStatus.FAILED


def test_the_end_of_the_fork_server_ends_no_run_and_the_next_one_starts_all_the_same(
    instance: dg.DagsterInstance,
) -> None:
    run_id = launched(instance, long)
    assert has(instance, run_id, S.STARTED)
    server = process_of(instance, run_id).parent()
    server.kill()
    assert has(instance, launched(instance, short), S.SUCCESS)
    run = run_of(instance, run_id)
    assert run.status is S.STARTED
    assert instance.run_launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING


def test_changed_code_is_what_the_next_run_executes(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "code" / "module.py"
    module.parent.mkdir()
    module.write_text("")
    monkeypatch.setattr(fork_server, "_FOLDER", module.parent)
    servers = []
    for changed_at in (1000, 1000, 2000):
        os.utime(module, (changed_at, changed_at))
        assert has(instance, launched(instance, short), S.SUCCESS)
        servers.append(forkserver._forkserver._forkserver_pid)  # type: ignore[attr-defined]
    assert servers[0] == servers[1] != servers[2]


def test_changed_code_is_waited_for_by_nobody_and_ends_no_run(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "code" / "module.py"
    module.parent.mkdir()
    module.write_text("")
    monkeypatch.setattr(fork_server, "_FOLDER", module.parent)
    under_way = launched(instance, long)
    assert has(instance, under_way, S.STARTED)
    os.utime(module, (2000, 2000))
    assert has(instance, launched(instance, short), S.SUCCESS)
    assert run_of(instance, under_way).status is S.STARTED
    process_of(instance, under_way).kill()  # what the server before the change has forked is still watched
    assert has(instance, under_way, S.FAILURE)


# --- when a run starts ---


def submitted(instance: dg.DagsterInstance, job: dg.JobDefinition, tags: Mapping[str, str] = {}) -> dg.DagsterRunStatus:
    """How a run stands once it was submitted, without the daemon's look at the queue."""
    run_id = created(instance, job)
    instance.add_run_tags(run_id, tags)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    context = SubmitRunContext(run, None)  # type: ignore[arg-type]  # as above
    return instance.run_coordinator.submit_run(context).status


def test_while_there_is_room_the_daemon_starts_a_run_at_once_and_what_is_more_waits_in_the_queue(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_coordinator, "_launches_here", True)
    with ThreadPoolExecutor(4) as threads:  # as Dagster submits what one tick of a sensor asks for
        found = list(threads.map(lambda _: submitted(instance, long), range(4)))
    assert found.count(S.QUEUED) == 2 and S.NOT_STARTED not in found


def test_what_is_limited_waits_in_the_queue_and_keeps_nobody_else_waiting(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_coordinator, "_launches_here", True)
    assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
    limits = instance.run_coordinator.get_run_queue_config().tag_concurrency_limits
    assert limits == [{"key": key, "limit": 1} for key in ADMIN_TAG]
    assert submitted(instance, short, ADMIN_TAG) is S.QUEUED
    assert submitted(instance, long) is not S.QUEUED


def test_what_another_process_submits_waits_for_the_daemon(instance: dg.DagsterInstance) -> None:
    assert submitted(instance, short) is S.QUEUED


# --- connections ---


def test_connections_are_kept_and_one_that_lost_its_server_is_replaced(
    instance: dg.DagsterInstance, records: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "select count(*) from pg_stat_activity where query like '%run_tags%' and pid <> pg_backend_pid()"
    with psycopg.connect(records.url, autocommit=True) as conn:
        for _ in range(5):
            instance.get_runs()
        instance.add_run_tags(created(instance, short), {"a": "b"})
        assert conn.execute(lines).fetchone() == (1,)
        conn.execute(
            """select pg_terminate_backend(pid, 5000) from pg_stat_activity
               where datname = current_database() and usename <> 'postgres' and pid <> pg_backend_pid()"""
        )
    monkeypatch.setattr("slomix_pipeline.runtime.dagster_storage._TRUSTED_FOR", 0.0)
    assert len(instance.get_runs()) == 1


def test_every_instance_of_a_process_speaks_on_the_same_line(instance: dg.DagsterInstance, records: Database) -> None:
    for _ in range(3):  # as for ticks of sensors
        with dg.DagsterInstance.from_ref(instance.get_ref()) as another:
            assert another.get_runs() == [] and list(another.all_instigator_state()) == []
            assert another.get_dynamic_partitions("rounds") == []
    with psycopg.connect(records.url) as conn:
        lines = """select count(*) from pg_stat_activity
                   where datname = current_database() and application_name <> 'slomix' and pid <> pg_backend_pid()"""
        assert conn.execute(lines).fetchone() == (1,)


def test_a_partition_that_was_not_there_is_asked_for_again(instance: dg.DagsterInstance) -> None:
    assert not instance.has_dynamic_partition("rounds", "main:a")
    instance.add_dynamic_partitions("rounds", ["main:a"])
    assert [instance.has_dynamic_partition("rounds", "main:a") for _ in range(2)] == [True, True]


# --- another configuration ---

DAGSTERS_OWN = """
storage: {postgres: {postgres_url: {env: SLOMIX_DAGSTER_PG_URL}}}
run_queue: {max_concurrent_runs: 3}
"""


def test_the_file_that_a_setting_names_is_used_instead_of_ours(empty_database: Database, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(DAGSTERS_OWN)
    settings = load_settings(home=tmp_path / "home", dagster_yaml=own)
    with dagster_instance(settings, empty_database) as instance:
        assert type(instance.run_launcher) is DefaultRunLauncher
        assert type(instance.run_coordinator) is QueuedRunCoordinator
        assert instance.get_runs() == []
    with dagster_instance(load_settings(home=tmp_path / "home"), empty_database) as instance:
        assert type(instance.run_launcher) is ForkingRunLauncher


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere.yaml is no file"):
        load_settings(dagster_yaml=tmp_path / "nowhere.yaml")
