"""Par of a map: half of all attacks are through; who did not make it says only "longer than that"."""

from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.par import LEAST_ATTACKS, SAME_WITHIN, Attack, holding, moves, par


def done(*seconds: int) -> list[Attack]:
    return [Attack(own, completed=True) for own in seconds]


def held(*seconds: int) -> list[Attack]:
    return [Attack(own, completed=False) for own in seconds]


def test_an_attack_that_failed_early_says_nothing_of_later_times() -> None:
    curve = holding([*done(100, 300), *held(200, 600)])
    assert [(step.seconds, step.holds) for step in curve] == [(100, 0.75), (300, 0.375)]


def test_an_attack_that_failed_at_the_time_of_another_was_still_there_then() -> None:
    assert [(step.seconds, step.holds) for step in holding([*done(200), *held(200)])] == [(200, 0.5)]


def test_par_is_the_first_time_at_which_at_most_half_of_the_defences_hold() -> None:
    found = par([*done(*range(100, 600, 100)), *held(*[720] * 5)], 720)
    assert (found.attacks, found.completed, found.par, found.held_share) == (10, 5, 500, 0.5)


def test_a_quarter_has_fallen_before_par_and_three_quarters_after_it_if_ever() -> None:
    found = par([*done(*range(100, 1100, 100))], 1200)
    assert (found.quarter, found.par, found.three_quarters) == (300, 500, 800)
    found = par([*done(100, 200, 300), *held(*[720] * 7)], 720)
    assert (found.quarter, found.par, found.three_quarters) == (300, None, None)


def test_pars_say_something_else_from_some_seconds_on_or_where_one_is_never_reached() -> None:
    assert not moves(300, 300 + SAME_WITHIN) and moves(300, 301 + SAME_WITHIN)
    assert moves(None, 668) and moves(668, None) and not moves(None, None)


def test_a_map_that_is_mostly_held_has_no_par() -> None:
    found = par([*done(100, 200), *held(*[720] * 8)], 720)
    assert found.par is None and found.enough and found.held_share is not None and found.held_share > 0.7


def test_what_holds_to_the_end_is_not_known_while_no_attack_was_seen_to_the_limit() -> None:
    attacks = [*done(200, 300, 400), *held(*[410] * 8)]
    assert (par(attacks, 720).held_share, par(attacks, 720).par, par(attacks, None).held_share) == (None, None, None)
    assert par([*attacks, *held(720)], 720).held_share is not None
    assert par(done(*range(100, 1100, 100)), 1200).held_share == 0  # none held until then


def test_few_attacks_give_no_par() -> None:
    found = par(done(*range(100, 100 + LEAST_ATTACKS - 1)), 720)
    assert (found.par, found.held_share, found.enough) == (None, None, False)


ATTACKS = st.lists(st.builds(Attack, st.integers(1, 900), st.booleans()), max_size=40)


@given(ATTACKS)
def test_the_share_that_holds_only_falls_and_stays_a_share(attacks: list[Attack]) -> None:
    shares = [step.holds for step in holding(attacks)]
    assert shares == sorted(shares, reverse=True)
    assert all(-1e-9 <= share < 1 for share in shares)
    assert all(-1e-9 <= step.low <= step.holds + 1e-9 and step.holds <= step.high <= 1 for step in holding(attacks))


def test_how_sure_a_share_is_by_greenwood() -> None:
    """The remission times of 21 patients with 6-MP, as textbooks give them: 0.807 between 0.563 and 0.923 at 7."""
    patients = [*done(6, 6, 6, 7, 10, 13, 16, 22, 23), *held(6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)]
    (seven,) = (step for step in holding(patients) if step.seconds == 7)
    assert [round(share, 3) for share in (seven.holds, seven.low, seven.high)] == [0.807, 0.563, 0.923]


@given(st.lists(st.integers(1, 900), min_size=1, max_size=40))
def test_when_all_are_completed_it_is_the_plain_share(seconds: list[int]) -> None:
    for step in holding(done(*seconds)):
        assert abs(step.holds - sum(own > step.seconds for own in seconds) / len(seconds)) < 1e-9
