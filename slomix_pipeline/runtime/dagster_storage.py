"""Dagster's own records in PostgreSQL, asked for no more than it takes. Named in ``deploy/dagster.yaml``.

Dagster opens a connection for every event that it writes and every question that it asks, looks whether its tables are
there before most of them, and asks for the same partition dozens of times in a run: that was two thirds of the time of
a short run, and most of what an idle system cost. Its web server keeps connections; here every process does. The code
server makes an instance of Dagster for every tick of a sensor: all instances of a process share what it keeps.

Does not belong here: our own connections (``warehouse.connections``), what is taken away
(``warehouse.dagster_records``).
"""

import os
import time
from typing import Any

from dagster import EventLogEntry, StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.config import PostgresStorageConfig
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._serdes import ConfigurableClassData
from dagster_postgres import (
    DagsterPostgresStorage,
    PostgresEventLogStorage,
    PostgresRunStorage,
    PostgresScheduleStorage,
)
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import Connection, Engine, event, exc

_LONGEST_STATEMENT = 60_000  # ms
_RENEW_AFTER = 3600  # seconds
_AT_ONCE = 20  # connections that a process may have beside the one it keeps, for as long as they are in use
_TRUSTED_FOR = 1.0  # seconds; what was unused for longer may have lost its server

_tables_are_expected = False
# Of this process, by address. A fork never speaks on a line of its parent.
_engines: dict[tuple[int, str], Engine] = {}


def expect_tables() -> None:
    """Says that no table has to be created in this process: another has done so."""
    global _tables_are_expected
    _tables_are_expected = True


def let_go(postgres_url: str) -> None:
    """Ends what this process keeps of an address, whose tables may be gone when it is used next."""
    if engine := _engines.pop((os.getpid(), postgres_url), None):
        engine.dispose()


class _EventLogStorage(PostgresEventLogStorage):
    """Remembers what never changes again: tables and columns that are there, and partitions, of which none is ever
    deleted.

    And takes an evaluation of a check that no run made a second time: Dagster's index lets every check and partition
    have one, and what sensors tell of (``sensors.catalogue``, alarms) may have to be told of again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._tables: set[str] = set()
        self._columns: set[str] = set()  # of the assets' table
        self._partitions: set[tuple[str, str]] = set()
        super().__init__(*args, **kwargs)

    def has_table(self, table_name: str) -> bool:
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def has_asset_key_col(self, column_name: str) -> bool:
        if column_name not in self._columns and super().has_asset_key_col(column_name):
            self._columns.add(column_name)
        return column_name in self._columns

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        key = (partitions_def_name, partition_key)
        if key not in self._partitions and super().has_dynamic_partition(*key):
            self._partitions.add(key)
        return key in self._partitions

    def _store_runless_asset_check_evaluation(self, event: EventLogEntry, event_id: int | None) -> None:
        assert event.dagster_event is not None
        evaluation = event.dagster_event.asset_check_evaluation_data
        with self.index_connection() as conn:
            conn.execute(
                AssetCheckExecutionsTable.delete().where(
                    AssetCheckExecutionsTable.c.asset_key == evaluation.asset_key.to_string(),
                    AssetCheckExecutionsTable.c.check_name == evaluation.check_name,
                    AssetCheckExecutionsTable.c.run_id == event.run_id,
                    AssetCheckExecutionsTable.c.partition.is_not_distinct_from(evaluation.partition),
                )
            )
        super()._store_runless_asset_check_evaluation(event, event_id)


class _ScheduleStorage(PostgresScheduleStorage):
    """Does not look for its tables before each of a sensor's ticks is noted: they were made before it was."""

    def has_instigators_table(self) -> bool:
        return True

    def _has_instigators_table(self, conn: Connection) -> bool:
        return True


class KeptConnectionsStorage(DagsterPostgresStorage):
    """``DagsterPostgresStorage`` with one connection kept per process; the web server keeps one for each of the three,
    as with Dagster's own. Its only setting is ``postgres_url``."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        self.postgres_url = postgres_url
        self._inst_data = inst_data
        kept = _engines.get((os.getpid(), postgres_url))
        self.should_autocreate_tables = kept is None and not _tables_are_expected
        self._run_storage = PostgresRunStorage(postgres_url, self.should_autocreate_tables)
        self._event_log_storage = _EventLogStorage(postgres_url, self.should_autocreate_tables)
        self._schedule_storage = _ScheduleStorage(postgres_url, self.should_autocreate_tables)
        if kept is None:
            self._run_storage.optimize_for_webserver(_LONGEST_STATEMENT, _RENEW_AFTER, _AT_ONCE)
            kept = self._run_storage._engine  # there is no call for it
            _test_idle_connections(kept)
            _engines[os.getpid(), postgres_url] = kept
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = kept
        super(DagsterPostgresStorage, self).__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {"postgres_url": StringSource}

    @classmethod
    def from_config_value(  # type: ignore[override]  # as Dagster's own
        cls, inst_data: ConfigurableClassData | None, config_value: PostgresStorageConfig
    ) -> "KeptConnectionsStorage":
        return cls(pg_url_from_config(config_value), inst_data)


def _test_idle_connections(engine: Engine) -> None:
    """Has a connection that was kept over a restart of PostgreSQL noticed before it is used, at no cost for others."""

    @event.listens_for(engine, "checkout")
    def test(connection: Any, record: Any, _proxy: Any) -> None:
        unused_for = time.monotonic() - record.info.get("used_at", time.monotonic())
        if unused_for > _TRUSTED_FOR:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("select 1")
            except Exception as error:
                raise exc.DisconnectionError from error  # the pool opens another

    @event.listens_for(engine, "checkin")
    def note(_connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()
