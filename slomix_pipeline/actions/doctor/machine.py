"""What the doctor says of this machine: folders of the home and who may use them, room on the disk, programs, ports.

Does not belong here: the database in the home (``database``), processes that run (``chain``).
"""

import importlib.metadata
import os
import platform
import pwd
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from slomix_pipeline.reports.findings import Finding, failed, ok, warning
from slomix_pipeline.runtime.home import supervisor_of
from slomix_pipeline.settings import Settings

HOME_FIX = "see whether the disk of SLOMIX_HOME answers"
_LEAST_FREE = 500e6  # bytes, below which PostgreSQL may stop soon
_PICTURES_FONTS = ("LiberationSans", "Arimo", "Arial", "Helvetica")  # of charts.look.FONT, as their files begin
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts", "~/.fonts")


def home(settings: Settings) -> Iterator[Finding]:
    """Whether everything in the home can be used by who runs this, and whether there is room."""
    nearest = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    may = f"may not be written by {_called(os.geteuid())} (it is {_owner(nearest)}'s)"
    if not nearest.is_dir():
        yield failed("home", f"{nearest} is no folder", "move it away, or set SLOMIX_HOME to another one")
    elif not os.access(nearest, os.W_OK | os.X_OK):
        yield failed("home", f"{nearest} {may}", f"chown -R {_called(os.geteuid())} {nearest}, or set SLOMIX_HOME")
    else:
        made = "" if settings.home.exists() else "; made by the first slomix run or import"
        yield ok("home", f"{settings.home}{made}")
    for folder in (settings.dagster_home, settings.home / "logs"):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            text = f"{folder} may not be written: it is {_owner(folder)}'s"
            yield failed(f"home/{folder.name}", text, f"chown -R {_called(os.geteuid())} {folder}")
    yield _disk(nearest, settings)


def _disk(folder: Path, settings: Settings) -> Finding:
    """Whether what is there would fit in once more, as a backup or the growth of years needs it."""
    free = shutil.disk_usage(folder).free
    data = settings.postgres_dir
    used = _size(data) if data.exists() and os.access(data, os.R_OK | os.X_OK) else None
    fix = "make room on that disk, or set SLOMIX_HOME to another one"
    if free < _LEAST_FREE:
        return failed("disk", f"{free / 1e6:,.0f} MB are free", fix)
    if used is None:
        return ok("disk", f"{free / 1e6:,.0f} MB are free")
    text = f"{free / 1e6:,.0f} MB are free, the database takes {used / 1e6:,.0f} MB"
    return warning("disk", f"{text}: less than once more", fix) if free < used else ok("disk", text)


def _size(folder: Path) -> int:
    total = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(inside) / name).lstat().st_size
            except OSError:  # gone meanwhile
                continue
    return total


def programs() -> Iterator[Finding]:
    """Versions of what it runs on, and what pictures are written with."""
    version = platform.python_version()
    dagster = importlib.metadata.version("dagster")
    wanted = next(
        (
            own.removeprefix("dagster==")
            for own in importlib.metadata.requires("slomix-pipeline") or ()
            if own.startswith("dagster==")
        ),
        dagster,
    )
    own = importlib.metadata.version("slomix-pipeline")
    if dagster != wanted:
        yield failed("programs", f"Dagster {dagster} is installed, slomix {own} is made for {wanted}", "make install")
    else:
        yield ok("programs", f"slomix {own}, Python {version} ({sys.executable}), Dagster {dagster}")
    folders = [Path(folder).expanduser() for folder in _FONT_FOLDERS]
    files = (name for folder in folders if folder.is_dir() for _, _, names in os.walk(folder) for name in names)
    if any(name.replace(" ", "").startswith(_PICTURES_FONTS) for name in files):
        yield ok("fonts", "pictures have the font that they are laid out for")
    else:
        yield ok("fonts", "pictures are written with the font that comes with their library")


def ports(settings: Settings) -> Iterator[Finding]:
    """Whether somebody else has the ports that ``slomix run`` listens on."""
    if supervisor_of(settings.home) is not None:
        return  # they are its own, or those that were free when it began
    wanted = {"UI": settings.ui_port, "SITE": settings.site_port}
    if any(own.discord_webhook is None for own in settings.game_servers):
        wanted["STANDIN"] = settings.standin_port
    taken = {name: port for name, port in wanted.items() if port and not _is_free(port)}
    for name, port in taken.items():
        text = f"{port} of SLOMIX_{name}_PORT is taken by another program: slomix run would take any other"
        yield warning(f"port {port}", text, f"end that program, or set SLOMIX_{name}_PORT to a free one")
    if not taken:
        yield ok("ports", f"{', '.join(str(port) for port in wanted.values())} are free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _owner(path: Path) -> str:
    return _called(path.stat().st_uid)


def _called(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
