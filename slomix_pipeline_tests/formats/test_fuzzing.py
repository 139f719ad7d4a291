"""Damaged files of the real formats: refused with a reason or read, never an accident, never for long.

``FUZZ_EXAMPLES=200000 pytest slomix_pipeline_tests/formats/test_fuzzing.py`` is for a long run.
"""

import json
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats import filenames, gamestats, gametimes, names, times
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.gamestats import StatsFile
from slomix_pipeline.formats.tail import LAYOUTS
from slomix_pipeline.rules import laws, plausibility, scoring, timing
from slomix_pipeline.rules.differential import RoundPlayer
from slomix_pipeline.rules.pairing import DEFAULT_WINDOW
from slomix_pipeline.rules.rounds import work_out
from slomix_pipeline.rules.stats_files import accept_stats
from slomix_pipeline.rules.teams import Lineup, assign_teams
from slomix_pipeline.rules.values import FiledRound
from slomix_pipeline.simulator.evening import SOME_EVENING, play_courses
from slomix_pipeline.simulator.matches import Course, FalseStart, Shape, Stay
from slomix_pipeline.simulator.serverfiles import timing_bytes
from slomix_pipeline.simulator.values import SimRound
from slomix_pipeline.simulator.writers import Writer
from slomix_pipeline_tests.any_evening import examples
from slomix_pipeline_tests.formats.damage import DAMAGE, OTHER_NUMBERS, Edit, damaged

MANY = examples(200)
STAYS = {1: Stay.RECONNECTS, 2: Stay.SITS_OUT_R2, 4: Stay.WATCHES_END_R1, 5: Stay.JOINS_R2}


@cache
def whole_rounds() -> Sequence[SimRound]:
    """Rounds by writers of every generation, with people who come, go and watch, and with bots."""
    writers = [Writer(tail, header) for tail, header in ((33, 8), (36, 8), (37, 8), (38, 8), (38, 9))]
    courses = [
        Course("supply", 240, shape, STAYS, bots=bots, starts=[FalseStart.REPLAYED], writers=(writer, writer))
        for writer, shape, bots in zip(writers, Shape, (0, 0, 2, 0, 3), strict=True)
    ]
    return play_courses(1, courses, players_per_team=3).rounds


# --- damage ---


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fails when the processor worked longer: other programs on a busy machine don't count."""
    started = time.process_time()
    yield
    assert time.process_time() - started < seconds


def accepted(data: bytes) -> StatsFile | None:
    """A stats file as it is taken in; None when it is refused, which is for a reason that can be stored and shown."""
    try:
        with within(2):
            stats = accept_stats(data)
            assert (stats.header.limit_seconds or 0) >= 0 and (stats.header.attack_seconds or 0) >= 0
            assert (stats.header.playtime_seconds or 1) > 0
            return stats
    except FormatError as refused:
        assert 0 < len(str(refused)) < 300
        str(refused).encode()
        assert "\0" not in str(refused)
        return None


# --- the parsers ---


@MANY
@given(st.integers(0, 99), DAMAGE | OTHER_NUMBERS)
def test_a_damaged_stats_file_is_refused_with_a_reason_or_can_be_written_again(
    which: int, damage: list[tuple[Edit, int, int, bytes]]
) -> None:
    rounds = whole_rounds()
    data = damaged(rounds[which % len(rounds)].stats_bytes, damage)
    taken_in = accepted(data)
    if taken_in is None or taken_in.tail_fields not in LAYOUTS:
        return
    assert len({line.guid for line in taken_in.players}) == len(taken_in.players)
    stats = gamestats.parse(data)
    written = gamestats.dump(stats)
    again = gamestats.parse(written)
    assert gamestats.dump(again) == written
    assert [line.guid for line in again.players] == [line.guid for line in stats.players]
    assert [line.weapons for line in again.players] == [line.weapons for line in stats.players]
    for one, other in zip(again.players, stats.players, strict=True):
        for field, value in other.tail.items():
            assert one.tail[field] == (value if value is None else pytest.approx(value, abs=0.051))


@MANY
@given(st.integers(0, 99), DAMAGE)
def test_a_damaged_timing_record_is_refused_with_a_reason_or_can_be_written_again(
    which: int, damage: list[tuple[Edit, int, int, bytes]]
) -> None:
    rounds = whole_rounds()
    data = damaged(timing_bytes(rounds[which % len(rounds)]), damage)
    try:
        with within(2):
            record = gametimes.parse(data)
    except FormatError as refused:
        assert 0 < len(str(refused)) < 300
        str(refused).encode()
        return
    assert replace(gametimes.parse(gametimes.dump(record)), raw={}).number == record.number
    json.dumps(record.raw)


@MANY
@given(st.integers(0, 99), st.booleans(), DAMAGE)
def test_a_damaged_file_name_is_of_a_known_kind_or_of_none(
    which: int, timing_record: bool, damage: list[tuple[Edit, int, int, bytes]]
) -> None:
    rounds = whole_rounds()
    sim_round = rounds[which % len(rounds)]
    name = sim_round.timing_name if timing_record else sim_round.stats_name
    changed = names.decode(damaged(name.encode(), damage))
    found = filenames.parse_file_name(changed)
    assert found.name == changed
    if found.kind is not filenames.FileKind.UNKNOWN:
        assert changed.isascii() and "/" not in changed and len(changed) <= filenames.MAX_NAME
        assert found.number is not None and found.map_name
        assert (found.stamp is None) != (found.ended_at is None)
    if found.kind is filenames.FileKind.STATS and found.stamp and found.map_name and found.number:
        assert filenames.stats_file_name(found.stamp, found.map_name, found.number) == changed


@MANY
@given(st.sampled_from(("12:00", "5.25", "125", " 10:30 ", "1:02:03", "461050")), DAMAGE)
def test_a_damaged_time_is_unknown_or_a_time(text: str, damage: list[tuple[Edit, int, int, bytes]]) -> None:
    changed = names.decode(damaged(text.encode(), damage))
    with within(2):
        seconds, playtime = times.parse_time(changed), times.parse_playtime(changed)
    assert seconds is None or 0 <= seconds < 10**7
    assert playtime is None or 0 < playtime < 10**6
    assert seconds is None or times.parse_time(times.format_time(seconds)) == seconds or seconds >= 6000


@MANY
@given(st.binary(max_size=60), DAMAGE)
def test_a_damaged_name_can_be_kept_and_shown(raw: bytes, damage: list[tuple[Edit, int, int, bytes]]) -> None:
    raw = damaged(raw, damage)
    with within(2):
        text = names.decode(raw)
        shown = names.clean_name(text)
    assert names.encode(text) == raw
    shown.encode()
    assert "\0" not in shown and shown == " ".join(shown.split())


@pytest.mark.parametrize("blank", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\xa0", "\u2028", "\u3000"])
def test_what_one_function_takes_for_a_blank_and_another_does_not_upsets_no_number(blank: str) -> None:
    header, *lines = whole_rounds()[-1].stats_bytes.split(b"\n")
    fields = header.split(b"\\")
    for n in range(3, len(fields)):
        for changed in (blank.encode() + fields[n], fields[n] + blank.encode()):
            accepted(b"\n".join([b"\\".join([*fields[:n], changed, *fields[n + 1 :]]), *lines]))
    for text in ("12:00", "5.25", "125", "461050"):
        assert times.parse_time(blank + text) in (None, times.parse_time(text))
        assert times.parse_playtime(blank + text) in (None, times.parse_playtime(text))


# --- the rules, over whatever was accepted ---


@examples(60)
@given(
    st.lists(
        st.tuples(st.integers(0, 99), DAMAGE | OTHER_NUMBERS, st.integers(0, 3600), st.sampled_from((1, 2))), max_size=6
    )
)
def test_the_rules_make_something_that_can_be_stored_of_any_files_that_were_accepted(
    changes: list[tuple[int, list[tuple[Edit, int, int, bytes]], int, int]],
) -> None:
    rounds = whole_rounds()
    filed = {r.stem: FiledRound(r.stem, r.stamp, r.label, accept_stats(r.stats_bytes)) for r in rounds[:6]}
    for number, (which, damage, seconds, label) in enumerate(changes):
        stats = accepted(damaged(rounds[which % len(rounds)].stats_bytes, damage))
        if stats:
            key = f"damaged {number}"
            filed[key] = FiledRound(key, SOME_EVENING - timedelta(seconds=seconds), label, stats)
    with within(5):
        found = work_out(list(filed.values()), DEFAULT_WINDOW, ())
        lineups = [
            Lineup(key, found.placed[key].number, {p.guid: p.side for p in players if p.side})
            for key, players in found.players.items()
        ]
        teams = assign_teams(lineups).team_of
        sides = {lineup.key: lineup.sides for lineup in lineups}
        for key, players in found.players.items():
            for player in players:
                assert why_not_storable(player) is None
            look_at(filed[key].stats, players, found.placed[key].status)
            if (partner := found.placed[key].partner) and found.placed[key].number == 1:
                headers = filed[key].stats.header, filed[partner].stats.header
                scoring.score_match(*headers, sides[key], sides[partner], teams)
                laws.pair_laws(filed[key].stats, filed[partner].stats)


def look_at(stats: StatsFile, players: Sequence[RoundPlayer], status: Any) -> None:
    """Everything else that the rules say of a round."""
    laws.lobby_laws(players)
    laws.header_law(stats.header, 2)
    laws.known_causes(players, stats)
    plausibility.disagreeing_ratios(stats)
    plausibility.implausible_numbers(players)
    duration = timing.round_duration(stats.header, status, [p.seconds_played for p in players])
    assert duration.seconds is None or duration.seconds > 0
    timing.attackers_gave_up(stats.header, timing.surrender_side(stats.header, status, duration))


def why_not_storable(player: RoundPlayer) -> str | None:
    """What the tables would refuse, see ``test_constraints``."""
    counters = {k: v for k, v in player.counters.items() if k not in ("xp", "bullets_fired")}
    counters |= {name: getattr(player, name) for name in ("kills", "deaths", "headshots", "hits", "seconds_played")}
    negative = [name for name, value in counters.items() if value is not None and value < 0]
    if negative:
        return f"negative {negative}"
    dead, played = player.seconds_dead, player.seconds_played
    if dead is not None and (dead < 0 or (played is not None and dead > played)):
        return f"{player.seconds_dead} s dead of {player.seconds_played} s"
    for weapon, c in (player.weapons or {}).items():
        if min(c.hits, c.shots, c.kills, c.deaths, c.headshots) < 0 or c.headshots > c.hits:
            return f"{weapon}: {c}"
    large = [value for value in counters.values() if value is not None and value >= 1 << 31]
    return f"too large: {large}" if large else None


# --- bounds ---

FLOODS = {
    "line ends": b"\n",
    "short lines": b"ab\n",
    "backslashes": b"\\",
    "tabs": b"\t",
    "digits": b"1",
    "brackets": b"[",
    "colour codes": b"^1",
    "objects": b'{"a":',
    "pairs": b"a=1\n",
    "high bytes": b"\xff",
    "decimals": b"1.",
}
HEADER = b"server\\supply\\legacy3\\1\\1\\2\\12:00\\8:00\\480000\n"

RECORD = b'{"map": "supply", "round": 1, "round_end_unix": 1767982961, "version": "'


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("begin", [b"", HEADER], ids=["alone", "after a header"])
def test_a_flood_of_one_thing_costs_a_stats_file_little_time_and_memory(flood: str, begin: bytes) -> None:
    for size in (20_000, 500_000):
        check_costs(gamestats.parse, begin + FLOODS[flood] * (size // len(FLOODS[flood])), most_memory=20)


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("begin", [b"", RECORD, b'{"payload": "'], ids=["alone", "as a version", "as a payload"])
def test_a_flood_of_one_thing_costs_a_timing_record_little_time_and_memory(flood: str, begin: bytes) -> None:
    for size in (20_000, gametimes.MAX_SIZE - 100):  # what takes the square of its size fails before it takes for ever
        data = begin + FLOODS[flood] * (size // len(FLOODS[flood])) + (b'"}' if begin else b"")
        check_costs(gametimes.parse, data, most_memory=100)


def check_costs(parse: Callable[[bytes], object], data: bytes, most_memory: int) -> None:
    """``most_memory``: bytes held per byte of the file. A parser is done with any file in a second."""
    with within(1):
        _tried(parse, data)
    tracemalloc.start()
    try:
        _tried(parse, data)
        assert tracemalloc.get_traced_memory()[1] < most_memory * len(data) + 100_000
    finally:
        tracemalloc.stop()


def _tried(parse: Callable[[bytes], object], data: bytes) -> None:
    with suppress(FormatError):
        parse(data)
