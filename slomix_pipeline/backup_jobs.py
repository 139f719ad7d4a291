"""The job that makes a backup, tries whether it can be brought back, and takes old ones away.

Belongs here: what its run says. Does not belong here: backups (``actions.backing_up``), when it runs (``schedules``).
"""

import dagster as dg

from slomix_pipeline.actions import backing_up
from slomix_pipeline.formats.names import visible
from slomix_pipeline.jobs import ADMINS_RUN
from slomix_pipeline.post_jobs import clear_failures
from slomix_pipeline.rules.backups import BAD, BackupKind
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse.database import Database

_DESCRIPTION = (
    "Makes a backup of the database into SLOMIX_BACKUP_FOLDER, restores it into a database of its own and compares all "
    "tables, and takes old nightly backups away. Fails when that is not the same."
)


@dg.op(description=_DESCRIPTION)
def backup(
    context: dg.OpExecutionContext, settings: dg.ResourceParam[Settings], database: dg.ResourceParam[Database]
) -> None:
    with clear_failures():
        made = backing_up.back_up(settings, database, BackupKind.NIGHTLY)
        context.log.info(f"{visible(str(made.path))}: {made.in_words}")
        checked = backing_up.check(settings, database, made).described
    context.log.info(f"{checked.verdict}: {visible(checked.said)}")
    context.add_output_metadata(
        {
            "file": dg.MetadataValue.path(str(made.path)),
            "rounds": checked.rounds,
            "bytes": checked.size,
            "seconds": checked.seconds,
            "schema": checked.schema,
            "compared": f"{checked.verdict}: {visible(checked.said)}",
            "taken away": dg.MetadataValue.json(backing_up.rotate(settings, database)),
        }
    )
    if checked.verdict in BAD:
        raise dg.Failure(
            f"the backup {made.path.name}: {checked.verdict}: {visible(checked.said)}", allow_retries=False
        )


nightly_backup = dg.GraphDefinition(name="nightly_backup", node_defs=[backup], description=_DESCRIPTION).to_job(
    tags=ADMINS_RUN
)
