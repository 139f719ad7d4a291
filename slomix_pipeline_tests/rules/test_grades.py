"""The trust grade of a session: the worst that is known of it, with every reason."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.grades import SessionFacts, grade
from slomix_pipeline.rules.teams import TeamConfidence

CLEAN = SessionFacts(
    matches=5,
    counted=5,
    one_source=0,
    disputed=0,
    longer_limits=0,
    unconfirmed=0,
    given_up_by_file=0,
    rounds=10,
    timed=10,
    unreadable_files=0,
    rounds_with_bots=0,
    numbers_unknown=0,
    players_unknown=0,
    without_identity=0,
    laws_explained=0,
    laws_unexplained=0,
    laws_unchecked=0,
    team_confidence=TeamConfidence.HIGH,
    open_players=0,
    substitutions=0,
    teams_replaced=0,
    overrides=0,
)


def test_a_session_of_which_nothing_is_to_say_is_an_a() -> None:
    assert grade(CLEAN) == ("A", ())


@pytest.mark.parametrize(
    ("change", "letter", "reason"),
    [
        ({"counted": 0}, "D", "no match could be decided"),
        ({"disputed": 1}, "D", "1 match where header and times name different winners"),
        ({"unreadable_files": 2}, "D", "2 files could not be read"),
        ({"counted": 3}, "C", "2 matches not counted"),
        ({"team_confidence": TeamConfidence.LOW}, "C", "who played with whom is unsure"),
        ({"laws_unexplained": 1}, "C", "numbers of 1 round don't add up, and nothing explains it"),
        ({"rounds_with_bots": 2}, "C", "bots in 2 rounds, which don't count"),
        ({"numbers_unknown": 1}, "C", "the numbers of 1 round are unknown and in no total"),
        ({"teams_replaced": 1}, "C", "a whole team was replaced by another roster, 1 time"),
        ({"team_confidence": None}, "C", "who played with whom was not worked out"),
        ({"one_source": 2}, "B", "2 matches told by the headers or by the times alone"),
        ({"laws_unchecked": 1}, "B", "whether the numbers of 1 round add up was not looked at"),
        ({"players_unknown": 2}, "B", "unknown numbers of single players, 2 times"),
        ({"without_identity": 3}, "B", "players without identity, in no team and no total, 3 times"),
        ({"team_confidence": TeamConfidence.MEDIUM}, "B", "teams are not quite sure"),
        ({"open_players": 1}, "B", "the team of 1 player is open"),
        ({"timed": 7}, "B", "Lua timing of 7 of 10 rounds only"),
        (
            {"laws_explained": 1},
            "B",
            "numbers of 1 round don't add up, as when somebody leaves, reconnects or changes sides",
        ),
        ({"substitutions": 1}, "B", "1 substitution"),
        ({"overrides": 3}, "B", "3 decisions by people"),
        ({"longer_limits": 1}, "C", "1 match with a longer limit in round 2 than round 1's time"),
        (
            {"unconfirmed": 2},
            "B",
            "2 matches of which the limit, the sides or the time between don't confirm the pair",
        ),
        ({"given_up_by_file": 1}, "B", "1 round 2 ended early, held to be given up by the file alone"),
    ],
)
def test_every_blemish_costs_its_grade_and_is_named(change: dict[str, object], letter: str, reason: str) -> None:
    assert grade(replace(CLEAN, **change)) == (letter, (reason,))  # type: ignore[arg-type]


def test_the_worst_blemish_is_the_grade_and_comes_first() -> None:
    found = grade(replace(CLEAN, timed=0, unreadable_files=1, rounds_with_bots=1))
    assert found.letter == "D"
    assert [reason.split()[0] for reason in found.reasons] == ["1", "bots", "Lua"]


numbers = st.builds(
    SessionFacts,
    **{f.name: st.integers(0, 5) for f in fields(SessionFacts) if f.type == "int" or f.type is int},
    team_confidence=st.sampled_from((*TeamConfidence, None)),
)


@given(numbers)
def test_a_grade_without_a_reason_is_an_a_and_only_that(facts: SessionFacts) -> None:
    letter, reasons = grade(facts)
    assert (letter == "A") == (not reasons)
    assert len(set(reasons)) == len(reasons)
