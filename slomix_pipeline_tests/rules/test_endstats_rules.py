"""Which round an endstats file belongs to, whose its lines are, what its awards cover."""

from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats import endstats
from slomix_pipeline.formats.endstats import AWARDS, USELESS_KILLS, AwardKind
from slomix_pipeline.formats.names import decode
from slomix_pipeline.rules.endstats import (
    SPLIT_WITHIN,
    EndstatsLink,
    Scope,
    award_scope,
    engine_clean_name,
    link_endstats,
    merged,
    resolve_awards,
    resolve_duels,
)
from slomix_pipeline.rules.identity import with_distinct_guids
from slomix_pipeline.rules.linking import LINK_WINDOW, Clocked, LinkClass
from slomix_pipeline_tests.building import make_line, make_stats

EVENING = datetime(2031, 5, 6, 20, 0)  # the game server's wall clock
ADA, BOB = "ADA00000" + "1" * 24, "BOB00000" + "2" * 24
BOT = "OMNIBOT01" + "0" * 23


def clocked(key: str, seconds: int, map_name: str = "supply", number: int = 1) -> Clocked:
    return Clocked(key, map_name, number, EVENING + timedelta(seconds=seconds))


def linked(rounds: list[Clocked], files: list[Clocked]) -> dict[str, tuple[str, ...]]:
    return {key: link.keys for key, link in link_endstats(rounds, files).items()}


# --- the round of a file ---


def test_a_file_belongs_to_the_round_whose_stats_file_comes_a_moment_later() -> None:
    assert link_endstats([clocked("r", 100)], [clocked("e", 98)]) == {
        "r": EndstatsLink(("e",), LinkClass.EXACT_END, None)
    }


@pytest.mark.parametrize(("distance", "keys"), [(30, ("e",)), (-30, ("e",)), (31, ()), (-31, ())])
def test_a_link_reaches_30_seconds_either_way_and_no_further(distance: int, keys: tuple[str, ...]) -> None:
    assert linked([clocked("r", 1000)], [clocked("e", 1000 - distance)]) == {"r": keys}


def test_a_round_without_a_file_says_so() -> None:
    (link,) = link_endstats([clocked("r", 100)], [clocked("e", 5000)]).values()
    assert (link.keys, link.link_class) == ((), "none")
    assert link.reason == "no endstats file within 30 s of the file stamp"


def test_files_of_another_map_or_round_number_are_not_taken() -> None:
    files = [clocked("e", 98, map_name="radar"), clocked("f", 98, number=2)]
    assert linked([clocked("r", 100)], files) == {"r": ()}


def test_map_names_are_compared_without_case() -> None:
    assert linked([clocked("r", 100, " Supply")], [clocked("e", 98, "SUPPLY")]) == {"r": ("e",)}


@pytest.mark.parametrize("seconds", [1, 2])
def test_a_round_split_over_two_files_has_both_in_order(seconds: int) -> None:
    files = [clocked("second", 98 + seconds), clocked("first", 98)]
    assert linked([clocked("r", 100)], files) == {"r": ("first", "second")}


def test_two_files_at_the_same_distance_that_are_not_parts_of_one_link_to_neither() -> None:
    (link,) = link_endstats([clocked("r", 100)], [clocked("e", 95), clocked("f", 105)]).values()
    assert (link.keys, link.link_class, link.reason) == ((), "tie", "two candidates at the same distance")


def test_the_nearer_of_two_files_is_taken_and_the_other_left() -> None:
    assert linked([clocked("r", 100)], [clocked("e", 98), clocked("f", 110)]) == {"r": ("e",)}


def test_a_file_belongs_to_one_round_only() -> None:
    assert linked([clocked("a", 100), clocked("b", 110)], [clocked("e", 99)]) == {"a": ("e",), "b": ()}


def test_two_plays_of_one_map_have_each_its_own() -> None:
    files = [clocked("f", 698), clocked("e", 98)]
    assert linked([clocked("a", 100), clocked("b", 700)], files) == {"a": ("e",), "b": ("f",)}


def test_parts_on_both_sides_of_the_stamp_are_no_tie() -> None:
    assert linked([clocked("r", 100)], [clocked("e", 99), clocked("f", 101)]) == {"r": ("e", "f")}


def test_a_chain_of_files_is_not_joined_beyond_a_split() -> None:
    files = [clocked(key, seconds) for key, seconds in (("e", 96), ("f", 98), ("g", 100))]
    assert linked([clocked("r", 100)], files) == {"r": ("g",)}


MOMENTS = st.lists(
    st.builds(
        clocked,
        st.uuids().map(str),
        st.integers(0, 240),
        st.sampled_from(["supply", "Supply", "radar"]),
        st.integers(1, 2),
    ),
    max_size=6,
)


@given(MOMENTS, MOMENTS, st.randoms(use_true_random=False))
def test_no_two_rounds_share_a_file_whatever_comes_in_whatever_order(
    rounds: list[Clocked], files: list[Clocked], random: Random
) -> None:
    links = link_endstats(rounds, files)
    used = [key for link in links.values() for key in link.keys]
    assert len(used) == len(set(used)) and links.keys() == {entry.key for entry in rounds}
    named = {file.key: file for file in files}
    for entry in rounds:
        link = links[entry.key]
        assert bool(link.keys) == (link.link_class == "exact_end") == (link.reason is None)
        for part in (named[key] for key in link.keys):
            assert (part.map_name.lower(), part.number) == (entry.map_name.lower(), entry.number)
            assert abs(part.at - entry.at) <= LINK_WINDOW + SPLIT_WITHIN
    assert link_endstats(random.sample(rounds, len(rounds)), random.sample(files, len(files))) == links


# --- what an award covers ---


@pytest.mark.parametrize(
    ("kind", "label", "scope"),
    [
        (AWARDS[0], 1, Scope.THIS_ROUND),
        (AWARDS[0], 2, Scope.BOTH_ROUNDS),
        (USELESS_KILLS, 2, Scope.THIS_ROUND),
        (None, 2, None),
    ],
)
def test_what_the_engine_counted_covers_both_rounds_in_a_file_of_round_2(
    kind: AwardKind | None, label: int, scope: Scope | None
) -> None:
    assert award_scope(kind, label) == scope


def test_the_counters_of_engine_and_script_are_told_apart() -> None:
    engine = {kind.name for kind in AWARDS if kind.engine}
    assert engine == {
        "damage_given",
        "damage_received",
        "team_damage_given",
        "team_damage_received",
        "team_kills",
        "self_kills",
        "deaths",
        "kills_per_minute",
        "kd",
        "gibs",
        "tank_ratio",
        "full_respawns",
        "least_time_dead",
        "light_weapon_accuracy",
        "light_weapon_headshot_percent",
        "light_weapon_headshots",
        "light_weapon_bullets",
    }


# --- names ---


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("^1Al^7pha", "Alpha"),
        ("^/Char^?lie", "Charlie"),
        ("a^^1b", "a^b"),
        ("^ a", "^ a"),
        ("a^", "a^"),
        ("  two  words ", "  two  words "),
        ("ж^4x", "x"),
        ("^жx", "x"),
        ("caf\udce9", "caf"),
        ("^\udce9x", "x"),
        ("a\tb\x01c\x7f", "abc"),
        ("^1", ""),
        ("^]x^[y^^", "xy^^"),
        ("^\x01a", "^a"),
    ],
)
def test_names_are_cleaned_as_the_engine_cleans_them(name: str, cleaned: str) -> None:
    assert engine_clean_name(name) == cleaned


def engine_clean_bytes(raw: bytes) -> bytes:
    """The engine's own loop: a caret and a visible byte but a caret are dropped, then all but printable ASCII is."""
    kept, place = bytearray(), 0
    while place < len(raw):
        behind = raw[place + 1] if place + 1 < len(raw) else 0
        if raw[place : place + 1] == b"^" and behind != ord("^") and (0x21 <= behind <= 0x7E or behind >= 0x80):
            place += 2
            continue
        if 0x20 <= raw[place] <= 0x7E:
            kept.append(raw[place])
        place += 1
    return bytes(kept)


@given(st.text("^1a \x7f\x01é日", max_size=12).map(str.encode) | st.binary(max_size=12))
def test_cleaning_text_comes_to_what_the_engine_makes_of_its_bytes(raw: bytes) -> None:
    assert engine_clean_name(decode(raw)).encode() == engine_clean_bytes(raw)


def award_guid(player: str, *names: tuple[str, str]) -> str | None:
    file = endstats.parse(f"Most deaths\t{player}\t9\n".encode())
    stats = make_stats(*(make_line(guid, name=name) for guid, name in names))
    (award,) = resolve_awards(file, with_distinct_guids(stats, "a file"), 1)
    return award.guid


def test_an_award_is_of_the_player_whose_name_cleans_to_its_name() -> None:
    assert award_guid("Al.pha", ("ADA00000", "^1Al^7.ph^ёa"), ("BOB00000", "bob")) == "ADA00000"


def test_a_name_that_two_players_share_is_nobodys() -> None:
    assert award_guid("ada", ("ADA00000", "^1ada"), ("BOB00000", "^2ada")) is None
    assert award_guid("ada", ("ADA00000", "^1ada"), ("BOB00000", "^2ada"), ("CYD00000", "^3ada")) is None


def test_a_name_that_nobody_in_the_round_has_is_nobodys() -> None:
    assert award_guid("cyd", ("ADA00000", "ada"), ("BOB00000", "bob")) is None


def test_an_empty_name_is_the_player_of_whose_name_nothing_is_left() -> None:
    assert award_guid("", ("ADA00000", "^1жук"), ("BOB00000", "bob")) == "ADA00000"


def owners(text: str, *names: tuple[str, str]) -> list[tuple[str | None, str | None]]:
    stats = with_distinct_guids(make_stats(*(make_line(guid, name=name) for guid, name in names)), "a file")
    return [(duel.guid, duel.opponent_guid) for duel in resolve_duels(endstats.parse(text.encode()), stats)]


def test_a_block_is_of_the_player_whose_guid_it_names() -> None:
    text = f"VS_HEADER\tada\t{ADA}\nbob\t2\t1\nVS_HEADER\tbob\t{BOB.lower()}\nada\t1\t2\n"
    found = owners(text, ("ADA00000", "^1ada"), ("BOB00000", "bob"))
    assert found == [("ADA00000", "BOB00000"), ("BOB00000", "ADA00000")]


def test_a_block_is_its_guids_even_when_another_player_has_the_name() -> None:
    text = f"VS_HEADER\tada\t{ADA}\nbob\t2\t1\n"
    assert owners(text, ("ADA00000", "ada"), ("EVE00000", "ada"), ("BOB00000", "bob")) == [("ADA00000", "BOB00000")]
    assert owners(text, ("EVE00000", "ada"), ("BOB00000", "bob")) == [(None, "BOB00000")]


def test_bots_share_a_guid_and_are_known_by_their_names() -> None:
    text = f"VS_HEADER\t[BOT]axe\t{BOT}\n[BOT]bee\t2\t1\nVS_HEADER\t[BOT]gnu\t{BOT}\n[BOT]axe\t0\t1\n"
    ((axe, bee), (gnu, _)) = owners(text, ("OMNIBOT0", "[BOT]^1axe"), ("OMNIBOT0", "[BOT]bee"))
    assert axe and bee and axe != bee
    assert gnu is None


def test_lines_of_old_files_keep_their_opponents_and_no_owner() -> None:
    assert owners("bob\t4\t0\n", ("ADA00000", "ada"), ("BOB00000", "bob")) == [(None, "BOB00000")]


# --- files of one round ---

AWARDS_OF = endstats.parse(b"Most deaths\tada\t9\n")
BLOCK = endstats.parse(f"VS_HEADER\tada\t{ADA}\nbob\t2\t1\n".encode())
OTHER_BLOCK = endstats.parse(f"VS_HEADER\tbob\t{BOB}\nada\t1\t2\n".encode())


def test_the_parts_of_a_split_file_are_read_as_one() -> None:
    whole = merged([AWARDS_OF, BLOCK, OTHER_BLOCK])
    assert (whole.awards, whole.blocks) == (AWARDS_OF.awards, BLOCK.blocks + OTHER_BLOCK.blocks)


def test_a_second_run_of_the_script_counts_instead_of_the_first() -> None:
    again = endstats.parse(b"Most deaths\tada\t10\n")
    assert merged([AWARDS_OF, BLOCK, again, OTHER_BLOCK]) == merged([again, OTHER_BLOCK])
