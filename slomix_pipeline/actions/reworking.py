"""Rounds worked out anew because a person changed something: at once, with what was told of them.

Belongs here: running the stages in this process. What has to be redone though nobody asks: ``warehouse.rework``.
"""

from collections.abc import Sequence

from slomix_pipeline.discord.channels import open_channels
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.runtime.home import working_alone
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.chain import OF_A_ROUND, OF_A_SESSION, Progress, run_stages
from slomix_pipeline.stages.common import Stage, Tools
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.results import sessions_of


def work_out_anew(
    settings: Settings,
    database: Database,
    round_keys: Sequence[str],
    progress: Progress,
) -> None:
    """Runs all stages of rounds, and the reports of their sessions, again, from stored bytes. Nothing new is announced;
    messages that are wrong now are corrected."""
    if not round_keys:
        return
    with working_alone(database):
        run_anew(Tools(database, settings, NoGameServer(), open_channels(settings)), round_keys, progress, OF_A_ROUND)


def run_anew(tools: Tools, round_keys: Sequence[str], progress: Progress, stages: Sequence[Stage]) -> list[str]:
    """The same for who works alone already. Returns the keys of the sessions that these rounds are in now."""
    run_stages(stages, round_keys, tools, progress)
    with tools.database.connect() as conn:
        sessions = sessions_of(conn, round_keys)
    run_stages(OF_A_SESSION, sessions, tools, progress)
    return sessions
