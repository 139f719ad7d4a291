"""Writes a copy of the public pages into a folder, and brings one up to date that it wrote before.

Belongs here: the folder. Does not belong here: what the files say (``site.copying``).

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
from slomix_pipeline.warehouse.site_store import SiteStore, reading_url

LIST = ".slomix-copy"
Progress = Callable[[str, int, int], None]


class NotOurs(SlomixError):
    """A file in the folder is in the way, and is none that this wrote."""


@dataclass(frozen=True)
class Summary:
    """``files``: of the copy; ``removed``: those of an earlier copy that are in it no more; ``left``: of these, such as
    somebody changed since, which stay."""

    files: int
    removed: int
    left: tuple[str, ...]


def copy_site(settings: Settings, folder: Path, progress: Progress) -> Summary:
    """Writes the pages of a home into ``folder``, which is made where it is missing.

    Raises:
        NotOurs, CopyFailed, StoreUnavailable: see there.
        OSError: a file can't be written.
    """
    store = SiteStore(reading_url(settings))
    app = create_app(settings.model_copy(update={"site_address": None}), store)
    copy = _Folder(folder)
    try:
        asyncio.run(_write_all(app, copy, progress))
    finally:
        store.close()
    return copy.cleared()


async def _write_all(app: FastAPI, copy: "_Folder", progress: Progress) -> None:
    async for file in copied(app):
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

    def write(self, name: str, data: bytes) -> None:
        """Writes a file, whole or not at all."""
        path = self._folder / name
        if path.exists() and not self._is_ours(name):
            raise NotOurs(f"{path} is there and was not written by this command; choose another folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.resolve().is_relative_to(self._folder.resolve()):
            raise NotOurs(f"{path.parent} leads out of the folder")
        self._note(name, hashlib.sha256(data).hexdigest())
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes(data)
        beside.replace(path)

    def _note(self, name: str, digest: str) -> None:
        self.written[name] = digest
        self._known.setdefault(name, set()).add(digest)
        with self._list.open("a", encoding="utf-8") as file:
            file.write(f"{digest}  {name}\n")

    def _is_ours(self, name: str) -> bool:
        path = self._folder / name
        if not path.is_file() or path.is_symlink():
            return False
        return hashlib.sha256(path.read_bytes()).hexdigest() in self._known.get(name, ())

    def cleared(self) -> Summary:
        """Takes away what earlier runs wrote and this one did not."""
        old = sorted(name for name in self._known.keys() - self.written.keys() if (self._folder / name).exists())
        gone = [name for name in old if self._is_ours(name)]
        for name in gone:
            (self._folder / name).unlink()
        beside = self._list.with_name(f"{LIST}.new")
        beside.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(self.written.items())), "utf-8")
        beside.replace(self._list)
        return Summary(len(self.written), len(gone), tuple(name for name in old if name not in gone))
