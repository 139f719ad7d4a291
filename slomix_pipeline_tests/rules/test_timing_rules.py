"""How long a round really was, who gave up, and whether header and record agree."""

from typing import Any

import pytest

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, Header
from slomix_pipeline.rules.timing import (
    Duration,
    LengthFrom,
    TimingStatus,
    attackers_gave_up,
    round_duration,
    surrender_side,
    timing_status,
)
from slomix_pipeline.rules.values import Status
from slomix_pipeline_tests.building import make_header

# --- duration ---


def test_the_attackers_time_is_the_duration_when_they_won() -> None:
    header = make_header(winner=ALLIES, limit="10:00", attack_time="3:51", playtime="233400")
    assert round_duration(header, Status.COMPLETE, [234], 230.0) == Duration(231.0, LengthFrom.ATTACK_TIME)


def test_a_time_equal_to_the_limit_counts_when_the_attackers_won() -> None:
    header = make_header(winner=ALLIES, limit="10:00", attack_time="10:00")
    assert round_duration(header, Status.COMPLETE, []) == Duration(600.0, LengthFrom.ATTACK_TIME)


@pytest.mark.parametrize(
    ("playtime", "players", "record", "told"),
    [("300000", [302], 299.0, "measured"), (None, [302], 299.0, "timing"), (None, [302, 90], None, "players")],
)
def test_a_stopwatch_at_the_limit_of_a_round_that_ended_sooner_is_a_preset(
    playtime: str | None, players: list[int], record: float | None, told: str
) -> None:
    header = make_header(winner=ALLIES, limit="10:00", attack_time="10:00", playtime=playtime)
    assert round_duration(header, Status.COMPLETE, players, record).source == told


def test_one_who_was_there_until_the_limit_shows_that_the_stopwatch_is_right() -> None:
    header = make_header(winner=ALLIES, limit="10:00", attack_time="10:00")
    assert round_duration(header, Status.COMPLETE, [90, 594], 180.0) == Duration(600.0, LengthFrom.ATTACK_TIME)


HELD: dict[str, Any] = {"winner": AXIS, "limit": "12:00", "attack_time": "12:00"}


def test_after_a_hold_the_writers_own_measure_comes_first() -> None:
    assert round_duration(make_header(**HELD, playtime="510250"), Status.COMPLETE, [504], 509.0) == Duration(
        510.25, LengthFrom.MEASURED
    )


def test_without_it_the_linked_record_tells() -> None:
    assert round_duration(make_header(**HELD), Status.COMPLETE, [504], 509.0) == Duration(509.0, LengthFrom.TIMING)


def test_without_a_record_the_longest_played_time_tells() -> None:
    assert round_duration(make_header(**HELD), Status.COMPLETE, [504, None, 510, 90]) == Duration(
        510.0, LengthFrom.PLAYERS
    )


def test_played_time_never_exceeds_the_limit() -> None:
    assert round_duration(make_header(**HELD), Status.COMPLETE, [726]) == Duration(720.0, LengthFrom.PLAYERS)


def test_the_limit_is_the_last_resort_and_says_that_it_is_assumed() -> None:
    assert round_duration(make_header(**HELD), Status.R2_ONLY, [None]) == Duration(720.0, LengthFrom.LIMIT)


def test_when_nothing_tells_the_duration_is_unknown() -> None:
    header = make_header(winner=AXIS, limit="?", attack_time="?")
    assert round_duration(header, Status.COMPLETE, []) == Duration(None, None)


@pytest.mark.parametrize(
    "header",
    [
        make_header(winner=ALLIES, limit="12:00", attack_time="71:05"),
        make_header(winner=ALLIES, limit="12:00", attack_time="0:00"),
        make_header(winner=0, limit="12:00", attack_time="8:00"),
        make_header(winner=None, limit="12:00", attack_time="8:00"),
        make_header(winner=ALLIES, defender=None, limit="12:00", attack_time="8:00"),
    ],
    ids=["above the limit", "zero", "nobody known to have won", "no winner", "no defender"],
)
def test_an_attack_time_that_cannot_be_one_is_not_used(header: Header) -> None:
    assert round_duration(header, Status.COMPLETE, [450]) == Duration(450.0, LengthFrom.PLAYERS)


def test_of_an_aborted_round_neither_attack_time_nor_limit_is_believed() -> None:
    header = make_header(winner=ALLIES, limit="12:00", attack_time="8:00", playtime="-58000")
    assert round_duration(header, Status.ABORTED, [96]) == Duration(96.0, LengthFrom.PLAYERS)
    assert round_duration(header, Status.ABORTED, []) == Duration(None, None)


# --- giving up ---


@pytest.mark.parametrize(("seconds", "side"), [(720, 0), (708, 0), (707.9, ALLIES), (510, ALLIES)])
def test_attackers_who_lost_more_than_12_seconds_before_the_limit_gave_up(seconds: float, side: int) -> None:
    header = make_header(**HELD)
    assert surrender_side(header, Status.COMPLETE, Duration(seconds, LengthFrom.PLAYERS)) == side
    assert attackers_gave_up(header, side) is (side == ALLIES)


def test_attackers_who_won_did_not_give_up_but_the_defenders_may_have() -> None:
    header = make_header(winner=ALLIES)
    assert surrender_side(header, Status.COMPLETE, Duration(100.0, LengthFrom.ATTACK_TIME)) is None
    assert attackers_gave_up(header, None) is False


def test_the_engines_own_words_decide_who_gave_up() -> None:
    held, taken = make_header(**HELD), make_header(winner=ALLIES)
    assert surrender_side(held, Status.COMPLETE, Duration(715.0, LengthFrom.MEASURED), engine_says=ALLIES) == ALLIES
    assert surrender_side(held, Status.COMPLETE, Duration(500.0, LengthFrom.MEASURED), engine_says=0) == 0
    assert surrender_side(taken, Status.COMPLETE, Duration(100.0, LengthFrom.ATTACK_TIME), engine_says=AXIS) == AXIS
    assert attackers_gave_up(taken, AXIS) is False


@pytest.mark.parametrize(
    ("header", "duration"),
    [
        (make_header(winner=0), Duration(100.0, LengthFrom.PLAYERS)),
        (make_header(**HELD), Duration(720.0, LengthFrom.LIMIT)),
        (make_header(**HELD), Duration(None, None)),
        (make_header(winner=AXIS, limit="?"), Duration(100.0, LengthFrom.PLAYERS)),
    ],
    ids=["no winner", "duration assumed", "duration unknown", "limit unknown"],
)
def test_who_gave_up_may_be_unknown(header: Header, duration: Duration) -> None:
    assert surrender_side(header, Status.COMPLETE, duration) is None
    assert attackers_gave_up(header, None) is None


@pytest.mark.parametrize("status", [Status.ABORTED, Status.AMBIGUOUS, Status.R2_ONLY, Status.SUPERSEDED])
def test_where_the_sides_or_the_end_prove_nothing_nobody_is_said_to_have_given_up(status: Status) -> None:
    header, early = make_header(**HELD), Duration(300.0, LengthFrom.MEASURED)
    assert surrender_side(header, status, early) is None
    assert surrender_side(header, Status.COMPLETE, early, sides_seen=False) is None
    assert surrender_side(header, Status.COMPLETE, early, ALLIES, sides_seen=False) == ALLIES


def test_a_round_1_that_nothing_followed_and_that_ended_at_once_was_not_given_up() -> None:
    header = make_header(**HELD)
    assert surrender_side(header, Status.R1_ONLY, Duration(26.0, LengthFrom.MEASURED)) is None
    assert surrender_side(header, Status.R1_ONLY, Duration(61.0, LengthFrom.MEASURED)) == ALLIES
    assert surrender_side(header, Status.COMPLETE, Duration(26.0, LengthFrom.MEASURED)) == ALLIES


def test_of_an_aborted_round_nothing_says_that_anybody_gave_up() -> None:
    header = make_header(winner=AXIS, limit="12:00", attack_time="71:05")
    assert surrender_side(header, Status.ABORTED, Duration(72.0, LengthFrom.PLAYERS)) is None


# --- records that can't be ---


def test_a_record_that_saw_only_the_end_of_a_round_is_not_its_length() -> None:
    header, there = make_header(**HELD), [720, 714, 720, 90]
    assert round_duration(header, Status.COMPLETE, there, 45.0) == Duration(720.0, LengthFrom.PLAYERS)
    assert round_duration(header, Status.COMPLETE, there, 715.0) == Duration(715.0, LengthFrom.TIMING)


def test_a_single_player_with_odd_minutes_does_not_overrule_the_record() -> None:
    assert round_duration(make_header(**HELD), Status.COMPLETE, [300, 300, 720], 302.0) == Duration(
        302.0, LengthFrom.TIMING
    )


def test_a_record_that_did_not_know_of_pauses_is_not_the_length() -> None:
    assert round_duration(make_header(**HELD), Status.COMPLETE, [714, 720], 1200.0) == Duration(
        720.0, LengthFrom.PLAYERS
    )


# --- header against record ---


@pytest.mark.parametrize(
    ("difference", "status"),
    [
        (0, TimingStatus.ALIGNED),
        (30, TimingStatus.ALIGNED),
        (31, TimingStatus.MINOR_DIFF),
        (60, TimingStatus.MINOR_DIFF),
        (61, TimingStatus.DISCREPANCY),
        (330, TimingStatus.DISCREPANCY),
    ],
)
def test_the_timing_status_follows_the_difference_in_either_direction(difference: int, status: TimingStatus) -> None:
    assert timing_status(500, 500.0 + difference) is status
    assert timing_status(500, 500.0 - difference) is status


def test_without_a_record_there_is_nothing_to_compare() -> None:
    assert timing_status(500, None) is TimingStatus.NO_LUA_DATA
    assert timing_status(None, 500.0) is TimingStatus.NO_LUA_DATA
