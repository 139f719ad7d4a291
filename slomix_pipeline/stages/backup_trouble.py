"""Beside the stages: whether there is a backup that can be brought back, as the folder of backups tells.

Belongs here: what somebody has to look at, and in a line how things stand. Does not belong here: when one is overdue
(``rules.backups``), files (``warehouse.backup_files``), telling it (``stages.alarms``, ``actions.doctor``).
"""

from datetime import UTC, datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.alarms import AlarmCause, Symptom
from slomix_pipeline.rules.backups import BAD, Verdict, latest_for_overdue, overdue_since
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse.backup_files import backups_of, list_backups


def trouble_with_backups(conn: Connection[DictRow], settings: Settings, now: datetime) -> list[Symptom]:
    """A backup that should be there and is not, and the newest one where it was restored and is not what it was."""
    made = backups_of(conn, settings.backups)
    checked = [one for one in made if one.described.verdict in (Verdict.SAME, *BAD)]
    counted = latest_for_overdue(one.made for one in made)
    found = []
    row = conn.execute("select min(applied_at) as at from schema_migration").fetchone()
    if settings.backup_time is not None and row is not None and row["at"] is not None:
        at = None if counted is None else counted.made_at
        since = overdue_since(settings.backup_time, settings.zone, at, row["at"], now)
        if since is not None:
            last = f"the last one is of {_time(at)}" if at else f"there is none in {settings.backups}"
            found.append(Symptom(AlarmCause.BACKUPS, "overdue", last, since))
    if checked and (latest := checked[-1].described).verdict in BAD:
        found.append(Symptom(AlarmCause.BACKUPS, checked[-1].path.name, latest.said, latest.made_at))
    return found


def state_of_backups(settings: Settings) -> str:
    """How things stand, where nothing is wrong."""
    made = list_backups(settings.backups)
    when = f"every night at {settings.backup_at}" if settings.backup_time else "by hand only (SLOMIX_BACKUP_AT=off)"
    if not made:
        return f"none yet; {when}, into {settings.backups}"
    latest = made[-1].described
    checked = f"{latest.verdict}: {latest.said}" if latest.verdict else "not restored for trying"
    return f"{len(made)} in {settings.backups}, {when}; the last one of {_time(latest.made_at)}, {checked}"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
