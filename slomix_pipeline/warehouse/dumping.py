"""PostgreSQL's own programs, as they come with the embedded server: dumping a database, reading and loading a dump.

Belongs here: calling them, for any server. Does not belong here: which files (``backup_files``), what is compared
(``digests``), where it is loaded into and why (``actions``).

- Passwords go through the environment of the program, never through its arguments.
- A dump has neither owners nor rights in it: whoever loads it owns all, and the code that grants rights does so again.
- Loading is one transaction. It is committed when the dump was read to its end: half a dump changes nothing.
- Of our own schema ``site`` nothing is dumped; it is made by ``migrations``, and names roles that may not be there.
"""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import IO

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from slomix_pipeline.settings import environment_without_settings
from slomix_pipeline.warehouse.backup_files import BackupError
from slomix_pipeline.warehouse.database import CONNECT_TIMEOUT_SECONDS, DAGSTER_SCHEMA, Database, without_password
from slomix_pipeline.warehouse.embedded import MAJOR_VERSION, programs
from slomix_pipeline.warehouse.migrations import Applied

SCHEMAS = ("public", DAGSTER_SCHEMA)
Told = Callable[[int], None]  # how many bytes so far
_CHUNK = 1 << 20
_LINES = 10  # of what a failed program said
_LEVEL = 1  # of compression: a third of the time of the usual one, for a third more bytes
_PSQL = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--file=-")
_WITHOUT_RIGHTS = ("--no-owner", "--no-privileges")
# Servers before 17 don't know this setting, which a dump only has to switch it off.
_UNKNOWN_TO_OLD = b"SET transaction_timeout = 0;\n"


@dataclass(frozen=True)
class Written:
    """A dump as it was written."""

    size: int
    sha256: str


def check_version(server_version: int) -> None:
    """
    Raises:
        BackupError: the server, whose version is given as PostgreSQL numbers it, is newer than the programs.
    """
    if server_version // 10000 > int(MAJOR_VERSION):
        raise BackupError(
            f"the server is PostgreSQL {server_version // 10000}, and the pg_dump that comes with slomix is of "
            f"{MAJOR_VERSION}, which can't dump it: use that server's own pg_dump, or update slomix"
        )


def dump(database: Database, snapshot: str, into: IO[bytes], told: Told) -> Written:
    """Dumps our schemas as they are in an exported snapshot.

    Raises:
        BackupError: it failed.
    """
    schemas = [f"--schema={schema}" for schema in SCHEMAS]
    arguments = ["--format=custom", f"--compress={_LEVEL}", f"--snapshot={snapshot}", *_WITHOUT_RIGHTS, *schemas]
    size, sha256 = 0, hashlib.sha256()
    with _running("pg_dump", arguments, database, stdout=subprocess.PIPE) as dumping:
        while chunk := dumping.output.read(_CHUNK):
            into.write(chunk)
            sha256.update(chunk)
            size += len(chunk)
            told(size)
        dumping.must_have_succeeded()
    return Written(size, sha256.hexdigest())


def migrations_in(path: Path) -> list[Applied]:
    """The migrations that the database of a dump had, by number.

    Raises:
        BackupError: it is no dump, or not one of ours.
    """
    arguments = ["--data-only", "--schema=public", "--table=schema_migration", "--file=-", str(path)]
    with _running("pg_restore", arguments, stdout=subprocess.PIPE) as reading:
        text = reading.output.read().decode()
        reading.must_have_succeeded()
    lines = iter(text.splitlines())
    columns = next((line for line in lines if line.startswith("COPY ")), None)
    if columns is None:
        raise BackupError(f"{path} is no dump of a database of slomix")
    names = columns[columns.index("(") + 1 : columns.index(")")].split(", ")
    rows = (dict(zip(names, line.split("\t"), strict=True)) for line in takewhile(lambda line: line != "\\.", lines))
    found = [Applied(int(row["number"]), row["name"], row["sha256"], program=_text(row.get("program"))) for row in rows]
    return sorted(found, key=lambda applied: applied.number)


def _text(copied: str | None) -> str | None:
    return None if copied == r"\N" else copied


def load(path: Path, database: Database, before: str, after: str, told: Told) -> None:
    """Loads a dump between the statements of ``before`` and ``after``, all or nothing.

    Raises:
        BackupError: it is damaged, does not fit in, or there is no more room; the database is as it was.
    """
    schemas = [f"--schema={schema}" for schema in SCHEMAS]
    restoring = ["--file=-", *_WITHOUT_RIGHTS, *schemas]
    with (
        path.open("rb") as file,
        _running("psql", _PSQL, database, stdin=subprocess.PIPE) as loading,
        _running("pg_restore", restoring, stdin=file, stdout=subprocess.PIPE) as reading,
    ):
        with suppress(BrokenPipeError):  # psql says itself why it ended
            loading.input.write(f"begin;\n{before}\n".encode())
            for chunk in _statements(reading.output):
                loading.input.write(chunk)
                told(os.lseek(file.fileno(), 0, os.SEEK_CUR))
            reading.must_have_succeeded()
            loading.input.write(f"\n{after}\ncommit;\n".encode())
            loading.input.close()
        loading.must_have_succeeded()


def _statements(dumped: IO[bytes]) -> Iterator[bytes]:
    """What pg_restore writes, without what servers of before do not know."""
    for line in dumped:
        if line != _UNKNOWN_TO_OLD:
            yield line
        if line.startswith(b"-- Name:"):
            break
    while chunk := dumped.read(_CHUNK):
        yield chunk


@dataclass(frozen=True)
class _Program:
    process: "subprocess.Popen[bytes]"
    name: str
    said: IO[bytes]

    @property
    def input(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    @property
    def output(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def must_have_succeeded(self) -> None:
        """Waits for its end.

        Raises:
            BackupError: it failed, with what it said.
        """
        if self.process.wait() != 0:
            self.said.seek(0)
            lines = self.said.read().decode(errors="replace").strip().splitlines()
            raise BackupError("\n".join([f"{self.name} failed:", *lines[:_LINES]]))


@contextmanager
def _running(
    program: str,
    arguments: Sequence[str],
    database: Database | None = None,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
) -> Iterator[_Program]:
    """A program, which ends with the block."""
    address, secret = ([], {}) if database is None else _address(database)
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [str(programs() / program), *arguments, *address],
            env=environment_without_settings() | {"LC_ALL": "C", "PGAPPNAME": "slomix backup"} | secret,
            stdin=stdin,
            stdout=stdout,
            stderr=said,
        ) as process,
    ):
        try:
            yield _Program(process, program, said)
        finally:
            process.kill()  # nothing, where it has ended
            if process.stdin is not None:
                with suppress(BrokenPipeError):
                    process.stdin.close()


def _address(database: Database) -> tuple[list[str], dict[str, str]]:
    """Which database, as arguments that everybody may see, and as variables that nobody else does."""
    password = conninfo_to_dict(database.url).get("password")
    given = conninfo_to_dict(without_password(database.url))  # nor that of a key, which no variable takes
    shown = make_conninfo("", **({"connect_timeout": CONNECT_TIMEOUT_SECONDS} | given))
    return ["--no-password", f"--dbname={shown}"], {} if password is None else {"PGPASSWORD": str(password)}
