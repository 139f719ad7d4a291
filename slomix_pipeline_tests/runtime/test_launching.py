"""The ways to start runs, by setting alone: what Dagster is told, what is refused in words, and whether a run lives."""

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._config import process_config
from dagster._core.launcher import DefaultRunLauncher
from dagster._core.launcher.base import WorkerStatus
from dagster._core.run_coordinator import QueuedRunCoordinator
from pydantic import SecretStr, ValidationError

from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.jobs import executor
from slomix_pipeline.launching import ExtraMissing, Launcher, StepExecutor
from slomix_pipeline.runtime import daemon
from slomix_pipeline.runtime.dagster_yaml import dagster_yaml
from slomix_pipeline.runtime.home import dagster_environment, dagster_instance
from slomix_pipeline.runtime.parts import Part, PartNotPossible, serve, work
from slomix_pipeline.runtime.run_coordinator import PromptRunCoordinator
from slomix_pipeline.runtime.run_launcher import ForkingRunLauncher
from slomix_pipeline.runtime.run_life import lives, living
from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.pipeline_fixtures import Pipeline

BROKER = "redis://:a-password@127.0.0.1:1/0"
PROMPT, QUEUED = PromptRunCoordinator, QueuedRunCoordinator


def settings_for(launcher: str, database: Database, home: Path, **more: Any) -> Settings:
    return load_settings(
        home=home, launcher=launcher, postgres_url=SecretStr(database.url), celery_broker=SecretStr(BROKER), **more
    )


@pytest.mark.parametrize(
    ("launcher", "starts", "queues"),
    [("fork", ForkingRunLauncher, PROMPT), ("dagster", DefaultRunLauncher, QUEUED), ("celery", None, QUEUED)],
)
def test_a_setting_says_how_runs_are_started_and_how_many_at_once(
    launcher: str, starts: type | None, queues: type, empty_database: Database, tmp_path: Path
) -> None:
    if launcher == "celery":
        starts = pytest.importorskip("slomix_pipeline.runtime.celery_launcher").WorkersRunLauncher
    with dagster_instance(settings_for(launcher, empty_database, tmp_path, max_runs=7), empty_database) as instance:
        assert type(instance.run_launcher) is starts
        assert type(instance.run_coordinator) is queues
        assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
        assert instance.run_coordinator.get_run_queue_config().max_concurrent_runs == 7
        assert instance.run_monitoring_enabled and instance.run_retries_enabled


@pytest.mark.parametrize(
    ("launcher", "module", "name"),
    [("docker", "dagster_docker", "DockerRunLauncher"), ("kubernetes", "dagster_k8s", "K8sRunLauncher")],
)
def test_what_is_said_of_containers_is_what_their_launcher_takes(
    launcher: str, module: str, name: str, database: Database, tmp_path: Path
) -> None:
    found = getattr(pytest.importorskip(module), name)
    settings = settings_for(launcher, database, tmp_path, sftp_password=SecretStr("s3cret"))
    environment = dagster_environment(settings, database)
    text = (tmp_path / "dagster" / "dagster.yaml").read_text()
    said = yaml.safe_load(text)["run_launcher"]
    assert (said["module"], said["class"]) == (module, name)
    assert process_config(found.config_type(), said["config"]).success
    assert not any(secret in text for secret in ("s3cret", "a-password"))
    if launcher == "docker":
        assert said["config"]["env_vars"] == sorted(environment)


def test_no_block_of_a_launcher_hides_one_that_is_the_same_for_all() -> None:
    deploy = bundled_folder("deploy")
    shared = yaml.safe_load((deploy / "dagster.yaml").read_text())
    files = {file.stem: yaml.safe_load(file.read_text()) for file in (deploy / "launchers").iterdir()}
    assert files.keys() == set(Launcher)
    assert [name for name, blocks in files.items() if blocks.keys() & shared.keys()] == []


@pytest.mark.parametrize(
    ("chosen", "extra"),
    [
        ({"launcher": "celery"}, "celery"),
        ({"launcher": "docker"}, "docker"),
        ({"executor": "kubernetes"}, "kubernetes"),
    ],
)
def test_what_is_named_without_being_installed_is_said_with_its_remedy(
    chosen: dict[str, str], extra: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    settings = settings_for(
        chosen.get("launcher", "fork"), database, tmp_path, executor=chosen.get("executor", "in_process")
    )
    with pytest.raises(ExtraMissing, match=rf"pip install 'slomix-pipeline\[{extra}\]'"):
        dagster_environment(settings, database)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"launcher": "celery", "celery_broker": BROKER}, "needs SLOMIX_POSTGRES_URL"),
        ({"launcher": "celery", "postgres_url": "postgresql://h/n"}, "needs SLOMIX_CELERY_BROKER"),
        ({"celery_broker": "amqp://guest@h"}, "is written as redis://"),
        (
            {"launcher": "celery", "postgres_url": "p", "celery_broker": BROKER, "executor": "multiprocess"},
            "can't work in Celery's workers",
        ),
        ({"launcher": "carrier pigeon"}, "'fork', 'dagster', 'celery', 'docker' or 'kubernetes'"),
    ],
)
def test_settings_that_dont_go_together_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as refused:
        load_settings(**given)
    assert "a-password" not in str(refused.value)


def test_steps_are_executed_where_the_setting_says() -> None:
    assert executor(load_settings()) is dg.in_process_executor
    assert executor(load_settings(executor=StepExecutor.MULTIPROCESS)) is dg.multiprocess_executor
    k8s = pytest.importorskip("dagster_k8s")
    assert executor(load_settings(executor=StepExecutor.KUBERNETES)) is k8s.k8s_job_executor


def test_nothing_of_an_extra_is_loaded_that_is_not_named() -> None:
    program = """import sys, slomix_pipeline.definitions, slomix_pipeline.runtime.run_process, slomix_pipeline.runtime.parts
print([name for name in ("celery", "kubernetes", "docker", "redis") if name in sys.modules])"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_parts_that_run_apart_need_a_database_and_a_worker_needs_celery(tmp_path: Path, database: Database) -> None:
    with pytest.raises(PartNotPossible, match="set SLOMIX_POSTGRES_URL"):
        serve(load_settings(home=tmp_path), Part.CODE, "127.0.0.1", 1)
    with pytest.raises(PartNotPossible, match="SLOMIX_LAUNCHER=celery"):
        work(load_settings(home=tmp_path, postgres_url=SecretStr(database.url)), 1, "slomix")


def test_a_second_daemon_on_the_same_database_does_not_start(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("launch_in_this_process", "fork_server_from_here"):
        monkeypatch.setattr(daemon, name, lambda: None)
    monkeypatch.setattr(daemon, "settings_of_this_process", lambda: load_settings(postgres_url=SecretStr(database.url)))
    monkeypatch.setattr(daemon, "_PATIENCE", 0.1)
    with database.hold(daemon._ONE_DAEMON), pytest.raises(SystemExit, match="another daemon works"):
        daemon.run_daemon("nowhere.yaml")


# --- whether a run lives ---------------------------------------------------------------------------------------------

_LIVES = """import sys, time
from slomix_pipeline.runtime.run_life import living
from slomix_pipeline.warehouse.database import Database
with living(Database(sys.argv[1]), "a-run") as alone:
    print(alone, flush=True)
    time.sleep(600)
"""


def test_a_run_lives_until_its_process_is_killed_and_is_executed_by_one_only(database: Database) -> None:
    process = subprocess.Popen([sys.executable, "-c", _LIVES, database.url], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        try:
            assert process.stdout.readline() == "True\n"
            assert lives(database, "a-run") and not lives(database, "another")
            with living(database, "a-run") as alone:
                assert not alone
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    with database.hold("process of run a-run", patience=30):  # once PostgreSQL has noticed
        pass
    assert not lives(database, "a-run")


def test_a_run_of_a_worker_is_healthy_while_it_lives(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    celery_launcher = pytest.importorskip("slomix_pipeline.runtime.celery_launcher")
    url = SecretStr(pipeline.database.url)
    monkeypatch.setattr(celery_launcher, "settings_of_this_process", lambda: load_settings(postgres_url=url))
    launcher = celery_launcher.WorkersRunLauncher("slomix", BROKER)
    run = dg.DagsterRun(job_name="ingest_rounds")
    with living(pipeline.database, run.run_id):
        assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    assert launcher.check_run_worker_health(run).status is WorkerStatus.FAILED
    assert launcher.get_run_worker_debug_info(run) == "worker: none took it"


def test_a_file_of_the_admins_own_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("# mine\ntelemetry: {enabled: false}\n")
    settings = load_settings(dagster_yaml=tmp_path / "own.yaml")
    assert dagster_yaml(settings, ()) == "# mine\ntelemetry: {enabled: false}\n"
