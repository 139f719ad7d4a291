"""Writes a copy of the public pages into a folder, and brings one up to date that it wrote before.

Belongs here: the folder. Does not belong here: what the files say (``site.copying``).

What was written is listed in the folder, with its digest. Only what is in that list, and still as it was written, is
ever replaced or taken away.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.settings import Settings
from slomix_pipeline.site.app import create_app
from slomix_pipeline.site.copying import copied
from slomix_pipeline.warehouse.site_store import SiteStore, reading_url

LIST = ".slomix-copy.json"
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
        copy.remember()
        store.close()
    return copy.cleared()


async def _write_all(app: FastAPI, copy: "_Folder", progress: Progress) -> None:
    async for file in copied(app):
        copy.write(file.name, file.data)
        progress(file.name, len(copy.written), len(copy.written) + file.waiting)


class _Folder:
    """The folder, with what an earlier run wrote there (``before``) and what this one did; by name, their digests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.before: dict[str, str] = {}
        if (folder / LIST).exists():
            self.before = json.loads((folder / LIST).read_text("utf-8"))
        self.written: dict[str, str] = {}

    def write(self, name: str, data: bytes) -> None:
        """Writes a file, whole or not at all."""
        path = self._folder / name
        if path.exists() and not self._is_ours(name):
            raise NotOurs(f"{path} is there and was not written by this command; choose another folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.resolve().is_relative_to(self._folder.resolve()):
            raise NotOurs(f"{path.parent} leads out of the folder")
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes(data)
        beside.replace(path)
        self.written[name] = _digest(data)

    def _is_ours(self, name: str) -> bool:
        known = self.written.get(name) or self.before.get(name)
        path = self._folder / name
        return known is not None and path.is_file() and not path.is_symlink() and _digest(path.read_bytes()) == known

    def remember(self) -> None:
        """Lists what this run and those before wrote, also where it was broken off."""
        beside = self._folder / f"{LIST}.new"
        beside.write_text(json.dumps(self.before | self.written, indent=0, sort_keys=True), "utf-8")
        beside.replace(self._folder / LIST)

    def cleared(self) -> Summary:
        """Takes away what an earlier run wrote and this one did not."""
        old = sorted(name for name in self.before.keys() - self.written.keys() if (self._folder / name).exists())
        gone = [name for name in old if self._is_ours(name)]
        for name in gone:
            (self._folder / name).unlink()
        self.before = {}
        self.remember()
        return Summary(len(self.written), len(gone), tuple(name for name in old if name not in gone))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
