"""Suggested teams in words: everybody in one team of each way, as sure as it is, within limits whatever names are."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.discord.balance_messages import balance_message
from slomix_pipeline.discord.wording import player_text
from slomix_pipeline.reports import balance_words as words
from slomix_pipeline.rules.expected import LEAST_ROUNDS
from slomix_pipeline.warehouse.fairness import ExpectedOfTeams
from slomix_pipeline.warehouse.lobbies import LobbyPlayer, Odds, Suggestions, Team, TeamsSuggested
from slomix_pipeline_tests.discord.seen import HOSTILE, SESSION, fits
from slomix_pipeline_tests.discord.test_board_messages import STRANGE

AT = datetime(2026, 3, 2, 20, tzinfo=UTC)


def lobby(names: list[str], rounds: int = LEAST_ROUNDS) -> tuple[LobbyPlayer, ...]:
    return tuple(LobbyPlayer(f"{number:08}", name, 300.0, rounds) for number, name in enumerate(names))


def way(players: tuple[LobbyPlayer, ...], odds: Odds | None = None, last: datetime | None = None) -> TeamsSuggested:
    """The first half of them against the others."""
    half = (len(players) + 1) // 2
    first, second = (
        Team(own, sum(player.damage_per_minute for player in own), last) for own in (players[:half], players[half:])
    )
    return TeamsSuggested(first, second, odds)


@given(
    names=st.lists(st.one_of(STRANGE, HOSTILE), min_size=2, max_size=16),
    rounds=st.sampled_from([0, LEAST_ROUNDS]),
    odds=st.sampled_from([None, Odds(0.5, 0.3, 0.7, 142)]),
    last=st.sampled_from([None, AT]),
    ways=st.integers(1, 3),
)
def test_messages_fit_and_name_everybody_once_in_each_way(
    names: list[str], rounds: int, odds: Odds | None, last: datetime | None, ways: int
) -> None:
    players = lobby(names, rounds)
    found = Suggestions(players, (), (), (way(players, odds, last),) * ways)
    message = balance_message(found, AT)
    assert fits(message)
    said = " ".join(field.value for field in message.embeds[0].fields)
    assert said.count("**") >= 2 * ways * len(players) and said.count("(new)") == (0 if rounds else ways * len(players))
    for player in players:
        assert said.count(player_text(player.name)) >= ways


def test_how_even_teams_are_is_told_no_more_exactly_than_it_is_known() -> None:
    players = lobby(["Ada", "Bob", "Cyd", "Dan", "Eve"])
    own = way(players, Odds(0.523, 0.418, 0.622, 142), AT)
    assert list(words.lines(Suggestions(players, (), (), (own,)))) == [
        "As even as we can tell: by the odds that 142 matches tell.",
        "",
        "1. Ada, Bob, Cyd  –  Dan, Eve",
        "   the first team wins about 50 % of such matches (in 80 of 100 cases 40 % to 60 %)",
        "   900 and 600 damage a minute expected, 50 % apart",
        "   the second team has a man less: what that does is not known",
        "   Ada, Bob, Cyd: these three last in one team on 2026-03-02 (UTC)",
        "   Dan, Eve: these two last in one team on 2026-03-02 (UTC)",
    ]
    never = list(words.lines(Suggestions(players[:2], (), (), (way(players[:2]),))))
    assert "   300 and 300 damage a minute expected, under 1 % apart" in never
    assert never[0] == "As even as we can tell: by the damage expected of everybody."
    assert not any("in one team" in line or "man less" in line for line in never)
    assert words.together_text(way(players).second) == "these two never seen in one team"


def test_what_was_expected_of_both_teams_is_told_with_how_it_ended() -> None:
    expected, score = (
        ExpectedOfTeams(5100.0, 4900.0, 18),
        replace(SESSION, matches=9, not_counted=0, points_a=5, points_b=4),
    )
    said = "By what was expected of both teams in 18 rounds: 51 : 49 of the damage"
    assert words.fairness_text(expected, score, running=False) == f"{said}; it ended 5 – 4"
    for open_ in (replace(score, without_points=1), replace(score, not_counted=9), replace(score, matches=0)):
        assert words.fairness_text(expected, open_, running=False) == said
    so_far = "By what was expected of both teams in 1 round so far: 51 : 49 of the damage"
    assert words.fairness_text(replace(expected, rounds=1), score, running=True) == so_far


def test_of_newcomers_nothing_is_known_and_no_number_says_otherwise() -> None:
    known, new = lobby(["Ada", "Bob"]), lobby(["Cyd", "Dan"], rounds=LEAST_ROUNDS - 1)
    mixed = way((known[0], new[0], known[1], new[1]))
    assert (
        words.damage_text(mixed) == "600 and 600 damage a minute expected, under 1 % apart; newcomers taken as average"
    )
    assert words.damage_text(way(new)) is None
    said = list(words.lines(Suggestions(new, (), (), (way(new),))))
    assert said[0] == "As even as we can tell: nothing is known of anybody yet."
    assert not any("damage" in line for line in said)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("ada bob  cyd", ["ada", "bob", "cyd"]),
        ("ada,bob ,  .owl snow", ["ada", "bob", ".owl snow"]),
        (" , ,", []),
        ("", []),
        ("ada,", ["ada"]),
    ],
)
def test_names_stand_between_commas_or_else_between_spaces(typed: str, names: list[str]) -> None:
    assert words.names_typed(typed) == names
