"""What only pages read: what was prepared for them, and keys near one that is not there.

Belongs here: reading ``site.receipt``, ``site.card`` and ``site.picture``; lists of sessions a page at a time; finding
the page that a key belongs to.
Does not belong here: results and numbers, which pages read as everybody does (``reading``, ``session_evidence``,
``session_rounds``), preparing (``site_preparing``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Literal

from psycopg import Connection, sql
from psycopg.rows import DictRow

from slomix_pipeline.formats.gamestats import PlayerLine, WeaponCounts
from slomix_pipeline.formats.tail import TAIL_FIELDS
from slomix_pipeline.warehouse.rows import rows_of

_NEAR = 3  # keys before and after one that is not there
_KEYS = {"session": "session_key", "match": "match_key", "round": "round_key"}


@dataclass(frozen=True)
class PictureListed:
    """A picture of a session. ``alt``: the same in words; ``of_present``: it was not scored anew since ``made_at``."""

    name: str
    alt: str
    of_present: bool
    made_at: datetime


def grades(conn: Connection[DictRow], session_keys: Sequence[str]) -> dict[str, str]:
    """The letters of sessions, where they are known; by session."""
    rows = conn.execute("select session_key, grade from site.card where session_key = any(%s)", [list(session_keys)])
    return {row["session_key"]: row["grade"] for row in rows}


def installation(conn: Connection[DictRow]) -> str:
    """What tells this data from that of any other installation."""
    row = conn.execute("select installation::text as id from site.version").fetchone()
    assert row is not None
    return str(row["id"])


def newest_sessions(
    conn: Connection[DictRow], most: int, *, before: str | None = None, on: date | None = None, zone: tzinfo = UTC
) -> list[str]:
    """The keys of sessions, newest first. ``before``: older than this one; ``on``: begun that day in ``zone``."""
    rows = conn.execute(
        """select session_key from session
           where (%(before)s::text is null or (started_at, session_key) < (
                      select s.started_at, s.session_key from session s where s.session_key = %(before)s))
             and (%(on)s::date is null or (started_at at time zone %(zone)s)::date = %(on)s)
           order by started_at desc, session_key desc limit %(most)s""",
        {"before": before, "on": on, "zone": str(zone), "most": most},
    )
    return [row["session_key"] for row in rows]


def session_after(conn: Connection[DictRow], session_key: str) -> str | None:
    """The key of the session that came after one; None: it is the newest."""
    row = conn.execute(
        """select session_key from session
           where (started_at, session_key) > (
               select s.started_at, s.session_key from session s where s.session_key = %s)
           order by started_at, session_key limit 1""",
        [session_key],
    ).fetchone()
    return None if row is None else str(row["session_key"])


def several_servers(conn: Connection[DictRow]) -> bool:
    """Whether there are sessions of more than one game server."""
    row = conn.execute("select count(distinct server) > 1 as several from session").fetchone()
    return row is not None and bool(row["several"])


def receipt(conn: Connection[DictRow], round_key: str) -> dict[str, Any] | None:
    """What ``slomix explain`` says of a round, without names; None: that is being made."""
    row = conn.execute("select document from site.receipt where round_key = %s", [round_key]).fetchone()
    return None if row is None else dict(row["document"])


def pictures(conn: Connection[DictRow], session_key: str) -> list[PictureListed]:
    """The pictures of a session, in order."""
    with conn.cursor(row_factory=rows_of(PictureListed)) as cursor:
        return cursor.execute(
            "select name, alt, of_present, made_at from site.picture where session_key = %s order by position",
            [session_key],
        ).fetchall()


def picture(
    conn: Connection[DictRow], session_key: str, name: str | None, kind: Literal["svg", "png"]
) -> str | bytes | None:
    """A picture of a session; without a name the first, which tells the result. None: it is not there."""
    row = conn.execute(
        """select svg, png from site.picture where session_key = %(key)s and (%(name)s::text is null or name = %(name)s)
           order by position limit 1""",
        {"key": session_key, "name": name},
    ).fetchone()
    if row is None:
        return None
    return str(row["svg"]) if kind == "svg" else bytes(row["png"])


def match_of(conn: Connection[DictRow], key: str) -> tuple[str, str] | None:
    """The session and the match that a key of a match, or of a round of one, belongs to."""
    row = conn.execute(
        "select session_key, match_key from match where match_key = %(key)s or r1_key = %(key)s or r2_key = %(key)s",
        {"key": key},
    ).fetchone()
    return None if row is None else (row["session_key"], row["match_key"])


def session_of_round(conn: Connection[DictRow], round_key: str) -> str | None:
    """The session that a round is part of."""
    row = conn.execute("select session_key from session_round where round_key = %s", [round_key]).fetchone()
    return None if row is None else str(row["session_key"])


def player_line(conn: Connection[DictRow], round_key: str, guid: str) -> PlayerLine | None:
    """A player as the file of a round has him; None: it has not. Pages read no bytes of files."""
    asked = [round_key, guid]
    row = conn.execute("select * from parsed_player where round_key = %s and guid = %s", asked).fetchone()
    if row is None:
        return None
    weapons = {
        counts["weapon"]: WeaponCounts(**{name: counts[name] for name in WeaponCounts._fields})
        for counts in conn.execute("select * from parsed_weapon where round_key = %s and guid = %s", asked)
    }
    tail = {name: row[name] for name in TAIL_FIELDS}
    return PlayerLine(row["guid"], row["name"], row["rounds"], row["side"], weapons, tail)


def near(conn: Connection[DictRow], kind: Literal["session", "match", "round"], key: str) -> list[str]:
    """The keys before and after one that is not there: of another stamp of the same evening, mostly."""
    query = sql.SQL(
        """(select {key} as key from {kind} where {key} < %(key)s order by {key} desc limit %(most)s)
           union all (select {key} from {kind} where {key} > %(key)s order by {key} limit %(most)s) order by key"""
    ).format(key=sql.Identifier(_KEYS[kind]), kind=sql.Identifier(kind))
    return [row["key"] for row in conn.execute(query, {"key": key, "most": _NEAR})]
