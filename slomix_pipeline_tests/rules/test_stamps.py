"""File stamps as moments in UTC, across both clock changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.stamps import stamp_in_utc

LJUBLJANA = ZoneInfo("Europe/Ljubljana")
REPEATED = datetime(2025, 10, 26, 2, 30)
EARLIER = datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
LATER = EARLIER + timedelta(hours=1)


def test_a_stamp_is_local_time_of_the_game_server() -> None:
    assert stamp_in_utc(datetime(2025, 7, 1, 21, 0), LJUBLJANA) == (datetime(2025, 7, 1, 19, 0, tzinfo=UTC), False)
    assert stamp_in_utc(datetime(2025, 12, 1, 21, 0), LJUBLJANA) == (datetime(2025, 12, 1, 20, 0, tzinfo=UTC), False)


def test_the_repeated_hour_without_a_witness_is_the_earlier_one_and_marked() -> None:
    assert stamp_in_utc(REPEATED, LJUBLJANA) == (EARLIER, True)


def test_a_witness_decides_the_repeated_hour() -> None:
    assert stamp_in_utc(REPEATED, LJUBLJANA, [EARLIER - timedelta(seconds=3)]) == (EARLIER, False)
    assert stamp_in_utc(REPEATED, LJUBLJANA, [LATER - timedelta(seconds=3)]) == (LATER, False)


def test_a_witness_of_another_round_decides_nothing() -> None:
    assert stamp_in_utc(REPEATED, LJUBLJANA, [LATER + timedelta(minutes=10)]) == (EARLIER, True)


def test_the_other_play_of_a_map_that_ended_nearly_an_hour_before_is_no_witness() -> None:
    other, own = EARLIER + timedelta(seconds=26), LATER - timedelta(seconds=3)
    assert stamp_in_utc(REPEATED, LJUBLJANA, [other]) == (EARLIER, True)
    assert stamp_in_utc(REPEATED, LJUBLJANA, [other, own]) == (LATER, False)


def test_of_two_plays_of_a_map_that_ended_just_an_hour_apart_records_do_not_tell_which_is_which() -> None:
    ends = [EARLIER - timedelta(seconds=3), LATER - timedelta(seconds=4)]
    assert stamp_in_utc(REPEATED, LJUBLJANA, ends) == (EARLIER, True)
    assert stamp_in_utc(REPEATED, LJUBLJANA, ends, written_at=LATER) == (LATER, False)


def test_the_files_own_time_decides_where_no_record_does() -> None:
    assert stamp_in_utc(REPEATED, LJUBLJANA, written_at=LATER + timedelta(seconds=40)) == (LATER, False)
    assert stamp_in_utc(REPEATED, LJUBLJANA, written_at=LATER + timedelta(days=40)) == (EARLIER, True)
    # A copy may have moved it by the very hour, so the record has the word.
    assert stamp_in_utc(REPEATED, LJUBLJANA, [LATER], written_at=EARLIER) == (LATER, False)


def test_an_hour_that_spring_leaves_out_is_not_ambiguous() -> None:
    assert not stamp_in_utc(datetime(2025, 3, 30, 2, 30), LJUBLJANA).ambiguous


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)))
def test_outside_clock_changes_the_moment_reads_as_the_stamp_again(stamp: datetime) -> None:
    moment = stamp_in_utc(stamp, LJUBLJANA)
    back = moment.at.astimezone(LJUBLJANA).replace(tzinfo=None)
    assert back == stamp or (back - stamp == timedelta(hours=1) and stamp.month == 3)
