"""What schedules ask for: under keys of their day, about stretches of time without a hole or an overlap."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from slomix_pipeline.rules.asked import BoardAsked, DigestAsked, morning_digest, on_this_day, weekly_boards
from slomix_pipeline.rules.boards import BoardName

LJUBLJANA = ZoneInfo("Europe/Ljubljana")
HOUR = timedelta(hours=1)


SUNDAY, MONDAY, THURSDAY = 0, 1, 4  # as cron numbers them
SIX = time(18)


def kd_of_the_week(day: date, weekday: int) -> tuple[str, BoardAsked]:
    ((key, asked),) = weekly_boards(day, weekday, SIX, [BoardName.KD])
    assert isinstance(asked, BoardAsked)
    return key, asked


def test_the_boards_of_a_week_have_keys_of_their_own_and_are_of_the_seven_days_before_it_ended() -> None:
    kills, dpm = weekly_boards(date(2026, 11, 29), SUNDAY, SIX, [BoardName.KILLS, BoardName.DPM])
    assert (kills.key, dpm.key) == ("weekly-2026-W48-kills", "weekly-2026-W48-dpm")
    since, until = date(2026, 11, 22), date(2026, 11, 29)
    assert kills.asked == BoardAsked(BoardName.KILLS, since=since, until=until, at=SIX, unless_empty=True)


def test_weeks_follow_each_other_and_every_day_until_the_next_one_ends_asks_for_the_same() -> None:
    weeks = [kd_of_the_week(date(2026, 12, 21) + timedelta(days=number), MONDAY) for number in range(28)]
    assert [len(list(same)) for _, same in itertools.groupby(weeks)] == [7, 7, 7, 7]
    for (earlier_key, earlier), (later_key, later) in itertools.pairwise(weeks[::7]):
        assert earlier.until == later.since and earlier_key != later_key


def test_the_week_at_the_turn_of_the_year_is_one() -> None:
    keys = {kd_of_the_week(day, THURSDAY)[0] for day in (date(2026, 12, 31), date(2027, 1, 1))}
    assert keys == {"weekly-2026-W53-kd"}


def test_a_day_is_asked_for_once() -> None:
    assert on_this_day(date(2026, 3, 1)).key == "on-this-day-2026-03-01"
    assert on_this_day(date(2026, 3, 1)) == on_this_day(date(2026, 3, 1)) != on_this_day(date(2027, 3, 1))


def digest(day: date) -> DigestAsked:
    asked = morning_digest(day, time(9), LJUBLJANA, HOUR).asked
    assert isinstance(asked, DigestAsked)
    return asked


def test_digests_follow_each_other_without_hole_or_overlap_also_where_the_clock_changes() -> None:
    days = [date(2026, 10, 23) + timedelta(days=number) for number in range(5)]  # the clock goes back on the 25th
    for earlier, later in itertools.pairwise(days):
        assert digest(earlier).until == digest(later).since
    assert digest(date(2026, 10, 24)).until == datetime(2026, 10, 24, 6, tzinfo=UTC)  # nine o'clock, and an hour before
    assert digest(date(2026, 10, 26)).until == datetime(2026, 10, 26, 7, tzinfo=UTC)
