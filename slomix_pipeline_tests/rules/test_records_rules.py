"""Records and personal bests: only with a history, only what beats it; of bests few, the rarest first. And what is
usual."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.boards import BOARDS, MIN_ROUNDS, Board, BoardName, threshold, threshold_text
from slomix_pipeline.rules.form import USUAL_FROM, USUAL_OF, usual
from slomix_pipeline.rules.records import (
    ATTACKS_BEFORE_A_RECORD,
    KINDS,
    NIGHTS_BEFORE,
    NIGHTS_BEFORE_A_RECORD,
    TOLD_OF_A_NIGHT,
    Challenge,
    NightBest,
    RecordKind,
    RecordLevel,
    falls,
    personal_bests,
)
from slomix_pipeline_tests.building import EVENING


def night(number: int, value: float, kind: RecordKind = RecordKind.KILLS, guid: str = "ADA00001") -> NightBest:
    """What somebody reached in the night of this number."""
    key = f"main:s{number:02}"
    return NightBest(guid, "Ada", kind, key, EVENING + timedelta(days=number), value)


def nights(*values: float, kind: RecordKind = RecordKind.KILLS, guid: str = "ADA00001") -> list[NightBest]:
    return [night(number, value, kind, guid) for number, value in enumerate(values)]


def last(values: tuple[float, ...]) -> str:
    return f"main:s{len(values) - 1:02}"


def test_a_personal_best_beats_all_nights_before_and_says_how_long_the_old_one_stood() -> None:
    values = (10.0, 30.0, 20.0, 30.0, 25.0, 31.0)
    (found,) = personal_bests(nights(*values), last(values))
    assert (found.best.value, found.old.value, found.old.session_key) == (31, 30, "main:s01")
    assert (found.stood, found.nights_before, found.rarity) == (4, 5, 20)


@pytest.mark.parametrize(
    "values",
    [
        (10.0, 11.0, 12.0, 13.0, 14.0),  # too short a history
        (10.0, 30.0, 20.0, 30.0, 25.0, 30.0),  # only equalled
        (10.0, 30.0, 20.0, 30.0, 25.0, 5.0),
    ],
)
def test_no_personal_best_is_made_up(values: tuple[float, ...]) -> None:
    assert personal_bests(nights(*values), last(values)) == []


def test_what_comes_later_changes_nothing_of_a_night() -> None:
    values = (1.0,) * NIGHTS_BEFORE + (2.0,)
    later = [night(40, 99)]
    assert personal_bests(nights(*values) + later, last(values)) == personal_bests(nights(*values), last(values))


def test_no_best_of_ones_own_is_told_of_chains_of_kills() -> None:
    values = (*[2.0] * NIGHTS_BEFORE, 3.0)
    assert personal_bests(nights(*values, kind=RecordKind.KILLS), last(values))
    assert personal_bests(nights(*values, kind=RecordKind.MULTIKILLS_3), last(values)) == []


def test_of_many_the_rarest_are_told() -> None:
    of_players = [
        own for number in range(6) for own in nights(*[1.0] * (NIGHTS_BEFORE + number), guid=f"PLAYER0{number}")
    ]
    tonight = [night(90, 2.0, guid=f"PLAYER0{number}") for number in range(6)]
    found = personal_bests(of_players + tonight, "main:s90")
    assert [own.best.guid for own in found] == ["PLAYER05", "PLAYER04", "PLAYER03"]
    assert len(found) == TOLD_OF_A_NIGHT


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_in_which_nights_are_given_does_not_matter(values: list[float], order: Random) -> None:
    given_nights = nights(*values)
    mixed = list(given_nights)
    order.shuffle(mixed)
    key = last(tuple(values))
    found = personal_bests(mixed, key)
    assert found == personal_bests(given_nights, key)
    assert bool(found) == (len(values) > NIGHTS_BEFORE and values[-1] > max(values[:-1]))


def test_every_kind_of_record_can_be_shown() -> None:
    assert set(KINDS) == set(RecordKind)
    assert {kind for kind, own in KINDS.items() if own.least} == {
        RecordKind.DPM,
        RecordKind.KILLS_PER_MINUTE,
        RecordKind.AIMED_ACCURACY,
    }


# --- when a record falls ---

CHALLENGES = st.builds(
    Challenge,
    st.sampled_from(list(RecordKind)),
    st.sampled_from(list(RecordLevel)),
    st.none(),
    st.integers(0, 5),
    st.one_of(st.none(), st.integers(0, 5)),
    st.just("main:s1"),
    st.integers(0, 20),
)


@given(CHALLENGES)
def test_a_record_falls_to_what_is_better_than_all_of_a_history_and_never_to_what_equals_it(own: Challenge) -> None:
    is_attack = own.kind is RecordKind.ATTACK
    enough = own.chances >= (ATTACKS_BEFORE_A_RECORD if is_attack else NIGHTS_BEFORE_A_RECORD)
    better = own.before is not None and (own.value < own.before if is_attack else own.value > own.before)
    assert falls(own) == (enough and better)


# --- what is usual ---


def test_usual_is_the_median_of_his_own_nights_before_and_unknown_of_few() -> None:
    assert usual([1.0, 9.0, 2.0, 8.0, 3.0]) == 3
    assert usual([1.0] * (USUAL_FROM - 1)) is None
    assert usual([1.0] * (USUAL_FROM - 1) + [None]) is None
    assert usual([1.0] * USUAL_OF + [99.0] * 50) == 1


# --- boards ---


def test_every_board_has_its_thresholds_in_words() -> None:
    assert set(BOARDS) == set(BoardName) and len(BOARDS) == 11
    accuracy = BOARDS[BoardName.ACCURACY]
    assert threshold_text(accuracy, threshold(accuracy)) == "from 10 rounds, 300 damage and 1000 shots"
    kills = BOARDS[BoardName.KILLS]
    assert threshold_text(kills, threshold(kills, 1)) == "from 1 round and 300 damage"


@given(st.sampled_from(list(BOARDS.values())), st.integers(1, 500))
def test_who_stands_on_a_stricter_board_stands_on_the_laxer_one(board: Board, rounds: int) -> None:
    lax, strict = threshold(board, rounds), threshold(board, rounds + 1)
    assert (lax.rounds, lax.damage) <= (strict.rounds, strict.damage) and lax.volume <= strict.volume
    assert threshold(board).rounds == MIN_ROUNDS
