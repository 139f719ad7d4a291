"""What our stats script counts of whom: deed by deed, on a fake engine, compared with what was played."""

from pathlib import Path

import pytest

from slomix_pipeline.rules.laws import lobby_laws
from slomix_pipeline.simulator.engine.game import GameEngine
from slomix_pipeline.simulator.engine.host import ALLIES, AXIS, SPECTATOR
from slomix_pipeline.simulator.engine.people import (
    MOD_FALLING,
    MOD_GPG40,
    MOD_LUGER,
    MOD_MP40,
    MOD_SUICIDE,
    MOD_THOMPSON,
    WORLD,
)
from slomix_pipeline_tests.lua_fixtures import (
    GAMESTATS_SCRIPT,
    START,
    begin,
    fill,
    guid,
)
from slomix_pipeline_tests.played_truth import check_all_files, counted, end, filed, line_of, worked_out


@pytest.fixture
def engine(runtime: str, tmp_path: Path) -> GameEngine:
    return GameEngine(runtime, tmp_path, [GAMESTATS_SCRIPT], unix=START)


# -- people


def test_a_leavers_line_is_as_he_left(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(30)
    engine.kill(1, 0)
    engine.disconnect(0)
    engine.frames(30)
    end(engine)
    check_all_files(engine)
    assert counted(engine, played, 1, "damage_given", "minutes_played", "denied_playtime") == [130, 0.5, 30]


@pytest.mark.parametrize("slot", [1, 7])
def test_who_comes_back_is_one_player_with_both_his_stays_and_goes_on_in_round_2(engine: GameEngine, slot: int) -> None:
    begin(engine)
    engine.kill(0, 1, MOD_THOMPSON)
    engine.frames(30)
    engine.disconnect(1)
    engine.frames(12)
    engine.connect(slot, "dos", guid(2), ALLIES)
    engine.respawn(slot)
    engine.kill(2, slot, MOD_THOMPSON)
    engine.frames(30)
    end(engine)
    engine.load_second_round()
    engine.begin_play()
    engine.respawn(0)
    engine.kill(0, slot, MOD_MP40)
    engine.frames(30)
    end(engine)
    check_all_files(engine)
    session, rounds = worked_out(engine)
    for entry in rounds:
        assert all(finding.holds for finding in lobby_laws(session.players[entry.key]))
    line = line_of(engine, engine.rounds[1], 2)
    assert (line.rounds, line.total("kills"), line.weapons["thompson"].kills) == (1, 3, 2)


def test_a_reconnect_into_another_slot_before_the_old_one_times_out_is_one_line(engine: GameEngine) -> None:
    played = begin(engine)
    engine.kill(0, 1)
    engine.connect(7, "dos", guid(2), ALLIES)
    engine.respawn(7)
    engine.kill(2, 7)
    engine.frames(5)
    engine.disconnect(1)
    engine.frames(5)
    end(engine)
    assert engine.errors == []
    assert line_of(engine, played, 2).total("kills") == 2


def test_a_slot_that_is_taken_over_without_a_word_loses_nobody(engine: GameEngine) -> None:
    played = begin(engine)
    engine.kill(0, 1)
    engine.frames(5)
    engine.connect(1, "substitute", guid(30), ALLIES)
    engine.respawn(1)
    engine.kill(2, 1, MOD_LUGER)
    engine.frames(3)
    end(engine)
    check_all_files(engine)
    assert line_of(engine, played, 2).weapons.keys() == {"mp40"}
    assert line_of(engine, played, 30).weapons.keys() == {"luger"}


def test_a_newcomer_of_round_2_has_his_own_numbers_beside_the_others_sums(engine: GameEngine) -> None:
    begin(engine)
    engine.kill(1, 0)
    end(engine)
    engine.load_second_round()
    engine.connect(8, "new", guid(9), AXIS)
    second = engine.begin_play()
    engine.kill(8, 0)
    engine.kill(0, 8)
    engine.frames(5)
    end(engine)
    check_all_files(engine)
    assert [(line_of(engine, second, n).rounds, line_of(engine, second, n).total("kills")) for n in (1, 9)] == [
        (1, 2),
        (0, 1),
    ]


def test_spectators_are_in_the_file_only_if_they_had_to_do_with_a_weapon(engine: GameEngine) -> None:
    engine.load_map("supply")
    fill(engine)
    engine.connect(8, "watcher", guid(20))
    played = engine.begin_play()
    engine.kill(1, 0)
    engine.frames(6)
    engine.set_team(1, SPECTATOR)
    engine.frames(30)
    end(engine)
    check_all_files(engine)
    assert {line.guid: line.side for line in filed(engine, played).stats.players} == {
        "01010101": AXIS,
        "02020202": SPECTATOR,
    }
    assert counted(engine, played, 2, "minutes_played", "minutes_dead") == [0.1, 0.1]


def test_who_sits_round_2_out_has_no_numbers_in_it(engine: GameEngine) -> None:
    begin(engine)
    engine.kill(1, 0)
    engine.kill(3, 2)
    end(engine)
    engine.load_second_round()
    engine.set_team(1, SPECTATOR)
    second = engine.begin_play()
    engine.kill(0, 3)
    engine.frames(10)
    end(engine)
    session, rounds = worked_out(engine)
    assert line_of(engine, second, 2).side == SPECTATOR
    assert {p.guid for p in session.players[rounds[1].key]} == {guid(n)[:8] for n in (1, 3, 4)}


def test_bots_have_a_line_each(engine: GameEngine) -> None:
    engine.load_map("supply")
    for slot in range(4):
        engine.connect(slot, f"[BOT]{slot}", f"OMNIBOT{slot:02d}" + "0" * 23, ALLIES if slot % 2 else AXIS, bot=True)
    played = engine.begin_play()
    engine.kill(1, 0)
    engine.kill(2, 3)
    engine.frames(2)
    engine.disconnect(0)
    engine.connect(0, "[BOT]other", "OMNIBOT00" + "0" * 23, AXIS, bot=True)
    engine.kill(3, 0)
    end(engine)
    assert engine.errors == []
    found = {line.name: line.total("kills") for line in filed(engine, played).stats.players}
    assert found == {"[BOT]0": 1, "[BOT]1": 0, "[BOT]2": 0, "[BOT]3": 1, "[BOT]other": 1}


# -- what is counted


def test_a_head_hit_counts_as_such_only_when_it_kills(engine: GameEngine) -> None:
    played = begin(engine)
    engine.damage(1, 0, 50, head=True)
    engine.finish(1, 0, 60)
    engine.kill(3, 0, head=True)
    engine.damage(2, 0, 10, head=True)  # a mate, in the same frame
    engine.respawn(1)
    engine.finish(1, 0, 150)
    engine.respawn(3)
    engine.clients[0].head_hits += 1  # one of which the engine says no more
    engine.frames(1)
    engine.finish(3, 0, 150)
    end(engine)
    check_all_files(engine)
    assert counted(engine, played, 1, "headshot_kills") == [1]
    assert line_of(engine, played, 1).total("headshots") == 2


def test_assists_and_steals_are_told_by_the_last_moments(engine: GameEngine) -> None:
    played = begin(engine, per_side=3)
    engine.damage(1, 0, 90)
    engine.frames(0.5)
    engine.damage(1, 2, 20)
    engine.frames(1)
    engine.finish(1, 4, 20)  # exactly 1.5 s after the first
    engine.damage(3, 0, 90)
    engine.frames(1.55)
    engine.finish(3, 4, 20)  # too late for an assist
    engine.damage(5, 0, 90, MOD_GPG40)
    engine.finish(5, 4, 20)  # an assist; explosives are not robbed
    engine.frames(3)
    end(engine)
    check_all_files(engine)
    assert [counted(engine, played, n, "kill_assists", "kill_steals") for n in (1, 3, 5)] == [[2, 0], [1, 0], [0, 1]]


def test_runs_and_chains_that_last_until_the_end_of_the_round_count(engine: GameEngine) -> None:
    played = begin(engine)
    for _ in range(3):
        engine.kill(1, 0)
        engine.frames(1)
        engine.respawn(1)
    end(engine, text="Allies Surrender", winner=AXIS)
    check_all_files(engine)
    assert counted(engine, played, 1, "killing_spree", "multikills_3", "multikills_2") == [3, 1, 0]
    assert counted(engine, played, 2, "death_spree") == [3]


@pytest.mark.parametrize("kills", range(1, 9))
def test_a_chain_of_kills_counts_once_by_its_length(engine: GameEngine, kills: int) -> None:
    played = begin(engine)
    for pause in [*[2.95] * (kills - 1), 3]:
        engine.kill(1, 0)
        engine.respawn(1)
        engine.frames(pause)
    engine.kill(1, 0)  # 3 s after the last: another chain
    end(engine)
    check_all_files(engine)
    names = [f"multikills_{n}" for n in range(2, 7)]
    assert counted(engine, played, 1, *names) == [int(n == min(kills, 6)) for n in range(2, 7)]


def test_a_grenade_that_kills_after_its_owners_death_begins_no_spree(engine: GameEngine) -> None:
    played = begin(engine, per_side=3)
    engine.kill(0, 1)
    engine.kill(1, 0, MOD_GPG40)
    engine.respawn(0)
    engine.kill(3, 0)
    engine.kill(5, 0)
    engine.frames(4)
    end(engine)
    check_all_files(engine)
    assert counted(engine, played, 1, "killing_spree", "multikills_3") == [0, 1]


@pytest.mark.parametrize(
    ("seconds", "useful", "useless", "full"), [(12.5, 1, 0, 1), (22, 1, 0, 0), (24, 0, 0, 0), (28.5, 0, 1, 0)]
)
def test_the_worth_of_a_death_is_told_by_the_next_wave(
    engine: GameEngine, seconds: float, useful: int, useless: int, full: int
) -> None:
    played = begin(engine)  # the Allies' waves come at 13 s, 33 s …
    engine.frames(seconds + 0.5 - 0.6)
    engine.kill(1, 0)
    engine.kill(3, 3, MOD_SUICIDE)
    engine.shoot(3)
    engine.frames(2)
    end(engine)
    check_all_files(engine)
    assert counted(engine, played, 1, "useful_kills", "useless_kills") == [useful, useless]
    assert counted(engine, played, 4, "full_self_kills") == [full]


def test_without_known_waves_no_kill_is_called_useful_or_useless(engine: GameEngine) -> None:
    played = begin(engine)
    engine.cvars["g_bluelimbotime"] = ""
    for _ in range(20):
        engine.kill(1, 0)
        engine.frames(1)
        engine.respawn(1)
    end(engine)
    assert engine.errors == []
    assert counted(engine, played, 1, "useful_kills", "useless_kills") == [0, 0]


def test_objectives_are_the_enemys_to_steal_and_the_own_to_return_each_once(engine: GameEngine) -> None:
    played = begin(engine)
    for slot in (0, 1):
        engine.shoot(slot)
    engine.take_objective(1, AXIS, engine.frame, lines=30)
    engine.frames(2)
    engine.take_objective(0, AXIS)
    engine.frames(2)
    engine.take_objective(1, AXIS)
    engine.take_objective(0, ALLIES)
    engine.print_line("Item: 1 item_health_large\n")
    engine.connect(8, "watcher", guid(9))
    engine.print_line("Item: 8 team_CTF_redflag\n")
    engine.frames(2)
    end(engine)
    check_all_files(engine)
    stolen_and_returned = ("objectives_stolen", "objectives_returned")
    assert [counted(engine, played, n, *stolen_and_returned) for n in (1, 2)] == [[1, 1], [2, 0]]


def test_a_world_death_and_a_death_by_a_mate_end_a_spree_but_are_nobodys_kill(engine: GameEngine) -> None:
    played = begin(engine, per_side=3)
    for victim in (1, 3):
        engine.kill(victim, 0)
    engine.kill(0, WORLD, MOD_FALLING)
    engine.respawn(0)
    engine.kill(5, 0)
    engine.kill(0, 2)
    engine.frames(1)
    end(engine)
    check_all_files(engine)
    assert counted(engine, played, 1, "killing_spree") == [0]
    assert counted(engine, played, 3, "team_kills", "killing_spree") == [1, 0]
