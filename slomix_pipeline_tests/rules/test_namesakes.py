"""Who may be one person: names alone are never enough, unless they are the same and nobody else had them."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.namesakes import SUCCEEDS_WITHIN, Played, Reason, Suggestion, suggestions

START = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
SMG = {"mp40": 700, "thompson": 300}


def played(guid: str, *names: str, since: timedelta = timedelta(0), until: timedelta = MONTH) -> Played:
    return Played(guid, frozenset(names), START + since, START + until, 0, {}, frozenset())


def later(guid: str, *names: str) -> Played:
    """Somebody who begins a day after all others have ended."""
    return played(guid, *names, since=MONTH + timedelta(days=1), until=2 * MONTH)


def look(*everybody: Played) -> list[Suggestion]:
    return suggestions(everybody, (), ())


def test_alike_names_and_one_that_starts_where_the_other_ends_are_worth_a_look() -> None:
    (found,) = look(played("OLD", "^1Countess"), later("NEW", "somebody", "c0untes"))
    assert (found.newer, found.older, found.newer_name, found.older_name) == ("NEW", "OLD", "c0untes", "^1Countess")
    assert found.reasons == (Reason.ALIKE_NAMES, Reason.SUCCESSION) and 0.85 <= found.likeness < 1


def test_alike_names_alone_are_not() -> None:
    assert look(played("OLD", "Countess"), played("NEW", "Countes")) == []
    assert look(played("OLD", "Countess"), later("NEW", "Ada")) == []


def test_the_same_name_is_enough_where_nobody_else_ever_had_it() -> None:
    (found,) = look(played("OLD", "^3Ada"), played("NEW", "ADA"))
    assert (found.likeness, found.reasons) == (1.0, (Reason.SAME_RARE_NAME,))
    assert look(played("OLD", "Ada"), played("NEW", "Ada"), played("THIRD", "4d4")) == []
    assert look(played("OLD", "Ada"), played("NEW", "4da")) == []  # the same letters, not the same name


@pytest.mark.parametrize("name", ["ETPlayer", "^7UnnamedPlayer", "ab", "^1", ""])
def test_a_name_that_is_none_or_nearly_none_says_nothing(name: str) -> None:
    assert look(played("OLD", name), later("NEW", name)) == []


def test_a_clan_tag_makes_no_names_alike_and_none_unlike() -> None:
    clan = [played(str(number), f"{name} NO MERCY") for number, name in enumerate(("fred", "gus", "kim"))]
    assert look(*clan, later("NEW", "ada NO MERCY")) == []
    (found,) = look(*clan, later("NEW", "kimm"), played("OTHER", "fritz"))
    assert (found.older_name, found.newer_name) == ("kim NO MERCY", "kimm")


def test_a_name_that_many_have_is_no_tag() -> None:
    found = look(played("A", "countess"), played("B", "countess"), later("NEW", "countess"))
    assert [(one.older, one.newer) for one in found] == [("A", "NEW"), ("B", "NEW")]


def test_who_met_in_a_round_is_two_persons_and_so_is_of_whom_somebody_decided_it() -> None:
    pair = (played("OLD", "Ada"), later("NEW", "Ada"))
    assert look(*pair) and suggestions(pair, [frozenset(("OLD", "NEW"))], ()) == []
    assert suggestions(pair, (), [frozenset(("NEW", "OLD"))]) == []


def test_one_starts_where_the_other_ends_only_soon_afterwards() -> None:
    new = later("NEW", "countes")
    assert look(played("OLD", "countess"), new)
    assert look(played("OLD", "countess", until=new.last_seen - START), new) == []
    long_ago = replace(played("OLD", "countess"), last_seen=new.first_seen - SUCCEEDS_WITHIN)
    assert look(long_ago, new) == []


def test_weapons_and_accuracy_speak_for_it_where_enough_was_fired() -> None:
    old = replace(played("OLD", "countess"), hits=350, shots=SMG)
    new = replace(played("NEW", "countes"), hits=360, shots=SMG)
    assert [one.reasons for one in look(old, new)] == [(Reason.ALIKE_NAMES, Reason.PROFILE)]
    assert look(old, replace(new, hits=450)) == []
    assert look(old, replace(new, shots={"mp40": 600, "thompson": 300, "sten": 100})) == []
    assert look(old, replace(new, hits=36, shots={"mp40": 70, "thompson": 30})) == []
    assert look(old, replace(new, hits=0)) == []


def test_the_same_mates_speak_for_it_where_there_are_enough() -> None:
    old = replace(played("OLD", "countess"), mates=frozenset("ABCD"))
    new = replace(played("NEW", "countes"), mates=frozenset("ABXY"))
    assert [one.reasons for one in look(old, new)] == [(Reason.ALIKE_NAMES, Reason.MATES)]
    assert look(old, replace(new, mates=frozenset("AXYZ"))) == []
    assert look(old, replace(new, mates=frozenset("AB"))) == []


def test_of_people_with_names_of_their_own_nobody_is_suggested() -> None:
    lot = random.Random(6)
    names = ["".join(lot.choices("abcdefghijklmnopqrstuvwxyz", k=lot.randint(4, 9))) for _ in range(120)]
    crowd = [
        replace(played(f"{at:08X}", f"{'clan' if at % 4 else 'foes'}|{name}"), hits=350, shots=SMG)
        for at, name in enumerate(names)
    ]
    assert look(*crowd) == []


PEOPLE = st.lists(
    st.tuples(st.text("abc ^1|", max_size=6), st.integers(0, 90), st.integers(0, 30)), min_size=2, max_size=7
)


@given(PEOPLE, st.randoms(use_true_random=False))
def test_the_order_in_which_people_come_does_not_matter(people: list[tuple[str, int, int]], lot: random.Random) -> None:
    everybody = [
        played(str(at), name, since=timedelta(days=first), until=timedelta(days=first + lasts))
        for at, (name, first, lasts) in enumerate(people)
    ]
    assert look(*lot.sample(everybody, len(everybody))) == look(*everybody)
    assert all(one.newer != one.older for one in look(*everybody))
