"""Who is good on a map."""

from slomix_pipeline.warehouse.facts import rewrite_facts
from slomix_pipeline.warehouse.map_history import LEAST_MATCHES, PlayerOnMap, last_plays, players_on
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played

CYD, DAN = "CYD00003", "DAN00004"
TEAM_B = (BOB, DAN)


def match(played: Played, winner: str | None, session: int = 1, **sides: int) -> str:
    """A match of Ada and Cyd against Bob and Dan; ``sides``: who stood elsewhere than with his own."""
    stand = {ADA: 1, CYD: 1, BOB: 2, DAN: 2} | sides
    key = played.round(
        *({"guid": guid, "side": side, "kills": 4, "deaths": 2} for guid, side in stand.items()), session=session
    )
    decided(played, key, winner, session)
    return key


def decided(played: Played, key: str, winner: str | None, session: int = 1) -> None:
    played.conn.execute(
        """insert into match (match_key, session_key, position, map, status, r1_key, winner, reason, policy)
           select %(key)s, %(session)s, 1 + (select count(*) from match), ' Supply', 'complete', %(key)s, %(winner)s, '',
                  'map-wins/1'""",
        {"key": key, "session": f"main:s{session}", "winner": winner},
    )
    played.conn.execute("update session_player set team = 'B' where guid = any(%s)", [list(TEAM_B)])
    rewrite_facts(played.conn, [f"main:s{session}"])


def on_supply(played: Played, guid: str) -> PlayerOnMap:
    (own,) = (one for one in players_on(played.conn, "supply", 20) if one.guid == guid)
    return own


def standing(played: Played, guid: str) -> tuple[int, int, int]:
    """Matches, won ones, drawn ones."""
    own = on_supply(played, guid)
    return own.matches, own.won, own.drawn


def test_whose_rounds_all_hold_more_than_their_own_has_none_that_count(played: Played) -> None:
    for _ in range(LEAST_MATCHES):
        match(played, "A")
    played.conn.execute("update round_player set flags = array['cumulative'] where guid = %s", [ADA])
    rewrite_facts(played.conn, ["main:s1"])
    played.round({"guid": ADA}, session=2, map_name="radar")
    rewrite_facts(played.conn, ["main:s2"])
    own = on_supply(played, ADA)
    assert (own.matches, own.rounds, own.dpm) == (LEAST_MATCHES, 0, None)


def test_who_played_enough_matches_on_a_map_is_told_with_what_he_won(played: Played) -> None:
    for winner in ("A", "A", "draw", "B", None):
        match(played, winner)
    played.round({"guid": "EVE00005"}, session=2)
    assert {guid: standing(played, guid) for guid in (ADA, BOB)} == {ADA: (4, 2, 1), BOB: (4, 1, 1)}
    assert on_supply(played, ADA).rounds == 5
    assert len(players_on(played.conn, "supply", 20)) == 4
    assert players_on(played.conn, "radar", 20) == []


def test_a_match_on_a_map_counts_once_for_a_person_whatever_guids_he_played_it_under(played: Played) -> None:
    for winner in ("A", "A", "draw", "B"):
        match(played, winner)
    played.decided("merge", ADA, CYD)
    assert (standing(played, CYD), on_supply(played, CYD).rounds) == ((4, 2, 1), 8)


def test_who_stood_against_his_team_on_a_map_neither_won_nor_lost_there(played: Played) -> None:
    for _ in range(LEAST_MATCHES):
        match(played, "A")
    match(played, "A", **{CYD: 2})
    assert {guid: standing(played, guid) for guid in (ADA, CYD)} == {ADA: (5, 5, 0), CYD: (4, 4, 0)}


def test_what_a_round_does_not_know_takes_nothing_from_the_other_one_of_its_match(played: Played) -> None:
    for _ in range(LEAST_MATCHES):
        match(played, "A")
    key = played.round({"guid": ADA, "kills": 6, "deaths": 1, "damage_given": 900, "seconds_played": 180})
    played.round({"guid": ADA, "kills": 70, "deaths": None, "damage_given": 9000}, number=2)
    decided(played, key, None)
    own = on_supply(played, ADA)
    assert (own.rounds, own.kd, own.dpm) == (LEAST_MATCHES + 2, (4 * LEAST_MATCHES + 6) / (2 * LEAST_MATCHES + 1), 300)


def test_the_last_plays_of_a_map_are_of_its_last_sessions_and_in_order_of_play(played: Played) -> None:
    keys = [match(played, "A", session=session) for session in (1, 1, 2, 3, 3, 3)]
    match(played, None, session=3)
    assert [play.match_key for play in last_plays(played.conn, "supply", 4)] == keys[:1:-1]
    assert len(last_plays(played.conn, "supply", 10)) == 6
