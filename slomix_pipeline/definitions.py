"""The front door: the whole system on one screen.

Belongs here: which assets, jobs, sensors and resources exist. Everything else lives in its own module.
"""

from typing import Any

import dagster as dg

from slomix_pipeline import jobs
from slomix_pipeline.assets.gaming_session import gaming_session
from slomix_pipeline.assets.match_post import match_post
from slomix_pipeline.assets.match_score import match_score
from slomix_pipeline.assets.parsed_round import parsed_round
from slomix_pipeline.assets.raw_stats_file import raw_stats_file
from slomix_pipeline.assets.round_awards import round_awards
from slomix_pipeline.assets.round_stats import round_stats
from slomix_pipeline.assets.round_timing import round_timing
from slomix_pipeline.assets.session_report import session_post, session_report
from slomix_pipeline.assets.session_teams import session_teams
from slomix_pipeline.assets.timing_comparison import timing_comparison
from slomix_pipeline.assets.timing_record import timing_record
from slomix_pipeline.checks.golden import golden_night
from slomix_pipeline.resources import DatabaseResource, DiscordResource, GameServerResource
from slomix_pipeline.sensors.folders import gamestats_sensor, gametimes_sensor
from slomix_pipeline.sensors.rework import rework_sensor
from slomix_pipeline.sensors.session_over import session_over_sensor

ASSETS = [
    raw_stats_file,
    parsed_round,
    round_stats,
    round_timing,
    gaming_session,
    session_teams,
    match_score,
    match_post,
    round_awards,
    timing_comparison,
    timing_record,
    session_report,
    session_post,
]


def build_defs(**resources: Any) -> dg.Definitions:
    """All definitions; ``resources`` (``database``, ``gameserver``, ``discord``) replace the ones from the settings."""
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=[golden_night],
        jobs=[jobs.ingest_rounds, jobs.ingest_timings, jobs.report_sessions],
        sensors=[gamestats_sensor, gametimes_sensor, rework_sensor, session_over_sensor],
        resources={
            "database": DatabaseResource(),
            "gameserver": GameServerResource(),
            "discord": DiscordResource(),
            **resources,
        },
        executor=jobs.executor(),
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads."""
    return build_defs()
