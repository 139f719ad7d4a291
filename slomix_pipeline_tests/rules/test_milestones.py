"""Milestones: crossed once, in the order of play, kept when a ratio falls, the same however often they are derived."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.milestones import (
    KD_FROM_ROUNDS,
    LADDERS,
    Before,
    Number,
    SoFar,
    milestones,
    progress,
    worth_a_look,
)
from slomix_pipeline_tests.building import EVENING


def after(rounds: int, *, kills: int | None = None, kd: float | None = None, revives: int | None = None) -> SoFar:
    """What a career had come to after so many rounds."""
    key = f"main:r{rounds}"
    return SoFar(
        round_key=key,
        match_key=key,
        session_key="main:s1",
        map="supply",
        stamp=EVENING + timedelta(minutes=10 * rounds),
        rounds=rounds,
        nights=1,
        kills=kills,
        kd=kd,
        revives_given=revives,
        times_revived=None,
        dynamites_planted=None,
        dynamites_defused=None,
        objectives=None,
        revives_given_rounds=0 if revives is None else 1,
    )


def reached(career: list[SoFar], number: Number) -> list[tuple[float, int]]:
    return [(own.step, own.reached.rounds) for own in milestones(career) if own.number is number]


def test_a_milestone_is_reached_in_the_round_that_reaches_its_threshold_and_no_second_time() -> None:
    career = [after(1, kills=99), after(2, kills=100), after(3, kills=130)]
    assert reached(career, Number.KILLS) == [(100, 2)]


def test_one_round_can_reach_several() -> None:
    assert reached([after(1, kills=600)], Number.KILLS) == [(100, 1), (500, 1)]


def test_a_kill_ratio_counts_from_the_first_round_on_in_which_it_is_more_than_chance_and_stays_reached() -> None:
    early = [after(rounds, kd=3.0) for rounds in range(1, KD_FROM_ROUNDS)]
    later = [after(KD_FROM_ROUNDS, kd=1.6), after(KD_FROM_ROUNDS + 1, kd=0.9)]
    assert reached(early + later, Number.KD) == [(1, KD_FROM_ROUNDS), (1.5, KD_FROM_ROUNDS)]
    (own,) = [found for found in progress(early + later, milestones(early + later)) if found.number is Number.KD]
    assert (own.value, own.badge, own.next_step) == (0.9, 1.5, 2)


def test_what_is_not_known_reaches_nothing_and_says_of_how_many_rounds_it_is_known() -> None:
    career = [after(1), after(2, revives=120)]
    assert reached(career, Number.REVIVES_GIVEN) == [(100, 2)]
    (own,) = [found for found in progress(career, milestones(career)) if found.number is Number.REVIVES_GIVEN]
    assert (own.value, own.next_step, own.known_rounds) == (120, 500, 1)


def test_a_career_without_rounds_has_no_progress_to_show() -> None:
    assert progress([], []) == []


def test_ladders_rise_and_their_badges_are_of_their_steps() -> None:
    assert set(LADDERS) == set(Number)
    for ladder in LADDERS.values():
        assert list(ladder.steps) == sorted(set(ladder.steps))
        assert set(ladder.badges) <= set(ladder.steps)


@given(st.lists(st.integers(0, 400), max_size=60))
def test_what_is_reached_is_what_lies_below_the_total_each_in_its_round(gains: list[int]) -> None:
    totals = [sum(gains[: place + 1]) for place in range(len(gains))]
    found = reached([after(n, kills=total) for n, total in enumerate(totals, start=1)], Number.KILLS)
    steps = LADDERS[Number.KILLS].steps
    assert [step for step, _ in found] == [step for step in steps if totals and step <= totals[-1]]
    for step, rounds in found:
        assert totals[rounds - 1] >= step and (rounds == 1 or totals[rounds - 2] < step)


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 90), st.integers(0, 30), st.none() | st.integers(0, 60)), min_size=1, max_size=9
        ),
        max_size=30,
    )
)
def test_looking_only_where_something_can_be_reached_finds_what_looking_everywhere_finds(
    stretches: list[list[tuple[int, int, int | None]]],
) -> None:
    before, rounds = [], list[tuple[int, SoFar]]()
    kills = deaths = 0
    revives: int | None = None
    for number, stretch in enumerate(stretches):
        before.append(Before(number, len(rounds), number, kills, deaths, revives, 0, None, None, None, None))
        for killed, died, revived in stretch:
            kills, deaths = kills + killed, deaths + died
            revives = revives if revived is None else (revives or 0) + revived
            kd = kills / deaths if deaths else kills
            rounds.append((number, after(len(rounds) + 1, kills=kills, kd=kd, revives=revives)))
    looked_at = worth_a_look(before)
    some = [own for stretch, own in rounds if stretch in looked_at]
    everything = [own for _, own in rounds]
    assert milestones(some) == milestones(everything) and progress(some, milestones(some)) == progress(
        everything, milestones(everything)
    )
