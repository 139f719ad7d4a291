"""Endstats files: every shape of line, the two wrong labels, files written to twice, and what is no endstats file."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomix_pipeline.formats import endstats
from slomix_pipeline.formats.endstats import AWARDS, USELESS_KILLS, Award, EndstatsFile, Versus, VersusBlock
from slomix_pipeline.formats.errors import FormatError

MANY = settings(max_examples=150, deadline=None, database=None)

GUID = "A1B2C3D4E5F60718293A4B5C6D7E8F90"
OTHER_GUID = "0F0E0D0C0B0A09080706050403020100"

WHOLE = f"""\
Most damage given\tada\t3214
Most team damage given\tb|b.\t54
Most kills per minute\tada\t1.78
Most doublekills\tada\t2
Most multikills\tada\t0
Quickest multikill w/ light weapons\tada\t3 kills in 1.85s
Farthest riflenade kill\tb|b.\t23.45 m
Best K/D ratio\tb|b.\t1.6666666666667
Longest killing spree\tb|b.\t4
Longest death spree\tada\t6
Most objectives stolen\tada\t2
Most corpse gibs\tada\t11
Tank/Meatshield (Refuses to die)\tada\tDamage received vs death ratio: 5.1x
Longest killing spree\tb|b.\t4
Most objectives stolen\tada\t7
Full respawn king\tada\t11.65 percent, 1.17 min
Least time dead (What spawn?)\t\t7.15 percent, 0.72 min
Most playtime denied\tada\t113 seconds
Highest light weapons accuracy\tb|b.\t50.47 percent
Most headshots\tb|b.\t21
VS_HEADER\tada\t{GUID}
b|b.\t4\t0
\t2\t3
VS_HEADER\tb|b.\t{OTHER_GUID}
ada\t0\t4
""".encode()

OLD = b"""\
Most damage given\tada\t3214
Longest killing spree\tada\t3
Longest killing spree\tada\t3
Most bullets fired\tada\t333
bob\t4\t0
cyd\t3\t2
ada\t0\t4
"""


def awards_of(*lines: str) -> list[tuple[str, str | None]]:
    """Label and award of each line of a file, given as ``label=value``."""
    data = "".join("{}\tada\t{}\n".format(*line.split("=")) for line in lines)
    return [(a.label, a.kind.name if a.kind else None) for a in endstats.parse(data.encode()).awards]


# --- lines ---


def test_every_shape_of_value_gives_its_number_and_unit() -> None:
    found = {a.kind.name: (a.value, a.kind.unit) for a in endstats.parse(WHOLE).awards if a.kind}
    assert found["damage_given"] == (3214, None)
    assert found["kills_per_minute"] == (1.78, "per minute")
    assert found["multikills"] == (0, None)
    assert found["quickest_multikill"] == (3, "kills in one chain")
    assert found["farthest_riflenade_kill"] == (23.45, "m")
    assert found["kd"] == (1.6666666666667, "kills per death")
    assert found["tank_ratio"] == (5.1, "ratio")
    assert found["full_respawns"] == (11.65, "%")
    assert found["denied_playtime"] == (113, "s")
    assert found["light_weapon_accuracy"] == (50.47, "%")


@pytest.mark.parametrize(("text", "value"), [("2.0", 2), ("3.0 percent", 3), ("-1", -1), ("inf", None), ("-nan", None)])
def test_a_value_is_read_as_the_script_prints_numbers_and_else_unknown(text: str, value: float | None) -> None:
    (award,) = endstats.parse(f"Best K/D ratio\tada\t{text}\n".encode()).awards
    assert (award.value, award.text) == (value, text)


def test_blocks_with_a_header_say_whose_they_are() -> None:
    assert endstats.parse(WHOLE).blocks == (
        VersusBlock("ada", GUID, (Versus("b|b.", 4, 0), Versus("", 2, 3))),
        VersusBlock("b|b.", OTHER_GUID, (Versus("ada", 0, 4),)),
    )


def test_lines_of_old_files_belong_to_nobody_that_can_be_known() -> None:
    (block,) = endstats.parse(OLD).blocks
    assert (block.subject, block.guid) == (None, None)
    assert block.lines == (Versus("bob", 4, 0), Versus("cyd", 3, 2), Versus("ada", 0, 4))


def test_a_file_may_begin_with_the_lines_of_who_killed_whom() -> None:
    assert endstats.parse(b"bob\t4\t0\n") == EndstatsFile((), (VersusBlock(None, None, (Versus("bob", 4, 0),)),))


def test_names_may_be_empty_or_numbers() -> None:
    parsed = endstats.parse(f"Most deaths\t\t9\nMost kill assists\t12\t5\nVS_HEADER\t\t{GUID}\n12\t1\t0\n".encode())
    assert [award.player for award in parsed.awards] == ["", "12"]
    assert parsed.blocks == (VersusBlock("", GUID, (Versus("12", 1, 0),)),)


@pytest.mark.parametrize("guid", ["", "-", "NO_GUID", " "])
def test_the_duels_of_a_player_without_a_readable_guid_are_kept_without_one(guid: str) -> None:
    text = f"Most deaths\tada\t9\nVS_HEADER\tnokey\t{guid}\nMost deaths\t3\t1\nVS_HEADER\tbob\t{GUID}\nnokey\t1\t3\n"
    parsed = endstats.parse(text.encode())
    assert parsed.blocks == (
        VersusBlock("nokey", "", (Versus("Most deaths", 3, 1),)),
        VersusBlock("bob", GUID, (Versus("nokey", 1, 3),)),
    )
    assert endstats.parse(endstats.dump(parsed)) == parsed


@pytest.mark.parametrize("name", ["Most deaths", "VS_HEADER", "Longest killing spree"])
def test_a_player_may_be_called_like_an_award(name: str) -> None:
    parsed = endstats.parse(f"Most deaths\tada\t9\nVS_HEADER\tada\t{GUID}\n{name}\t3\t1\nbob\t1\t0\n".encode())
    assert parsed.blocks == (VersusBlock("ada", GUID, (Versus(name, 3, 1), Versus("bob", 1, 0))),)
    assert len(parsed.awards) == 1


def test_an_unknown_award_is_kept_as_it_is() -> None:
    assert endstats.parse(b"Most moustaches\tada\t3 or so\n").awards == (
        Award("Most moustaches", "ada", "3 or so", None),
    )


def test_every_award_has_a_label_and_a_name_of_its_own() -> None:
    assert len({kind.label for kind in AWARDS}) == len({kind.name for kind in AWARDS}) == len(AWARDS) == 48


# --- the two wrong labels ---


def test_the_second_killing_spree_says_nothing_and_stolen_objectives_behind_it_are_useless_kills() -> None:
    kinds = [a.kind for a in endstats.parse(WHOLE).awards if a.label in ("Longest killing spree", USELESS_KILLS.label)]
    assert [kind and kind.name for kind in kinds] == ["killing_spree", "objectives_stolen", None, "useless_kills"]


SPREE, STOLEN, DEATHS = "Longest killing spree", "Most objectives stolen", "Longest death spree"


@pytest.mark.parametrize(
    ("lines", "awards"),
    [
        ([f"{SPREE}=3"], ["killing_spree"]),
        ([f"{SPREE}=0"], [None]),  # a spree of one is never written: this stands for useful kills
        ([f"{SPREE}=1"], [None]),
        ([f"{SPREE}=3", f"{SPREE}=3"], ["killing_spree", None]),
        (["Most corpse gibs=4", f"{SPREE}=3"], ["gibs", None]),
        ([f"{STOLEN}=2"], ["objectives_stolen"]),  # useless kills are written from 4 on
        ([f"{STOLEN}=4"], [None]),  # nothing tells
        ([f"{STOLEN}=2", f"{STOLEN}=4"], ["objectives_stolen", "useless_kills"]),
        ([f"{STOLEN}=5", "Most kill assists=2"], ["objectives_stolen", "kill_assists"]),
        (["Most kill assists=2", f"{STOLEN}=5"], ["kill_assists", "useless_kills"]),
        (
            [f"{SPREE}=3", f"{DEATHS}=3", f"{SPREE}=3", f"{STOLEN}=4"],
            ["killing_spree", "death_spree", None, "useless_kills"],
        ),
        ([f"{SPREE}=3", f"{STOLEN}=4", f"{SPREE}=3"], ["killing_spree", "objectives_stolen", None]),
    ],
)
def test_the_order_tells_what_a_wrong_label_stands_for(lines: list[str], awards: list[str | None]) -> None:
    assert [award for _, award in awards_of(*lines)] == awards


# --- bytes ---


def test_what_is_parsed_dumps_to_the_same_bytes() -> None:
    assert endstats.dump(endstats.parse(WHOLE)) == WHOLE
    assert endstats.dump(endstats.parse(OLD)) == OLD


def test_line_ends_of_another_system_change_nothing() -> None:
    assert endstats.parse(WHOLE.replace(b"\n", b"\r\n")) == endstats.parse(WHOLE)


@pytest.mark.parametrize("data", [WHOLE, OLD, b"Most deaths\tada\t3\nMost headshots\tada\t2\n"])
def test_a_file_that_was_written_to_twice_counts_once(data: bytes) -> None:
    assert endstats.parse(data + data) == endstats.parse(data)


# Cells as the engine's cleaner leaves them.
NAMES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=36)
AWARD_LINES = st.lists(
    st.tuples(st.sampled_from(AWARDS), NAMES, st.sampled_from(["7", "2.0", "1.17 percent", "3 kills in 1.0s"])),
    max_size=12,
    unique_by=lambda line: line[0].label,
).map(
    lambda lines: "".join(
        f"{k.label}\t{name}\t{text}\n" for k, name, text in sorted(lines, key=lambda line: AWARDS.index(line[0]))
    )
)
VS_LINES = st.lists(st.tuples(NAMES, st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=4).map(
    lambda lines: "".join(f"{name}\t{kills}\t{deaths}\n" for name, kills, deaths in lines)
)
BLOCKS = st.lists(st.tuples(NAMES, VS_LINES), max_size=4).map(
    lambda blocks: "".join(f"VS_HEADER\t{name}\t{GUID}\n{lines}" for name, lines in blocks)
)


@MANY
@given(AWARD_LINES, BLOCKS)
def test_any_file_of_the_script_is_read_and_dumps_to_the_same_bytes(awards: str, blocks: str) -> None:
    data = (awards + blocks).encode()
    if data:
        parsed = endstats.parse(data)
        assert endstats.dump(parsed) == data
        assert len(parsed.awards) == awards.count("\n")


# --- what is no endstats file ---


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (WHOLE[:-1], "cut"),
        (b"\n", "line 1: 1 cells"),
        (b"Most deaths\tada\t9\n\n", "line 2: 1 cells"),
        (b"Most deaths\tada\n", "line 1: 2 cells"),
        (b"Most deaths\tada\t9\t9\n", "line 1: 4 cells"),
        (b"Most deaths\tada\t\n", "line 1: an award without a value"),
        (b"server\\map\\legacy3\\1\\1\\2\\12:00\\8:00\n", "line 1: 1 cells"),
        (b"Most deaths\tada\t" + b"9" * 2000 + b"\n", "line 1"),
        (b"\0\t1\t1\n", "zero bytes"),
        (b"a\t1\t1\n" * 200_000, "too large"),
    ],
)
def test_what_is_no_endstats_file_is_refused_with_line_and_reason(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        endstats.parse(data)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        data[start:end] = draw(
            st.sampled_from([b"", b"\t", b"\n", b"\r\n", b"VS_HEADER\t", b"99999999999", b"\xff"])
            | st.binary(max_size=6)
            | st.just(bytes(data[start // 2 : end]))
        )
    return bytes(data)


@MANY
@given(damaged(WHOLE) | damaged(OLD) | st.binary(max_size=200))
def test_damage_is_refused_with_a_reason_or_harmless(data: bytes) -> None:
    try:
        parsed = endstats.parse(data)
    except FormatError as reason:
        assert len(str(reason)) < 200
        str(reason).encode()
        return
    assert all(award.value is None or abs(award.value) < 1e13 for award in parsed.awards)
    assert all(line.kills >= 0 and line.deaths >= 0 for block in parsed.blocks for line in block.lines)


@pytest.mark.parametrize("line", [b"Longest killing spree\t\t2\n", b"Most objectives stolen\t\t5\n", b"x\t\tx\n"])
def test_the_largest_file_is_read_within_seconds(line: bytes) -> None:
    began = time.monotonic()
    endstats.parse(line * (endstats.MAX_BYTES // len(line)))
    assert time.monotonic() - began < 5
