"""The timing script on a fake engine: whole matches are played, and its records are compared with what was played."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.filenames import FileKind, parse_file_name
from slomix_pipeline.simulator.engine.game import GameEngine
from slomix_pipeline.simulator.engine.host import ALLIES, AXIS, SPECTATOR
from slomix_pipeline.simulator.engine.people import MOD_SUICIDE
from slomix_pipeline_tests.lua_fixtures import (
    begin,
    check_quiet,
    check_truth,
    fields_of,
    fight,
    file_of,
    files,
    fill,
    guid,
    meta_of,
    person,
    play_an_evening,
    record_of,
    start_engine,
)


@pytest.fixture
def engine(runtime: str, tmp_path: Path) -> GameEngine:
    return start_engine(runtime, tmp_path)


# -- whole matches


def test_both_rounds_of_a_match_are_told_as_they_were_played(engine: GameEngine) -> None:
    random = Random(1)
    first = begin(engine)
    fight(engine, 40, random)
    engine.end_round("Wolf EndRound.", ALLIES)
    engine.load_map("supply", limit=f"{first.played_ms / 60000:f}", restart=1)
    engine.frames(5)
    second = engine.begin_play()
    fight(engine, 41, random)
    engine.end_round("Timelimit hit.", AXIS)
    engine.load_map("radar")
    check_truth(engine)
    assert [r.number for r in engine.rounds] == [1, 2]
    assert record_of(engine, first).end_reason == "objective"
    assert record_of(engine, second).end_reason == "time_expired"
    assert record_of(engine, first).limit_seconds == 600
    assert record_of(engine, second).limit_seconds == round(first.played_ms / 1000)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_in_an_evening_its_records_are_true(runtime: str, tmp_path: Path, seed: int) -> None:
    engine = start_engine(runtime, tmp_path)
    play_an_evening(engine, Random(seed))
    check_truth(engine)


# -- what the record is


def test_the_record_is_named_after_map_round_and_end_and_is_known_by_the_pipeline(engine: GameEngine) -> None:
    played = begin(engine, "te_escape2")
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    (name,) = files(engine)
    assert name == f"gametime-te_escape2-R1-{played.end_unix}.json"
    assert parse_file_name(name).kind is FileKind.TIMING


def test_readers_of_the_older_records_find_every_key_and_field_they_know(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.kill(1, 0)
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    older = [
        "map",
        "round",
        "round_start_unix",
        "round_end_unix",
        "actual_duration_seconds",
        "warmup_seconds",
        "pause_seconds",
        "pause_count",
        "server_ip",
        "server_port",
        "match_id",
        "spawn_stats",
    ]
    meta, fields = meta_of(engine, played), fields_of(engine, played)
    assert set(older) <= set(meta) and meta["match_id"] == str(played.end_unix)
    assert set(meta["spawn_stats"][0]) == {
        "guid",
        "name",
        "side",
        "spawns",
        "deaths",
        "dead_seconds",
        "avg_respawn",
        "max_respawn",
    }
    assert list(fields) == [
        "Map",
        "Round",
        "Winner",
        "Defender",
        "Lua_Playtime",
        "Lua_Timelimit",
        "Lua_Pauses",
        "Lua_EndReason",
        "Lua_Warmup",
        "Lua_WarmupStart",
        "Lua_RoundStart",
        "Lua_RoundEnd",
        "Lua_SurrenderTeam",
        "Lua_SurrenderCaller",
        "Lua_SurrenderCallerName",
        "Lua_AxisScore",
        "Lua_AlliesScore",
        "Axis_JSON",
        "Allies_JSON",
        "Lua_Pauses_JSON",
        "Lua_SpawnSummary",
    ]
    assert fields["Lua_Playtime"] == "11 sec" and fields["Lua_Timelimit"] == "10 min"
    assert fields["Lua_SpawnSummary"] == "Players:4 | Spawns:4 | AvgRespawn:0s | MaxRespawn:0s"
    assert json.loads(fields["Axis_JSON"]) == [{"guid": guid(1), "name": "uno"}, {"guid": guid(3), "name": "tres"}]
    payload_alone = json.dumps({"payload": json.loads(file_of(engine, played))["payload"]}).encode()
    for name in ("number", "ended_at", "started_at", "duration_seconds", "limit_seconds", "winner_side", "end_reason"):
        assert getattr(gametimes.parse(payload_alone), name) == getattr(record_of(engine, played), name)


@pytest.mark.parametrize(
    ("minutes", "shown", "seconds"),
    [("10", "10 min", 600), ("7.683333", "7.683 min", 461), ("0.5", "0.5 min", 30), ("20.000000", "20 min", 1200)],
)
def test_the_limit_may_have_fractions_as_every_time_to_beat_has(
    engine: GameEngine, minutes: str, shown: str, seconds: int
) -> None:
    played = begin(engine)
    engine.cvars["timelimit"] = minutes
    engine.frames(2)
    engine.end_round("Timelimit hit.", AXIS)
    assert fields_of(engine, played)["Lua_Timelimit"] == shown
    assert record_of(engine, played).limit_seconds == seconds


@pytest.mark.parametrize("minutes", ["", "nan", "inf", "soon"])
def test_a_limit_that_is_no_number_is_unknown(engine: GameEngine, minutes: str) -> None:
    played = begin(engine)
    engine.cvars["timelimit"] = minutes
    engine.end_round("Wolf EndRound.", ALLIES)
    assert record_of(engine, played).limit_seconds is None
    check_truth(engine)


def test_winner_and_defender_are_unknown_when_the_engine_does_not_say(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frame()
    engine.strings[13] = "\\other\\1"
    engine.end_round("Wolf EndRound.", ALLIES, intermission=0.3)
    assert record_of(engine, played).defender_side is None
    assert record_of(engine, played).winner_side == ALLIES


# -- the clock


def test_pauses_are_listed_and_count_neither_as_play_nor_as_time_dead(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(10)
    engine.kill(1, 0)
    engine.frames(2)
    engine.pause()
    engine.frames(90)
    engine.unpause()
    engine.frames(3)
    engine.respawn(1)
    engine.frames(10)
    engine.pause()
    engine.frames(0.7)
    engine.unpause()
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    record, victim = record_of(engine, played), person(engine, played, 2)
    assert record.duration_seconds == 31 and (record.pause_count, record.pause_seconds) == (2, 91)
    assert fields_of(engine, played)["Lua_Pauses"] == "2 (91 sec)"
    assert (victim["guid"], victim["dead_seconds"], victim["avg_respawn"]) == (guid(2), 5, 5)


def test_a_pause_that_is_never_lifted_is_left_out_too(engine: GameEngine) -> None:
    played = begin(engine)
    engine.frames(5)
    engine.pause()
    engine.frames(60)
    engine.load_map("radar")
    check_truth(engine)
    assert record_of(engine, played).pause_seconds == 60


def test_a_server_that_catches_up_is_measured_on_its_game_clock(engine: GameEngine) -> None:
    played = begin(engine)
    engine.wall_per_level = 0.9
    engine.frames(100)
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    record = record_of(engine, played)
    assert record.duration_seconds == 101 and record.started_at is not None
    assert (record.ended_at - record.started_at).total_seconds() < 93


def test_the_warm_up_is_measured_across_the_restart_that_ends_it(engine: GameEngine) -> None:
    first = begin(engine, warmup=42)
    engine.frames(5)
    engine.end_round("Wolf EndRound.", ALLIES)
    engine.load_map("supply", restart=1)
    engine.frames(17)
    engine.restart_map()
    engine.frames(20)
    second = engine.begin_play()
    engine.end_round("Wolf EndRound.", ALLIES)
    check_truth(engine)
    assert record_of(engine, first).warmup_seconds in (42, 43)
    assert record_of(engine, second).warmup_seconds in (37, 38)


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


# -- people


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
