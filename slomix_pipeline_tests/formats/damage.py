"""Damage to the bytes of files, as strategies for property tests: what disks, lines, editors and people do to them."""

import re
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

TOKENS = (
    b"",
    b"0",
    b"1",
    b"2",
    b"3",
    b"7",
    b"-1",
    b"-0",
    b"+5",
    b" 5",
    b"05",
    b"4294967295",
    b"999999999",
    b"1000000000",
    b"9" * 25,
    b"1e5",
    b"0x10",
    b"1_000",
    b"3.5",
    b"-2.5",
    b".5",
    b"5.",
    b"1,5",
    b"1.23456789012",
    b"nan",
    b"-nan(ind)",
    b"inf",
    b"NULL",
    "٣".encode(),
    "²".encode(),
    b"\xff",
    b"\xc3",
    b"\xed\xb3\xbf",
    b"\x00",
    b"\x1b[0m",
    b"^1",
    b"^",
    b"\r",
    b"\r\n",
    b"\n",
    b"\t",
    b" ",
    b"\\",
    b"12:00",
    b"0:00",
    b"71:05",
    b"4:60",
    b"-58000",
    b"OMNIBOT0",
    b"[BOT]x",
    b"\x1c1",
    b"\x1f461050",
    "\x85\xa01".encode(),
    b"null",
    b"true",
    b"{}",
    b"[]",
    b'"',
    b"\\u0000",
    b"\\ud800",
    b"1e999",
    b"-1e-999",
)
Edit = Callable[[bytes, int, int, bytes], bytes]


def cut(data: bytes, at: int, _: int, __: bytes) -> bytes:
    return data[: at % (len(data) + 1)]


def flip(data: bytes, at: int, bits: int, _: bytes) -> bytes:
    at %= len(data) or 1
    return data[:at] + bytes(byte ^ (bits % 255 + 1) for byte in data[at : at + 1]) + data[at + 1 :]


def put_in(data: bytes, at: int, _: int, token: bytes) -> bytes:
    at %= len(data) + 1
    return data[:at] + token + data[at:]


def take_out(data: bytes, at: int, length: int, _: bytes) -> bytes:
    at %= len(data) + 1
    return data[:at] + data[at + length % 40 :]


def change_field(data: bytes, which: int, sign: int, token: bytes) -> bytes:
    """Another value between two signs of one kind."""
    sign_between = (b"\\", b"\t", b" ", b",", b":")[sign % 5]
    fields = data.split(sign_between)
    fields[which % len(fields)] = token
    return sign_between.join(fields)


def change_number(data: bytes, which: int, value: int, _: bytes) -> bytes:
    """Another whole number, mostly a small one, so that the file stays one."""
    numbers = list(re.finditer(rb"(?<=[ \t\\])\d+(?=[ \t\\\n])", data))
    if not numbers:
        return data
    found = numbers[which % len(numbers)]
    return data[: found.start()] + b"%d" % (value if value % 7 == 0 else value % 40) + data[found.end() :]


def swap_lines(data: bytes, one: int, other: int, _: bytes) -> bytes:
    lines = data.split(b"\n")
    one, other = one % len(lines), other % len(lines)
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def double_line(data: bytes, which: int, times_: int, _: bytes) -> bytes:
    lines = data.split(b"\n")
    which %= len(lines)
    return b"\n".join(lines[:which] + [lines[which]] * (times_ % 70) + lines[which:])


def end_lines_as_windows(data: bytes, which: int, every: int, _: bytes) -> bytes:
    lines = data.split(b"\n")
    return b"\n".join(line + b"\r" * ((n + which) % (every % 3 + 1) == 0) for n, line in enumerate(lines))


EDITS: tuple[Edit, ...] = (
    cut,
    flip,
    put_in,
    take_out,
    change_field,
    change_field,
    change_field,
    swap_lines,
    double_line,
    end_lines_as_windows,
)
POSITIONS = st.integers(0, 1 << 16)
TOKEN = st.sampled_from(TOKENS) | st.binary(max_size=5) | st.integers(0, 3000).map(lambda n: str(n).encode())
DAMAGE = st.lists(st.tuples(st.sampled_from(EDITS), POSITIONS, POSITIONS, TOKEN), max_size=5)
OTHER_NUMBERS = st.lists(st.tuples(st.just(change_number), POSITIONS, POSITIONS, st.just(b"")), max_size=12)


def damaged(data: bytes, damage: Sequence[tuple[Edit, int, int, bytes]]) -> bytes:
    for edit, one, other, token in damage:
        data = edit(data, one, other, token)[: 1 << 20]
    return data
