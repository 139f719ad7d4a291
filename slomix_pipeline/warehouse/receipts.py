"""What is stored of one round, for its receipt: ledger, parsed file, placing, timing, checks.

Belongs here: rows of one round across all tables, and finding the round that a person means.
Does not belong here: what the rules say of it now and how it is worded (``reports.receipts``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.gamestats import WeaponCounts
from slomix_pipeline.formats.keys import stem_of
from slomix_pipeline.rules.linking import LinkClass
from slomix_pipeline.rules.scoring import Source, Winner
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.timing import LengthFrom, TimingStatus
from slomix_pipeline.rules.values import FileStatus, Status
from slomix_pipeline.warehouse.rows import rows_of


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


@dataclass(frozen=True)
class FileOfRound:
    """A round's stats file as the ledger has it. ``imported``: its latest bytes came by import; ``sha256`` and
    ``arrived_at`` are None before any came."""

    server: str
    name: str
    status: FileStatus
    reason: str | None
    size: int | None
    sha256: str | None
    imported: bool
    first_seen_at: datetime
    arrived_at: datetime | None


def file_row(conn: Connection[DictRow], key: str) -> FileOfRound:
    """The ledger's row of a round's stats file.

    Raises:
        KeyError: there is no such file.
    """
    with conn.cursor(row_factory=rows_of(FileOfRound)) as cursor:
        found = cursor.execute(
            """select server, name, status, reason, size, sha256, imported, first_seen_at, arrived_at
               from file where kind = 'stats' and partition_key = %s""",
            [key],
        ).fetchone()
    if found is None:
        raise KeyError(key)
    return found


@dataclass(frozen=True)
class RoundStored:
    """A round as parsed, placed and timed, with its place in session and match. What belongs to stages it has not come
    to is None.

    ``record_ended_at`` to ``pause_count`` are of the record that is linked, or else of the candidate; ``endstats`` are
    the keys of the files, ``awards`` and ``duels`` how many they hold.
    """

    round_key: str
    name: str
    sha256: str
    generation: str
    map: str
    label: int
    stamp: datetime
    stamp_local: datetime
    stamp_ambiguous: bool
    match_key: str | None
    partner_key: str | None
    number: int | None
    status: Status | None
    reason: str | None
    unscored_reason: str | None
    invalid_reason: str | None
    valid: bool | None
    flags: tuple[str, ...]
    duration_seconds: float | None
    duration_source: LengthFrom | None
    surrender_side: int | None
    timing_status: TimingStatus | None
    record_key: str | None
    candidate_key: str | None
    link_class: LinkClass | None
    link_reason: str | None
    record_ended_at: datetime | None
    record_seconds: float | None
    record_sha256: str | None
    script_version: str | None
    end_reason: str | None
    exit_print: str | None
    pause_seconds: int | None
    pause_count: int | None
    session_key: str | None
    session_position: int | None
    match_position: int | None
    match_status: Status | None
    match_winner: Winner | None
    match_source: Source | None
    match_reason: str | None
    match_policy: str | None
    endstats_class: LinkClass | None
    endstats_reason: str | None
    endstats: tuple[str, ...]
    awards: int
    duels: int


def round_row(conn: Connection[DictRow], key: str) -> RoundStored | None:
    """What is stored of a round; None when it could never be read."""
    return round_rows(conn, [key]).get(key)


def round_rows(conn: Connection[DictRow], keys: Sequence[str]) -> dict[str, RoundStored]:
    """What is stored of rounds, by key; those that could never be read are left out."""
    with conn.cursor(row_factory=rows_of(RoundStored)) as cursor:
        rows = cursor.execute(
            """select p.round_key, p.name, p.sha256, p.generation, p.map, p.label, p.stamp, p.stamp_local,
                      p.stamp_ambiguous, r.match_key, r.partner_key, r.number, r.status, r.reason, r.unscored_reason,
                      r.invalid_reason, r.valid, coalesce(r.flags, '{}') as flags, t.duration_seconds,
                      t.duration_source, t.surrender_side, t.timing_status, t.record_key, t.candidate_key,
                      t.link_class, t.link_reason,
                      record.ended_at as record_ended_at, record.duration_seconds as record_seconds,
                      record.sha256 as record_sha256, record.script_version, record.end_reason, record.exit_print,
                      record.pause_seconds, record.pause_count, s.session_key, s.position as session_position,
                      m.position as match_position, m.status as match_status, m.winner as match_winner,
                      m.source as match_source, m.reason as match_reason, m.policy as match_policy,
                      e.link_class as endstats_class, e.reason as endstats_reason,
                      array(select file_key from endstats_file f where f.round_key = p.round_key order by 1)
                          as endstats,
                      (select count(*) from award a where a.round_key = p.round_key) as awards,
                      (select count(*) from versus d where d.round_key = p.round_key) as duels
               from parsed_round p
               left join round r using (round_key)
               left join round_timing t using (round_key)
               left join timing_record record on record.record_key = coalesce(t.record_key, t.candidate_key)
               left join session_round s using (round_key)
               left join match m using (match_key)
               left join round_endstats e using (round_key)
               where p.round_key = any(%s)""",
            [keys],
        )
        return {row.round_key: row for row in rows}


def player_rows(conn: Connection[DictRow], key: str) -> list[DictRow]:
    """Everybody who has a line in the round's file: what it says, what round 1's says, and his own numbers."""
    # Untyped: a receipt shows the view's columns as they are, and a test of receipts knows their names.
    return conn.execute(
        "select * from player_round_receipt where round_key = %s order by side nulls last, guid", [key]
    ).fetchall()


@dataclass(frozen=True)
class PlayerStored:
    """A player's own numbers as stored, with their ratios: all under the names of their columns in ``numbers``, which
    are the rules' names of counters and ratios; and by themselves what more is asked of."""

    side: int | None
    seconds_played: int | None
    flags: tuple[str, ...]
    numbers: Mapping[str, Any]


def stored_players(conn: Connection[DictRow], key: str) -> dict[str, PlayerStored]:
    """Own numbers as stored, by GUID."""
    return players_of(conn, [key])[key]


def players_of(conn: Connection[DictRow], keys: Sequence[str]) -> dict[str, dict[str, PlayerStored]]:
    """The same of rounds, by key."""
    found: dict[str, dict[str, PlayerStored]] = {key: {} for key in keys}
    for row in conn.execute("select * from round_player_metric where round_key = any(%s)", [keys]):
        player = PlayerStored(row["side"], row["seconds_played"], tuple(row["flags"]), row)
        found[row["round_key"]][row["guid"]] = player
    return found


def stored_weapons(conn: Connection[DictRow], key: str) -> dict[str, dict[str, WeaponCounts]]:
    """Own numbers of weapons as stored, by GUID and weapon."""
    return weapons_of(conn, [key])[key]


def weapons_of(conn: Connection[DictRow], keys: Sequence[str]) -> dict[str, dict[str, dict[str, WeaponCounts]]]:
    """The same of rounds, by key."""
    found: dict[str, dict[str, dict[str, WeaponCounts]]] = {key: {} for key in keys}
    for row in conn.execute(
        """select round_key, guid, weapon, hits, shots, kills, deaths, headshots from round_weapon
           where round_key = any(%s)""",
        [keys],
    ):
        counts = WeaponCounts(**{name: row[name] for name in WeaponCounts._fields})
        found[row["round_key"]].setdefault(row["guid"], {})[row["weapon"]] = counts
    return found


def teams(conn: Connection[DictRow], session_key: str) -> dict[str, Team | None]:
    """The team of everybody who played in a session, by GUID; None while it is open."""
    rows = conn.execute("select guid, team from session_player where session_key = %s", [session_key])
    return {row["guid"]: row["team"] and Team(row["team"]) for row in rows}
