"""Which backups are kept, and when one is missing."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from slomix_pipeline.rules.backups import BackupKind, Made, Verdict, latest_good, overdue_since, superseded

NIGHT = datetime(2031, 5, 6, 4, 30, tzinfo=UTC)
LJUBLJANA = ZoneInfo("Europe/Ljubljana")
NIGHTLY, BEFORE_UPGRADE = BackupKind.NIGHTLY, BackupKind.BEFORE_UPGRADE
LONG_AGO = datetime(2030, 1, 1, tzinfo=UTC)


def made(days_ago: float, kind: BackupKind = BackupKind.NIGHTLY, verdict: Verdict | None = Verdict.SAME) -> Made:
    return Made(f"{kind}-{days_ago:g}", kind, NIGHT - timedelta(days=days_ago), verdict)


def left_of(*backups: Made, keep: int = 3) -> list[str]:
    gone = superseded(backups, keep)
    return sorted(one.name for one in backups if one not in gone)


def test_the_last_nights_stay_and_one_of_each_of_the_last_weeks() -> None:
    nights = [made(days) for days in range(60)]
    kept = superseded(nights, 3)
    left = [one.made_at for one in nights if one not in kept]
    assert [f"{moment:%m-%d}" for moment in left] == ["05-06", "05-05", "05-04", "04-27", "04-20"]
    assert superseded([one for one in nights if one not in kept], 3) == []


def test_what_somebody_asked_for_is_never_taken_away() -> None:
    asked = [made(400 + n, kind, None) for n, kind in enumerate(BackupKind) if kind not in (NIGHTLY, BEFORE_UPGRADE)]
    assert set(left_of(*asked, *map(made, range(90)))) > {one.name for one in asked}


def test_the_last_good_one_stays_however_old_it_is() -> None:
    bad = [made(days, verdict=Verdict.DIFFERS) for days in range(200)]
    good, older = made(300), made(310)
    assert latest_good([*bad, older, good]) == good
    left = left_of(*bad, good, older)
    assert good.name in left and older.name not in left


def test_of_those_before_upgrades_the_last_ones_stay() -> None:
    upgrades = [made(days, BackupKind.BEFORE_UPGRADE, None) for days in range(5)]
    assert left_of(*upgrades, made(9)) == ["before-upgrade-0", "before-upgrade-1", "before-upgrade-2", "nightly-9"]


@pytest.mark.parametrize(
    ("latest", "now", "since"),
    [
        (None, "05-06 06:29", None),
        (None, "05-06 06:31", "05-06 06:30"),
        ("05-06 04:31", "05-07 06:29", None),
        ("05-06 04:31", "05-07 06:31", "05-07 06:30"),
        ("05-06 22:00", "05-07 06:29", None),
        ("05-01 04:31", "05-07 12:00", "05-07 06:30"),
    ],
)
def test_a_backup_is_overdue_two_hours_after_its_time(latest: str | None, now: str, since: str | None) -> None:
    begun_at = datetime(2031, 5, 5, 12, tzinfo=UTC)
    found = overdue_since(time(4, 30), ZoneInfo("UTC"), at(latest) if latest else None, begun_at, at(now))
    assert found == (at(since) if since else None)


def at(text: str) -> datetime:
    return datetime.strptime(f"2031-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def test_a_home_is_not_overdue_before_its_first_night_and_the_time_is_that_of_the_zone() -> None:
    noon = datetime(2031, 5, 6, 12, tzinfo=UTC)
    assert overdue_since(time(4, 30), LJUBLJANA, None, noon - timedelta(hours=1), noon) is None
    assert overdue_since(time(4, 30), LJUBLJANA, None, LONG_AGO, noon) == datetime(2031, 5, 6, 4, 30, tzinfo=UTC)
