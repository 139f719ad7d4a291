"""The front door: the whole system on one screen.

Belongs here: which assets, jobs, sensors, schedules and resources exist. Everything else lives in its own module.
"""

from typing import Any

import dagster as dg

from slomix_pipeline import jobs, post_jobs
from slomix_pipeline.assets.insight import INSIGHT
from slomix_pipeline.assets.rounds import BESIDE_THE_CHAIN, CHAIN
from slomix_pipeline.assets.sessions import SESSIONS
from slomix_pipeline.assets.timings import TIMINGS
from slomix_pipeline.backup_jobs import nightly_backup
from slomix_pipeline.checks.golden import golden_night
from slomix_pipeline.report_job import pipeline_report
from slomix_pipeline.resources import (
    DatabaseResource,
    DiscordResource,
    GameServerResource,
    SettingsResource,
    settings_of_this_process,
)
from slomix_pipeline.schedules import schedules_of
from slomix_pipeline.sensors.alarms import alarms_sensor
from slomix_pipeline.sensors.catalogue import catalogue_sensor
from slomix_pipeline.sensors.folders import folder_sensors
from slomix_pipeline.sensors.insight import insight_sensor
from slomix_pipeline.sensors.outbox import outbox_sensor
from slomix_pipeline.sensors.pages import pages_sensor
from slomix_pipeline.sensors.pruning import pruning_sensor
from slomix_pipeline.sensors.rework import rework_sensor
from slomix_pipeline.sensors.session_over import session_over_sensor
from slomix_pipeline.team_jobs import suggest_teams

ASSETS = [*CHAIN, *BESIDE_THE_CHAIN, *TIMINGS, *SESSIONS, *INSIGHT]


def build_defs(**resources: Any) -> dg.Definitions:
    """All definitions; ``resources`` (``settings``, ``database`` and so on) replace this process's."""
    settings = resources.get("settings") or settings_of_this_process()
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=[golden_night],
        jobs=[
            jobs.ingest_rounds,
            jobs.ingest_timings,
            jobs.report_sessions,
            jobs.refit_insight,
            suggest_teams,
            pipeline_report,
            nightly_backup,
            *post_jobs.JOBS,
        ],
        schedules=schedules_of(settings),
        sensors=[
            *folder_sensors(settings),
            rework_sensor,
            session_over_sensor,
            catalogue_sensor,
            pruning_sensor,
            alarms_sensor,
            outbox_sensor,
            pages_sensor,
            insight_sensor,
        ],
        resources={
            "settings": SettingsResource(),
            "database": DatabaseResource(),
            "gameserver": GameServerResource(),
            "discord": DiscordResource(),
            **resources,
        },
        executor=jobs.executor(settings),
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads."""
    return build_defs()
