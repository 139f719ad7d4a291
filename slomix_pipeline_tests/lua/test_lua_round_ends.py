"""Every way in which a round can end, and what each of our three scripts leaves of it: only what the engine's own
``Exit:`` line ended is whole."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.rules.values import Status
from slomix_pipeline.simulator.engine.game import ALREADY_TRIGGERED, GameEngine
from slomix_pipeline.simulator.engine.host import ALLIES, AXIS, CS_WINNER
from slomix_pipeline.simulator.engine.truth import TrueRound
from slomix_pipeline_tests.lua_fixtures import (
    ENDSTATS_SCRIPT,
    GAMESTATS_SCRIPT,
    begin,
    check_truth,
    fight,
    files,
    fill,
    guid,
    meta_of,
    record_of,
    start_engine,
)
from slomix_pipeline_tests.played_truth import check_all_files, filed, folder_files, rounds_with_files, worked_out

Leave = Callable[[GameEngine], object]


@pytest.fixture
def engine(runtime: str, tmp_path: Path) -> GameEngine:
    return start_engine(runtime, tmp_path, GAMESTATS_SCRIPT, ENDSTATS_SCRIPT)


def play_into(engine: GameEngine, number: int) -> TrueRound:
    """Some seconds of round 1, or of round 2 after a whole round 1. Maps preset the defenders as winners."""
    played = begin(engine)
    fight(engine, 6, Random(number))
    if number == 2:
        engine.end_round("Wolf EndRound.", ALLIES, intermission=5)
        engine.load_second_round()
        played = engine.begin_play()
        fight(engine, 6, Random(4))
    engine.strings[CS_WINNER] = "\\w\\0"
    return played


def check_all(engine: GameEngine) -> None:
    """All files are as it was played; awards have those rounds alone that were played to their end."""
    check_truth(engine)
    check_all_files(engine)
    told = [played for played in rounds_with_files(engine) if not played.aborted]
    assert len(folder_files(engine, FileKind.ENDSTATS)) == len(told)


def everybody_leaves(engine: GameEngine) -> None:
    for slot in list(engine.clients):
        engine.disconnect(slot)
    engine.restart_map(reset_match=True)


def swap_teams(engine: GameEngine) -> None:
    for slot, client in list(engine.clients.items()):
        engine.set_team(slot, ALLIES + AXIS - client.side)
    engine.restart_map(reset_match=True)


# -- cut short

LEFT: dict[str, Leave] = {
    "another map": lambda engine: engine.load_map("radar"),
    "the same map": lambda engine: engine.load_map("supply"),
    "the server quits": GameEngine.quit,
}
RESTARTED: dict[str, Leave] = {
    "map_restart": GameEngine.restart_map,
    "map_restart into play": GameEngine.begin_play,
    "reset_match": lambda engine: engine.restart_map(reset_match=True),
    "swap_teams": swap_teams,
    "everybody leaves": everybody_leaves,
}


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("leave", LEFT.values(), ids=LEFT.keys())
def test_a_round_that_is_left_is_told_as_cut_short(engine: GameEngine, number: int, leave: Leave) -> None:
    played = play_into(engine, number)
    leave(engine)
    engine.quit()
    check_all(engine)
    header, record = filed(engine, played).stats.header, record_of(engine, played)
    assert (header.number, header.winner_side, header.playtime) == (number, 0, "-1")
    assert header.attack_time == header.limit
    assert (record.aborted, record.end_reason, record.winner_side) == (True, "map_change", None)
    session, rounds = worked_out(engine)
    assert session.placed[rounds[-1].key].status is Status.ABORTED


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("leave", RESTARTED.values(), ids=RESTARTED.keys())
def test_a_round_that_is_restarted_leaves_a_record_and_nothing_else(
    engine: GameEngine, number: int, leave: Leave
) -> None:
    played = play_into(engine, number)
    leave(engine)
    check_all_files(engine)
    assert len(folder_files(engine)) == len(folder_files(engine, FileKind.ENDSTATS)) == number - 1
    record = record_of(engine, played)
    assert (record.number, record.aborted, record.end_reason) == (number, True, "map_restart")


def test_a_match_that_is_reset_begins_from_nothing(engine: GameEngine) -> None:
    play_into(engine, 2)
    engine.restart_map(reset_match=True)
    engine.frames(3)
    engine.begin_play()
    fight(engine, 20, Random(6))
    engine.end_round("Wolf EndRound.", ALLIES, intermission=5)
    engine.load_second_round()
    engine.begin_play()
    fight(engine, 20, Random(7))
    engine.end_round("Timelimit hit.", AXIS, intermission=5)
    check_all(engine)
    assert [played.number for played in rounds_with_files(engine)] == [1, 1, 2]


def test_a_server_that_is_killed_leaves_nothing_of_its_round_and_the_next_match_is_true(engine: GameEngine) -> None:
    play_into(engine, 2)
    engine.rounds.pop()
    engine.round, engine.modules, engine.clients = None, [], {}
    engine.cvars = {name: value for name, value in engine.cvars.items() if not name.startswith("slomix")}
    engine.cvars |= {"g_currentround": "0", "g_nexttimelimit": "0"}
    engine.load_map("supply")
    fill(engine)
    engine.begin_play()
    fight(engine, 20, Random(6))
    engine.end_round("Wolf EndRound.", ALLIES, intermission=5)
    check_all(engine)
    assert [played.number for played in engine.rounds] == [1, 1]


# -- played to the end

EXITS = [("Wolf EndRound.", ALLIES), ("Timelimit hit.", AXIS), ("Axis Surrender", ALLIES), ("Allies Surrender", AXIS)]
THEN: dict[str, Leave] = {
    "another map": lambda engine: engine.load_map("radar"),
    "the same map": lambda engine: engine.load_map("supply"),
    "round 2": GameEngine.load_second_round,
    "reset_match": lambda engine: engine.restart_map(reset_match=True),
    "the server quits": GameEngine.quit,
    "lua_restart": GameEngine.restart_lua,
}


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(("text", "winner"), EXITS)
def test_what_the_engine_ended_is_whole(engine: GameEngine, number: int, text: str, winner: int) -> None:
    played = play_into(engine, number)
    engine.end_round(text, winner, intermission=5)
    check_all(engine)
    header = filed(engine, played).stats.header
    assert (header.number, header.winner_side, header.playtime) == (number, winner, str(played.played_ms))


@pytest.mark.parametrize("intermission", [0.35, 1.5])
@pytest.mark.parametrize(
    ("number", "then"),
    [*((1, then) for then in THEN.values()), (2, THEN["reset_match"])],
    ids=[*THEN, "round 2 and reset_match"],
)
def test_it_stays_whole_whatever_follows(engine: GameEngine, number: int, intermission: float, then: Leave) -> None:
    played = play_into(engine, number)
    engine.end_round("Wolf EndRound.", ALLIES, intermission)
    then(engine)
    engine.frames(3)
    check_all(engine)
    header = filed(engine, played).stats.header
    assert (header.number, header.winner_side, header.playtime) == (number, ALLIES, str(played.played_ms))


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("leave", LEFT.values(), ids=LEFT.keys())
def test_it_is_whole_even_when_no_frame_of_its_intermission_is_seen(
    engine: GameEngine, number: int, leave: Leave
) -> None:
    played = play_into(engine, number)
    engine.end_round("Timelimit hit.", AXIS, intermission=0)
    leave(engine)
    engine.quit()
    check_all(engine)
    assert (filed(engine, played).stats.header.winner_side, record_of(engine, played).aborted) == (AXIS, False)


@pytest.mark.parametrize("number", [1, 2])
def test_a_line_that_only_looks_like_the_end_makes_no_round_whole(engine: GameEngine, number: int) -> None:
    played = play_into(engine, number)
    engine.print_line("Exit: Wolf EndRound.\n")
    engine.frames(3)
    engine.load_map("radar")
    check_all(engine)
    assert filed(engine, played).stats.header.playtime == "-1"


# -- ended more than once


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("engine_says_so", [True, False], ids=["new engine", "old engine"])
@pytest.mark.parametrize(("text", "winner"), EXITS)
def test_the_first_end_of_a_round_stands(
    engine: GameEngine, number: int, text: str, winner: int, engine_says_so: bool
) -> None:
    played = play_into(engine, number)
    caller = next(slot for slot, client in engine.clients.items() if client.side != winner)
    engine.client_command(caller, "callvote", "surrender")
    engine.frames(1)
    engine.end_round(text, winner, 5, then="Wolf EndRound." + f" {ALREADY_TRIGGERED}" * engine_says_so)
    check_all(engine)
    record, meta = record_of(engine, played), meta_of(engine, played)
    reason = {"Wolf EndRound.": "objective", "Timelimit hit.": "time_expired"}.get(text, "surrender")
    assert (record.end_reason, meta["exit_print"]) == (reason, text)
    assert (meta["surrender_caller"] or {}).get("guid") == (guid(caller + 1) if reason == "surrender" else None)
    assert filed(engine, played).stats.header.winner_side == record.winner_side == winner


def test_a_winner_that_is_set_after_the_end_won_nothing(engine: GameEngine) -> None:
    played = play_into(engine, 1)

    def beaten_too_late() -> None:
        engine.strings[CS_WINNER] = "\\w\\1"
        engine.print_line(f"Exit: Wolf EndRound. {ALREADY_TRIGGERED}\n")

    engine.surrender(ALLIES, intermission=0)
    engine.frame(during=beaten_too_late)
    engine.frames(5)
    check_all(engine)
    assert filed(engine, played).stats.header.winner_side == record_of(engine, played).winner_side == AXIS


# -- what is announced


@pytest.mark.parametrize("leave", [*LEFT.values(), *RESTARTED.values()], ids=[*LEFT, *RESTARTED])
def test_no_round_that_was_cut_short_is_announced_as_complete(engine: GameEngine, leave: Leave) -> None:
    play_into(engine, 2)
    leave(engine)
    titles = [title_of(data) for name, data in files(engine).items() if "-R2-" in name]
    assert titles == ["Round Aborted: supply R2"]


def title_of(data: bytes) -> str:
    return str(json.loads(data)["payload"]["embeds"][0]["title"])


def test_a_whole_round_is_announced_as_complete(engine: GameEngine) -> None:
    played = play_into(engine, 1)
    engine.end_round("Wolf EndRound.", ALLIES, intermission=5)
    (data,) = files(engine).values()
    assert title_of(data) == f"Round Complete: supply R{played.number}"
