"""What is done at a time of its own: boards once a week, what was played on this day, a digest in the morning; a backup
every night, and how the pipeline stands, to those who run it.

Belongs here: which schedules the settings switch on; no post is there whose setting is not set. Does not belong here:
what is posted (``post_jobs``, ``report_job``), and that it is posted once, which goes by its day (``rules.asked``);
backups (``backup_jobs``).
"""

from datetime import UTC, datetime, time

import dagster as dg

from slomix_pipeline import post_jobs, report_job
from slomix_pipeline.backup_jobs import nightly_backup
from slomix_pipeline.setting_texts import moment_of_week
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import restores
from slomix_pipeline.warehouse.database import Database


def schedules_of(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The schedules that the settings switch on, in the game server's time zone."""
    found = []
    if settings.weekly_boards_at:
        weekday, at = moment_of_week(settings.weekly_boards_at)
        cron = f"{at.minute} {at.hour} * * {weekday}"
        found.append(_schedule("weekly_boards", post_jobs.post_weekly_boards, cron, settings))
    if settings.on_this_day_at:
        cron = f"{_of_day(settings.on_this_day_at)} * * *"
        found.append(_schedule("on_this_day", post_jobs.post_on_this_day, cron, settings))
    if settings.morning_digest_at:
        cron = f"{_of_day(settings.morning_digest_at)} * * *"
        found.append(_schedule("morning_digest", post_jobs.post_morning_digest, cron, settings))
    if settings.nightly_report_at:
        cron = f"{_of_day(settings.nightly_report_at)} * * *"
        found.append(_schedule(report_job.NIGHTLY, report_job.pipeline_report, cron, settings))
    if settings.backup_time:
        found.append(_nightly(f"{_of_day(settings.backup_at)} * * *", settings))
    return found


def _nightly(cron: str, settings: Settings) -> dg.ScheduleDefinition:
    """A backup each night; the last one that was missed is made up for, however late."""

    def asks_for_its_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"{nightly_backup.name}:{context.scheduled_execution_time:%Y-%m-%d}")

    return dg.ScheduleDefinition(
        name=nightly_backup.name,
        job=nightly_backup,
        cron_schedule=cron,
        execution_timezone=settings.timezone,
        execution_fn=asks_for_its_night,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"{nightly_backup.description} At SLOMIX_BACKUP_AT; off switches it off.",
    )


def _of_day(at: str) -> str:
    moment = time.fromisoformat(at)
    return f"{moment.minute} {moment.hour}"


def _schedule(name: str, job: dg.JobDefinition, cron: str, settings: Settings) -> dg.ScheduleDefinition:
    def asks_for_its_day(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        database: Database = context.resources.database
        with database.connect() as conn:
            silent_before = restores.silent_before(conn)
        tick = context.scheduled_execution_time
        return request_for(name, tick, datetime.now(UTC), settings, job.name, silent_before)

    return dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=settings.timezone,
        execution_fn=asks_for_its_day,
        required_resource_keys={"database"},
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"{job.description} Switched on by SLOMIX_{name.upper()}_AT.",
    )


def request_for(
    name: str, tick: datetime, now: datetime, settings: Settings, job: str, silent_before: datetime | None = None
) -> dg.RunRequest | dg.SkipReason:
    """The run that a tick asks for: that of its day, of a job whose op has the schedule's name. Dagster makes up for
    the last tick of a time in which it did not run: that is no news any more when it is too old, and may have been
    posted when a backup was brought back since (``silent_before``)."""
    day = f"{tick.astimezone(settings.zone):%Y-%m-%d}"
    if now - tick > settings.publish_max_age:
        return dg.SkipReason(
            f"the time of {day} was missed by more than SLOMIX_PUBLISH_MAX_AGE; {job} posts it from the launchpad"
        )
    if silent_before is not None and tick <= silent_before:
        return dg.SkipReason(f"a backup was brought back since; where {day} was not posted, {job} does so by hand")
    config = dg.RunConfig(ops={name: post_jobs.DayConfig(day=day)})
    return dg.RunRequest(run_key=f"{name}:{day}", run_config=config)
