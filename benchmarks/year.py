"""How large a year of rounds becomes: Dagster's records and our tables, week by week, with what is pruned meanwhile.

Imports a year of simulated evenings of 8 players, so that our tables are those of a year; runs the rounds, records and
session reports of one week through Dagster's jobs in this process, and copies what Dagster wrote of them in SQL for
every other week of the year, with other runs, partitions and times. After each copied week everything is taken away
that is old by then, as ``pruning_sensor`` does, and PostgreSQL told that the room is free, as it does by itself.
Ticks are written as often as the sensors of an idle system tick. Takes some minutes.

    .venv/bin/python benchmarks/year.py [--weeks 52]
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from psycopg import sql

from slomix_pipeline.definitions import build_defs
from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.gameserver.choose import open_game_server
from slomix_pipeline.jobs import PARTITIONS_OF
from slomix_pipeline.partitions import add_keys
from slomix_pipeline.runtime.children import LOG_BACKUPS, LOG_BYTES
from slomix_pipeline.runtime.home import dagster_instance, open_database
from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.simulator.history import write_day
from slomix_pipeline.warehouse.dagster_records import Pruned, forget_ticks, prune, sizes
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.embedded import LOG_BYTES as PG_LOG
from slomix_pipeline.warehouse.embedded import stop_embedded

DAYS_A_WEEK = 7  # with an evening of 14 rounds each: 5,096 rounds a year
ROUNDS_A_WEEK = 14 * DAYS_A_WEEK
TICKS_A_MINUTE = 35  # of all sensors together, measured
TICK_BYTES = 780  # of a tick's body, measured
LARGEST_TABLES = 10
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--weeks", type=int, default=52)
    weeks = parser.parse_args().weeks
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        scratch.chmod(0o755)  # the embedded server runs as another user when started by root
        files, home = scratch / "files", scratch / "home"
        with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
            list(pool.map(write_day, [files] * weeks * DAYS_A_WEEK, range(weeks * DAYS_A_WEEK), chunksize=4))
        os.environ |= {"SLOMIX_ENV_FILE": "", "SLOMIX_HOME": str(home), "SLOMIX_GAMESERVER_DIR": str(files)}
        command = [sys.executable, "-c", "from slomix_pipeline.cli.main import main; main()"]
        subprocess.run([*command, "import", str(files)], check=True, stdout=subprocess.DEVNULL)
        settings = load_settings()
        database = open_database(settings)
        stack.callback(stop_embedded, settings.postgres_dir)
        instance = stack.enter_context(dagster_instance(settings, database))
        run_a_week(instance, settings, database)
        live_a_year(database, weeks)
        live_a_day_of_ticks(database)
        show_sizes(settings, database)


def run_a_week(instance: dg.DagsterInstance, settings: Settings, database: Database) -> None:
    """Runs everything of the last week as live runs do, each partition in a run of its own, and keeps what Dagster
    wrote of it to be copied."""
    with database.transaction() as conn:
        conn.execute("delete from uncatalogued")  # what is measured is what runs write
        rows = conn.execute(
            """select round_key, record_key, session_key from session_round join round_timing using (round_key)
               order by round_key desc limit %s""",
            [ROUNDS_A_WEEK],
        ).fetchall()
    wanted = {
        "ingest_timings": [row["record_key"] for row in rows if row["record_key"]],
        "ingest_rounds": [row["round_key"] for row in rows],
        "report_sessions": sorted({row["session_key"] for row in rows}),
    }
    with open_game_server(settings) as gameserver:
        definitions = build_defs(settings=settings, database=database, gameserver=gameserver, discord=Channels())
        for name, keys in wanted.items():
            add_keys(instance, PARTITIONS_OF[name], keys)
            job = definitions.resolve_job_def(name)
            for key in keys:
                # Tags of a sensor's run.
                tags = {"dagster/sensor_name": "gamestats_sensor", "dagster/run_key": f"{key}:12345:1795954351:1"}
                job.execute_in_process(instance=instance, partition_key=key, tags=tags, run_config=QUIET)
    show("runs of the week that is copied", sum(map(len, wanted.values())))
    with database.transaction() as conn:
        conn.execute("create schema one_week")
        for table in COPIED:
            conn.execute(sql.SQL("create table one_week.{0} as table dagster.{0}").format(sql.Identifier(table)))


def _grown(database: Database, before: int) -> float:
    """MB per 1,000 rounds that came with a week."""
    return (dagsters_bytes(database) - before) / ROUNDS_A_WEEK / 1e3


def live_a_year(database: Database, weeks: int) -> None:
    """Copies the week, and takes away what is old after each copy."""
    begun = datetime.now(UTC)
    taken, longest = Pruned(), 0.0
    before = dagsters_bytes(database)
    for week in range(1, weeks):
        copy_week(database, week)
        if week == 1:
            show("Dagster's per 1,000 rounds, before anything is taken away, MB", f"{_grown(database, before):.0f}")
        at = time.monotonic()
        for portion in prune(database, begun + timedelta(weeks=week)):
            taken += portion
            longest, at = max(longest, time.monotonic() - at), time.monotonic()
        vacuum(database)
    show("runs, events, evaluations taken away", f"{taken.runs:,}, {taken.events:,}, {taken.evaluations:,}")
    show("longest portion, seconds", f"{longest:.2f}")


# Columns that say which run, partition or time it is, and numbers that others refer to.
CHANGED = {
    "id": "id + %(span)s",
    "run_id": "case when run_id = '' then '' else md5(run_id || %(suffix)s)::uuid::text end",
    "partition": "partition || %(suffix)s",
    "value": "case key when 'dagster/partition' then value || %(suffix)s else value end",
    "event_id": "event_id + %(span)s",
    "evaluation_event_storage_id": "evaluation_event_storage_id + %(span)s",
    "materialization_event_storage_id": "materialization_event_storage_id + %(span)s",
    "timestamp": "timestamp + %(by)s",
    "event_timestamp": "event_timestamp + %(by)s",
    "create_timestamp": "create_timestamp + %(by)s",
    "update_timestamp": "update_timestamp + %(by)s",
}
COPIED = ("runs", "run_tags", "event_logs", "asset_event_tags", "asset_check_executions")


def copy_week(database: Database, week: int) -> None:
    """What Dagster wrote of the first week, as of a later one."""
    with database.transaction() as conn:
        for table in COPIED:
            columns = [
                row["attname"]
                for row in conn.execute(
                    "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0",
                    [f"one_week.{table}"],
                )
            ]
            names = ", ".join(f'"{name}"' for name in columns)
            values = ", ".join(CHANGED.get(name, f'"{name}"') for name in columns)
            conn.execute(
                f"insert into dagster.{table} ({names}) select {values} from one_week.{table}",  # type: ignore[arg-type]  # no literal
                {"span": week * 10_000_000, "suffix": f"~{week:02}", "by": timedelta(weeks=week)},
            )


def vacuum(database: Database) -> None:
    """Lets PostgreSQL know which room is free, and how much there is."""
    with database.connect() as conn:
        conn.autocommit = True
        for table in (*COPIED, "job_ticks"):
            conn.execute(sql.SQL("vacuum (analyze) dagster.{}").format(sql.Identifier(table)))


def live_a_day_of_ticks(database: Database) -> None:
    """Writes the ticks of a day, forgetting old ones every hour."""
    now = datetime.now(UTC)
    before = dagsters_bytes(database)
    for hour in range(24):
        with database.transaction() as conn:
            conn.execute(
                """insert into dagster.job_ticks (job_origin_id, selector_id, status, type, timestamp, tick_body)
                   select repeat('o', 40), repeat('s', 40), 'SKIPPED', 'SENSOR', %s + n * interval '1 hour' / %s,
                          repeat('b', %s)
                   from generate_series(1, %s) n""",
                [now + timedelta(hours=hour), TICKS_A_MINUTE * 60, TICK_BYTES, TICKS_A_MINUTE * 60],
            )
        if hour == 0:
            show("a day's ticks, were they all kept, MB", f"{24 * (dagsters_bytes(database) - before) / 1e6:.0f}")
        forget_ticks(database, now + timedelta(hours=hour + 1))
        vacuum(database)
    show("ticks kept, MB", f"{(dagsters_bytes(database) - before) / 1e6:.0f}")


def show_sizes(settings: Settings, database: Database) -> None:
    """What the year came to."""
    with database.connect() as conn:
        found = sizes(conn)
        largest = conn.execute(
            """select n.nspname as schema, c.relname as name, pg_total_relation_size(c.oid) as bytes,
                      pg_indexes_size(c.oid) as indexes
               from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where c.relkind in ('r', 'm') and n.nspname in ('public', 'dagster') order by bytes desc limit %s""",
            [LARGEST_TABLES],
        ).fetchall()
    for what, size in (("ours", found.ours), ("Dagster's", found.dagsters), ("in all", found.ours + found.dagsters)):
        show(
            f"{what} after {found.rounds:,} rounds, MB; per 1,000", f"{size / 1e6:.0f}; {size / found.rounds / 1e3:.1f}"
        )
    for row in largest:
        name = f"{row['schema']}.{row['name']}"
        show(f"  {name}, MB; of it indexes", f"{row['bytes'] / 1e6:.1f}; {row['indexes'] / 1e6:.1f}")
    with database.connect() as conn:
        conn.autocommit = True
        for table in (*COPIED, "job_ticks"):
            conn.execute(sql.SQL("vacuum full dagster.{}").format(sql.Identifier(table)))
    kept = dagsters_bytes(database)
    show("Dagster's but for free room, MB; per 1,000", f"{kept / 1e6:.0f}; {kept / found.rounds / 1e3:.1f}")
    show(
        "logs at most: four processes, PostgreSQL, MB", f"{(4 * LOG_BYTES * (LOG_BACKUPS + 1) + 2 * PG_LOG) / 1e6:.0f}"
    )
    disk = sum(path.stat().st_size for path in settings.home.rglob("*") if path.is_file())
    show("the home on disk, with PostgreSQL's journal, MB", f"{disk / 1e6:.0f}")


def dagsters_bytes(database: Database) -> int:
    with database.connect() as conn:
        return sizes(conn).dagsters


def show(what: str, value: object) -> None:
    print(f"{what:<62} {value:>18}", flush=True)


if __name__ == "__main__":
    main()
