"""The folder of backups: a dump and, beside it, what it is.

Belongs here: names, the description beside a dump, which ones there are, taking one away.
Does not belong here: making a dump (``dumping``), which may go (``rules.backups``).

A dump is written under another name and gets its own when it is whole and on the disk, after its description: what has
the name of a dump is one. Only what is described here is ever listed or taken away.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from psycopg import Connection
from psycopg.errors import InsufficientPrivilege
from psycopg.rows import DictRow
from pydantic import TypeAdapter, ValidationError

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.rules.backups import BackupKind, Made, Verdict
from slomix_pipeline.warehouse.digests import Digest

SUFFIX = ".dump"
_PARTIAL = ".partial"
_NAME = re.compile(rf"slomix-\d{{8}}-\d{{6}}-({'|'.join(BackupKind)}){re.escape(SUFFIX)}(\.json)?({_PARTIAL})?")
_CHUNK = 1 << 20
_KILLED_AFTER = timedelta(days=1)  # without a byte more: whoever wrote it is gone, and not another home's backup
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
# Where a server does not tell which one it is: since when the database is there.
_IDENTITY = (
    "select system_identifier || '/' || current_database() as identity from pg_control_system()",
    """select extract(epoch from min(applied_at)) || '/' || current_database() as identity
       from public.schema_migration""",
)


class BackupError(SlomixError):
    """A backup can't be made, read or restored; the text says why."""


@dataclass(frozen=True)
class Described:
    """What a dump is. ``tables``: what each held, by schema and name, at the moment that the dump is of; ``schema``:
    the number of the last migration; ``program``, ``server``: the versions of slomix and PostgreSQL; ``verdict``,
    ``said``: what its check found, None: there was none; ``database``: which one it is of, None: older programs did not
    say."""

    kind: BackupKind
    made_at: datetime
    schema: int
    rounds: int
    program: str
    server: str
    size: int
    sha256: str
    seconds: float
    tables: dict[str, Digest]
    verdict: Verdict | None = None
    said: str = ""
    database: str | None = None


@dataclass(frozen=True)
class Backup:
    """A dump in a folder, and its description."""

    path: Path
    described: Described

    @property
    def made(self) -> Made:
        return Made(self.path.name, self.described.kind, self.described.made_at, self.described.verdict)

    @property
    def in_words(self) -> str:
        own = self.described
        rate = own.size / 1e6 / max(own.seconds, 0.1)
        return f"{own.rounds:,} rounds, {own.size / 1e6:,.1f} MB, in {own.seconds:,.1f} s, {rate:,.1f} MB/s"


_DESCRIPTIONS = TypeAdapter(Described)


def prepare(folder: Path) -> None:
    """Makes the folder, for its owner alone, and takes away what killed backups left in it.

    Raises:
        BackupError: it can't be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in folder.iterdir():
            if path.name.endswith(_PARTIAL) and _NAME.fullmatch(path.name) and _is_left(path):
                path.unlink(missing_ok=True)
    except OSError as error:
        raise BackupError(f"can't use {folder} for backups: {error.strerror}") from error


def _is_left(partial: Path) -> bool:
    """Whether nobody writes a file any more. Another home, which shares the folder, may write one just now."""
    try:
        return datetime.now(UTC).timestamp() - partial.stat().st_mtime > _KILLED_AFTER.total_seconds()
    except FileNotFoundError:
        return False


def path_for(folder: Path, kind: BackupKind, moment: datetime) -> Path:
    """Where the backup of a moment goes: of several in one second each later one as if a second later."""
    while (path := folder / f"slomix-{moment.astimezone(UTC):%Y%m%d-%H%M%S}-{kind}{SUFFIX}").exists():
        moment += timedelta(seconds=1)
    return path


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """A new file for its owner alone, which has its name when all of it is on the disk, and else leaves nothing.

    Raises:
        BackupError: it can't be written, as when the disk is full.
    """
    partial = _partial_of(path)
    try:
        line = os.open(partial, _NEW, 0o600)
    except OSError as error:
        raise BackupError(f"can't write {path}: {error.strerror}") from error
    try:
        with os.fdopen(line, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
        _sync(path.parent)
    except OSError as error:
        raise BackupError(f"can't write {path}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _partial_of(path: Path) -> Path:
    return path.with_name(path.name + _PARTIAL)


def _sync(folder: Path) -> None:
    line = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(line)
    finally:
        os.close(line)


def description_of(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def describe(path: Path, described: Described) -> None:
    """Writes what a dump is beside it. Whoever has the dump has this, too: what a killed process left of it goes."""
    with suppress(OSError):
        _partial_of(description_of(path)).unlink(missing_ok=True)
    with written(description_of(path)) as file:
        file.write(_DESCRIPTIONS.dump_json(described, indent=1) + b"\n")


def note_verdict(backup: Backup, verdict: Verdict, said: str) -> Backup:
    """Notes what the check of a backup found."""
    described = replace(backup.described, verdict=verdict, said=said)
    describe(backup.path, described)
    return replace(backup, described=described)


def read(path: Path) -> Described | None:
    """What a dump is; None where nothing beside it says so.

    Raises:
        BackupError: what stands beside it can't be read.
    """
    try:
        return _DESCRIPTIONS.validate_json(description_of(path).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise BackupError(
            f"{description_of(path)} can't be read, so {path.name} can't be compared; take it away to restore "
            f"without comparing: {error}"
        ) from error


def list_backups(folder: Path) -> list[Backup]:
    """The backups of a folder, the oldest first; what can't be read is none."""
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ():
        with suppress(BackupError):
            if _NAME.fullmatch(path.name) and (described := read(path)) is not None:
                found.append(Backup(path, described))
    return sorted(found, key=lambda backup: (backup.described.made_at, backup.path.name))


def backups_of(conn: Connection[DictRow], folder: Path) -> list[Backup]:
    """Those of a database alone, the oldest first: homes may share a folder. Which one an older backup is of nobody
    knows; it counts as of this one."""
    own = identity(conn)
    return [backup for backup in list_backups(folder) if backup.described.database in (None, own)]


def identity(conn: Connection[DictRow]) -> str:
    """Which database of which server it is, whatever its address."""
    for statement in _IDENTITY:
        with suppress(InsufficientPrivilege), conn.transaction():
            row = conn.execute(statement).fetchone()
            assert row is not None
            return str(row["identity"])
    raise AssertionError("its own tables can be read")


def remove(folder: Path, name: str) -> None:
    """Takes a backup away, its description last: what is left half-way is still known as ours."""
    path = folder / name
    path.unlink(missing_ok=True)
    description_of(path).unlink(missing_ok=True)


def check_bytes(path: Path, described: Described) -> None:
    """
    Raises:
        BackupError: the file is not as it was written.
    """
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
    if sha256.hexdigest() != described.sha256:
        raise BackupError(f"{path} is damaged: its bytes are not those that were written (sha256)")
