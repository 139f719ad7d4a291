"""What pages show and takes too long while somebody waits: the receipts of a session's rounds, and its grade.

Belongs here: making them, one session at a time, in the background. Does not belong here: when (``sensors.pages``),
what a receipt is (``reports.receipts``), keeping them (``warehouse.site_preparing``).
"""

from datetime import datetime
from typing import Any

from slomix_pipeline.reports.receipts import explain
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import site_preparing
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.grades import session_grade


def prepare_next(database: Database, settings: Settings, now: datetime) -> str | None:
    """Prepares the newest session that is not prepared as it is now. Returns its key; None: all are."""
    with database.snapshot() as conn:
        session = site_preparing.next_one(conn)
        if session is None:
            return None
        grade = session_grade(conn, session.key).letter
    receipts = {key: public(explain(database, settings, key, None, now)) for key in session.rounds}
    with database.transaction() as conn:
        site_preparing.store_prepared(conn, session, grade, receipts)
    return session.key


def public(receipt: dict[str, Any]) -> dict[str, Any]:
    """A receipt without what changes by itself. It holds no line of a player: names there have colours within, and a
    wish to be hidden would not find them."""
    receipt["round"].pop("age_seconds", None)
    return receipt
