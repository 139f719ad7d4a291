"""What pages show and takes too long while somebody waits: the receipts of a session's rounds, and its grade.

Belongs here: making them, one session at a time, in the background. Does not belong here: when (``sensors.pages``),
what a receipt is (``reports.receipts``), keeping them (``warehouse.site_preparing``).
"""

import logging
from datetime import datetime
from typing import Any

import psycopg

from slomix_pipeline.reports.receipts import explain
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import site_preparing
from slomix_pipeline.warehouse.database import Database, DatabaseUnavailable
from slomix_pipeline.warehouse.grades import session_grade

_log = logging.getLogger(__name__)


def prepare_next(database: Database, settings: Settings, now: datetime) -> str | None:
    """Prepares the newest session that is not prepared as it is now; one that can't be is left until it changes.
    Returns its key; None: all are.

    Raises:
        DatabaseUnavailable: the database is away.
    """
    with database.snapshot() as conn:
        session = site_preparing.next_one(conn)
    if session is None:
        return None
    try:
        with database.snapshot() as conn:
            grade = session_grade(conn, session.key).letter
        receipts = {key: public(explain(database, settings, key, None, now)) for key in session.rounds}
    except (DatabaseUnavailable, psycopg.OperationalError):
        raise
    except Exception:  # whatever it is: older ones wait behind it
        _log.exception("%s can't be prepared for pages", session.key)
        with database.transaction() as conn:
            site_preparing.note_unprepared(conn, session)
        return session.key
    with database.transaction() as conn:
        site_preparing.store_prepared(conn, session, grade, receipts)
    return session.key


def public(receipt: dict[str, Any]) -> dict[str, Any]:
    """A receipt without what changes by itself and without names of players: pages have them where they are masked."""
    shown = {**receipt, "round": {k: v for k, v in receipt["round"].items() if k != "age_seconds"}}
    if "players" in receipt:
        shown["players"] = [{k: v for k, v in player.items() if k != "name"} for player in receipt["players"]]
    return shown
