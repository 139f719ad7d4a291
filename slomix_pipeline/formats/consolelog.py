"""The game server's console or game log: what it says of the timing script.

Belongs here: the words of ``lua/stats_discord_webhook.lua``, of the older scripts it replaces, and of the engine about
them. Does not belong here: what a round without a timing record means (``rules``), fetching the log (``gameserver``).

A line may carry the engine's prefix, the level time as ``%8i ``. Lines in which players speak or are named begin with
a word and a colon (``say: …``, ``Kill: …``), so nothing they type is taken for the script's.
"""

import re
from dataclasses import dataclass

from slomix_pipeline.formats.names import decode, readable

MAX_READ = 1 << 18  # bytes of a log's end: several rounds, the last map load among them
_LONGEST_LINE = 1023  # bytes; the engine cuts what it prints

_SCRIPT = b"stats_discord_webhook"
_LEVEL_TIME = re.compile(rb"\s*\d+ ")
_ANNOUNCED = re.compile(rb"slomix_timing: version (\d+\.\d+\.\d+),")
_WROTE = re.compile(rb"slomix_timing: wrote gametimes/([A-Za-z0-9_-]+\.json)\s*$")
_CANT_WRITE = re.compile(rb"slomix_timing: (CAN'T WRITE .*)")
_ENGINE = re.compile(rb"Lua[^:]{0,30} API: ")
_OLD_VERSION = re.compile(rb"\bv(\d{1,9}\.\d{1,9}\.\d{1,9})\b")


@dataclass(frozen=True, slots=True)
class ScriptSigns:
    """What a stretch of the server's log says of the timing script.

    ``version``: the last it announced at a map load. ``written``: plain names of the records it says it wrote.
    ``trouble``: its last complaint that it could not write, or the engine's of an error in it, in their own words;
    None when a later write succeeded.
    """

    version: str | None
    written: frozenset[str]
    trouble: str | None


def script_signs(data: bytes) -> ScriptSigns:
    """Reads any bytes; a line cut off at either end is no sign. Never raises; the time grows with the length."""
    version, trouble = None, None
    written = set()
    for line in data.split(b"\n"):
        if prefix := _LEVEL_TIME.match(line):
            line = line[prefix.end() :]
        if found := _WROTE.match(line):
            written.add(found[1].decode("ascii"))
            trouble = None
        elif complaint := _complaint(line):
            trouble = readable(decode(complaint[:_LONGEST_LINE])).strip()
        elif announced := _ANNOUNCED.match(line) or _announced_before_2(line):
            version = announced[1].decode("ascii")
    return ScriptSigns(version, frozenset(written), trouble)


def _complaint(line: bytes) -> bytes | None:
    """``CAN'T WRITE …`` of the script, or the engine's ``Lua 5.4 API: et_… error running lua script: '…'`` about it."""
    if found := _CANT_WRITE.match(line):
        return found[1]
    if _ENGINE.match(line) and b"error" in line and _SCRIPT in line:
        return line
    return None


def _announced_before_2(line: bytes) -> re.Match[bytes] | None:
    """A line of the scripts 1.x, which name themselves and then their version: ``v1.6.2``."""
    before, _, after = line.partition(_SCRIPT)
    return None if b":" in before else _OLD_VERSION.search(after)
