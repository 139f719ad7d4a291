"""What pages show and takes too long while somebody waits: a session's receipts, grade, best players and news.

Belongs here: making them, one session at a time, in the background. Does not belong here: when (``sensors.pages``),
what a receipt is (``reports.receipts``), keeping them (``warehouse.site_preparing``).
"""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.reports.career_words import deed_text, feat_text, milestone_text, value_of_kind
from slomix_pipeline.reports.receipts import explain
from slomix_pipeline.rules.best import best_of
from slomix_pipeline.rules.records import RecordKind
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import reading, site_news, site_preparing
from slomix_pipeline.warehouse.careers import unlocked_in
from slomix_pipeline.warehouse.database import Database, DatabaseUnavailable
from slomix_pipeline.warehouse.fallen_records import FallenRecord, fallen_records
from slomix_pipeline.warehouse.grades import session_grade
from slomix_pipeline.warehouse.site_news import News

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
            best = _best(conn, session.key)
        receipts = {key: public(explain(database, settings, key, None, now)) for key in session.rounds}
    except (DatabaseUnavailable, psycopg.OperationalError):
        raise
    except Exception:  # whatever it is: older ones wait behind it
        _log.exception("%s can't be prepared for pages", session.key)
        with database.transaction() as conn:
            site_preparing.note_unprepared(conn, session)
        return session.key
    with database.transaction() as conn:
        site_preparing.store_prepared(conn, session, grade, best, receipts)
    return session.key


def _best(conn: Connection[DictRow], session_key: str) -> dict[Team, list[str]]:
    """The GUIDs of who was best of each team, as the summary of the session has it."""
    if any(match.without_identity for match in reading.matches(conn, [session_key])):
        return {}  # what somebody without identity did is in nobody's share
    players = reading.session_players(conn, session_key)
    return {team: [one.guid for one in best_of([p for p in players if p.team == team])] for team in Team}


def prepare_news(database: Database, now: datetime) -> str | None:
    """Makes the news of the newest session of late whose news are not of what all of it is now; one of which none can
    be made has none until it changes. Returns its key; None: all are.

    Raises:
        DatabaseUnavailable: the database is away.
    """
    with database.snapshot() as conn:
        waiting = site_news.next_one(conn, now - site_news.OF_LATE)
    if waiting is None:
        return None
    try:
        with database.snapshot() as conn:
            news = [*map(_fallen, fallen_records(conn, waiting.key)), *_reached(conn, waiting.key)]
    except (DatabaseUnavailable, psycopg.OperationalError):
        raise
    except Exception:  # whatever it is: older ones wait behind it
        _log.exception("no news can be made of %s", waiting.key)
        news = []
    with database.transaction() as conn:
        site_news.store(conn, waiting, news)
    return waiting.key


def _fallen(record: FallenRecord) -> News:
    new = record.new
    over = "" if new.kind is RecordKind.ATTACK else f" in a {new.level.value}"
    before = f", before {value_of_kind(record.old.kind, record.old.value)}"
    return News(f"{feat_text(new.kind, new.value)}{over}{before}", new.map, new.guids)


def _reached(conn: Connection[DictRow], session_key: str) -> Iterator[News]:
    for own in unlocked_in(conn, session_key):
        words = [*map(milestone_text, own.milestones), *map(deed_text, own.deeds)]
        yield News(", ".join(words), None, (own.player.guid,))


def public(receipt: dict[str, Any]) -> dict[str, Any]:
    """A receipt without what changes by itself and without names of players: pages have them where they are masked."""
    shown = {**receipt, "round": {k: v for k, v in receipt["round"].items() if k != "age_seconds"}}
    if "players" in receipt:
        shown["players"] = [{k: v for k, v in player.items() if k != "name"} for player in receipt["players"]]
    return shown
