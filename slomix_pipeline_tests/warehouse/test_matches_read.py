"""Matches as they are read for people, on rows made by hand: the score so far, and what it does not show."""

from typing import Any

from slomix_pipeline.warehouse import reading
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played


def decided(played: Played, *matches: dict[str, Any]) -> list[reading.MatchSeen]:
    """Matches of one session with these columns, as they are read."""
    for position, values in enumerate(matches, start=1):
        row = {"winner": "A", "points_a": None, "points_b": None, "players": [{"guid": ADA}]} | values
        key = played.round(*row.pop("players"), match=position)
        played.conn.execute(
            """insert into match (match_key, session_key, position, map, status, winner, reason, policy, points_a, points_b)
               values (%(key)s, 'main:s1', %(position)s, 'supply', 'complete', %(winner)s, '', 'per-round/1',
                       %(points_a)s, %(points_b)s)""",
            row | {"key": key, "position": position},
        )
    return reading.matches(played.conn, ["main:s1"])


def test_a_score_says_of_how_many_matches_so_far_the_points_are_unknown(played: Played) -> None:
    seen = decided(
        played,
        {"points_a": 2, "points_b": 0},
        {"winner": "B"},
        {"winner": None},
        {"points_a": 1, "points_b": 1},
    )
    assert [(match.score_a, match.score_b, match.without_points) for match in seen] == [
        (2, 0, 0),
        (2, 0, 1),
        (2, 0, 1),
        (3, 1, 1),
    ]


def test_without_a_guid_nobody_is_shown_by_the_name_of_who_is_hidden(played: Played) -> None:
    played.round({"guid": ADA, "name": "Ada"}, match=9, session=2)
    played.decided("hide", ADA, name="Player 3F2A")
    nobodies = ({"guid": f"NO-{name}", "name": name, "flags": ["no_identity"]} for name in ("ada", "Bob"))
    (match,) = decided(played, {"players": [{"guid": BOB}, *nobodies]})
    assert match.without_identity == ("Bob", "a hidden player")
