"""The stats file format: what is written reads back, and what is not whole is refused with its reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomix_pipeline.formats import gamestats, names
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.gamestats import Header, PlayerLine, StatsFile, WeaponCounts
from slomix_pipeline.formats.tail import DECIMAL_FIELDS, LAYOUTS, TAIL_FIELDS
from slomix_pipeline.formats.weapons import WEAPONS

MANY = settings(max_examples=150, deadline=None, database=None)
HEADER = b"^1Some^7 server\\supply\\legacy3\\1\\1\\2\\12:00\\7:40\\461050\n"
LINE = (
    b"A1B2C3D4\\^1Al^7pha\\0\\1\\2097 1 3 1 0 0 131 420 12 0 24 0 0 0 10 0 6 9 2 0 0 \t3210\t2500\t18\t0\t4\t2\t0\t0\t75.9"
    b"\t66\t3\t0\t0\t0\t3\t0\t0\t0\t0\t5\t432\t0.0\t7.7\t0.0\t3.9\t0.3\t1.5\t1\t3\t0\t1\t0\t0\t0\t2\t0\t0\t0\n"
)
OTHER_LINE = LINE.replace(b"A1B2C3D4", b"0F0E0D0C").replace(b"^1Al^7pha", b"B_r|v*o")


def engine_text(excluded: bytes = b"") -> st.SearchStrategy[str]:
    """Any bytes the engine may put in a field."""
    stray = [byte for byte in range(256) if byte not in b"\0\n\r\\" + excluded]
    raw = st.lists(st.sampled_from(stray), max_size=30).map(bytes)
    nice = st.sampled_from(["^1a^/b", "a|b\tc", "Žiga ♥", "*_~`", "^", "  x ", ""]).map(names.encode)
    return st.one_of(raw, nice).map(names.decode)


SMALL = st.integers(-999_999_999, 999_999_999)
COUNT = st.integers(0, 999_999_999)
TENTHS = st.integers(-99_999, 99_999).map(lambda n: n / 10)
MAYBE_NUMBER = st.none() | st.integers(-9, 99)
HEADERS = st.builds(
    Header,
    server_name=engine_text(),
    map_name=engine_text(b"\0").filter(str.strip),
    config=engine_text(),
    number=MAYBE_NUMBER,
    defender_side=MAYBE_NUMBER,
    winner_side=MAYBE_NUMBER,
    limit=engine_text(),
    attack_time=engine_text(),
    playtime=st.none() | engine_text(),
)


def tails(layout: int) -> st.SearchStrategy[dict[str, float | None]]:
    written = LAYOUTS[layout]
    values = {name: (st.none() | TENTHS) if name in DECIMAL_FIELDS else SMALL for name in written}
    return st.fixed_dictionaries({name: values.get(name, st.none()) for name in TAIL_FIELDS})


def players(layout: int) -> st.SearchStrategy[PlayerLine]:
    return st.builds(
        PlayerLine,
        guid=st.integers(1, 0xFFFFFFFF).map("{:08X}".format) | st.sampled_from(["OMNIBOT0", ""]),
        name=engine_text(),
        rounds=st.integers(-9, 999),
        side=st.integers(0, 3),
        weapons=st.dictionaries(st.sampled_from(WEAPONS), st.builds(WeaponCounts, *[COUNT] * 5), max_size=6),
        tail=tails(layout),
    )


@st.composite
def stats_files(draw: st.DrawFn) -> StatsFile:
    layout = draw(st.sampled_from(sorted(LAYOUTS)))
    return StatsFile(draw(HEADERS), tuple(draw(st.lists(players(layout), min_size=1, max_size=4))), layout)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file with some bytes changed, cut out, doubled or put in."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        piece = draw(
            st.sampled_from([bytes(data[start:end]) * 2, b"", b"\n", b"\\", b"\t", b"\r\n", b"-1", b"nan"])
            | st.binary(max_size=8)
        )
        data[start:end] = piece
    return bytes(data)


@MANY
@given(stats_files())
def test_what_is_dumped_parses_to_the_same(stats: StatsFile) -> None:
    data = gamestats.dump(stats)
    assert gamestats.parse(data) == stats
    assert gamestats.dump(gamestats.parse(data)) == data


@MANY
@given(stats_files())
def test_a_file_that_travelled_through_windows_reads_the_same(stats: StatsFile) -> None:
    assert gamestats.parse(gamestats.dump(stats).replace(b"\n", b"\r\n")) == stats


@MANY
@given(damaged(HEADER + LINE + OTHER_LINE))
def test_damage_is_refused_with_a_reason_or_harmless(data: bytes) -> None:
    try:
        gamestats.parse(data)
    except FormatError as reason:
        assert 5 < len(str(reason)) < 200
        str(reason).encode()  # no stray bytes: reasons are stored and shown


@MANY
@given(st.binary(max_size=300))
def test_binary_junk_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        gamestats.parse(data)


def test_the_example_reads_as_annotated() -> None:
    stats = gamestats.parse(HEADER + LINE)
    (player,) = stats.players
    assert (stats.header.limit_seconds, stats.header.attack_seconds) == (720, 460)
    assert stats.header.playtime_seconds == pytest.approx(461.05)
    assert stats.generation == "9 header fields, 38 tail fields"
    assert (player.total("kills"), player.total("deaths"), player.total("headshots")) == (15, 10, 24)
    assert player.weapons["thompson"] == WeaponCounts(0, 0, 0, 10, 0)
    assert (player.tail["damage_given"], player.tail["minutes_played"], player.tail["multikills_3"]) == (3210, 7.7, 1)
    assert player.clean_name == "Alpha"
    assert gamestats.dump(stats) == HEADER + LINE


def test_the_oldest_layout_has_multikills_where_later_ones_have_denied_playtime() -> None:
    fields = LINE.rstrip(b"\n").split(b"\t")
    line = b"\t".join(fields[:29] + [b"1", b"2", b"0", b"0", b"0"]) + b"\n"
    (player,) = gamestats.parse(HEADER + line).players
    assert (player.tail["useful_kills"], player.tail["multikills_2"], player.tail["multikills_3"]) == (1, 1, 2)
    for unknown in ("denied_playtime", "useless_kills", "full_self_kills", "repairs", "revives_given"):
        assert player.tail[unknown] is None


def test_fields_of_writers_to_come_are_left_alone() -> None:
    stats = gamestats.parse(HEADER + LINE.replace(b"\n", b"\t7\t8\n"))
    assert stats.tail_fields == 40
    assert stats.players[0].tail == gamestats.parse(HEADER + LINE).players[0].tail


def test_a_file_cut_anywhere_is_refused_unless_a_whole_line_ends_there() -> None:
    whole = HEADER + LINE + OTHER_LINE
    readable = []
    for length in range(len(whole)):
        try:
            gamestats.parse(whole[:length])
            readable.append(length)
        except FormatError:
            pass
    assert readable == [len(HEADER + LINE)]


def test_a_windows_file_cut_inside_its_last_line_end_is_refused() -> None:
    with pytest.raises(FormatError, match="cut"):
        gamestats.parse((HEADER + LINE).replace(b"\n", b"\r\n")[:-1])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (HEADER, "only a header"),
        (HEADER[:-1], "no line ends"),
        (HEADER + LINE[:-1], "cut"),
        (HEADER + LINE + b"\n", "line 3: 0 backslashes"),
        (b"some text\nand more\n", "not a stats file"),
        (b"a\\ \\c\\1\\1\\2\\12:00\\7:40\n" + LINE, "names no map"),
        (b"a" * 10_000_000, "not a stats file"),
        (HEADER + b"a" * 10_000_000 + b"\n", "line 2 is longer"),
        (b"a" * 10_000_000 + b"\n" + LINE, "line 1 is longer"),
        (HEADER + LINE * 65, "65 player lines"),
        (HEADER + LINE.replace(b"\\0\\1\\", b"\\0\\4\\"), "team 4"),
        (HEADER + LINE.replace(b"\\0\\1\\", b"\\x\\1\\"), "not a whole number"),
        (HEADER + LINE.replace(b"^1Al^7pha", b"Al\\pha"), "5 backslashes"),
        (HEADER + LINE.replace(b"2097 ", b"2096 "), "20 weapon numbers for 3 weapons"),
        (HEADER + LINE.replace(b"2097 ", b"268435456 "), "weapon mask"),
        (HEADER + LINE.replace(b"2097 ", b"-1 "), "weapon mask"),
        (HEADER + LINE.replace(b"2097 1 3", b"2097 1 -3"), "negative"),
        (HEADER + LINE.replace(b"2097 1 3", b"2097 1 3.5"), "not a whole number"),
        (HEADER + LINE.replace(b" 0 0 \t3210", b" 0 0 3210"), "not a whole number"),
        (HEADER + LINE.replace(b"\t75.9", b"\tx"), "alive_percent is 'x'"),
        (HEADER + LINE.replace(b"\t3210", b"\t3210.0"), "damage_given"),
        (HEADER + LINE.replace(b"\t3210", b"\t"), "damage_given"),
        (HEADER + LINE.replace(b"\t0\t0\t0\n", b"\t0\t0\t0\t"), "cut"),
        (HEADER + b"\t".join(LINE.split(b"\t")[:33]) + b"\n", "32 tail fields"),
        (HEADER + LINE + OTHER_LINE.replace(b"\t0\n", b"\n"), "different layouts"),
        (HEADER.replace(b"\\", b"\t") + LINE.replace(b"\\", b"\t"), "not a stats file"),
    ],
)
def test_what_is_not_whole_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        gamestats.parse(data)


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b" ",
        b"        ",
        b"\xff\xfe",
        b"A1B2C3",
        b"0",
        b"00000000",
        b"0" * 32,
        b"unknown",
        b"UNKNOWN0",
        b"NO_GUID",
        b"NOGUID07",
        b"undefined",
        b"^1A1B2C3D4",
        b"(null)",
        b"-1234567",
        b"A1B2 C3D4",
    ],
)
def test_a_line_without_a_readable_guid_is_read_all_the_same(written: bytes) -> None:
    stats = gamestats.parse(HEADER + LINE.replace(b"A1B2C3D4", written) + OTHER_LINE)
    assert [player.guid for player in stats.players] == ["", "0F0E0D0C"]
    assert stats.players[0].total("kills") == 15


@pytest.mark.parametrize(
    ("written", "guid"),
    [
        (b"a1b2c3d4", "A1B2C3D4"),
        (b" A1B2C3D4 ", "A1B2C3D4"),
        (b"A1B2C3D4" * 4, "A1B2C3D4"),
        (b"ABCDEFAB", "ABCDEFAB"),
        (b"12345678", "12345678"),
        (b"OMNIBOT01000000", "OMNIBOT0"),
    ],
)
def test_a_guid_is_8_upper_case_characters(written: bytes, guid: str) -> None:
    (player,) = gamestats.parse(HEADER + LINE.replace(b"A1B2C3D4", written)).players
    assert player.guid == guid


def test_a_ratio_of_nothing_is_unknown() -> None:
    (player,) = gamestats.parse(HEADER + LINE.replace(b"\t75.9", b"\t-nan")).players
    assert player.tail["alive_percent"] is None


def test_header_numbers_that_are_none_are_unknown() -> None:
    header = gamestats.parse(HEADER.replace(b"\\1\\1\\2\\", b"\\?\\\\x\\") + LINE).header
    assert (header.number, header.defender_side, header.winner_side) == (None, None, None)
