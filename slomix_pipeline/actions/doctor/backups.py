"""What the doctor says of backups: whether there is one that can be brought back, and who may read their folder.

Does not belong here: when one is overdue (``rules.backups``), files (``warehouse.backup_files``).
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg

from slomix_pipeline.actions.doctor.database import Down, running
from slomix_pipeline.reports.findings import Finding, failed, ok, warning
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.backup_trouble import state_of_backups, trouble_with_backups
from slomix_pipeline.warehouse.database import DatabaseUnavailable

LATE_FIX = "see whether the disk of SLOMIX_BACKUP_FOLDER answers"


def look(settings: Settings) -> Iterator[Finding]:
    """How backups stand."""
    folder = settings.backups
    if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
        yield failed("backups", f"{folder} may not be written", "change its owner, or set SLOMIX_BACKUP_FOLDER")
        return
    try:
        with running(settings).connect() as conn:
            row = conn.execute("select to_regclass('schema_migration') is not null as there").fetchone()
            there = row is not None and row["there"]
            troubles = trouble_with_backups(conn, settings, datetime.now(UTC)) if there else []
    except (Down, DatabaseUnavailable, psycopg.Error):
        troubles = []  # whether one is overdue goes by the database
    for symptom in troubles:  # what runs goes on without, so it is no reason not to start
        yield warning("backups", f"{symptom.subject}: {symptom.detail}", "slomix backup --check makes one")
    if not troubles:
        yield ok("backups", state_of_backups(settings))
