"""gamestats files: one header line, then one line per player.

Belongs here: the bytes and what stands where. Numbers are the file's own: in a round-2 file most are the
sums of both rounds (``rules.differential`` takes them apart).
A file is read whole or not at all: a line that does not parse exactly means a cut or foreign file.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.names import clean_name, decode, encode, readable
from slomix_pipeline.formats.tail import DECIMAL_FIELDS, LAYOUTS, NEWEST_LAYOUT, TAIL_FIELDS
from slomix_pipeline.formats.times import parse_playtime, parse_time
from slomix_pipeline.formats.weapons import WEAPONS

MAX_LINE = 8192  # bytes; the longest real line has under 700
MAX_PLAYERS = 64  # the engine's client slots

AXIS, ALLIES, SPECTATOR = 1, 2, 3

_REMEMBERED = 8192  # texts of numbers; some 2 MB

_INTEGER = re.compile(r"-?\d{1,9}", re.ASCII)
# 8 hex digits of a person, OMNIBOT0 of a bot. Where there is none, engines and scripts write nothing, zeros, or a word
# (NO_GUID, UNKNOWN; NOGUID and the slot).
_GUID = re.compile(r"(?!0{8}|NOGUID|UNKNOWN)((?=.*\d)[0-9A-Z]{8}|[A-F]{8})", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,9}(\.\d{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Header:
    """The first line, as written: ``limit``, ``attack_time`` and ``playtime`` are text.

    Sides: 1 Axis, 2 Allies; ``winner_side`` 0 is "nobody known"; None where the field is not a number.
    """

    server_name: str
    map_name: str
    config: str
    number: int | None
    defender_side: int | None
    winner_side: int | None
    limit: str
    attack_time: str
    playtime: str | None = None

    @property
    def limit_seconds(self) -> int | None:
        """R1: the map's time limit. R2: the time to beat. None without one: the engine writes ``0:00`` for that too."""
        return parse_time(self.limit) or None

    @property
    def attack_seconds(self) -> int | None:
        """The attackers' time when they won; otherwise a copy of the limit, or invented."""
        return parse_time(self.attack_time)

    @property
    def playtime_seconds(self) -> float | None:
        """The writer's own measure of the round without pauses; newer writers only."""
        return parse_playtime(self.playtime)


class WeaponCounts(NamedTuple):
    """One weapon of one player, in the order of the file.

    ``deaths``: killed BY that weapon; ``headshots``: hits on heads, not kills.
    """

    hits: int
    shots: int
    kills: int
    deaths: int
    headshots: int


NO_COUNTS = WeaponCounts(0, 0, 0, 0, 0)


@dataclass(frozen=True)  # without slots, which have no room for the totals
class PlayerLine:
    """One player as the file has him. ``guid``: 8 characters, or empty where the file has none that can be read.

    ``tail`` holds every field of ``TAIL_FIELDS``; None where the writer had none.
    """

    guid: str
    name: str
    rounds: int
    side: int
    weapons: dict[str, WeaponCounts]
    tail: dict[str, float | None]

    @cached_property
    def totals(self) -> WeaponCounts:
        """Sums over all weapons; kills and deaths stand nowhere else in the file."""
        return WeaponCounts(*map(sum, zip(NO_COUNTS, *self.weapons.values(), strict=True)))

    def total(self, column: str) -> int:
        """The sum of one weapon column, by its name."""
        total: int = getattr(self.totals, column)
        return total

    @property
    def clean_name(self) -> str:
        return clean_name(self.name)


@dataclass(frozen=True, slots=True)
class StatsFile:
    """A whole gamestats file. ``tail_fields``: fields per line as written, the mark of the writer's generation."""

    header: Header
    players: tuple[PlayerLine, ...]
    tail_fields: int

    @property
    def generation(self) -> str:
        """The writer's generation, by the field counts: the file carries no version."""
        return f"{8 if self.header.playtime is None else 9} header fields, {self.tail_fields} tail fields"


def parse(data: bytes) -> StatsFile:
    """Reads a gamestats file (LF or CRLF, any bytes in names).

    Raises:
        FormatError: empty, cut, header only, or any line that is not exactly of the format.
    """
    lines = _lines(data)
    header = _parse_header(lines[0])
    if len(lines) == 1:
        raise FormatError("only a header line: the round was saved without any player")
    parsed = [_parse_player(line, number) for number, line in enumerate(lines[1:], start=2)]
    counts = {tail_fields for _, tail_fields in parsed}
    if len(counts) > 1:
        raise FormatError(f"player lines of different layouts: {sorted(counts)} tail fields")
    return StatsFile(header, tuple(player for player, _ in parsed), counts.pop())


def _lines(data: bytes) -> list[bytes]:
    if not data:
        raise FormatError("empty file")
    if b"\0" in data:
        raise FormatError("not a stats file: zero bytes, so binary or another encoding such as UTF-16")
    players = data.count(b"\n") - 1
    if players > MAX_PLAYERS:  # before they are parted: a flood of line ends costs no memory
        raise FormatError(f"{players} player lines; a server has {MAX_PLAYERS} slots")
    *lines, rest = data.split(b"\n")
    if rest:
        raise FormatError("cut: the last line has no end" if lines else "not a stats file: no line ends")
    if too_long := [n for n, line in enumerate(lines, start=1) if len(line) > MAX_LINE]:
        raise FormatError(f"line {too_long[0]} is longer than {MAX_LINE} bytes")
    return [line.removesuffix(b"\r") for line in lines]


def _parse_header(line: bytes) -> Header:
    fields = [decode(field) for field in line.split(b"\\")]
    if len(fields) < 8:
        raise FormatError(f"not a stats file: the first line has {len(fields)} header fields, 8 or 9 belong there")
    if not fields[1].strip():
        raise FormatError("the header names no map")
    number, defender, winner = (int(f) if _INTEGER.fullmatch(f) else None for f in map(str.strip, fields[3:6]))
    return Header(
        server_name=fields[0],
        map_name=fields[1],
        config=fields[2],
        number=number,
        defender_side=defender,
        winner_side=winner,
        limit=fields[6],
        attack_time=fields[7],
        playtime=fields[8] if len(fields) > 8 else None,
    )


def _parse_player(line: bytes, number: int) -> tuple[PlayerLine, int]:
    """The player of one line and his count of tail fields; ``number`` counts lines from 1."""
    fields = decode(line).split("\\")
    if len(fields) != 5:
        raise FormatError(f"line {number}: {len(fields) - 1} backslashes instead of 4")
    guid = fields[0].strip().upper()[:8]
    weapon_text, tab, tail_text = fields[4].partition("\t")
    if not tab:
        raise FormatError(f"line {number}: no tail fields after the weapons")
    rounds, side = (_integer(field, f"line {number}: field {i}") for i, field in enumerate(fields[2:4], 3))
    if side not in (0, AXIS, ALLIES, SPECTATOR):
        raise FormatError(f"line {number}: team {side} does not exist")
    tail, tail_fields = _parse_tail(tail_text.split("\t"), number)
    weapons = _parse_weapons(weapon_text.split(), number)
    known_guid = guid if _GUID.fullmatch(guid) else ""
    return PlayerLine(known_guid, fields[1], rounds, side, weapons, tail), tail_fields


def _parse_weapons(tokens: Sequence[str], number: int) -> dict[str, WeaponCounts]:
    try:
        values = list(map(_whole_number, tokens))
    except _NotANumber as error:
        raise FormatError(f"line {number}: weapons {error}") from None
    mask = values[0] if values else -1
    if not 0 <= mask < 1 << len(WEAPONS):
        raise FormatError(f"line {number}: weapon mask {mask}")
    held = _weapons_of(mask)
    if len(values) != 1 + 5 * len(held):
        raise FormatError(f"line {number}: {len(values) - 1} weapon numbers for {len(held)} weapons")
    if min(values) < 0:
        raise FormatError(f"line {number}: a weapon number is negative")
    return {
        weapon: WeaponCounts(*values[at : at + 5]) for weapon, at in zip(held, range(1, len(values), 5), strict=True)
    }


@lru_cache(_REMEMBERED)
def _weapons_of(mask: int) -> tuple[str, ...]:
    return tuple(weapon for bit, weapon in enumerate(WEAPONS) if mask >> bit & 1)


def _parse_tail(fields: Sequence[str], number: int) -> tuple[dict[str, float | None], int]:
    layout = LAYOUTS.get(min(len(fields), NEWEST_LAYOUT))
    if layout is None:
        raise FormatError(f"line {number}: {len(fields)} tail fields; known are {', '.join(map(str, LAYOUTS))}")
    tail: dict[str, float | None] = dict.fromkeys(TAIL_FIELDS)
    try:
        # Writers to come may add fields behind the known ones.
        for name, read, text in zip(layout, _READERS[len(layout)], fields, strict=False):
            tail[name] = read(text)
    except _NotANumber as error:
        raise FormatError(f"line {number}: {name} {error}") from None
    return tail, len(fields)


def _integer(text: str, where: str) -> int:
    try:
        return _whole_number(text)
    except _NotANumber as error:
        raise FormatError(f"{where} {error}") from None


class _NotANumber(ValueError):
    """What stands where a number belongs, to be told behind its place."""


# Most numbers of a file are small and stand in thousands of others too.
@lru_cache(_REMEMBERED)
def _whole_number(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise _NotANumber(f"is {readable(text)[:20]!r}, not a whole number")
    return int(text)


@lru_cache(_REMEMBERED)
def _number(text: str) -> float | None:
    if _DECIMAL.fullmatch(text):
        return float(text)
    if text.lower().lstrip("-+") in ("nan", "inf", "nan(ind)"):  # Lua's 0/0 is unknown, not a broken line
        return None
    raise _NotANumber(f"is {readable(text)[:20]!r}, not a number")


_READERS = {
    count: tuple(_number if name in DECIMAL_FIELDS else _whole_number for name in layout)
    for count, layout in LAYOUTS.items()
}


def dump(stats: StatsFile) -> bytes:
    """The bytes the game server would have written for ``stats``."""
    header = stats.header
    fields = [header.server_name, header.map_name, header.config]
    fields += ["" if n is None else str(n) for n in (header.number, header.defender_side, header.winner_side)]
    fields += [header.limit, header.attack_time]
    if header.playtime is not None:
        fields.append(header.playtime)
    lines = ["\\".join(fields), *(_dump_player(player, stats.tail_fields) for player in stats.players)]
    return encode("".join(f"{line}\n" for line in lines))


def _dump_player(player: PlayerLine, tail_fields: int) -> str:
    mask = sum(1 << bit for bit, weapon in enumerate(WEAPONS) if weapon in player.weapons)
    held: Iterable[WeaponCounts] = (player.weapons[weapon] for weapon in WEAPONS if weapon in player.weapons)
    numbers = [n for c in held for n in (c.hits, c.shots, c.kills, c.deaths, c.headshots)]
    weapons = " ".join(map(str, [mask, *numbers]))
    tail = "\t".join(_dump_tail_field(name, player.tail[name]) for name in LAYOUTS[tail_fields])
    return f"{player.guid}\\{player.name}\\{player.rounds}\\{player.side}\\{weapons} \t{tail}"


def _dump_tail_field(name: str, value: float | None) -> str:
    if value is None:
        return "nan"
    return f"{value:.1f}" if name in DECIMAL_FIELDS else str(int(value))
