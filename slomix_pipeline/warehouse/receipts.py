"""What is stored of one round, for its receipt: ledger, parsed file, placing, timing, checks.

Belongs here: rows of one round across all tables, and finding the round that a person means.
Does not belong here: what the rules say of it now and how it is worded (``reports.receipts``).
"""

from collections.abc import Mapping
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.keys import stem_of


def candidates(conn: Connection[DictRow], wanted: str) -> list[str]:
    """Keys of the stats files that ``wanted`` may mean: a key, a file's name or its stem, or the beginning of one.

    Those it names exactly, when there are any, leave the others out. ``latest`` is the newest round.
    """
    if wanted == "latest":
        rows = conn.execute("select round_key from parsed_round order by stamp desc, round_key desc limit 1").fetchall()
        return [row["round_key"] for row in rows]
    rows = conn.execute(
        """select partition_key as key, name from file
               where kind = 'stats' and (starts_with(partition_key, %(wanted)s) or starts_with(name, %(wanted)s))
               order by partition_key""",
        {"wanted": wanted},
    ).fetchall()
    exact = [row["key"] for row in rows if wanted in (row["key"], row["name"], stem_of(row["key"]))]
    return exact or [row["key"] for row in rows]


def file_row(conn: Connection[DictRow], key: str) -> DictRow:
    """The ledger's row of a round's stats file.

    Raises:
        KeyError: there is no such file.
    """
    found = conn.execute("select * from file where kind = 'stats' and partition_key = %s", [key]).fetchone()
    if found is None:
        raise KeyError(key)
    return found


def round_row(conn: Connection[DictRow], key: str) -> DictRow | None:
    """A round as parsed, placed and timed, with its place in session and match; None when it could never be read.

    What belongs to stages it has not come to is null.
    """
    return conn.execute(
        """select p.*, r.match_key, r.partner_key, r.number, r.status, r.reason, r.unscored_reason, r.invalid_reason,
                  r.valid, r.flags, r.rules_at, t.duration_seconds, t.duration_source, t.surrender_side,
                  t.timing_status, t.record_key, t.candidate_key, t.link_class, t.link_reason,
                  record.ended_at as record_ended_at, record.duration_seconds as record_seconds,
                  record.sha256 as record_sha256, record.script_version, record.end_reason, record.exit_print,
                  record.pause_seconds, record.pause_count, s.session_key, s.position as session_position,
                  m.position as match_position, m.status as match_status, m.winner as match_winner,
                  m.source as match_source, m.reason as match_reason, m.policy as match_policy,
                  e.link_class as endstats_class, e.reason as endstats_reason,
                  array(select file_key from endstats_file f where f.round_key = p.round_key order by 1) as endstats,
                  (select count(*) from award a where a.round_key = p.round_key) as awards,
                  (select count(*) from versus d where d.round_key = p.round_key) as duels
           from parsed_round p
           left join round r using (round_key)
           left join round_timing t using (round_key)
           left join timing_record record on record.record_key = coalesce(t.record_key, t.candidate_key)
           left join session_round s using (round_key)
           left join match m using (match_key)
           left join round_endstats e using (round_key)
           where p.round_key = %s""",
        [key],
    ).fetchone()


def player_rows(conn: Connection[DictRow], key: str) -> list[DictRow]:
    """Everybody who has a line in the round's file: what it says, what round 1's says, and his own numbers."""
    return conn.execute(
        "select * from player_round_receipt where round_key = %s order by side nulls last, guid", [key]
    ).fetchall()


def stored_players(conn: Connection[DictRow], key: str) -> dict[str, DictRow]:
    """Own numbers as stored, with their ratios, by GUID."""
    rows = conn.execute("select * from round_player_metric where round_key = %s", [key])
    return {row["guid"]: row for row in rows}


def stored_weapons(conn: Connection[DictRow], key: str) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Own numbers of weapons as stored, by GUID and weapon."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in conn.execute(
        "select guid, weapon, hits, shots, kills, deaths, headshots from round_weapon where round_key = %s", [key]
    ):
        found.setdefault(row["guid"], {})[row["weapon"]] = row
    return found


def teams(conn: Connection[DictRow], session_key: str) -> dict[str, str | None]:
    """The team of everybody who played in a session, by GUID; None while it is open."""
    rows = conn.execute("select guid, team from session_player where session_key = %s", [session_key])
    return {row["guid"]: row["team"] for row in rows}
