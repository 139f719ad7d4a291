"""Writes a copy of the public pages into a folder, and brings one up to date that it wrote before.

Belongs here: the folder, and that the copy is of one moment. Does not belong here: what the files say
(``site.copying``).

What was written is listed in the folder, with its digest. Only what is in that list, and still as it was written, is
ever replaced or taken away.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.settings import Settings
from slomix_pipeline.site.app import create_app
from slomix_pipeline.site.copying import copied
from slomix_pipeline.warehouse.site_store import HeldStore, SiteStore, reading_url

LIST = ".slomix-copy"
_OF_PEOPLE = "players/"
_BESIDE = ".slomix-new"  # at the end of a name: a file that is being written
Progress = Callable[[str, int, int], None]


class NotOurs(SlomixError):
    """A file in the folder is in the way, and is none that this wrote."""


@dataclass(frozen=True)
class Summary:
    """``files``: of the copy; ``removed``: those of an earlier copy that are in it no more; ``left``: files of this or
    an earlier copy that somebody changed since, which stay as they are; ``missed``: of pages that can't be made."""

    files: int
    removed: int
    left: tuple[str, ...]
    missed: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """All pages are in it, and no page of a player is older, who may be hidden since."""
        return not self.missed and not any(name.startswith(_OF_PEOPLE) for name in self.left)


def copy_site(settings: Settings, folder: Path, progress: Progress) -> Summary:
    """Writes the pages of a home into ``folder``, which is made where it is missing. All are of one moment; when
    somebody was hidden meanwhile, it begins again.

    Raises:
        NotOurs, CopyFailed, StoreUnavailable: see there.
        OSError: a file can't be written.
    """
    url = reading_url(settings)
    while True:
        copy = _Folder(folder)
        hidden = _write_all(settings, url, copy, progress)
        if hidden == _hidden(url):
            return copy.cleared()


def _write_all(settings: Settings, url: str, copy: "_Folder", progress: Progress) -> int:
    """Writes all files, of one moment; gives the version of privacy then."""
    store = HeldStore(url)
    try:
        app = create_app(settings.model_copy(update={"site_address": None}), store)
        asyncio.run(_write(app, copy, progress))
        return store.held.version.privacy
    finally:
        store.close()


def _hidden(url: str) -> int:
    """The version of privacy by now."""
    store = SiteStore(url)
    try:
        with store.moment() as moment:
            return moment.version.privacy
    finally:
        store.close()


async def _write(app: FastAPI, copy: "_Folder", progress: Progress) -> None:
    async for file in copied(app):
        if file.data is None:
            copy.missed.append(file.name)
        else:
            copy.write(file.name, file.data)
        progress(file.name, len(copy.written), len(copy.written) + file.waiting)


class _Folder:
    """The folder. What was ever written there is in its list: digest and name, a line each as ``sha256sum`` has them. A
    line is there before its file, so a run that is killed leaves nothing that the next does not know."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._list = folder, folder / LIST
        folder.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, set[str]] = {}
        for line in self._list.read_text("utf-8").splitlines() if self._list.exists() else ():
            digest, _, name = line.partition("  ")
            self._known.setdefault(name, set()).add(digest)
        self.written: dict[str, str] = {}
        self.missed: list[str] = []

    def write(self, name: str, data: bytes) -> None:
        """Writes a file, whole or not at all; not over one that was ours and that somebody changed."""
        path = self._folder / name
        if not self._is_inside(path):
            raise NotOurs(f"{path.parent} leads out of the folder")
        if path.exists() and not self._is_ours(name):
            if name in self._known:
                return
            raise NotOurs(f"{path} is there and was not written by this command; choose another folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._note(name, hashlib.sha256(data).hexdigest())
        _replace(path, data)

    def _note(self, name: str, digest: str) -> None:
        self.written[name] = digest
        self._known.setdefault(name, set()).add(digest)
        with self._list.open("a", encoding="utf-8") as file:
            file.write(f"{digest}  {name}\n")

    def _is_inside(self, path: Path) -> bool:
        return path.parent.resolve().is_relative_to(self._folder.resolve())

    def _is_ours(self, name: str) -> bool:
        path = self._folder / name
        if not path.is_file() or path.is_symlink() or not self._is_inside(path):
            return False
        return hashlib.sha256(path.read_bytes()).hexdigest() in self._known.get(name, ())

    def cleared(self) -> Summary:
        """Takes away what earlier runs wrote and this one did not. What somebody changed stays, and in the list."""
        old = sorted(name for name in self._known.keys() - self.written.keys() if (self._folder / name).exists())
        gone = [name for name in old if self._is_ours(name)]
        for name in gone:
            (self._folder / name).unlink()
        left = tuple(name for name in old if name not in gone)
        lines = [(name, digest) for name in left for digest in self._known[name]] + list(self.written.items())
        _replace(self._list, "".join(f"{digest}  {name}\n" for name, digest in sorted(lines)).encode())
        return Summary(len(self.written), len(gone), left, tuple(self.missed))


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}{_BESIDE}")
    beside.unlink(missing_ok=True)  # of a run that was killed
    with beside.open("xb") as file:
        file.write(data)
    beside.replace(path)
