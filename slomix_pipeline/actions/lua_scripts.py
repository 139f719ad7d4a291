"""``slomix lua``: the project's game-side scripts held against those on the game server, and copied there.

Belongs here: which scripts a server needs, how they differ, what a deployment does.
Does not belong here: how bytes get there (``gameserver``), and the scripts themselves (``lua/``).
Nothing of a file on the server is shown but its version and its hash: older scripts hold a webhook's address.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.gameserver.source import FileMissing, GameServer, PermanentError
from slomix_pipeline.reports.findings import Finding, failed, ok

TIMING_SCRIPT = "stats_discord_webhook.lua"
CONFIG = "slomix_config.lua"  # the server's own; holds secrets

_GAMESTATS_SCRIPT = "gamestats.lua"
_OTHER_GAMESTATS_SCRIPT = re.compile(r"c0rnp0rn.*\.lua", re.IGNORECASE)
_VERSION = re.compile(rb'^local version *= *"([A-Za-z0-9.+-]{1,20})"', re.IGNORECASE | re.MULTILINE)
_MARK_OF_OURS = re.compile(rb'"slomix_[a-z]+: ')  # how each of our scripts begins what it logs
_MAX_SCRIPT = 1 << 20  # bytes; the engine loads no larger one

# What is left to the admin after a deployment.
AFTERWARDS = f"""Left to you, on the game server:
  - a script that is new there: name it in lua_modules, {TIMING_SCRIPT} last (lua/README.md)
  - load a map, then it runs; never lua_restart in the middle of one
  - a script is alive when the console says "slomix_timing: version …" (slomix_gamestats: …) at the map load and
    rcon slomix_timing (slomix_gamestats …) answers; after the next round its file lies in gametimes/ (gamestats/)"""


class UnknownScript(SlomixError):
    """The project has no script of that name to copy."""


class Refused(SlomixError):
    """Copying this would do harm on the game server."""


@dataclass(frozen=True)
class Script:
    """One of our scripts and the file of its name on the game server (None: there is none)."""

    name: str
    ours: bytes
    there: bytes | None

    @property
    def same(self) -> bool:
        return self.there == self.ours

    @property
    def wanted(self) -> bool:
        """Whether it should be as ours: the timing script everywhere, another where an earlier one of ours lies."""
        return self.name == TIMING_SCRIPT or (self.there is not None and bool(_MARK_OF_OURS.search(self.there)))


def status(server: GameServer, folder: str) -> Iterator[Finding]:
    """How each script of ours stands on the game server, then whether the timing script's options are there.

    Raises:
        GameServerError: the server or the folder can't be read.
    """
    others = _other_gamestats_scripts(server, folder)
    for script in _compare(server, folder):
        yield _standing(script, others)
    yield _config(server, folder)


def _standing(script: Script, others: Sequence[str]) -> Finding:
    """One script. ``others``: foreign scripts there that write ``gamestats/``."""
    if script.there is None and script.wanted:
        return failed(script.name, "not there, so rounds have no timing record", "slomix lua deploy --yes copies it")
    if script.there is None:
        found = f"{_joined(others)} lies there" if others else "none lies in this folder"
        return ok(script.name, f"not there; only needed on a server without c0rnp0rn ({found})")
    if not script.wanted:
        return ok(script.name, f"another script of that name, not ours ({_version_and_hash(script.there)}): left alone")
    how = (
        f"same, {_version_and_hash(script.ours)}"
        if script.same
        else f"differs: {_version_and_hash(script.there)} there, {_version_and_hash(script.ours)} here"
    )
    if script.name == _GAMESTATS_SCRIPT and others:
        how = f"{how}; {_joined(others)} writes gamestats/ too"
        fix = "keep one of them, in lua_modules and in the folder"
        return ok(script.name, f"{how}: {fix}") if script.same else failed(script.name, how, fix)
    return ok(script.name, how) if script.same else failed(script.name, how, "slomix lua deploy --yes replaces it")


def _config(server: GameServer, folder: str) -> Finding:
    try:
        server.read_end(folder, CONFIG, 0)  # whether it is there; never what is in it
    except FileMissing:
        fix = "copy lua/slomix_config.lua.example there under this name and set server_id in it"
        return failed(CONFIG, "not there, so timing records name no server", fix)
    except PermanentError:
        return ok(CONFIG, "there, and this login may not read it")
    return ok(CONFIG, "there (not looked into)")


@dataclass(frozen=True)
class Step:
    """One script to be copied. ``backup``: the name under which the bytes it replaces are kept first."""

    script: Script
    backup: str | None

    def describe(self) -> str:
        """``replace … 1.6.2 … by 2.0.0 …, the old one kept as …``, for people."""
        if self.script.there is None:
            return f"copy {self.script.name}, {_version_and_hash(self.script.ours)}"
        strange = "" if self.script.wanted else ", WHICH IS NOT OURS,"
        return (
            f"replace {self.script.name}, {_version_and_hash(self.script.there)}{strange} "
            f"by {_version_and_hash(self.script.ours)}; the old one is kept as {self.backup}"
        )


def plan(server: GameServer, folder: str, names: Sequence[str], now: datetime) -> list[Step]:
    """What a deployment would do: of the named scripts, or else of those that should be there, all that differ.

    ``now`` (UTC) is what backups are named by.

    Raises:
        UnknownScript: a name that is none of our scripts.
        Refused: ``gamestats.lua`` is named, and another script that writes ``gamestats/`` lies in the folder.
        GameServerError: the server or the folder can't be read.
    """
    scripts = {path.name for path in _our_scripts()}
    for name in names:
        _check_name(name, scripts)
    others = _other_gamestats_scripts(server, folder)
    if others and _GAMESTATS_SCRIPT in names:
        raise Refused(
            f"{_GAMESTATS_SCRIPT} is not copied: {_joined(others)} lies there and writes gamestats/ too; two "
            f"writers would give every round two files. Take it out of lua_modules and out of the folder first"
        )
    steps = []
    for script in _compare(server, folder):
        chosen = script.name in names if names else script.wanted and not (others and script.name == _GAMESTATS_SCRIPT)
        if chosen and not script.same:
            kept = None if script.there is None else f"{script.name}.{now:%Y%m%dT%H%M%SZ}.bak"
            steps.append(Step(script, kept))
    return steps


def _check_name(name: str, scripts: set[str]) -> None:
    if name == CONFIG:
        raise UnknownScript(
            f"{CONFIG} is the server's own and never written: edit it there (example: lua/{CONFIG}.example)"
        )
    if name not in scripts:
        raise UnknownScript(f"{name!r} is none of our scripts, which are: {', '.join(sorted(scripts))}")


def carry_out(server: GameServer, folder: str, step: Step) -> None:
    """Does one step: first the backup, then the script, each whole or not at all.

    Raises:
        Refused: the script there is not the one that was looked at.
        GameServerError: it could not be written; what is in place is untouched.
    """
    if _there(server, folder, step.script.name) != step.script.there:
        raise Refused(f"{step.script.name} was changed there meanwhile: look again")
    if step.backup is not None and step.script.there is not None:
        server.write(folder, step.backup, step.script.there)
    server.write(folder, step.script.name, step.script.ours)


def _compare(server: GameServer, folder: str) -> Iterator[Script]:
    """The timing script first, then the others by name."""
    for path in sorted(_our_scripts(), key=lambda path: (path.name != TIMING_SCRIPT, path.name)):
        yield Script(path.name, path.read_bytes(), _there(server, folder, path.name))


def _there(server: GameServer, folder: str, name: str) -> bytes | None:
    try:
        return server.read(folder, name, _MAX_SCRIPT)
    except FileMissing:
        return None


def _our_scripts() -> list[Path]:
    return list(bundled_folder("lua").glob("*.lua"))


def _other_gamestats_scripts(server: GameServer, folder: str) -> list[str]:
    return sorted(f.name for f in server.list_folder(folder) if _OTHER_GAMESTATS_SCRIPT.fullmatch(f.name))


def _joined(names: Sequence[str]) -> str:
    return " and ".join(names)


def _version_and_hash(script: bytes) -> str:
    """A script by the version it names and the first digits of its sha256."""
    found = _VERSION.search(script)
    version = f"version {found[1].decode('ascii')}" if found else "no version"
    return f"{version} (sha256 {hashlib.sha256(script).hexdigest()[:12]})"
