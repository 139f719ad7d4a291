"""Seasons as they stand: who can be a champion of one, who leads, whose awards they are."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from slomix_pipeline.rules.boards import BOARDS, BoardName
from slomix_pipeline.rules.seasons import Season
from slomix_pipeline.warehouse.facts import rewrite_facts
from slomix_pipeline.warehouse.seasons import regulars, season_awards, season_boards
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played

CAT = "CAT00003"
ZONE = ZoneInfo("Europe/Berlin")
SPRING = Season(2031, 2)
EVERYBODY = {"kills": 10, "deaths": 5, "damage_given": 500, "seconds_played": 600}


def session(played: Played, number: int, started_at: datetime, *guids: str, rounds: int = 4, **numbers: int) -> None:
    for _ in range(rounds):
        played.round(*({"guid": guid, **EVERYBODY, **numbers} for guid in guids), session=number)
    key = f"main:s{number}"
    played.conn.execute("update session set started_at = %s where session_key = %s", [started_at, key])
    rewrite_facts(played.conn, [key])


def test_champions_played_three_sessions_that_began_in_the_quarter_by_the_servers_clock(played: Played) -> None:
    first = SPRING.start(ZONE)
    assert first == datetime(2031, 3, 31, 22, tzinfo=UTC)
    session(played, 1, first - timedelta(minutes=1), ADA, BOB, rounds=1)
    session(played, 2, first, ADA, BOB, CAT, rounds=1)
    session(played, 3, first + timedelta(days=10), ADA, CAT, rounds=1)
    session(played, 4, SPRING.end(ZONE) - timedelta(minutes=1), ADA, BOB, rounds=1)
    session(played, 5, SPRING.end(ZONE), BOB, CAT, rounds=1)
    assert regulars(played.conn, SPRING, ZONE) == {ADA}


def test_who_has_the_same_number_shares_a_place_and_the_next_has_the_one_after_both(played: Played) -> None:
    for number in (1, 2, 3):
        session(played, number, SPRING.start(ZONE) + timedelta(days=number), ADA, BOB)
    for number in (4, 5, 6):
        session(played, number, SPRING.start(ZONE) + timedelta(days=number), CAT, kills=1)
    boards = [BOARDS[BoardName.KILLS], BOARDS[BoardName.KD]]
    rows = season_boards(played.conn, boards, SPRING, ZONE, regulars(played.conn, SPRING, ZONE))
    for board in boards:
        assert [(row.rank, row.guid) for row in rows[board.name]] == [(1, ADA), (1, BOB), (3, CAT)]
    assert rows[BoardName.KILLS][0].value == 120
    alone = season_boards(played.conn, boards, SPRING, ZONE, {BOB, CAT})
    assert [(row.rank, row.guid) for row in alone[BoardName.KILLS]] == [(1, BOB), (2, CAT)]


def test_an_award_of_a_round_counts_once_for_somebody_with_two_guids(played: Played) -> None:
    session(played, 1, SPRING.start(ZONE), ADA, BOB, CAT, rounds=2)
    run = played.conn.execute
    run("insert into round_endstats select round_key, 'exact_end', null from round where round_key = 'main:r1'")
    for position, guid in enumerate((ADA, BOB, CAT, None), start=1):
        run(
            """insert into award (round_key, position, label, award, player, guid, text, scope)
               values ('main:r1', %s, 'Most gibs', 'gibs', 'x', %s, '3', 'this_round')""",
            [position, guid],
        )
    played.decided("merge", BOB, ADA)
    found = season_awards(played.conn, SPRING, ZONE)
    assert (found.rounds, found.of_rounds) == (1, 2)
    (gibs,) = found.awards
    assert sorted(one.times for one in gibs.collectors) == [1, 1] and gibs.untold == 1
