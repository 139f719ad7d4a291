"""What all tests share: settings untouched by the machine's, databases of their own, patient property tests."""

import os
import sys
from collections.abc import Iterator

import pytest
from dagster import RetryPolicy
from dagster._core.storage import event_log, runs
from dagster._core.storage.sql import create_engine
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine
from sqlalchemy.pool import Pool, QueuePool

from slomix_pipeline_tests.gameserver_fixtures import files, nothing_of_the_users, scripts, server, source
from slomix_pipeline_tests.interaction_fixtures import commands
from slomix_pipeline_tests.lua_fixtures import runtime
from slomix_pipeline_tests.pipeline_fixtures import pipeline, sftp_pipeline, stored_pipeline
from slomix_pipeline_tests.postgres_fixtures import (
    database,
    empty_database,
    made_cluster,
    migrated_template,
    postgres_server,
    server_home,
    template_as_made,
)
from slomix_pipeline_tests.site_fixtures import shown

__all__ = [
    "commands",
    "database",
    "empty_database",
    "files",
    "made_cluster",
    "migrated_template",
    "nothing_of_the_users",
    "pipeline",
    "postgres_server",
    "runtime",
    "scripts",
    "server",
    "server_home",
    "sftp_pipeline",
    "shown",
    "source",
    "stored_pipeline",
    "template_as_made",
]

# A busy machine of two cores makes single examples slow; how slow is measured in benchmarks/, never here.
hypothesis_settings.register_profile("patient", deadline=None, max_examples=50, database=None)
hypothesis_settings.load_profile("patient")

# Before any test module loads settings: nobody's .env, no inherited setting, and above all no real webhook.
for variable in list(os.environ):
    if variable.startswith(("SLOMIX_", "DAGSTER_")) and variable != "SLOMIX_REAL_FILES":
        del os.environ[variable]
os.environ["SLOMIX_ENV_FILE"] = ""

# Tests start many processes: each would compile all modules anew where the machine is told to keep no bytecode.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


# Where most of the time goes, longest first. A file begun last would be waited for by everybody who is done.
LONGEST = (
    "test_chaos.py",
    "test_end_to_end.py",
    "test_commands.py",
    "test_documented_commands.py",
    "test_imports.py",
    "test_site_schema.py",
    "test_session_pictures.py",
    "test_hostile_evening.py",
    "test_run_launcher.py",
    "test_undelivered.py",
    "test_pruning.py",
    "test_properties.py",
    "test_fault_schedules.py",
    "test_posts.py",
    "test_pages.py",
    "test_evenings.py",
    "test_evening_pages.py",
    "test_player_pages.py",
    "test_identities.py",
    "test_timing_linking.py",
    "test_overridden.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first; all else stays in its order."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONGEST)))


def _keeping_connections(url: str, poolclass: type[Pool]) -> Engine:
    """An engine of Dagster's whose connections serve any thread, one after the other."""
    return create_engine(url, poolclass=QueuePool, connect_args={"check_same_thread": False})


@pytest.fixture(autouse=True, scope="session")
def _no_time_lost_in_dagster() -> Iterator[None]:
    """Runs in this process try again at once. Instances in memory, which nobody migrates, are made without reading all
    of Alembic's revisions; they keep their connections, and don't look at every event whether they have today's
    columns."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RetryPolicy, "calculate_delay", lambda *_: 0)
        for storage in (runs.in_memory, event_log.in_memory):
            patch.setattr(storage, "stamp_alembic_rev", lambda *_: None)
            patch.setattr(storage, "create_engine", _keeping_connections)
        of_today = event_log.in_memory.InMemoryEventLogStorage
        patch.setattr(of_today, "_has_asset_key_col_on_connection", lambda *_: True)
        patch.setattr(of_today, "_check_partitions_table", lambda _: None)
        yield


@pytest.fixture(autouse=True)
def _settings_of_this_test_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings a test makes through the environment end with it."""
    monkeypatch.setenv("SLOMIX_ENV_FILE", "")
