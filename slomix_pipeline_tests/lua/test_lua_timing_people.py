"""The timing script on people: who is one person and who two, when they spawn, and how long they are dead."""

from pathlib import Path

import pytest

from slomix_pipeline.simulator.engine.game import GameEngine
from slomix_pipeline.simulator.engine.host import ALLIES, AXIS, SPECTATOR
from slomix_pipeline.simulator.engine.people import MOD_SUICIDE
from slomix_pipeline_tests.lua_fixtures import (
    begin,
    check_quiet,
    check_truth,
    fill,
    guid,
    meta_of,
    person,
    start_engine,
)


@pytest.fixture
def engine(runtime: str, tmp_path: Path) -> GameEngine:
    return start_engine(runtime, tmp_path)


def test_someone_who_comes_back_is_one_person_also_in_another_slot(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.kill(1, 0)
    engine.frames(2)
    engine.disconnect(1)
    engine.frames(10)
    engine.connect(7, "dos", guid(2), ALLIES)
    engine.respawn(7)
    engine.frames(5)
    engine.kill(7, 0)
    engine.frames(3)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    mine = [p for p in meta_of(engine, played)["spawn_stats"] if p["guid"] == guid(2)]
    assert [(p["spawns"], p["deaths"], p["dead_seconds"]) for p in mine] == [(2, 2, 5)]


def test_a_slot_taken_over_by_another_person_is_another_person(engine: GameEngine) -> None:
    played = begin(engine)
    engine.kill(1, 0)
    engine.disconnect(1)
    engine.connect(1, "substitute", guid(30), ALLIES)
    engine.respawn(1)
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    people = {p["guid"]: (p["name"], p["deaths"]) for p in meta_of(engine, played)["spawn_stats"]}
    assert people[guid(2)] == ("dos", 1) and people[guid(30)] == ("substitute", 0)


def test_bots_that_share_a_guid_stay_as_many_as_they_are(engine: GameEngine) -> None:
    engine.load_map("supply")
    for slot in range(3):
        engine.connect(slot, f"bot {slot}", "OMNIBOT01", ALLIES, bot=True)
    for slot in range(3, 5):
        engine.connect(slot, f"no id {slot}", "", AXIS)
    played = engine.begin_play()
    engine.kill(0, 1)
    engine.kill(1, 0)
    engine.frames(1)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_quiet(engine)
    stats = meta_of(engine, played)["spawn_stats"]
    assert [(p["name"], p["deaths"]) for p in stats] == [
        ("bot 0", 1),
        ("bot 1", 1),
        ("bot 2", 0),
        ("no id 3", 0),
        ("no id 4", 0),
    ]


@pytest.mark.parametrize("sent", ["", "unknown", "NO_GUID"])
def test_whoever_has_no_guid_is_told_by_his_name_alone(engine: GameEngine, sent: str) -> None:
    played = begin(engine)
    engine.connect(8, "no id", sent, AXIS)
    engine.kill(8, 1)
    engine.end_round("Wolf EndRound.", ALLIES)
    meta = meta_of(engine, played)
    nobody = [one for one in [*meta["axis"], *meta["spawn_stats"]] if not one["guid"]]
    assert [one["name"] for one in nobody] == ["no id", "no id"]
    assert nobody[1]["deaths"] == 1


def test_spectators_are_in_no_roster_and_whoever_goes_to_watch_is_dead_no_longer(engine: GameEngine) -> None:
    engine.load_map("supply")
    fill(engine)
    engine.connect(8, "watcher", guid(20))
    played = engine.begin_play()
    engine.frames(5)
    engine.kill(1, 0)
    engine.frames(2)
    engine.set_team(1, SPECTATOR)
    engine.frames(30)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    assert [p["guid"] for p in meta_of(engine, played)["allies"]] == [guid(4)]
    assert guid(20) not in {p["guid"] for p in meta_of(engine, played)["spawn_stats"]}
    assert person(engine, played, 2)["dead_seconds"] == 2


def test_whoever_changes_sides_is_dead_until_the_next_wave(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.set_team(1, AXIS)
    engine.frames(12)
    engine.respawn(1)
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    changed = person(engine, played, 2)
    assert (changed["side"], changed["spawns"], changed["deaths"], changed["dead_seconds"]) == (AXIS, 2, 1, 12)


def test_a_revive_is_a_spawn_that_ends_the_time_dead(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.kill(1, 1, MOD_SUICIDE)
    engine.frames(3)
    engine.revive(3, 1)
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    assert person(engine, played, 2)["avg_respawn"] == 3


def test_dying_again_before_a_spawn_does_not_shorten_the_time_dead(engine: GameEngine) -> None:
    played = begin(engine)
    engine.kill(1, 0)
    engine.frames(6)
    engine.kill(1, 0)
    engine.frames(3)
    engine.respawn(1)
    engine.frames(1)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    assert person(engine, played, 2)["deaths"] == 2 and person(engine, played, 2)["dead_seconds"] == 9


def test_many_short_deaths_add_up_exactly(engine: GameEngine) -> None:
    played = begin(engine)
    for _ in range(40):
        engine.frames(0.2)
        engine.kill(1, 0)
        engine.frames(0.25)
        engine.respawn(1)
    engine.frames(1)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    assert person(engine, played, 2)["dead_seconds"] == 10


def test_a_spawn_counts_even_when_the_player_or_the_round_is_gone_before_the_next_frame(engine: GameEngine) -> None:
    played = begin(engine)
    for slot in (1, 3):
        engine.kill(slot, 0)
    engine.frames(2)
    engine.respawn(1)
    engine.disconnect(1)
    engine.frames(2)
    engine.respawn(3)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    assert [person(engine, played, n)["avg_respawn"] for n in (2, 4)] == [2, 4]
