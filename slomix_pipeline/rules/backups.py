"""Which backups are kept, and when one should have been made that was not.

Belongs here: what a backup was made for, what its check found, rotation, being overdue.
Does not belong here: files (``warehouse.backup_files``), making and checking one (``actions.backing_up``).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

WEEKS = 4  # for so many weeks one nightly backup each stays when the others are gone
UPGRADES = 3  # of those made before an upgrade so many stay
GRACE = timedelta(hours=2)  # for making one, and for a machine that was asleep at its time


class BackupKind(StrEnum):
    """What a backup was made for. Those that somebody asked for are never taken away."""

    NIGHTLY = "nightly"
    BY_HAND = "by-hand"
    BEFORE_UPGRADE = "before-upgrade"
    BEFORE_RESTORE = "before-restore"
    BEFORE_MOVE = "before-move"


class Verdict(StrEnum):
    """What came of restoring a backup and comparing what it holds with what was noted when it was made."""

    SAME = "same"
    DIFFERS = "differs"
    NOT_RESTORED = "could not be restored"  # whether for its sake or the server's
    NOT_CHECKED = "not checked"


BAD = (Verdict.DIFFERS, Verdict.NOT_RESTORED)


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is there. ``verdict``: None: nobody has checked it yet."""

    name: str
    kind: BackupKind
    made_at: datetime
    verdict: Verdict | None


def superseded(backups: Iterable[Made], keep: int) -> list[Made]:
    """The backups that may go: nightly ones beyond the newest ``keep`` and one for each of the last weeks, and older
    ones of before upgrades. The newest good one always stays."""
    newest = sorted(backups, key=lambda made: made.made_at, reverse=True)
    nightly = [made for made in newest if made.kind is BackupKind.NIGHTLY]
    upgrades = [made for made in newest if made.kind is BackupKind.BEFORE_UPGRADE]
    kept = {made.name for made in (*nightly[:keep], *_first_of(nightly, _week)[:WEEKS], *upgrades[:UPGRADES])}
    if (good := latest_good(newest)) is not None:
        kept.add(good.name)
    return [made for made in (*nightly, *upgrades) if made.name not in kept]


def latest_good(backups: Iterable[Made]) -> Made | None:
    """The newest backup that was restored and found to be the same."""
    good = [made for made in backups if made.verdict is Verdict.SAME]
    return max(good, key=lambda made: made.made_at, default=None)


def latest_for_overdue(backups: Iterable[Made]) -> Made | None:
    """The newest backup that stands for a nightly one: it is one, or was found to be good."""
    counted = [made for made in backups if made.kind is BackupKind.NIGHTLY or made.verdict is Verdict.SAME]
    return max(counted, key=lambda made: made.made_at, default=None)


def overdue_since(
    at: time, zone: ZoneInfo, latest: datetime | None, begun_at: datetime, now: datetime
) -> datetime | None:
    """Since when a backup is missing; None: none is. ``latest``: when the last one that counts was made; ``begun_at``:
    since when there is anything to keep."""
    due = _last_time(at, zone, now - GRACE)
    if due <= begun_at or (latest is not None and latest >= due):
        return None
    return due + GRACE


def _last_time(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    today = now.astimezone(zone).date()
    times = (datetime.combine(today - timedelta(days=days), at, zone) for days in (0, 1))
    return next(moment for moment in times if moment <= now)


def _week(made: Made) -> tuple[int, int]:
    return made.made_at.isocalendar()[:2]


def _first_of(backups: Sequence[Made], group: Callable[[Made], object]) -> list[Made]:
    found: dict[object, Made] = {}
    for made in backups:
        found.setdefault(group(made), made)
    return list(found.values())
