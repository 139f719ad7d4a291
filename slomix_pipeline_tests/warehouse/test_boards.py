"""Boards: who stands on them, by what, in which order; what is unknown; of a map, and since a day."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from slomix_pipeline.rules.boards import BOARDS, BoardName, Threshold, threshold
from slomix_pipeline.warehouse.boards import BoardRow, board_rows
from slomix_pipeline.warehouse.so_far import after_rounds, so_far_of, stretches_of
from slomix_pipeline_tests.building import EVENING, at
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played

CYD = "CYD00003"
EVERYBODY = Threshold(rounds=1, damage=0, volume=0)


def numbers(guid: str, **values: Any) -> dict[str, Any]:
    """A player of a round, all of whose numbers that boards are made of are known."""
    counts = dict.fromkeys(
        (
            *("kills", "deaths", "hits", "shots", "headshots", "gibs", "revives_given", "seconds_played"),
            *("objectives_stolen", "objectives_returned", "dynamites_planted", "dynamites_defused"),
            *(f"multikills_{size}" for size in range(2, 7)),
        ),
        0,
    )
    return {"guid": guid, "name": guid[:3].title(), "damage_given": 500} | counts | values


def board(played: Played, name: str, needed: Threshold = EVERYBODY, **only: Any) -> list[BoardRow]:
    return board_rows(played.conn, BOARDS[BoardName(name)], needed, **only)


def shown(rows: list[BoardRow]) -> list[tuple[int, str, float, int]]:
    return [(row.rank, row.guid, row.value, row.rounds) for row in rows]


def test_the_boards_of_the_database_are_those_of_the_rules(played: Played) -> None:
    assert {row["board"] for row in played.rows(f"select board from board_parts({', '.join(['0'] * 12)})")} == set(
        BoardName
    )


EACH: list[tuple[str, dict[str, int], float]] = [
    ("kills", {"kills": 7}, 14),
    ("kd", {"kills": 6, "deaths": 4}, 1.5),
    ("dpm", {"damage_given": 900, "seconds_played": 300}, 180),
    ("accuracy", {"hits": 30, "shots": 120}, 25),
    ("headshot_percent", {"hits": 30, "headshots": 6}, 20),
    ("efficiency", {"kills": 3, "deaths": 1}, 75),
    ("rounds", {}, 2),
    ("revives_given", {"revives_given": 4}, 8),
    ("gibs", {"gibs": 3}, 6),
    (
        "objectives",
        {"objectives_stolen": 1, "objectives_returned": 2, "dynamites_planted": 3, "dynamites_defused": 4},
        20,
    ),
    ("multikills", {"multikills_2": 2, "multikills_6": 1}, 6),
]


@pytest.mark.parametrize(("name", "values", "value"), EACH)
def test_a_board_ranks_what_its_name_says_over_careers_and_over_a_map(
    played: Played, name: str, values: dict[str, int], value: float
) -> None:
    played.round(numbers(ADA, **values))
    played.round(numbers(ADA, **values), session=2)
    assert shown(board(played, name)) == shown(board(played, name, map_name="supply")) == [(1, ADA, value, 2)]


def test_every_board_was_looked_at() -> None:
    assert {name for name, _, _ in EACH} == set(BoardName)


def test_ratios_are_of_the_sums(played: Played) -> None:
    played.round(numbers(ADA, kills=9, deaths=1))
    played.round(numbers(ADA, kills=1, deaths=9), session=2)
    assert shown(board(played, "kd")) == [(1, ADA, 1, 2)]


def test_of_equal_values_more_rounds_come_first_then_the_guid(played: Played) -> None:
    played.round(numbers(BOB, kills=4), numbers(CYD, kills=2), numbers(ADA, kills=4))
    played.round(numbers(CYD, kills=2), number=2)
    assert [(row.rank, row.guid) for row in board(played, "kills")] == [(1, CYD), (2, ADA), (3, BOB)]


def test_who_played_too_little_stands_on_no_board(played: Played) -> None:
    kills = BOARDS[BoardName.KILLS]
    for _ in range(10):
        played.round(numbers(ADA, damage_given=30), numbers(BOB, damage_given=29))
    played.round(numbers(CYD, kills=99, damage_given=9000))
    assert [row.guid for row in board(played, "kills", threshold(kills))] == [ADA]
    assert [row.guid for row in board(played, "kills", threshold(kills, 1))] == [CYD, ADA]


def test_a_ratio_wants_a_volume_too(played: Played) -> None:
    needed = threshold(BOARDS[BoardName.ACCURACY], 1)
    played.round(numbers(ADA, hits=4, shots=5), numbers(BOB, hits=30, shots=100))
    assert [row.guid for row in board(played, "accuracy", needed)] == [BOB]
    assert board(played, "kd", threshold(BOARDS[BoardName.KD], 1)) == []  # nobody ever died: no ratio


def test_a_number_that_old_files_lack_is_ranked_over_the_rounds_that_know_it(played: Played) -> None:
    played.round(numbers(ADA, revives_given=None))
    played.round(numbers(ADA, revives_given=5), numbers(BOB, revives_given=None), session=2)
    (row,) = board(played, "revives_given")
    assert (row.guid, row.value, row.rounds, row.of_rounds) == (ADA, 5, 1, 2)


def test_rounds_that_do_not_count_or_hold_more_than_themselves_are_on_no_board(played: Played) -> None:
    played.round(numbers(ADA, kills=50), invalid="bots took part")
    played.round(numbers(ADA, kills=40, flags=["cumulative"]))
    played.round(numbers(ADA, kills=3), number=2)
    for rows in (board(played, "kills"), board(played, "kills", map_name="supply")):
        assert shown(rows) == [(1, ADA, 3, 1)]


def test_a_board_of_a_map_is_of_that_map_alone(played: Played) -> None:
    played.round(numbers(ADA, kills=5), map_name="Supply ")
    played.round(numbers(BOB, kills=9), map_name="te_escape2", session=2)
    played.round(numbers(BOB, kills=2), map_name="all", session=3)  # a name that careers use as well
    assert shown(board(played, "kills", map_name="supply")) == [(1, ADA, 5, 1)]
    assert shown(board(played, "kills", map_name="all")) == [(1, BOB, 2, 1)]


@pytest.fixture
def two_nights(played: Played) -> Iterator[tuple[Played, datetime]]:
    """Ada played in two sessions a week apart, on the same map."""
    played.round(numbers(ADA, kills=5))
    played.round(numbers(ADA, kills=9), session=2)
    later = EVENING + timedelta(days=7)
    played.conn.execute("update session set started_at = %s where session_key = 'main:s2'", [later])
    yield played, later


@pytest.mark.parametrize("map_name", [None, "supply"])
def test_a_board_since_a_day_is_of_the_sessions_that_began_then(
    two_nights: tuple[Played, datetime], map_name: str | None
) -> None:
    played, later = two_nights
    assert shown(board(played, "kills", since=later, map_name=map_name)) == [(1, ADA, 9, 1)]
    assert shown(board(played, "kills", since=EVENING, map_name=map_name)) == [(1, ADA, 14, 2)]
    assert board(played, "kills", since=later + timedelta(seconds=1), map_name=map_name) == []


def test_a_board_shows_the_name_seen_last(played: Played) -> None:
    played.round(numbers(ADA, name="Ada"), numbers(BOB, name=""))
    played.round(numbers(ADA, name="Countess"), session=2)
    played.round(numbers(ADA, name=""), session=3)
    assert {row.guid: row.name for row in board(played, "kills")} == {ADA: "Countess", BOB: "Unknown Player"}


def test_merged_guids_are_one_person_on_a_board_by_the_name_he_chose_or_had_last(played: Played) -> None:
    played.round(numbers(ADA, name="Ada", kills=4))
    played.round(numbers(BOB, name="Ada again", kills=5), session=2)
    played.decided("merge", ADA, BOB)
    for rows in (board(played, "kills"), board(played, "kills", map_name="supply")):
        assert [(row.guid, row.name, row.value, row.rounds) for row in rows] == [(BOB, "Ada again", 9, 2)]
    assert board(played, "kills")[0].value == played.metric("career", "all", BOB)["kills"]
    played.decided("link", ADA, name="The Countess")
    assert [row.name for row in board(played, "kills")] == ["The Countess"]
    assert so_far_of(played.conn, [BOB])[BOB][-1].kills == 9


def test_who_wishes_not_to_be_named_is_on_no_board(played: Played) -> None:
    played.round(numbers(ADA, kills=4), numbers(BOB, kills=3))
    played.decided("hide", ADA, name="Player 3F2A")
    assert shown(board(played, "kills")) == [(1, BOB, 3, 1)]
    assert {row["person"] for row in played.rows("select person from career_round")} == {BOB}


def test_a_board_agrees_with_the_metric_of_careers(played: Played) -> None:
    for kills, deaths in ((4, 7), (9, 2), (0, 5)):
        played.round(numbers(ADA, kills=kills, deaths=deaths, hits=kills * 9, shots=100, seconds_played=300))
    career = played.metric("career", "all")
    for name in ("kills", "kd", "dpm", "accuracy", "efficiency", "multikills"):
        assert board(played, name)[0].value == pytest.approx(career[name])


# --- what a career had come to ---


def test_what_a_career_had_come_to_is_told_round_by_round_in_the_order_of_play(played: Played) -> None:
    played.round(numbers(ADA, kills=4, deaths=2, revives_given=None), minutes=30, session=2)
    played.round(numbers(ADA, kills=1, deaths=3, revives_given=5), minutes=10)  # came in later, was played before
    played.round(numbers(ADA, kills=100), minutes=20, invalid="filler map")
    rows = after_rounds(played.conn, stretches_of(played.conn, [ADA]))
    assert [(row.stamp, row.rounds, row.nights, row.kills) for row in rows] == [(at(10), 1, 1, 1), (at(30), 2, 2, 5)]
    assert [(row.revives_given, row.revives_given_rounds) for row in rows] == [(5, 1), (5, 1)]
    assert rows[-1].kd == played.metric("career", "all")["kd"] == 1
