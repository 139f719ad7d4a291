"""As whom the embedded server runs where we are root, which PostgreSQL refuses to be.

Belongs here: finding or making that account, and letting it reach what it needs.
Does not belong here: the server (``embedded``).
"""

import os
import pwd
import stat
import subprocess
from pathlib import Path

from slomix_pipeline.errors import SlomixError

ACCOUNT_FOR_ROOT = "pgserver"


class EmbeddedPostgresError(SlomixError):
    """The embedded server can't be used; the text says why and what to do."""


def server_account(directory: Path, programs: Path) -> pwd.struct_passwd | None:
    """As whom the server in ``directory`` runs when we are root; None: as we do. It can reach that folder, and its
    ``programs``.

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
    _let_through(programs / "postgres", account)
    if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:  # installed under a strict umask
        for path in programs.parent.rglob("*"):
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
