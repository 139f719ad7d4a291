"""What a page tells of a player beside his career: the same numbers as elsewhere, whatever GUIDs he played under."""

from typing import Any

import pytest

from slomix_pipeline.reports.career_words import place_text
from slomix_pipeline.rules.boards import BOARDS, BoardName, Threshold, threshold
from slomix_pipeline.site.pages.player import match_ended
from slomix_pipeline.warehouse import careers, comparing, nights, players, standings
from slomix_pipeline.warehouse.boards import BoardPlace, board_places, board_rows, board_seen
from slomix_pipeline.warehouse.facts import rewrite_duels, rewrite_facts
from slomix_pipeline.warehouse.players import Duels
from slomix_pipeline.warehouse.standings import Standing
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played
from slomix_pipeline_tests.warehouse.test_careers import CYD, won_match


def line(guid: str, **values: Any) -> dict[str, Any]:
    return {"guid": guid, "name": guid[:3].title(), "kills": 4, "deaths": 2, "damage_given": 500} | values


@pytest.fixture
def two_guids(played: Played) -> Played:
    """Ada, who is Cyd too, in two sessions and on two maps, always with or against Bob."""
    for winner in ("A", "draw"):
        won_match(played, played.round(line(ADA), line(BOB, side=2)), winner)
    won_match(played, played.round(line(CYD, kills=10), line(BOB, side=2), map_name="radar"), "B")
    played.round(line(CYD, kills=1), line(BOB, side=2), session=2)  # nobody decided it
    played.conn.execute("update session_player set team = 'B' where guid = %s", [BOB])
    rewrite_facts(played.conn, ["main:s1", "main:s2"])
    played.decided("merge", ADA, CYD)
    return played


def test_the_latest_nights_are_those_of_all_his_guids_oldest_first(two_guids: Played) -> None:
    lately = nights.lately(two_guids.conn, [ADA, CYD])
    assert [(night.session_key, night.rounds, night.kd) for night in lately.nights] == [
        ("main:s1", 3, 3.0),
        ("main:s2", 1, 0.5),
    ]
    assert (lately.together.session_key, lately.together.rounds, lately.together.kd) == (None, 4, 19 / 8)


def test_what_one_round_does_not_know_is_unknown_of_its_night(played: Played) -> None:
    played.round(line(ADA, revives_given=3))
    played.round(line(ADA, revives_given=None), match=2)
    played.round(line(ADA, revives_given=2), session=2)
    lately = nights.lately(played.conn, [ADA])
    assert [night.revives_given_per_round for night in lately.nights] == [None, 2]
    assert lately.together.revives_given_per_round is None


def test_maps_tell_rounds_numbers_and_how_matches_ended(two_guids: Played) -> None:
    assert [
        (own.map, own.rounds, own.kd, own.standing)
        for own in players.maps_played(two_guids.conn, [ADA, CYD], standings.on_maps(two_guids.conn, CYD))
    ] == [
        ("supply", 3, 9 / 6, Standing(1, 1, 0)),
        ("radar", 1, 5.0, Standing(0, 0, 1)),
    ]


def test_who_was_met_is_counted_as_when_two_are_compared(two_guids: Played) -> None:
    for one, other in ((CYD, BOB), (BOB, CYD)):
        (met,) = players.most_met(two_guids.conn, one)
        assert met.guid == other
        assert standings.Meetings(met.together, met.against) == standings.meetings(two_guids.conn, one, other)


def test_who_was_met_in_no_decided_match_is_not_among_those_met_most(played: Played) -> None:
    played.round(line(ADA), line(BOB, side=2))
    rewrite_facts(played.conn, ["main:s1"])
    assert players.most_met(played.conn, ADA) == []


def test_the_list_has_each_person_once(two_guids: Played) -> None:
    assert [(own.guid, own.rounds, own.nights) for own in players.everybody(two_guids.conn)] == [
        (BOB, 4, 2),
        (CYD, 4, 2),
    ]


@pytest.mark.parametrize("name", BoardName)
def test_a_place_is_that_of_the_board(two_guids: Played, name: BoardName) -> None:
    needed = {BOARDS[name]: Threshold(4, 300, 1)}
    rows = board_rows(two_guids.conn, BOARDS[name], Threshold(4, 300, 1))
    for row in rows:
        place = board_places(two_guids.conn, needed, row.guid)[name]
        assert (place.rank, place.rounds, place.of_rounds) == (row.rank, row.rounds, row.of_rounds)
        assert place.of_players == len(rows)
    assert name not in board_places(two_guids.conn, needed, "ABCD0009")


@pytest.mark.parametrize("name", BoardName)
def test_a_board_with_who_misses_it_is_the_same_board(two_guids: Played, name: BoardName) -> None:
    board, needed = BOARDS[name], Threshold(4, 300, 1)
    assert board_seen(two_guids.conn, board, needed).rows == board_rows(two_guids.conn, board, needed)


def test_a_place_or_what_is_missing_to_one_is_told() -> None:
    board = BOARDS[BoardName.ACCURACY]
    for place, said in (
        (BoardPlace(ADA, "Ada", 3, 12, 40, 40, 9000, 5000), "place 3 of 12"),
        (BoardPlace(ADA, "Ada", None, 12, 7, 7, 9000, 5000), "3 more rounds to the board"),
        (
            BoardPlace(ADA, "Ada", None, 12, 9, 9, 290, 400),
            "1 more round, 10 more damage and 600 more shots to the board",
        ),
    ):
        assert place_text(board, threshold(board), place) == said


def test_the_beginning_of_a_guid_means_a_player_from_four_characters_on(played: Played) -> None:
    played.round(line("1A2B3C4D", name="Zed"), line(BOB, name="1a2b"))
    assert [own.guid for own in careers.players_meant(played.conn, "1a2b3")] == ["1A2B3C4D"]
    assert [own.guid for own in careers.players_meant(played.conn, "1A2B")] == [BOB]  # a whole name comes first
    assert careers.players_meant(played.conn, "1A2")[0].guid == BOB
    assert careers.players_meant(played.conn, "2B3C") == []


def versus(played: Played, key: str, guid: str, opponent: str, kills: int, deaths: int) -> None:
    run = played.conn.execute
    run("insert into round_endstats values (%s, 'exact_end') on conflict do nothing", [key])
    run(
        """insert into versus (round_key, position, player, guid, opponent, opponent_guid, kills, deaths)
           select %s, 1 + count(*), %s, %s, %s, %s, %s, %s from versus""",
        [key, guid, guid, opponent, opponent, kills, deaths],
    )


def test_duels_are_of_all_rounds_that_tell_of_them_and_of_who_may_be_named(played: Played) -> None:
    for session in (1, 2):
        key = played.round(line(ADA), line(BOB), line(CYD), session=session)
        versus(played, key, ADA, BOB, 3, 1)
        versus(played, key, ADA, CYD, 1, 4)
        versus(played, key, BOB, ADA, 1, 3)
    rewrite_duels(played.conn, ["main:s1", "main:s2"])
    found = players.duels_of(played.conn, ADA, [ADA])
    assert [(own.guid, own.duels) for own in found] == [(BOB, Duels(6, 2, 2)), (CYD, Duels(2, 8, 2))]
    rivals = players.rivals(found)
    assert rivals.killer and rivals.victim and (rivals.killer.guid, rivals.victim.guid) == (CYD, BOB)
    played.decided("hide", CYD, name="Player 3F2A")
    assert [own.guid for own in players.duels_of(played.conn, ADA, [ADA])] == [BOB]


def test_a_duel_is_told_by_either_side_where_namesakes_hide_whose_lines_the_others_are(played: Played) -> None:
    key = played.round(line(ADA), line(BOB), line(CYD))
    versus(played, key, ADA, BOB, 3, 1)  # Bob's own lines are a namesake's, too: nobody can tell whose
    versus(played, key, CYD, ADA, 0, 0)
    rewrite_duels(played.conn, ["main:s1"])
    told = {own.guid: own.duels for own in players.duels_of(played.conn, BOB, [BOB])}
    assert told == {ADA: Duels(1, 3, 1)}
    assert {own.guid: own.duels for own in players.duels_of(played.conn, ADA, [ADA])} == {
        BOB: Duels(3, 1, 1),
        CYD: Duels(0, 0, 0),
    }


def test_a_match_of_which_a_round_counts_in_no_career_tells_no_number(played: Played) -> None:
    key = played.round(line(ADA, kills=9), line(BOB, side=2))
    played.round(line(ADA, kills=9, flags=["cumulative"]), line(BOB, side=2), number=2)
    won_match(played, key, "A")
    (seen,) = players.recent_matches(played.conn, [ADA], 5)
    assert (seen.kills, seen.deaths, seen.dpm, seen.left_out) == (None, None, None, True)
    (seen,) = players.recent_matches(played.conn, [BOB], 5)
    assert (seen.kills, seen.left_out) == (8, False)


def test_a_match_without_a_winner_for_him_says_why(played: Played) -> None:
    for winner, guid in (("A", ADA), (None, ADA), ("B", CYD)):
        won_match(played, played.round(line(guid), line("BEN00002", side=2), line(BOB, side=2)), winner)
    won_match(played, played.round(line(ADA, side=2), line("BEN00002", side=2), line(BOB, side=2)), "B")
    played.conn.execute("update session_player set team = 'B' where guid in ('BOB00002', 'BEN00002')")
    played.conn.execute("update session_player set team = null where guid = %s", [CYD])
    rewrite_facts(played.conn, ["main:s1"])
    told = [match_ended(own) for own in players.recent_matches(played.conn, [ADA], 9)]
    assert told == ["he changed sides", "not counted", "won"]
    assert [match_ended(own) for own in players.recent_matches(played.conn, [CYD], 9)] == ["his team is open"]


def test_the_latest_matches_come_first_with_their_end(two_guids: Played) -> None:
    found = players.recent_matches(two_guids.conn, [ADA, CYD], 4)
    assert [(own.map, own.won, own.drawn, own.kills, own.deaths) for own in found] == [
        ("radar", False, False, 10, 2),
        ("supply", False, True, 4, 2),
        ("supply", True, False, 4, 2),
    ]


def test_revives_of_a_round_are_over_the_rounds_that_know_them(played: Played) -> None:
    for revives in (3, None, 2):
        played.round(line(ADA, revives_given=revives), session=1)
    support = players.support(played.conn, ADA, [ADA])
    assert (support.revives_given_per_round, support.revives_given_rounds) == (2.5, 2)


def test_two_are_compared_over_the_rounds_that_both_played(played: Played) -> None:
    played.round(line(ADA, kills=9), line(BOB))
    played.round(line(ADA, kills=100), session=2)
    played.round(line(ADA, kills=50), line(BOB, flags=["cumulative"]), session=2)
    together = comparing.numbers_together(played.conn, [ADA], [BOB])
    assert together and (together.rounds, together.kills, together.kd) == (1, 9, 4.5)
    others = comparing.numbers_together(played.conn, [BOB], [ADA])
    assert others and others.rounds == 1
    assert comparing.numbers_together(played.conn, [ADA], [CYD]) is None


def test_maps_tell_how_it_ended_when_two_met_there(two_guids: Played) -> None:
    for own in comparing.met_on_maps(two_guids.conn, CYD, BOB):
        assert own.met.together == Standing(0, 0, 0)
    assert [(own.map, own.met.against) for own in comparing.met_on_maps(two_guids.conn, CYD, BOB)] == [
        ("supply", Standing(1, 1, 0)),
        ("radar", Standing(0, 0, 1)),
    ]


def test_who_misses_a_board_is_told_by_what(played: Played) -> None:
    played.round(line(ADA), line(BOB, damage_given=100))
    board, needed = BOARDS[BoardName.KILLS], Threshold(1, 300, 0)
    (below,) = board_seen(played.conn, board, needed).below
    assert (below.guid, place_text(board, needed, below)) == (BOB, "200 more damage to the board")


def test_the_nearest_to_a_board_is_who_has_most_of_what_he_lacks(played: Played) -> None:
    played.round(line(ADA, shots=10, hits=1), line(BOB, shots=900, hits=1))
    played.round(line(ADA, shots=10, hits=1))
    below = board_seen(played.conn, BOARDS[BoardName.ACCURACY], Threshold(1, 300, 1000)).below
    assert [(own.guid, own.rounds, own.volume) for own in below] == [(BOB, 1, 900), (ADA, 2, 20)]
