"""The pipeline on several machines, as far as one machine shows it: Redis, each of Dagster's processes and two workers,
with homes of their own, and one PostgreSQL.

Belongs here: starting and ending them, asking the UI for a backfill as a browser does. Does not belong here: what is
expected of them (``test_cluster``).
"""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from slomix_pipeline.runtime.supervisor import free_port
from slomix_pipeline.settings import Settings, as_environment
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.pipeline_fixtures import SLOMIX

REDIS = shutil.which("redis-server")
PATIENCE = 480.0  # seconds that anything may take on a busy machine
WORKERS = ("first", "second")

_BACKFILL = """mutation ($given: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $given) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  }
}"""


@dataclass(frozen=True)
class Machines:
    """What runs. ``folder``: with a home for each process, and what it said."""

    folder: Path
    ui: str
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    environments: dict[str, dict[str, str]] = field(default_factory=dict)
    killed: set[str] = field(default_factory=set)

    def works(self, name: str, *command: str) -> bool:
        """What the health check of a part says, where that part runs."""
        whole = [*SLOMIX, *command, "--check"]
        done = subprocess.run(whole, env=self.environments[name], cwd=self.folder, capture_output=True, text=True)
        assert done.stdout in ("works\n", "does not work\n"), done.stdout + done.stderr
        return done.returncode == 0

    def ask_ui(self, query: str, **variables: Any) -> Any:
        answer = requests.post(f"{self.ui}/graphql", json={"query": query, "variables": variables}, timeout=60)
        said = answer.json()
        assert "errors" not in said, said
        return said["data"]

    def backfill(self, assets: Sequence[str], partitions: Sequence[str]) -> str:
        """Has partitions of assets made by Dagster's backfill, as the UI does. Returns its id."""
        given = {"assetSelection": [{"path": [asset]} for asset in assets], "partitionNames": list(partitions)}
        said = self.ask_ui(_BACKFILL, given=given)["launchPartitionBackfill"]
        assert said["__typename"] == "LaunchBackfillSuccess", said
        return str(said["backfillId"])

    def kill(self, name: str) -> None:
        """As a power cut does: the process and all that it started."""
        self.killed.add(name)
        end(self.processes[name])

    def executing(self, database: Database) -> set[str]:
        """Which workers have a run that has begun, by their names here."""
        with database.connect() as conn:
            rows = conn.execute(
                """select t.value from dagster.run_tags t join dagster.runs r using (run_id)
                   where t.key = 'slomix/worker' and r.status = 'STARTED'"""
            ).fetchall()
        return {self.name_of(row["value"]) for row in rows}

    def name_of(self, worker: str) -> str:
        """``first`` or ``second``, of what a worker calls itself."""
        number = int(worker.removeprefix("slomix-").split("@")[0])
        return next(name for name, process in self.processes.items() if process.pid == number)

    def worked(self, database: Database) -> set[str]:
        """Which workers have brought a run to its good end."""
        with database.connect() as conn:
            rows = conn.execute(
                """select t.value from dagster.run_tags t join dagster.runs r using (run_id)
                   where t.key = 'slomix/worker' and r.status = 'SUCCESS'"""
            ).fetchall()
        return {self.name_of(row["value"]) for row in rows}

    def wait_until(self, what: str, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < deadline, f"{what}; they said:\n{self.said()}"
            for name, process in self.processes.items():
                assert name in self.killed or process.poll() is None, f"{name} ended; they said:\n{self.said()}"
            time.sleep(0.2)

    def said(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {log.stem}\n{log.read_text(errors='replace')[-3000:]}" for log in logs)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis that keeps nothing. Gives its address, with the password."""
    port, password = free_port(0), secrets.token_urlsafe(12)
    with (folder / "redis.log").open("wb") as output:
        server = subprocess.Popen(
            [REDIS or "", "-"], stdin=subprocess.PIPE, stdout=output, stderr=output, cwd=folder, start_new_session=True
        )
    assert server.stdin is not None
    server.stdin.write(f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\n'.encode())
    server.stdin.close()
    try:
        yield f"redis://:{password}@127.0.0.1:{port}/0"
    finally:
        end(server)


@contextmanager
def machines(folder: Path, settings: Settings, *, with_ui: bool = True) -> Iterator[Machines]:
    """Code server, daemon, UI and workers, each with a home of its own in ``folder``."""
    code_port, ui_port = free_port(0), free_port(0)
    with ExitStack() as stack:
        found = Machines(folder, f"http://127.0.0.1:{ui_port}")

        def start(name: str, *command: str) -> None:
            update = {"home": folder / name, "code_server": f"127.0.0.1:{code_port}", "ui_port": ui_port}
            environment = os.environ | as_environment(settings.model_copy(update=update))
            with (folder / f"{name}.log").open("wb") as output:
                process = subprocess.Popen(
                    [*SLOMIX, *command],
                    env=environment,
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            found.processes[name], found.environments[name] = process, environment
            stack.callback(end, process)

        start("code", "serve", "code")
        for name in WORKERS:
            start(name, "worker", "--concurrency", "1")
        start("daemon", "serve", "daemon")
        if with_ui:
            start("ui", "serve", "ui")
            found.wait_until("the UI does not know the code", lambda: _knows_code(found))
        yield found


def _knows_code(found: Machines) -> bool:
    with suppress(requests.ConnectionError):
        said = found.ask_ui("{ repositoriesOrError { __typename ... on RepositoryConnection { nodes { name } } } }")
        return bool(said["repositoriesOrError"].get("nodes"))
    return False


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ends a process and all of its session at once."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def results(database: Database) -> dict[str, list[dict[str, Any]]]:
    """All that is derived from files, without the moments at which that was done."""
    with database.snapshot() as conn:
        columns: dict[str, list[str]] = {}
        for row in conn.execute(
            """select table_name, column_name from information_schema.columns
               where table_schema = 'public' and table_name = any(%s) and coalesce(column_default, '') !~ 'now\\(\\)'
                     and column_name <> all(%s)
               order by ordinal_position""",
            [list(DERIVED), list(_MOMENTS)],
        ):
            columns.setdefault(row["table_name"], []).append(row["column_name"])
        assert columns.keys() == set(DERIVED)
        found: dict[str, list[dict[str, Any]]] = {}
        for table, names in columns.items():
            chosen = ", ".join(f'"{name}"' for name in names)
            rows = conn.execute(f"select {chosen} from {table} order by {chosen}::text").fetchall()
            found[table] = [dict(row) for row in rows]
    return found


_MOMENTS = ("awarded_at", "prepared_of", "scored_at", "told_of")  # beside those that are filled in by themselves
DERIVED = (
    "award",
    "match",
    "parsed_player",
    "player_round_fact",
    "player_session_fact",
    "round",
    "round_player",
    "round_timing",
    "round_weapon",
    "session",
    "session_player",
    "session_round",
    "session_team",
)
