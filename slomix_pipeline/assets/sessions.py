"""The assets of a whole session: its report in the UI, its summary on Discord, its pictures.

Does not belong here: any work (``stages``).
"""

import dagster as dg

from slomix_pipeline import partitions
from slomix_pipeline.assets.common import stage_asset
from slomix_pipeline.stages.session_pictures import session_pictures
from slomix_pipeline.stages.session_post import session_post
from slomix_pipeline.stages.session_report import session_report

SESSIONS = [
    stage_asset(
        session_report,
        tag="session-report",
        kinds={"postgres", "pandas"},
        partitions_def=partitions.sessions,
        deps=[dg.AssetDep("match_score", partition_mapping=dg.AllPartitionMapping())],
        description="A session at a glance: score, maps and every player's totals as a table. Made when no round of "
        "it has arrived for a while, and again whenever something in it changes.",
    ),
    stage_asset(
        session_post,
        tag="session-post",
        kinds={"discord", "postgres"},
        partitions_def=partitions.sessions,
        deps=["session_report"],
        description="The summary of a session that is over, as one message; corrected when the session changes later. "
        "Announced only when it is due: for a fresh session that a sensor asked for.",
    ),
    stage_asset(
        session_pictures,
        tag="session-pictures",
        kinds={"discord", "vega"},
        partitions_def=partitions.sessions,
        deps=["session_post"],
        description="The session in pictures: result, score over the evening, players compared, damage per minute of "
        "each round, times of the attacks. They follow the summary that was told, by an edit of it.",
    ),
]
