"""Our endstats script on a fake engine: rounds are played, and every award and duel in its files is compared with what
was played, through our own readers."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.endstats import Award
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.rules.endstats import resolve_awards, resolve_duels
from slomix_pipeline.simulator.engine.game import GameEngine
from slomix_pipeline.simulator.engine.host import ALLIES, AXIS, SPECTATOR
from slomix_pipeline.simulator.engine.people import (
    MOD_FALLING,
    MOD_GPG40,
    MOD_GRENADE,
    MOD_KNIFE,
    MOD_LUGER,
    MOD_MP40,
    MOD_PANZERFAUST,
    MOD_SUICIDE,
    WORLD,
)
from slomix_pipeline.simulator.engine.truth import TrueRound
from slomix_pipeline_tests.lua_fixtures import (
    ENDSTATS_SCRIPT,
    GAMESTATS_SCRIPT,
    NAMES,
    START,
    begin,
    fight,
    fill,
    guid,
    play_an_evening,
)
from slomix_pipeline_tests.played_awards import read_endstats, untrue_awards
from slomix_pipeline_tests.played_truth import file_of, filed, folder_files

SPOOL = "slomix_spool/endstats.txt"


def start(runtime: str, home: Path) -> GameEngine:
    return GameEngine(runtime, home, [GAMESTATS_SCRIPT, ENDSTATS_SCRIPT], unix=START)


@pytest.fixture
def engine(runtime: str, tmp_path: Path) -> GameEngine:
    return start(runtime, tmp_path)


def award(engine: GameEngine, played: TrueRound, name: str) -> Award | None:
    found = [one for one in read_endstats(engine, played).awards if one.kind and one.kind.name == name]
    assert len(found) <= 1
    return found[0] if found else None


def shown(engine: GameEngine, played: TrueRound, name: str) -> tuple[str, str] | None:
    """Who got an award, and its text."""
    found = award(engine, played, name)
    return (found.player, found.text) if found else None


def end(engine: GameEngine, winner: int = ALLIES) -> None:
    engine.end_round("Wolf EndRound.", winner, intermission=5)


def play_a_match(engine: GameEngine, random: Random, seconds: float = 60) -> None:
    begin(engine, per_side=3)
    fight(engine, seconds, random)
    end(engine)
    engine.load_second_round()
    engine.begin_play()
    fight(engine, seconds, random)
    end(engine)
    assert (engine.errors, engine.returned) == ([], [])


def test_all_awards_and_duels_of_a_match_are_as_it_was_played(engine: GameEngine) -> None:
    play_a_match(engine, Random(2))
    first, second = engine.rounds
    assert untrue_awards(engine, first, None) == []
    assert untrue_awards(engine, second, first) == []
    assert len(read_endstats(engine, second).awards) > 20


@given(seed=st.integers(0, 2**32), rounds=st.integers(1, 5))
def test_the_awards_of_any_evening_are_true(tmp_path_factory: pytest.TempPathFactory, seed: int, rounds: int) -> None:
    engine = start("lua54", tmp_path_factory.mktemp("home"))
    rename = engine.rename
    engine.rename = lambda slot, name: rename(slot, f"{slot} is {name}"[:30])  # type: ignore[method-assign]
    play_an_evening(engine, Random(seed), rounds)
    assert (engine.errors, engine.returned) == ([], [])
    first: TrueRound | None = None
    written = 0
    for played in engine.rounds:
        follows = played.number == 2 and first is not None and first.map_name == played.map_name
        if played.ended_by == "exit" and (played.number == 1 or follows):
            if file_of(engine, played, FileKind.ENDSTATS) is None:
                assert not any(event.kind == "death" for event in played.log)
            else:
                assert untrue_awards(engine, played, first if follows else None) == []
                written += 1
        if played.ended_by != "map_restart":
            first = played if played.number == 1 and not played.aborted else None
    assert written <= len(folder_files(engine, FileKind.ENDSTATS))


# -- what our readers make of it


def test_every_award_and_duel_finds_its_player_in_the_stats_file(engine: GameEngine) -> None:
    play_a_match(engine, Random(3))
    for played in engine.rounds:
        stats, file = filed(engine, played).stats, read_endstats(engine, played)
        resolved = resolve_awards(file, stats, played.number)
        assert all(one.guid and one.award.kind and one.scope for one in resolved)
        duels = resolve_duels(file, stats)
        assert duels and all(one.guid and one.opponent_guid for one in duels)


def test_useful_and_useless_kills_stand_under_their_own_names(engine: GameEngine) -> None:
    played = begin(engine)
    for _ in range(4):
        engine.kill(1, 0)  # the first wave comes 13 s after the start
        engine.respawn(1)
    engine.frames(9.5)
    for _ in range(4):
        engine.kill(3, 2)
        engine.respawn(3)
    engine.frames(4)
    end(engine)
    assert shown(engine, played, "useful_kills") == ("uno", "4")
    assert shown(engine, played, "useless_kills") == ("tres", "4")
    assert award(engine, played, "objectives_stolen") is None
    labels = [one.label for one in read_endstats(engine, played).awards]
    assert labels.count("Longest killing spree") == 1


def test_a_round_of_players_named_like_numbers_and_awards_is_still_read_endstats(engine: GameEngine) -> None:
    engine.load_map("supply")
    for slot, name in enumerate(("12", "Most deaths", "Most useless kills", "VS_HEADER")):
        engine.connect(slot, name, guid(slot + 1), ALLIES if slot % 2 else AXIS)
    played = engine.begin_play()
    for _ in range(5):
        engine.kill(1, 0)
        engine.kill(2, 3)
        engine.frames(1)
        engine.respawn(1)
        engine.respawn(2)
    end(engine)
    assert shown(engine, played, "useless_kills") is None
    assert shown(engine, played, "deaths") == ("Most deaths", "5")
    assert [
        (b.subject, b.lines[0].opponent, b.lines[0].kills, b.lines[0].deaths)
        for b in read_endstats(engine, played).blocks
    ] == [
        ("12", "Most deaths", 5, 0),
        ("Most deaths", "12", 0, 5),
        ("Most useless kills", "VS_HEADER", 0, 5),
        ("VS_HEADER", "Most useless kills", 5, 0),
    ]


# -- single awards


def test_of_multikills_with_light_weapons_the_longest_and_then_the_quickest_counts(engine: GameEngine) -> None:
    played = begin(engine)
    for slot, pause, kills in ((0, 2.0, 3), (2, 1.5, 3), (2, 2.0, 3)):
        for _ in range(kills):
            engine.kill(1, slot)
            engine.respawn(1)
            engine.frames(pause)
        engine.frames(5)
    for _ in range(4):
        engine.kill(1, 2, MOD_GRENADE)
        engine.respawn(1)
    end(engine)
    assert shown(engine, played, "quickest_multikill") == ("tres", "3 kills in 3s")
    found = award(engine, played, "multikills")
    assert found is not None and (found.player, found.value) == ("tres", 3)


def test_the_farthest_riflenade_kill_is_measured_in_metres(engine: GameEngine) -> None:
    played = begin(engine)
    engine.clients[0].origin = (0.0, 300.0, 400.0)
    engine.kill(1, 0, MOD_GPG40)
    engine.kill(3, 2, MOD_GPG40)
    engine.frames(1)
    end(engine)
    assert shown(engine, played, "farthest_riflenade_kill") == ("uno", "12.7 m")


def test_time_dead_is_told_of_who_was_there_for_the_whole_limit(engine: GameEngine) -> None:
    engine.load_map("supply", limit="1")
    fill(engine)
    played = engine.begin_play()
    for slot in (1, 3):
        engine.kill(slot, 0)
        engine.frames(6)
        engine.respawn(slot)
    engine.kill(3, 0)
    engine.frames(24)
    engine.respawn(3)
    engine.frames(24)
    engine.connect(8, "late", guid(9), AXIS)
    end(engine, AXIS)
    assert shown(engine, played, "full_respawns") == ("quatro", "49.96 percent, 0.5 min")
    assert shown(engine, played, "least_time_dead") == ("dos", "9.99 percent, 0.1 min")


def test_a_tank_takes_more_than_three_lives_of_damage_per_death(engine: GameEngine) -> None:
    played = begin(engine, per_side=3)
    for _ in range(30):
        engine.damage(1, 0, 90)
        engine.revive(3, 1)
    engine.kill(1, 0)
    engine.frames(1)
    end(engine)
    assert shown(engine, played, "tank_ratio") == ("dos", "Damage received vs death ratio: 21.8x")


def test_rates_need_enough_kills_and_shots(engine: GameEngine) -> None:
    played = begin(engine)
    for _ in range(11):
        engine.kill(1, 0, MOD_LUGER, head=True)
        engine.respawn(1)
    engine.shoot(0, MOD_MP40, 88)
    engine.frames(59.95)
    end(engine)
    assert shown(engine, played, "kills_per_minute") == ("uno", "11")
    assert shown(engine, played, "kd") == ("uno", "11")
    assert shown(engine, played, "light_weapon_accuracy") == ("uno", "20 percent")
    assert shown(engine, played, "light_weapon_headshot_percent") == ("uno", "50 percent")
    assert shown(engine, played, "light_weapon_bullets") == ("uno", "110")


def test_an_award_goes_to_nobody_for_a_single_deed_and_to_the_first_slot_in_a_tie(engine: GameEngine) -> None:
    played = begin(engine)
    engine.kill(1, 0, MOD_PANZERFAUST)
    for _ in range(2):
        engine.kill(0, 3, MOD_KNIFE)
        engine.kill(2, 1, MOD_KNIFE)
        engine.respawn(0)
        engine.respawn(2)
    engine.frames(1)
    end(engine)
    assert shown(engine, played, "panzer_kills") is None
    assert shown(engine, played, "knife_kills") == ("dos", "2")


def test_objectives_and_headshot_kills_count_each_once(engine: GameEngine) -> None:
    played = begin(engine)
    for _ in range(2):
        engine.take_objective(1, AXIS, engine.frame, lines=10)
        engine.frames(2)
        engine.take_objective(0, AXIS)
        engine.kill(1, 0, head=True)
        engine.respawn(1)
        engine.clients[0].head_hits += 1  # one of which the engine says no more
        engine.frames(2)
        engine.kill(1, 0)
        engine.respawn(1)
    end(engine)
    assert untrue_awards(engine, played, None) == []
    names = ("objectives_stolen", "objectives_returned", "headshot_kills")
    assert [shown(engine, played, name) for name in names] == [("dos", "2"), ("uno", "2"), ("uno", "2")]


# -- rounds and people


@pytest.mark.parametrize("leave", [lambda e: e.load_map("radar"), GameEngine.quit, GameEngine.restart_map])
def test_a_round_that_is_left_or_restarted_has_no_awards(
    engine: GameEngine, leave: Callable[[GameEngine], None]
) -> None:
    begin(engine)
    fight(engine, 20, Random(1))
    leave(engine)
    assert folder_files(engine, FileKind.ENDSTATS) == {} and engine.errors == []


@pytest.mark.parametrize("intermission", [0, 0.3])
def test_an_intermission_that_is_cut_short_costs_no_file(engine: GameEngine, intermission: float) -> None:
    played = begin(engine)
    fight(engine, 20, Random(1))
    engine.end_round("Wolf EndRound.", ALLIES, intermission)
    engine.load_second_round()
    assert untrue_awards(engine, played, None) == []


def test_the_file_comes_before_the_stats_file_and_names_the_second_it_was_written_in(engine: GameEngine) -> None:
    played = begin(engine)
    fight(engine, 20, Random(1))
    end(engine)
    found, stats = file_of(engine, played, FileKind.ENDSTATS), file_of(engine, played)
    assert found and stats and found[0].stamp and stats[0].stamp
    assert (stats[0].stamp - found[0].stamp).total_seconds() == 2


def test_what_the_engine_counts_of_a_restarted_attempt_is_in_no_award(engine: GameEngine) -> None:
    begin(engine)
    fight(engine, 30, Random(1))
    engine.restart_map()
    played = engine.begin_play()
    fight(engine, 30, Random(2))
    end(engine)
    assert untrue_awards(engine, played, None) == []


def test_the_awards_of_round_2_count_what_someone_did_before_he_reconnected(engine: GameEngine) -> None:
    begin(engine)
    fight(engine, 40, Random(1))
    end(engine)
    engine.load_second_round()
    second = engine.begin_play()
    fight(engine, 20, Random(2))
    engine.disconnect(1)
    engine.frames(4)
    engine.connect(7, "dos", guid(2), AXIS)
    engine.respawn(7)
    fight(engine, 20, Random(3))
    end(engine)
    assert untrue_awards(engine, second, engine.rounds[0]) == []


def test_who_comes_back_into_another_slot_keeps_what_he_did(engine: GameEngine) -> None:
    played = begin(engine)
    for slot in (1, 1, 7):
        if slot not in engine.clients:
            engine.disconnect(1)
            engine.connect(7, "dos", guid(2), ALLIES)
            engine.respawn(7)
        engine.kill(0, slot, MOD_PANZERFAUST)
        engine.respawn(0)
    engine.frames(1)
    end(engine)
    assert untrue_awards(engine, played, None) == []
    assert shown(engine, played, "panzer_kills") == ("dos", "3")


def test_a_leaver_gets_no_award_and_no_block(engine: GameEngine) -> None:
    played = begin(engine)
    for _ in range(3):
        engine.kill(1, 0)
        engine.respawn(1)
    engine.kill(3, 2)
    engine.kill(2, 3)
    engine.disconnect(0)
    engine.frames(1)
    end(engine)
    file = read_endstats(engine, played)
    assert NAMES[0] not in {one.player for one in file.awards}
    assert {block.subject for block in file.blocks} == {"tres", "quatro"}


def test_a_spectator_gets_no_award(engine: GameEngine) -> None:
    played = begin(engine)
    for _ in range(3):
        engine.kill(1, 0)
        engine.respawn(1)
    engine.kill(0, WORLD, MOD_FALLING)
    engine.kill(3, 3, MOD_SUICIDE)
    engine.set_team(0, SPECTATOR)
    engine.kill(2, 3)
    engine.frames(1)
    end(engine)
    assert NAMES[0] not in {one.player for one in read_endstats(engine, played).awards}


@pytest.mark.parametrize("trouble", ["gone", "garbage", "of another time"])
def test_without_its_round_1_a_round_2_has_no_awards_that_would_count_both(engine: GameEngine, trouble: str) -> None:
    begin(engine)
    fight(engine, 40, Random(1))
    end(engine)
    spool = engine.folder / SPOOL
    unix, _, rest = spool.read_text().split(" ", 2)
    spool.write_text({"gone": "", "garbage": f"{unix} x {rest}", "of another time": f"{unix} 9.5 {rest}"}[trouble])
    engine.load_second_round()
    second = engine.begin_play()
    fight(engine, 40, Random(2))
    end(engine)
    assert engine.errors == []
    kinds = [one.kind for one in read_endstats(engine, second).awards]
    assert kinds and not any(kind is None or kind.engine for kind in kinds)
