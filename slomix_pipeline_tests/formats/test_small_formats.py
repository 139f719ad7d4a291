"""The small formats around stats files: times, names of players, names of files."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomix_pipeline.formats import filenames, names, times
from slomix_pipeline.formats.filenames import FileKind

MANY = settings(max_examples=150, deadline=None, database=None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12:00", 720),
        ("5.25", 315),
        ("20.00", 1200),
        ("125", 125),
        (" 10:30 ", 630),
        ("71:05", 4265),
        ("0:00", 0),
        ("1:02:03", 3723),
        ("4:60", None),
        ("4:2", None),
        ("", None),
        (None, None),
        ("soon", None),
        ("-1:00", None),
        ("1:60:00", None),
        ("12:00:", None),
        ("1e3", None),
        ("١٢:٠٠", None),
    ],
)
def test_times_read_as_seconds_or_are_unknown(text: str | None, seconds: int | None) -> None:
    assert times.parse_time(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("241533", 241.533),
        ("242", 242.0),
        ("-58000", None),
        ("0", None),
        ("", None),
        (None, None),
        ("nan", None),
        ("inf", None),
        ("10000", 10000.0),
        ("10001", 10.001),
        ("241.5", 241.5),
        ("461050 ", 461.05),
    ],
)
def test_the_writers_own_play_time_is_milliseconds_or_unknown(text: str | None, seconds: float | None) -> None:
    assert times.parse_playtime(text) == seconds


@given(st.integers(0, 100_000))
@settings(max_examples=50, deadline=None, database=None)
def test_a_printed_time_reads_back(seconds: int) -> None:
    assert times.parse_time(times.format_time(seconds)) == seconds


@given(st.text(max_size=12))
@MANY
def test_no_text_makes_the_time_parsers_fail(text: str) -> None:
    assert (times.parse_time(text) or 0) >= 0
    assert (times.parse_playtime(text) or 0) >= 0


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("^1Al^7pha", "Alpha"),
        ("^/Char^?lie", "Charlie"),
        ("^:^>x^D", "x"),
        ("a^^1b", "a^b"),
        ("  two  words ", "two words"),
        ("a^", "a^"),
        ("^ a", "^ a"),
        ("a\tb\x01c", "a b c"),
        ("B|_*", "B|_*"),
        ("^1", ""),
    ],
)
def test_names_lose_colour_codes_and_control_characters(name: str, cleaned: str) -> None:
    assert names.clean_name(name) == cleaned


def test_a_latin_1_name_is_read_as_such_and_kept_as_bytes() -> None:
    raw = b"^1J\xf6rn"
    assert names.clean_name(names.decode(raw)) == "Jörn"
    assert names.encode(names.decode(raw)) == raw


@given(st.binary(max_size=40))
@MANY
def test_any_name_can_be_kept_and_shown(raw: bytes) -> None:
    assert names.encode(names.decode(raw)) == raw
    shown = names.clean_name(names.decode(raw))
    shown.encode()
    assert "\0" not in shown and "\n" not in shown


@pytest.mark.parametrize(
    ("name", "kind", "map_name", "number"),
    [
        ("2025-10-02-213333-supply-round-1.txt", FileKind.STATS, "supply", 1),
        ("2025-10-02-213333-supply-round-2-endstats.txt", FileKind.ENDSTATS, "supply", 2),
        ("2025-10-02-213333-supply-round-2_ws.txt", FileKind.WEAPON_STATS, "supply", 2),
        ("2025-10-02-213333-supply-round-2-timing.txt", FileKind.TIMING, "supply", 2),
        ("2025-10-02-213333-a-b.c+d_e-round-2-round-1.txt", FileKind.STATS, "a-b.c+d_e-round-2", 1),
        ("gametime-etl_adlernest-R2-1767982961.json", FileKind.TIMING, "etl_adlernest", 2),
        ("gametime-a-R1-b-R2-1767982961.json", FileKind.TIMING, "a-R1-b", 2),
    ],
)
def test_a_file_name_says_what_the_file_is(name: str, kind: FileKind, map_name: str, number: int) -> None:
    found = filenames.parse_file_name(name)
    assert (found.kind, found.map_name, found.number) == (kind, map_name, number)
    assert found.stem == name.rsplit(".", 1)[0]
    assert (found.stamp is None) == name.startswith("gametime")


@pytest.mark.parametrize(
    "name",
    [
        "2025-02-30-213333-supply-round-1.txt",
        "2025-10-02-253333-supply-round-1.txt",
        "0000-10-02-213333-supply-round-1.txt",
        "2025-10-02-213333-supply-round-3.txt",
        "2025-10-02-213333--round-1.txt",
        "2025-10-02-213333-../../etc-round-1.txt",
        "2025-10-02-213333-supply-round-1.txt\n",
        "2025-10-02-213333-supply-round-1.txt.partial",
        "٢025-10-02-213333-supply-round-1.txt",
        "2025-10-02-213333-" + "x" * 100 + "-round-1.txt",
        "2025-10-02-213333-supply-round-1_engagements.txt",
        "gametime-supply-R1-17.json",
        "notes.txt",
        "",
    ],
)
def test_other_names_are_unknown(name: str) -> None:
    assert filenames.parse_file_name(name).kind is FileKind.UNKNOWN


def test_the_name_of_a_stats_file_is_written_as_it_is_read() -> None:
    stamp = datetime(2025, 10, 2, 21, 33, 33)
    name = filenames.stats_file_name(stamp, "te_escape2", 2)
    assert name == "2025-10-02-213333-te_escape2-round-2.txt"
    assert filenames.parse_file_name(name).stamp == stamp


def test_the_name_of_a_timing_record_has_odd_characters_of_its_map_replaced() -> None:
    assert filenames.gametime_file_name("a.b+c", 1, 1767982961) == "gametime-a_b_c-R1-1767982961.json"


@given(st.text(max_size=60) | st.from_regex(r"[0-9-]{18}[a-z.+-]{0,9}-round-[12](-endstats|_ws)?\.txt", fullmatch=True))
@MANY
def test_no_file_name_makes_the_parser_fail(name: str) -> None:
    assert filenames.parse_file_name(name).name == name
