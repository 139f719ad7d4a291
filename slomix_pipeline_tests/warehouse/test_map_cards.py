"""The card of a map: its closest finishes, two curves where one is wrong, and what giving up makes of par."""

import pytest

from slomix_pipeline.rules.par import LEAST_ATTACKS
from slomix_pipeline.warehouse.facts import rewrite_facts
from slomix_pipeline.warehouse.map_cards import CLOSE, ParUntilGivenUp, closest_finishes, map_curves
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played

LIMIT = 720


def attacked(
    played: Played,
    first: int | None,
    second: int | None,
    *,
    gave_up: int | None = None,
    winner: str | None = None,
    in_book: bool = True,
) -> str:
    """A match of which A attacked first: seconds of its attacks, None of one that failed. ``gave_up``: after how many
    seconds the second one was given up."""
    players = [{"guid": ADA, "side": 1}, {"guid": BOB, "side": 2}]
    r1, r2 = played.round(*players), played.round(*players, number=2)
    to_beat = LIMIT if first is None else first
    winner = winner or ("B" if second is not None else "draw" if first is None else "A")
    run = played.conn.execute
    run("update parsed_round set limit_seconds = %s where round_key = %s", [LIMIT, r1])
    run(
        """insert into round_timing (round_key, timing_status, link_class, surrender_side, duration_seconds,
                                     duration_source)
           values (%s, 'NO LUA DATA', 'none', %s, %s, %s)""",
        [r2, None if gave_up is None else 1, gave_up, None if gave_up is None else "measured"],
    )
    run(
        """insert into match (match_key, session_key, position, map, status, winner, reason, policy, r1_key, r2_key,
                              attackers_first, attackers_second, attackers_side, r1_seconds, r2_seconds, r1_completed,
                              r2_completed)
           select %(r1)s, 'main:s1', 1 + (select count(*) from match), 'supply', 'complete', %(winner)s, '', 'map-wins/1',
                  %(r1)s, %(r2)s, 'A', 'B', 1, %(to_beat)s, %(second)s, %(first)s::integer is not null, %(done)s""",
        {
            "r1": r1,
            "r2": r2,
            "winner": winner,
            "to_beat": to_beat,
            "first": first,
            "second": to_beat if second is None else second,
            "done": second is not None,
        },
    )
    rewrite_facts(played.conn, ["main:s1"])
    run("update map_attack set in_book = %s where match_key = %s", [in_book, r1])
    return r1


def test_the_closest_finishes_are_second_attacks_that_won_by_a_few_seconds(played: Played) -> None:
    far = [attacked(played, 300, 299 - CLOSE), attacked(played, 300, None), attacked(played, None, None)]
    close = [attacked(played, 300, 300 - CLOSE), attacked(played, 200, 197), attacked(played, None, LIMIT - 1)]
    review, otherwise = attacked(played, 300, 299), attacked(played, 300, 300, winner="draw")
    played.conn.execute("update map_attack set in_book = match_key <> %s", [review])
    found = closest_finishes(played.conn, "supply")
    assert [own.match_key for own in found] == close[::-1]
    assert not {own.match_key for own in found} & {*far, review, otherwise}
    assert [(own.to_beat, own.seconds) for own in found] == [(LIMIT, LIMIT - 1), (200, 197), (300, 300 - CLOSE)]
    assert {own.team.shown for own in found} == {"Team B"} and closest_finishes(played.conn, "radar") == ()


def test_one_curve_is_of_both_attacks_until_they_differ_by_more_than_chance(played: Played) -> None:
    for number in range(LEAST_ATTACKS - 1):
        attacked(played, 500 + number, 200 + number)
    curves = map_curves(played.conn, "supply", LIMIT)
    assert curves is not None and (curves.both.attacks, curves.first, curves.second) == (18, None, None)  # too few
    attacked(played, 510, 210)
    curves = map_curves(played.conn, "supply", LIMIT)
    assert curves is not None and curves.first is not None and curves.second is not None
    assert (curves.first.par, curves.second.par, curves.both.attacks) == (504, 204, 20)
    assert map_curves(played.conn, "supply", 600) is None  # of a limit that nobody played with


@pytest.mark.parametrize(("times", "otherwise"), [(1, None), (4, ParUntilGivenUp(500))])
def test_what_giving_up_makes_of_par_is_told_where_it_is_much(
    played: Played, times: int, otherwise: ParUntilGivenUp | None
) -> None:
    for seconds in (300, 310, 400):
        attacked(played, seconds, None)
    attacked(played, 500, 401)
    for _ in range(times):
        attacked(played, None, None, gave_up=100)
    curves = map_curves(played.conn, "supply", LIMIT)
    assert curves is not None and curves.until_given_up == otherwise
