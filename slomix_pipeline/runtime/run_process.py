"""What a run's process has loaded before it is asked for: a process that is forked from this starts in a moment.

Belongs here: what to load, and what the process does. Does not belong here: starting and ending it (``run_launcher``).
"""

import gc

from dagster import DagsterInstance
from dagster._cli.api import execute_run_command
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import deserialize_value

import slomix_pipeline.definitions
import slomix_pipeline.discord.telling  # what stages load when they first need it
import slomix_pipeline.gameserver.sftp  # noqa: F401
from slomix_pipeline.runtime.children import name_process
from slomix_pipeline.runtime.dagster_storage import expect_tables
from slomix_pipeline.runtime.run_launcher import note_process

gc.freeze()  # else the first collection in each run writes to, and so copies, all that it shares with this process


def execute_run(arguments: str) -> None:
    """Executes a run as ``dagster api execute_run`` does. ``arguments``: ``ExecuteRunArgs``, as text.

    Raises:
        SystemExit: with 1 when the run failed.
    """
    name_process("slomix-run")
    expect_tables()  # they are there when a run is
    given = deserialize_value(arguments, ExecuteRunArgs)
    assert given.instance_ref is not None
    with DagsterInstance.from_ref(given.instance_ref) as instance:
        note_process(instance, given.run_id)
    assert execute_run_command.callback is not None
    execute_run_command.callback(input_json=arguments, compressed_input_json=None)
