"""The records of an evening: what in it beat all evenings before, told as it was then."""

from typing import Any

import pytest

from slomix_pipeline.rules.records import (
    ATTACKS_BEFORE_A_RECORD,
    NIGHTS_BEFORE_A_RECORD,
    PLACES,
    RecordKind,
    RecordLevel,
)
from slomix_pipeline.warehouse.fallen_records import FallenRecord, fallen_records
from slomix_pipeline_tests.warehouse.checked_rounds import COUNTS, attacked, checked
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played

TONIGHT = NIGHTS_BEFORE_A_RECORD + 1
LEVELS = [RecordLevel.ROUND, RecordLevel.MATCH, RecordLevel.SESSION]


def night(played: Played, session: int, *players: dict[str, Any], **place: Any) -> str:
    """A night of one round."""
    key = checked(played, *players, session=session, match=session, **place)
    played.conn.execute("update session set started_at = ended_at")
    return key


def history(played: Played, kills: int = 20, nights: int = NIGHTS_BEFORE_A_RECORD, **values: Any) -> None:
    """Nights in which Bob was the best, with so many kills in the second."""
    for session in range(1, nights + 1):
        night(played, session, {"guid": BOB, "name": "Bob", "kills": kills - (session != 2), **values})


def fallen(played: Played, session: int = TONIGHT) -> list[FallenRecord]:
    return fallen_records(played.conn, f"main:s{session}")


def test_a_record_is_told_with_what_stood_before_and_since_when(played: Played) -> None:
    history(played)
    night(played, TONIGHT, {"guid": ADA, "name": "Ada", "kills": 31}, {"guid": BOB, "name": "Bob", "kills": 25})
    found = fallen(played)
    assert [(own.new.kind, own.new.level) for own in found] == [(RecordKind.KILLS, level) for level in LEVELS]
    of_round, of_match, of_session = found
    new, old = of_round.new, of_round.old
    assert (new.value, new.guids, new.names, new.map, new.session_key) == (31, (ADA,), ("Ada",), "supply", "main:s11")
    assert (old.value, old.guids, old.names, old.session_key) == (20, (BOB,), ("Bob",), "main:s2")
    assert new.ended_at > old.ended_at
    assert (of_match.new.map, of_session.new.map, of_session.old.map) == ("supply", None, None)


def test_what_only_equals_a_record_is_none_and_one_needs_a_history(played: Played) -> None:
    history(played)
    night(played, TONIGHT, {"guid": ADA, "kills": 20})
    assert fallen(played) == []
    night(played, TONIGHT + 1, {"guid": ADA, "kills": 31})
    assert len(fallen(played, TONIGHT + 1)) == 3
    assert fallen(played, 2) == []  # better than the first, and nothing else was before it
    assert fallen(played, NIGHTS_BEFORE_A_RECORD) == []


def test_nights_that_do_not_know_a_number_are_no_history_of_it(played: Played) -> None:
    history(played)
    night(played, TONIGHT, {"guid": ADA, "kills": 1, "gibs": 9})
    assert fallen(played) == []


def test_what_comes_later_changes_nothing_and_what_turns_out_to_be_earlier_does(played: Played) -> None:
    history(played)
    night(played, TONIGHT, {"guid": ADA, "kills": 31})
    told = fallen(played)
    night(played, TONIGHT + 1, {"guid": BOB, "name": "Another name", "kills": 99})
    assert fallen(played) == told
    night(played, TONIGHT + 2, {"guid": BOB, "name": "Bob", "kills": 30}, minutes=1)
    assert [own.old.value for own in fallen(played)] == [30, 30, 30]
    night(played, TONIGHT + 3, {"guid": BOB, "kills": 31}, minutes=2)
    assert fallen(played) == []


def test_of_two_who_beat_it_the_better_one_is_told_and_of_equal_ones_the_first(played: Played) -> None:
    history(played)
    for player, kills in ((BOB, 30), (ADA, 31), (BOB, 31)):
        night(played, TONIGHT, {"guid": player, "kills": kills})
    of_round = fallen(played)[0]
    assert (of_round.new.value, of_round.new.guids) == (31, (ADA,))


def test_a_round_under_review_beats_nothing(played: Played) -> None:
    history(played)
    night(played, TONIGHT, {"guid": ADA, "kills": 99, "flags": ["cumulative"]})
    assert fallen(played) == []


def test_every_kind_falls_at_every_level_that_it_has(played: Played) -> None:
    sample = {"seconds_played": 300, "shots": 120}
    history(played, hits=40, **sample, **dict.fromkeys(COUNTS[1:], 9))
    night(played, TONIGHT, {"guid": ADA, "hits": 41, **sample, **dict.fromkeys(COUNTS, 90)})
    assert [(own.new.level, own.new.kind) for own in fallen(played)] == list(PLACES)


@pytest.mark.parametrize("hidden", [ADA, BOB])
def test_the_records_of_who_wishes_not_to_be_named_stand_without_a_name(played: Played, hidden: str) -> None:
    history(played)
    night(played, TONIGHT, {"guid": ADA, "name": "Ada", "kills": 31})
    played.decided("hide", hidden, name="Player 3F2A")
    for own in fallen(played):
        assert (own.new.names, own.old.names) == (() if hidden == ADA else ("Ada",), () if hidden == BOB else ("Bob",))
        assert (own.new.value, own.old.value, own.old.guids) == (31, 20, (BOB,))


def test_nothing_is_told_as_a_record_that_somebody_unnamed_did_better(played: Played) -> None:
    history(played)
    played.decided("hide", BOB, name="Player 3F2A")
    night(played, TONIGHT, {"guid": ADA, "kills": 20})
    assert fallen(played) == []


def test_the_fastest_attack_on_a_map_falls_to_a_team(played: Played) -> None:
    for _ in range(ATTACKS_BEFORE_A_RECORD):
        attacked(played, 300, name="Bob")
    attacked(played, 280, session=2, name="Ada")
    attacked(played, 250, session=2, name="Ada")
    attacked(played, 200, session=3)
    played.conn.execute("update session set started_at = ended_at")
    (found,) = fallen(played, 2)
    assert (found.new.kind, found.new.value, found.new.map) == (RecordKind.ATTACK, 250, "supply")
    assert (found.new.names, found.old.value, found.old.names, found.old.guids) == (("Ada",), 300, ("Bob",), (ADA,))
    played.decided("hide", ADA, name="Player 3F2A")
    (found,) = fallen(played, 2)
    assert (found.new.names, found.old.names, found.new.value) == ((), (), 250)


def test_the_first_attacks_on_a_map_are_no_feat_and_an_equal_time_is_none(played: Played) -> None:
    for number in range(ATTACKS_BEFORE_A_RECORD - 1):
        attacked(played, 300 + number)
    attacked(played, 299, session=2)
    attacked(played, 299, session=3)
    played.conn.execute("update session set started_at = ended_at")
    assert fallen(played, 2) == fallen(played, 3) == []
