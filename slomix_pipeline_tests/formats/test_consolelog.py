"""The signs of the timing script in the server's log: its own words as it prints them, and any bytes at all."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.consolelog import ScriptSigns, script_signs
from slomix_pipeline_tests.lua_fixtures import TIMING_VERSION, begin, files, start_engine

NOTHING = ScriptSigns(None, frozenset(), None)
VERSION = "slomix_timing: version 2.0.0, server main, records in gametimes/, webhook off"
WROTE = "slomix_timing: wrote gametimes/gametime-supply-R1-1767982961.json"
CANT = "slomix_timing: CAN'T WRITE gametimes/gametime-supply-R2-1767983961.json"
ERROR = "Lua 5.4 API: et_RunFrame error running lua script: '[string \"stats_discord_webhook.lua\"]:12: oh no'"


def signs(*lines: str, end: str = "\n") -> ScriptSigns:
    return script_signs("".join(line + end for line in lines).encode("utf-8", "surrogateescape"))


def prefixed(line: str) -> str:
    """As in the game log: the level time before it."""
    return f"{33421250:8d} {line}"


# --- what the script really prints ---


def as_game_log(printed: list[str], first_level: int) -> bytes:
    return b"".join(f"{first_level + n:8d} {text}".encode("latin-1") for n, text in enumerate(printed))


def test_a_match_played_on_the_fake_engine_shows_version_and_every_record(tmp_path: Path) -> None:
    engine = start_engine("lua54", tmp_path)
    begin(engine)
    engine.frames(2)
    engine.end_round("Wolf EndRound.", 2)
    begin(engine)
    engine.frames(2)
    engine.end_round("Timelimit hit.", 1)
    expected = ScriptSigns(TIMING_VERSION, frozenset(files(engine)), None)
    assert len(expected.written) == 2
    assert script_signs("".join(engine.log).encode("latin-1")) == expected
    for first_level in (50, 33_421_250, 9_999_999_999):  # the prefix outgrows its eight digits after 27.7 h
        assert script_signs(as_game_log(engine.log, first_level)) == expected


def test_a_record_that_could_not_be_written_on_the_fake_engine_is_trouble(tmp_path: Path) -> None:
    engine = start_engine("lua54", tmp_path)
    begin(engine)
    engine.failing.add("open")
    engine.end_round("Wolf EndRound.", 2)
    found = script_signs("".join(engine.log).encode("latin-1"))
    assert (found.version, found.written) == (TIMING_VERSION, frozenset())
    assert found.trouble is not None
    assert found.trouble.startswith("CAN'T WRITE gametimes/gametime-supply-R1-")


# --- line by line ---


def test_a_log_that_says_nothing_of_it_has_no_signs() -> None:
    assert script_signs(b"") == NOTHING
    assert signs("InitGame: \\mapname\\supply", "Exit: Wolf EndRound.", "LUA event: Stats saved!") == NOTHING


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("dressed", [str, prefixed])
def test_its_lines_are_read_with_and_without_the_level_time(dressed: Callable[[str], str], end: str) -> None:
    written = frozenset({"gametime-supply-R1-1767982961.json"})
    assert signs(dressed(VERSION), dressed(WROTE), end=end) == ScriptSigns("2.0.0", written, None)
    assert signs(dressed(CANT), end=end).trouble == "CAN'T WRITE gametimes/gametime-supply-R2-1767983961.json"
    assert signs(dressed(ERROR), end=end).trouble == ERROR


def test_the_last_announced_version_counts() -> None:
    assert signs(VERSION, VERSION.replace("2.0.0", "2.1.0")).version == "2.1.0"
    assert signs(VERSION, "[stats_discord_webhook] v1.6.2 loaded").version == "1.6.2"


@pytest.mark.parametrize(
    "line",
    ["[stats_discord_webhook] v1.6.2 loaded", "stats_discord_webhook.lua v1.6.2", "stats_discord_webhook: v1.6.2"],
)
def test_an_older_script_is_known_by_its_name_and_version(line: str) -> None:
    assert signs(line) == signs(prefixed(line)) == ScriptSigns("1.6.2", frozenset(), None)


def test_a_later_write_ends_the_trouble_and_a_later_announcement_does_not() -> None:
    assert signs(CANT, WROTE).trouble is None
    assert signs(ERROR, WROTE).trouble is None
    assert signs(CANT, VERSION).trouble is not None
    assert signs(WROTE, CANT).trouble is not None
    assert signs(CANT, ERROR).trouble == ERROR


@pytest.mark.parametrize(
    "line",
    [
        f"say: ^7joker: {VERSION}",
        f"say: joker: {WROTE}",
        f"sayteam: joker: {CANT}",
        f'broadcast: print "{ERROR}"',
        "say: joker: stats_discord_webhook v1.0.0",
        "ClientUserinfoChanged: 3 n\\stats_discord_webhook v1.0.0\\t\\1",
        "Lua 5.4 API: file 'stats_discord_webhook.lua' loaded into Lua VM",
        "Lua 5.4 API: et_RunFrame error running lua script: '[string \"endstats.lua\"]:12: oh no'",
        "slomix_timing: webhook: can't write slomix_spool/x.json, not announced",
        "slomix_timing: no slomix_config.lua",
    ],
)
def test_what_others_say_and_what_is_no_complaint_are_no_signs(line: str) -> None:
    assert signs(line) == signs(prefixed(line)) == NOTHING


def test_lines_cut_off_at_either_end_are_no_signs() -> None:
    for cut in range(1, len(WROTE)):
        assert script_signs(WROTE[:cut].encode()) == NOTHING
        assert script_signs(WROTE[cut:].encode()) == NOTHING
    assert script_signs(b"slomix_timing: version 2.0") == NOTHING


def test_names_that_are_no_utf8_in_a_complaint_can_be_stored_and_shown() -> None:
    found = signs(CANT + "\udce9\x01\x1b[31m")
    assert found.trouble == "CAN'T WRITE gametimes/gametime-supply-R2-1767983961.json\xe9  [31m"


# --- any bytes ---

PIECES = [
    VERSION,
    WROTE,
    CANT,
    ERROR,
    "stats_discord_webhook",
    "v1.2.3",
    "v1.",
    "33421250 ",
    "\n",
    "\r",
    " ",
    ":",
    "Lua",
]


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([piece.encode() for piece in PIECES])), max_size=30))
def test_any_bytes_are_read_without_an_error(parts: list[bytes]) -> None:
    found = script_signs(b"".join(parts))
    assert all(name.endswith(".json") and "/" not in name for name in found.written)
    assert found.trouble is None or found.trouble.encode("utf-8")


@pytest.mark.parametrize(
    "piece",
    [
        b" ",
        b"1",
        b"\n",
        b"v1.",
        b"1.1.",
        b"stats_discord_webhook",
        b"slomix_timing: wrote gametimes/",
        b"Lua API: ",
        b"stats_discord_webhookv",
        b"slomix_timing: CAN'T WRITE ",
        b"Lua",
        b"9 ",
        b"\xff",
    ],
)
def test_the_time_grows_with_the_length_and_no_faster(piece: bytes) -> None:
    def seconds(size: int) -> float:
        data = piece * (size // len(piece))
        started = time.process_time()
        script_signs(data)
        return time.process_time() - started

    # Squared, a million bytes would take 400 times what 50 000 take.
    assert seconds(1_000_000) < 60 * max(seconds(50_000), 0.02)
