"""Rounds worked out anew because a person changed something: at once, with what was told of them.

Belongs here: running the stages in this process. What has to be redone though nobody asks: ``warehouse.rework``.
"""

from collections.abc import Sequence

from slomix_pipeline.actions.importing import Progress, run_partitions
from slomix_pipeline.discord.channels import open_channels
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.runtime.home import one_shot_instance
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.results import sessions_of


def work_out_anew(settings: Settings, database: Database, round_keys: Sequence[str], progress: Progress) -> None:
    """Runs rounds and the reports of their sessions again, from stored bytes. Nothing new is announced; messages that
    are wrong now are corrected."""
    if not round_keys:
        return
    with one_shot_instance(settings, database) as instance:
        channels = open_channels(settings)
        for job, keys in (("ingest_rounds", list(round_keys)), ("report_sessions", None)):
            with database.connect() as conn:
                wanted = sessions_of(conn, round_keys) if keys is None else keys
            run_partitions(
                instance,
                job,
                wanted,
                tags={},
                progress=progress,
                database=database,
                gameserver=NoGameServer(),
                discord=channels,
            )
