"""The timing script on the ends of rounds: why they ended, who gave up, what restarts and changes of map leave."""

from collections.abc import Callable
from pathlib import Path

import pytest

from slomix_pipeline.formats import gametimes
from slomix_pipeline.simulator.engine.game import GameEngine
from slomix_pipeline.simulator.engine.host import ALLIES, AXIS
from slomix_pipeline_tests.lua_fixtures import (
    begin,
    check_quiet,
    check_truth,
    fields_of,
    files,
    fill,
    guid,
    meta_of,
    person,
    record_of,
    start_engine,
)


@pytest.fixture
def engine(runtime: str, tmp_path: Path) -> GameEngine:
    return start_engine(runtime, tmp_path)


# -- why it ended


@pytest.mark.parametrize(
    ("printed", "winner", "reason", "surrendered"),
    [
        ("Wolf EndRound.", ALLIES, "objective", 0),
        ("Timelimit hit.", AXIS, "time_expired", 0),
        ("Axis Surrender", ALLIES, "surrender", AXIS),
        ("Allies Surrender", AXIS, "surrender", ALLIES),
        ("Allied team eliminated.", AXIS, "eliminated", 0),
        ("Something new.", 0, None, 0),
    ],
)
def test_the_reason_is_the_engines_own_word(
    engine: GameEngine, printed: str, winner: int, reason: str | None, surrendered: int
) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.end_round(printed, winner)
    record = record_of(engine, played)
    assert (record.end_reason, record.surrender_side, record.winner_side) == (reason, surrendered, winner)
    assert meta_of(engine, played)["exit_print"] == printed
    check_truth(engine)


def test_an_objective_in_the_last_seconds_of_the_clock_is_an_objective(engine: GameEngine) -> None:
    played = begin(engine)
    engine.cvars["timelimit"] = "0.5"
    engine.frames(29)
    engine.end_round("Wolf EndRound.", ALLIES)
    assert record_of(engine, played).end_reason == "objective"


def test_a_round_that_ends_without_a_word_has_an_unknown_reason(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    played.end_unix = engine.unix
    engine.state = 3
    engine.frame()
    (data,) = files(engine).values()
    record = gametimes.parse(data)
    assert (record.end_reason, record.surrender_side, record.aborted) == (None, None, False)
    assert record.duration_seconds == 6


def test_a_line_that_only_looks_like_the_end_of_a_round_ends_nothing(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.print_line("Exit: Axis Surrender\n")
    engine.frames(3)
    engine.kill(1, 0)
    engine.frames(27)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    assert record_of(engine, played).end_reason == "objective"


def test_a_surrender_names_who_asked_for_it(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.client_command(1, "callvote", "surrender")
    engine.frames(3)
    engine.client_command(3, "CALLVOTE", "surrender")  # refused: one is under way
    engine.client_command(1, "say", "gg")
    engine.frames(3)
    engine.surrender(ALLIES)
    check_truth(engine)
    assert meta_of(engine, played)["surrender_caller"] == {"guid": guid(2), "name": "dos"}
    assert fields_of(engine, played)["Lua_SurrenderCaller"] == guid(2)
    assert fields_of(engine, played)["Lua_SurrenderTeam"] == "2"


def test_a_vote_that_passes_at_once_still_names_who_asked(engine: GameEngine) -> None:
    played = begin(engine, per_side=1)
    engine.frames(5)
    engine.client_command(0, "callvote", "surrender")
    engine.surrender(AXIS)
    assert meta_of(engine, played)["surrender_caller"]["guid"] == guid(1)


def test_the_caller_is_known_even_when_he_left_before_the_vote_passed(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.client_command(1, "callvote", "surrender")
    engine.frames(1)
    engine.disconnect(1)
    engine.frames(1)
    engine.surrender(ALLIES)
    check_truth(engine)
    assert meta_of(engine, played)["surrender_caller"]["guid"] == guid(2)


def test_a_failed_vote_leaves_no_trace_when_the_round_is_played_on(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.client_command(1, "callvote", "surrender")
    engine.frames(3)
    engine.vote_fails()
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    assert record_of(engine, played).end_reason == "objective"
    assert record_of(engine, played).surrender_side == 0
    assert meta_of(engine, played)["surrender_caller"] is None


def test_the_other_sides_failed_vote_is_not_taken_for_the_one_that_passed(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.client_command(0, "callvote", "surrender")
    engine.frames(3)
    engine.vote_fails()
    engine.surrender(ALLIES)
    assert meta_of(engine, played)["surrender_caller"] is None


def test_a_vote_the_engine_refuses_is_nobodys_surrender(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(1)
    engine.client_command(1, "callvote", "surrender")
    engine.frames(1)
    engine.vote_fails()
    engine.votes_allowed = False
    engine.client_command(3, "callvote", "surrender")
    engine.frames(1)
    engine.surrender(ALLIES)
    assert meta_of(engine, played)["surrender_caller"]["guid"] == guid(2)


# -- restarts and rounds that were left


def test_a_restarted_round_has_a_record_that_says_so_and_the_next_attempt_counts_it(engine: GameEngine) -> None:
    attempts = [begin(engine)]
    for _ in range(2):
        engine.frames(20)
        engine.restart_map()
        engine.frames(5)
        attempts.append(engine.begin_play())
    engine.frames(30)
    engine.end_round("Wolf EndRound.", ALLIES)
    engine.load_map("supply", restart=1)
    engine.frames(5)
    attempts.append(engine.begin_play())
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    records = [record_of(engine, played) for played in attempts]
    assert [r.number for r in records] == [1, 1, 1, 2]
    assert [r.aborted for r in records] == [True, True, False, False]
    assert [r.restarts for r in records] == [0, 1, 2, 0]
    assert [r.end_reason for r in records] == ["map_restart", "map_restart", "objective", "objective"]
    assert [r.winner_side for r in records] == [None, None, ALLIES, ALLIES]


def test_the_same_map_again_begins_without_restarts(engine: GameEngine) -> None:
    begin(engine)
    engine.restart_map()
    engine.load_map("supply")
    again = engine.begin_play()
    engine.end_round("Wolf EndRound.", ALLIES)
    assert record_of(engine, again).restarts == 0


def change_map(engine: GameEngine) -> None:
    engine.load_map("radar")


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("leave", [change_map, GameEngine.quit], ids=["map change", "server quits"])
def test_a_round_that_is_left_keeps_the_number_it_began_with(
    engine: GameEngine, number: int, leave: Callable[[GameEngine], None]
) -> None:
    engine.cvars["g_currentround"] = str(number - 1)
    played = begin(engine)
    engine.strings[14] = "\\w\\0"  # maps preset the defenders as winners
    engine.frames(20)
    engine.kill(1, 0)
    engine.frames(4)
    leave(engine)
    check_truth(engine)
    record = record_of(engine, played)
    assert (record.number, record.aborted, record.end_reason) == (number, True, "map_change")
    assert person(engine, played, 2)["dead_seconds"] == 4


def test_a_second_round_reset_to_the_first_is_told_as_two_rounds(engine: GameEngine) -> None:
    engine.cvars["g_currentround"] = "1"
    left = begin(engine)
    engine.frames(5)
    engine.restart_map(reset_match=True)
    engine.frames(5)
    again = engine.begin_play()
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    assert (record_of(engine, left).number, record_of(engine, again).number) == (2, 1)
    assert record_of(engine, again).restarts == 0


def test_a_map_that_is_changed_right_after_the_end_still_has_a_finished_round(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES, intermission=0)
    assert files(engine) == {} or len(files(engine)) == 1
    engine.load_map("radar")
    check_truth(engine)
    assert record_of(engine, played).end_reason == "objective"


def test_a_warm_up_alone_writes_nothing(engine: GameEngine) -> None:
    engine.load_map("supply")
    fill(engine)
    engine.kill(1, 0)
    engine.frames(10)
    engine.load_map("radar")
    engine.quit()
    assert files(engine) == {}
    check_quiet(engine)
