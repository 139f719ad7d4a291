"""Which awards of a session are told: the wanted ones, of which it is known whose they are."""

from slomix_pipeline.formats.endstats import AWARDS, RIGHTLY_LABELLED
from slomix_pipeline.rules.awards import MOST_TOLD, WANTED, Award, AwardGiven, told_awards


def test_the_most_wanted_award_comes_first_with_who_had_it_most_often() -> None:
    given = [
        AwardGiven("kd", "ADA", "ada", 2),
        AwardGiven("kd", "BOB", "bob", 5),
        AwardGiven("killing_spree", "ADA", "ada", 1),
    ]
    assert told_awards(given) == (
        Award("killing_spree", "Longest killing spree", ("ada",), ("ADA",), 1),
        Award("kd", "Best K/D ratio", ("bob",), ("BOB",), 5),
    )


def test_who_had_an_award_as_often_shares_it_unless_that_is_no_news() -> None:
    shared = [AwardGiven("kd", name.upper(), name, 2) for name in ("bob", "ada", "cyd")]
    assert told_awards(shared) == (Award("kd", "Best K/D ratio", ("ada", "bob", "cyd"), ("ADA", "BOB", "CYD"), 2),)
    assert told_awards([*shared, AwardGiven("kd", "DAN", "dan", 2)]) == ()


def test_an_award_that_somebody_unknown_had_too_is_not_told() -> None:
    assert told_awards(
        [AwardGiven("kd", "BOB", "bob", 5), AwardGiven("kd", None, None, 1), AwardGiven("multikills", "ADA", "ada", 1)]
    ) == (Award("multikills", "Most multikills", ("ada",), ("ADA",), 1),)


def test_only_some_are_told_and_none_that_nobody_wants() -> None:
    everything = [AwardGiven(kind.name, "ADA", "ada", 1) for kind in (*AWARDS, *RIGHTLY_LABELLED)]
    assert len(told_awards(everything)) == MOST_TOLD
    assert told_awards([AwardGiven("team_kills", "ADA", "ada", 9)]) == ()


def test_every_wanted_award_is_one_of_the_scripts() -> None:
    assert {*WANTED} < {kind.name for kind in (*AWARDS, *RIGHTLY_LABELLED)}
    assert len({*WANTED}) == len(WANTED)
