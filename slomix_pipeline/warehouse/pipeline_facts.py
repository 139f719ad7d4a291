"""How the pipeline stands in numbers and moments: files, folders, messages, checks, runs of Dagster's, backups.

Belongs here: what ``slomix doctor``, the nightly report and the metrics have in common. Each question is asked as the
owner and as the role of pages: in the schema ``site`` everything that is read here has the same name.
Does not belong here: when something is late or wrong (``rules.stages``), words (``reports``), what only the owner may
read (``pipeline_gaps``).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.rules.backups import latest_good
from slomix_pipeline.rules.things import ThingKind
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse.backup_files import list_backups
from slomix_pipeline.warehouse.check_results import CheckName, Severity
from slomix_pipeline.warehouse.rows import rows_of

RUNS_OF = timedelta(days=1)  # of Dagster's, that are counted


@dataclass(frozen=True, slots=True)
class FilesOf:
    """Files of a game server, of one kind and status. ``newest``: when the last of them was written, as the game server
    listed it, None: none of them came from there; ``requested_since``: of those that wait for their outcome the first;
    ``finished_since``: of those that have theirs."""

    server: str
    kind: FileKind
    status: FileStatus
    files: int
    newest: datetime | None
    requested_since: datetime | None
    finished_since: datetime | None


def files(conn: Connection[DictRow]) -> list[FilesOf]:
    """Every file that was ever seen, counted by what it is and what became of it."""
    with conn.cursor(row_factory=rows_of(FilesOf)) as cursor:
        return cursor.execute(
            """select server, kind, status, count(*) as files, max(modified_at) as newest,
                      min(requested_at) as requested_since, min(finished_at) as finished_since
               from file group by server, kind, status order by server, kind, status"""
        ).fetchall()


@dataclass(frozen=True, slots=True)
class FolderLook:
    """When a folder of a game server was last listed with success; None: never. ``holds``: what lies there."""

    server: str
    folder: str
    holds: tuple[str, ...]
    looked_at: datetime | None


def folder_looks(conn: Connection[DictRow], settings: Settings) -> list[FolderLook]:
    """Of every folder that the settings name; of a game server whose place is not set here, those that were listed.
    What was listed by settings of before is nobody's business any more."""
    rows = conn.execute("select server, folder, looked_at from folder_look").fetchall()
    looked_at = {(row["server"], row["folder"]): row["looked_at"] for row in rows}
    found = []
    for own in settings.game_servers:
        holds: dict[str, tuple[str, ...]] = {}
        for folder, what in ((own.gamestats_folder, "gamestats"), (own.gametimes_folder, "gametimes")):
            holds[folder] = (*holds.get(folder, ()), what)
        looks = (FolderLook(own.server, *of, looked_at.get((own.server, of[0]))) for of in holds.items())
        found += [look for look in looks if own.place is not None or look.looked_at is not None]
    return found


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages of one kind, the oldest since then."""

    kind: ThingKind
    messages: int
    since: datetime


def due_messages(conn: Connection[DictRow], now: datetime) -> list[Waiting]:
    """What is still to be told and did not arrive so far."""
    with conn.cursor(row_factory=rows_of(Waiting)) as cursor:
        return cursor.execute(
            """select kind, count(*) as messages, min(since) as since from undelivered
               where due_until > %s group by kind order by kind""",
            [now],
        ).fetchall()


def troubled_messages(conn: Connection[DictRow]) -> list[Waiting]:
    """What somebody has to look at."""
    with conn.cursor(row_factory=rows_of(Waiting)) as cursor:
        return cursor.execute(
            "select kind, count(*) as messages, min(since) as since from message_trouble group by kind order by kind"
        ).fetchall()


def refused_messages(conn: Connection[DictRow]) -> list[Waiting]:
    """What a webhook refused."""
    with conn.cursor(row_factory=rows_of(Waiting)) as cursor:
        return cursor.execute(
            "select kind, count(*) as messages, min(since) as since from refused_message group by kind order by kind"
        ).fetchall()


@dataclass(frozen=True, slots=True)
class ChecksFailed:
    """For how many rounds, records or sessions a check did not pass, the first of them since then."""

    check_name: CheckName
    severity: Severity
    failed: int
    since: datetime


def failed_checks(conn: Connection[DictRow]) -> list[ChecksFailed]:
    """Every check that did not pass for something."""
    with conn.cursor(row_factory=rows_of(ChecksFailed)) as cursor:
        return cursor.execute(
            """select check_name, severity, count(*) as failed, min(checked_at) as since
               from check_result where not passed group by check_name, severity order by check_name, severity"""
        ).fetchall()


@dataclass(frozen=True, slots=True)
class Totals:
    """How much is stored. ``data_version`` and ``changed_at``: what pages show, and since when; ``schema``: the number
    of the newest migration; ``database_bytes``: with Dagster's records."""

    rounds: int
    valid_rounds: int
    sessions: int
    last_round_at: datetime | None
    data_version: int
    changed_at: datetime
    schema: int
    database_bytes: int


def totals(conn: Connection[DictRow]) -> Totals:
    """How much is stored."""
    with conn.cursor(row_factory=rows_of(Totals)) as cursor:
        row = cursor.execute(
            """select (select count(*) from parsed_round) as rounds,
                      (select count(*) from round where valid) as valid_rounds,
                      (select count(*) from session) as sessions,
                      (select max(stamp) from parsed_round) as last_round_at,
                      v.version as data_version, v.changed_at,
                      (select max(number) from schema_migration) as schema,
                      pg_database_size(current_database()) as database_bytes
               from site.version v"""
        ).fetchone()
    assert row is not None
    return row


@dataclass(frozen=True, slots=True)
class DagsterSeen:
    """What Dagster's records say. ``watched_at``: the last sign of life of its daemon; None, as is an empty ``runs``
    that has nothing of it: they are kept elsewhere. ``runs``: of lately, by Dagster's own words for how they stand."""

    watched_at: datetime | None
    runs: dict[str, int]

    @property
    def failed(self) -> int:
        return self.runs.get("FAILURE", 0)


def dagster_seen(conn: Connection[DictRow], now: datetime) -> DagsterSeen:
    """What Dagster's records say, of the last day."""
    row = conn.execute("select site.watched_at() as watched_at").fetchone()
    assert row is not None
    runs = conn.execute("select status, runs from site.runs_of_dagster(%s)", [now - RUNS_OF]).fetchall()
    return DagsterSeen(row["watched_at"], {run["status"]: run["runs"] for run in runs})


@dataclass(frozen=True, slots=True)
class BackupsSeen:
    """The backups that are there. ``made_at``: of the newest; ``compared_at``: of the newest that was restored and
    found to be the same; None: there is no such."""

    backups: int
    made_at: datetime | None
    compared_at: datetime | None


def backups_seen(folder: Path) -> BackupsSeen:
    """What is in the folder of backups."""
    made = [backup.made for backup in list_backups(folder)]
    good = latest_good(made)
    return BackupsSeen(len(made), made[-1].made_at if made else None, good.made_at if good else None)
