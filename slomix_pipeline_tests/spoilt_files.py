"""Stats files that were spoilt in every way we could think of, and what becomes of each.

Belongs here: the good round and its neighbours, how its file is spoilt. Does not belong here: what is asserted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from slomix_pipeline.formats import gamestats
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening, SimRound

ENDED = datetime.now(UTC) - timedelta(minutes=2)


@cache
def good_evening() -> Evening:
    """Good neighbours: two matches that ended well before the bad file's round."""
    return play_evening(31, maps=2, ends_at=ENDED - timedelta(minutes=30))


@cache
def subject() -> SimRound:
    """The round whose file goes wrong, an hour after the evening."""
    return play_evening(32, maps=["radar"], ends_at=ENDED + timedelta(minutes=45)).rounds[0]


def good_bytes() -> bytes:
    """Its file as it should be."""
    return gamestats.dump(subject().stats)


Spoil = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Case:
    """How a good file is spoilt, what becomes of it, a piece of the reason it is given, how many more players it has,
    and whether the parse check warns of it."""

    spoil: Spoil
    status: str
    reason: str | None = None
    more_players: int = 0
    warns: bool = False


def with_name(name: bytes) -> Spoil:
    """The first player has this name."""

    def spoil(data: bytes) -> bytes:
        header, line, *rest = data.split(b"\n")
        fields = line.split(b"\\")
        return b"\n".join([header, b"\\".join([fields[0], name, *fields[2:]]), *rest])

    return spoil


def with_guid(guid: bytes) -> Spoil:
    """The first player has this GUID."""

    def spoil(data: bytes) -> bytes:
        header, line, *rest = data.split(b"\n")
        return b"\n".join([header, b"\\".join([guid, *line.split(b"\\")[1:]]), *rest])

    return spoil


def header_field(index: int, value: bytes) -> Spoil:
    """One field of the header has this value."""

    def spoil(data: bytes) -> bytes:
        header, _, rest = data.partition(b"\n")
        fields = header.split(b"\\")
        fields[index] = value
        return b"\\".join(fields) + b"\n" + rest

    return spoil


CASES = {
    "empty": Case(lambda data: b"", "quarantined", "empty file"),
    "header only": Case(lambda data: data.partition(b"\n")[0] + b"\n", "quarantined", "only a header line"),
    "header without its line end": Case(lambda data: data.partition(b"\n")[0], "quarantined", "no line ends"),
    "truncated mid-line": Case(lambda data: data[: len(data) * 2 // 3], "quarantined", "cut"),
    "one byte short": Case(lambda data: data[:-1], "quarantined", "cut: the last line has no end"),
    "binary junk": Case(lambda data: bytes(range(256)) * 40, "quarantined", "binary"),
    "junk without zero bytes": Case(lambda data: b"\xff\xfe\x80junk\n" * 30, "quarantined", "not a stats file"),
    "a web page": Case(lambda data: b"<html>\n<body>404</body>\n</html>\n", "quarantined", "not a stats file"),
    "UTF-16": Case(lambda data: data.decode("latin-1").encode("utf-16"), "quarantined", "UTF-16"),
    "UTF-8 with a mark": Case(lambda data: b"\xef\xbb\xbf" + data, "ingested"),
    "Windows line ends": Case(lambda data: data.replace(b"\n", b"\r\n"), "ingested"),
    "names in Latin-1": Case(with_name(b"caf\xe9 \xdcber"), "ingested"),
    "a 10 MB line": Case(lambda data: data + b"x" * 10_000_000 + b"\n", "quarantined", "longer than"),
    "10 MB without a line": Case(lambda data: b"x" * 10_000_000, "quarantined", "no line ends"),
    "a file of 20 MB": Case(lambda data: data * (20_000_000 // len(data)), "quarantined", "larger than"),
    "a name with |": Case(with_name(b"|clan| ^1x|y"), "ingested"),
    "a name with a tab": Case(with_name(b"tab\there"), "ingested"),
    "a name with colour codes": Case(with_name(b"^1r^2g^^b^z^7"), "ingested"),
    "a name of colour codes": Case(with_name(b"^1^2^3"), "ingested"),
    "a name of nothing": Case(with_name(b""), "ingested"),
    "a name with quotes and percent": Case(with_name(b'\'; drop table round; -- %s {0} "x"'), "ingested"),
    "a name with control characters": Case(with_name(b"\x01\x02\x1b[31m\x7f"), "ingested"),
    "a name with a backslash": Case(with_name(b"back\\slash"), "quarantined", "line 2: 5 backslashes"),
    "an unknown map": Case(header_field(1, b"never_seen_b17"), "ingested"),
    "no map": Case(header_field(1, b"  "), "quarantined", "names no map"),
    "no winner": Case(header_field(5, b"?"), "ingested"),
    "a time that is none": Case(header_field(6, b"soon"), "ingested"),
    "a number too large": Case(
        lambda data: data.replace(b"\t0\t", b"\t99999999999\t", 1), "quarantined", "whole number"
    ),
    "a negative count": Case(lambda data: data.replace(b"\t0\t", b"\t-7\t", 1), "quarantined", "is -7"),
    "a player twice": Case(
        lambda data: data + data.splitlines(keepends=True)[1], "ingested", more_players=1, warns=True
    ),
    "a player without GUID": Case(with_guid(b""), "ingested", warns=True),
    "a GUID of nothing": Case(with_guid(b"\xff^1NO_GUID"), "ingested", warns=True),
}


@cache
def spoilt(name: str) -> bytes:
    """The file of a case."""
    return CASES[name].spoil(good_bytes())


def name_of(n: int) -> str:
    """A name of its own for each case: three minutes apart."""
    stamp = datetime.now(UTC) - timedelta(minutes=2 + 3 * n)
    return f"{stamp:%Y-%m-%d-%H%M%S}-{subject().map_name}-round-1.txt"
