"""Our stats script on a fake engine: whole matches are played, and what our own readers make of its files is compared
with what was played."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, timedelta, timezone
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats import gamestats
from slomix_pipeline.rules.laws import Finding, header_law, lobby_laws, pair_laws
from slomix_pipeline.rules.plausibility import disagreeing_ratios, impossible_number, odd_header
from slomix_pipeline.rules.values import Status
from slomix_pipeline.simulator.engine.counting import numbers_of
from slomix_pipeline.simulator.engine.game import GameEngine
from slomix_pipeline.simulator.engine.host import ALLIES, AXIS
from slomix_pipeline.simulator.engine.people import (
    MOD_SUICIDE,
)
from slomix_pipeline_tests.lua_fixtures import (
    GAMESTATS_SCRIPT,
    SCRIPT,
    START,
    begin,
    fight,
    fill,
    guid,
    play_an_evening,
    record_of,
)
from slomix_pipeline_tests.played_truth import (
    check_all_files,
    counted,
    end,
    filed,
    folder_files,
    line_of,
    untrue_numbers,
    worked_out,
)

TWO_HOURS_AHEAD = timezone(timedelta(hours=2))


@pytest.fixture
def engine(runtime: str, tmp_path: Path) -> GameEngine:
    return GameEngine(runtime, tmp_path, [GAMESTATS_SCRIPT], unix=START)


# -- whole matches


def play_a_match(engine: GameEngine, random: Random) -> None:
    """Two rounds by three a side, with a pause, a failed vote and a leaver."""
    begin(engine, per_side=3)
    fight(engine, 40, random)
    engine.pause()
    engine.frames(20)
    engine.unpause()
    fight(engine, 20, random)
    engine.client_command(1, "callvote", "surrender")
    engine.frames(2)
    engine.vote_fails()
    engine.disconnect(5)
    fight(engine, 20, random)
    end(engine)
    engine.load_second_round()
    engine.frames(3)
    engine.begin_play()
    fight(engine, 70, random)  # nobody gives up within the first minute
    engine.client_command(0, "callvote", "surrender")
    engine.surrender(ALLIES, intermission=5)
    engine.load_map("radar")


def broken(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.holds is not True]


def test_both_rounds_of_a_match_come_through_our_rules_as_they_were_played(engine: GameEngine) -> None:
    play_a_match(engine, Random(11))
    check_all_files(engine)
    session, rounds = worked_out(engine)
    assert [session.placed[entry.key].status for entry in rounds] == [Status.COMPLETE] * 2
    assert [session.placed[entry.key].flags for entry in rounds] == [()] * 2
    for entry, played in zip(rounds, engine.rounds, strict=True):
        assert untrue_numbers(session.players[entry.key], entry.stats.players, played) == []
        assert session.validities[entry.key].invalid_reason is None
        assert broken(lobby_laws(session.players[entry.key])) == []
        assert header_law(entry.stats.header, entry.number).holds is True
        assert (impossible_number(entry.stats), disagreeing_ratios(entry.stats)) == (None, [])
        assert odd_header(entry.stats.header) == []
        assert all(not player.flags for player in session.players[entry.key])
    assert broken(pair_laws(rounds[0].stats, rounds[1].stats)) == []


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_in_an_evening_its_files_are_true(runtime: str, tmp_path: Path, seed: int) -> None:
    engine = GameEngine(runtime, tmp_path, [SCRIPT, GAMESTATS_SCRIPT], unix=START)
    play_an_evening(engine, Random(seed))
    check_all_files(engine)


@given(seed=st.integers(0, 2**32), rounds=st.integers(1, 6))
def test_any_evening_is_told_as_it_was_played(tmp_path_factory: pytest.TempPathFactory, seed: int, rounds: int) -> None:
    engine = GameEngine("lua54", tmp_path_factory.mktemp("home"), [GAMESTATS_SCRIPT], unix=START)
    play_an_evening(engine, Random(seed), rounds)
    check_all_files(engine)


def test_the_play_of_these_tests_has_something_of_everything_that_is_counted(tmp_path: Path) -> None:
    engine = GameEngine("lua54", tmp_path, [GAMESTATS_SCRIPT], unix=START)
    begin(engine, per_side=3)
    fight(engine, 400, Random(1))
    end(engine)
    total: Counter[str] = Counter()
    for one in numbers_of(engine.rounds[0]).values():
        total += one.counters
    expected = {*gamestats.parse(next(iter(folder_files(engine).values()))).players[0].tail}
    ratios = {"alive_percent", "dpm", "minutes_played", "tank_ratio", "dead_percent", "minutes_dead", "kd"}
    assert expected - ratios - set(total) <= {"multikills_5", "multikills_6"}
    check_all_files(engine)


# -- the file and its header


def test_the_file_has_the_name_and_the_fields_that_readers_know(engine: GameEngine) -> None:
    played = begin(engine, "te_escape2")
    engine.kill(1, 0)
    engine.frames(30)
    end(engine)
    ((name, data),) = folder_files(engine).items()
    assert name == f"2026-01-09-{_clock(played.end_unix + 3)}-te_escape2-round-1.txt"
    header, *lines = data.decode("latin-1").splitlines()
    assert header == "^1a server\\te_escape2\\legacy3\\1\\1\\2\\10:00\\0:30\\30650"
    assert lines[0].startswith("01010101\\uno\\0\\1\\16 2 2 1 0 0 \t130\t0\t")
    assert lines[1].startswith("02020202\\dos\\0\\2\\16 0 0 0 1 0 \t0\t130\t")
    assert [line.count("\t") for line in lines] == [38, 38]
    stats = gamestats.parse(data)
    assert (stats.generation, gamestats.dump(stats)) == ("9 header fields, 38 tail fields", data)


def _clock(unix: int) -> str:
    seconds = unix % 86400
    return f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"


def test_the_stamp_is_the_servers_local_time_three_seconds_after_the_end(runtime: str, tmp_path: Path) -> None:
    engine = GameEngine(runtime, tmp_path, [GAMESTATS_SCRIPT], unix=START, zone=TWO_HOURS_AHEAD)
    played = begin(engine)
    engine.kill(1, 0)
    end(engine)
    entry = filed(engine, played)
    assert entry.stamp.timestamp() - played.end_unix == 3
    assert entry.stamp.utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize(
    ("winner", "limit", "time"), [(ALLIES, "10:00", "0:30"), (AXIS, "10:00", "10:00"), (0, "10:00", "0:30")]
)
def test_the_header_says_who_won_and_how_long_the_attack_took(
    engine: GameEngine, winner: int, limit: str, time: str
) -> None:
    played = begin(engine)
    engine.kill(1, 0)
    engine.frames(30)
    end(engine, winner)
    header = filed(engine, played).stats.header
    assert (header.winner_side, header.defender_side, header.limit, header.attack_time) == (winner, AXIS, limit, time)


def test_a_time_of_whole_seconds_loses_none_of_them(engine: GameEngine) -> None:
    played = begin(engine)
    engine.kill(1, 0)
    engine.frames(461 - 0.65)
    end(engine)
    assert played.played_ms == 461_000 and engine.cvars["g_nexttimelimit"] == "7.683333"
    assert filed(engine, played).stats.header.attack_time == "7:41"


def test_an_unknown_winner_or_defender_is_nobody(engine: GameEngine) -> None:
    played = begin(engine)
    engine.kill(1, 0)
    engine.strings[13] = "\\other\\1"
    end(engine, 0)
    header = filed(engine, played).stats.header
    assert (header.winner_side, header.defender_side) == (0, 0)


def test_pauses_are_in_no_time(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(60)
    engine.kill(1, 0)
    engine.kill(3, 3, MOD_SUICIDE)
    engine.frames(6)
    engine.pause()
    engine.frames(300)
    engine.unpause()
    engine.frames(6)
    engine.respawn(1)
    engine.respawn(3)
    end(engine)
    check_all_files(engine)
    entry = filed(engine, played)
    assert entry.stats.header.playtime == str(played.played_ms) == "72650"
    assert counted(engine, played, 2, "minutes_dead", "minutes_played") == [0.2, 1.2]
    assert counted(engine, played, 1, "denied_playtime") == [12]


def test_damage_per_minute_is_that_of_the_round(engine: GameEngine) -> None:
    begin(engine)
    for _ in range(10):
        engine.damage(1, 0, 9)
        engine.frames(12)
    end(engine)
    engine.load_second_round()
    second = engine.begin_play()
    engine.damage(1, 0, 60)
    engine.frames(59.95)
    end(engine)
    check_all_files(engine)
    assert counted(engine, engine.rounds[0], 1, "damage_given", "dpm") == [90, 45.0]
    assert counted(engine, second, 1, "damage_given", "dpm") == [150, 60.0]


# -- rounds that were left or restarted


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("leave", [lambda e: e.load_map("radar"), GameEngine.quit], ids=["map change", "server quits"])
def test_a_round_that_is_left_has_a_file_with_the_number_it_began_with(
    engine: GameEngine, number: int, leave: Callable[[GameEngine], None]
) -> None:
    begin(engine)
    fight(engine, 30, Random(4))
    if number == 2:
        end(engine)
        engine.load_second_round()
        engine.begin_play()
        fight(engine, 30, Random(5))
    engine.strings[14] = "\\w\\0"  # maps preset the defenders as winners
    leave(engine)
    check_all_files(engine)
    session, rounds = worked_out(engine)
    placed, header = session.placed[rounds[-1].key], rounds[-1].stats.header
    assert (placed.status, placed.number, header.number) == (Status.ABORTED, number, number)
    assert (header.playtime, header.winner_side) == ("-1", 0)
    assert header.attack_time == header.limit
    if number == 1:
        assert untrue_numbers(session.players[rounds[0].key], rounds[0].stats.players, engine.rounds[0]) == []


def test_a_restarted_round_leaves_nothing_and_is_in_nobodys_numbers(engine: GameEngine) -> None:
    begin(engine)
    fight(engine, 30, Random(6))
    engine.restart_map()
    engine.begin_play()
    fight(engine, 30, Random(7))
    assert any(client.session["damage_given"] > 300 for client in engine.clients.values())
    end(engine)
    engine.load_second_round()
    engine.begin_play()
    fight(engine, 10, Random(8))
    engine.restart_map()
    engine.begin_play()
    fight(engine, 30, Random(9))
    end(engine)
    assert len(folder_files(engine)) == 2
    check_all_files(engine)


def test_the_same_map_again_begins_from_nothing_though_the_engine_counts_on(engine: GameEngine) -> None:
    for seed in range(2):
        engine.load_map("supply")
        if seed == 0:
            fill(engine)
        engine.begin_play()
        fight(engine, 20, Random(seed))
        end(engine)
        engine.load_second_round()
        engine.begin_play()
        fight(engine, 20, Random(seed + 10))
        end(engine, AXIS)
    check_all_files(engine)
    session, rounds = worked_out(engine)
    assert [session.placed[entry.key].status for entry in rounds] == [Status.COMPLETE] * 4
    for entry, played in zip(rounds, engine.rounds, strict=True):
        assert untrue_numbers(session.players[entry.key], entry.stats.players, played) == []


@pytest.mark.parametrize("intermission", [0, 1])
@pytest.mark.parametrize("restart", [0, 1])
def test_an_intermission_that_is_cut_short_costs_no_file(engine: GameEngine, intermission: float, restart: int) -> None:
    played = begin(engine)
    engine.kill(1, 0)
    engine.frames(10)
    engine.end_round("Wolf EndRound.", ALLIES, intermission)
    engine.cvars["g_nexttimelimit"] = "0" if restart == 0 else engine.cvars["g_nexttimelimit"]
    engine.load_map("supply", restart=restart)
    check_all_files(engine)
    header = filed(engine, played).stats.header
    assert (header.attack_time, header.playtime) == ("0:10", "10650")


def test_a_warm_up_and_a_round_without_a_shot_leave_nothing(engine: GameEngine) -> None:
    engine.load_map("supply")
    fill(engine)
    engine.kill(1, 0)
    engine.frames(10)
    engine.begin_play()
    engine.frames(10)
    end(engine)
    engine.load_map("radar")
    assert folder_files(engine) == {}
    assert engine.cvars["slomix_gamestats"].endswith("nobody played, nothing written")


# -- round 2 goes on from round 1


def test_what_the_engine_takes_back_of_shots_is_taken_back(engine: GameEngine) -> None:
    begin(engine)
    engine.shoot(0, 5, 3)
    engine.kill(1, 0)
    end(engine)
    engine.load_second_round()
    second = engine.begin_play()
    engine.clients[0].weapons[0][0] -= 2
    engine.kill(1, 0)
    end(engine)
    assert line_of(engine, second, 1).weapons["knife"].shots == 1
    session, rounds = worked_out(engine)
    (own,) = [p for p in session.players[rounds[1].key] if p.guid == guid(1)[:8]]
    assert own.shots == 0


@pytest.mark.parametrize("trouble", ["gone", "cut", "garbage", "of another map", "of another time", "of yesterday"])
def test_without_its_round_1_a_round_2_begins_from_nothing_which_readers_see(engine: GameEngine, trouble: str) -> None:
    begin(engine)
    fight(engine, 30, Random(3))
    end(engine)
    spool = engine.folder / "slomix_spool" / "gamestats.txt"
    unix, time, rest = spool.read_text().split(" ", 2)
    changed = {
        "gone": "",
        "cut": spool.read_text()[:40],
        "garbage": "\x00\xff\n\n 1 2\n",
        "of another time": f"{unix} 9:59 {rest}",
        "of another map": f"{unix} {time} x{rest}",
        "of yesterday": f"{int(unix) - 86400} {time} {rest}",
    }[trouble]
    spool.write_text(changed)
    engine.load_second_round()
    engine.begin_play()
    fight(engine, 30, Random(4))
    end(engine)
    check_all_files(engine)
    session, rounds = worked_out(engine)
    assert {line.rounds for line in rounds[1].stats.players} == {0}
    for entry, played in zip(rounds, engine.rounds, strict=True):
        assert untrue_numbers(session.players[entry.key], entry.stats.players, played) == []


# -- beside the timing script


def test_the_record_comes_first_and_both_are_of_one_round(runtime: str, tmp_path: Path) -> None:
    engine = GameEngine(runtime, tmp_path, [SCRIPT, GAMESTATS_SCRIPT], unix=START)
    played = begin(engine)
    fight(engine, 20, Random(1))
    end(engine)
    written = [name.removesuffix(".tmp") for name in engine.written]
    assert [name.split("/")[0] for name in written] == ["gametimes", "gamestats", "slomix_spool"]
    entry, record = filed(engine, played), record_of(engine, played)
    assert (entry.stamp.astimezone(UTC) - record.ended_at).total_seconds() == 3
    assert round(entry.stats.header.playtime_seconds or 0) == record.duration_seconds
