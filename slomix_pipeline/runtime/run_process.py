"""What a run's process has loaded before it is asked for: a process that is forked from this starts in a moment.

Belongs here: what to load, and what the process does. Does not belong here: starting and ending it (``run_launcher``).
"""

import gc

from dagster._cli.api import execute_run_command

import slomix_pipeline.definitions
import slomix_pipeline.discord.telling  # what stages load when they first need it
import slomix_pipeline.gameserver.sftp
import slomix_pipeline.runtime.run_launcher  # noqa: F401  # what starts the process there
from slomix_pipeline.runtime.dagster_storage import expect_tables

gc.freeze()  # else the first collection in each run writes to, and so copies, all that it shares with this process


def execute_run(arguments: str) -> None:
    """Executes a run as ``dagster api execute_run`` does. ``arguments``: ``ExecuteRunArgs``, as text.

    Raises:
        SystemExit: with 1 when the run failed.
    """
    expect_tables()  # they are there when a run is
    assert execute_run_command.callback is not None
    execute_run_command.callback(input_json=arguments, compressed_input_json=None)
