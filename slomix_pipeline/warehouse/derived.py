"""What is derived from stored bytes and decisions, part by part: taken away, and compared with what was there before.

Belongs here: which tables that are, what of them tells only when work was done, what goes with a round that is taken
away and is nobody's to make anew. Does not belong here: making it anew (``stages``), never taken away: bytes, files,
decisions, what was told, what was learned, predictions.

All of it happens in one transaction, on one connection: what was there before lies in temporary tables until its end.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import Connection, sql
from psycopg.rows import DictRow

from slomix_pipeline.rules.linking import CANDIDATE_WINDOW
from slomix_pipeline.warehouse.check_results import CheckName
from slomix_pipeline.warehouse.digests import Digest, digests, together

_ROUNDS: LiteralString = "round_key in (select key from part)"
_SESSIONS: LiteralString = (
    "session_key in (select session_key from session_round where round_key in (select key from part))"
)
# Every table with what makes a row one of the part.
OF_ROUNDS: Mapping[str, LiteralString] = {
    "parsed_round": _ROUNDS,
    "parsed_player": _ROUNDS,
    "parsed_weapon": _ROUNDS,
    "round": _ROUNDS,
    "round_player": _ROUNDS,
    "round_weapon": _ROUNDS,
    "round_timing": _ROUNDS,
    "round_endstats": _ROUNDS,
    "endstats_file": _ROUNDS,
    "award": _ROUNDS,
    "versus": _ROUNDS,
    "session_round": _ROUNDS,
    "session": _SESSIONS,
    "session_player": _SESSIONS,
    "session_team": _SESSIONS,
    "match": _SESSIONS,
    "player_round_fact": _ROUNDS,
    "player_session_fact": (
        "scope in (select session_key from session_round where round_key in (select key from part))"
    ),
    "session_map": _SESSIONS,
    "player_weapon_fact": _SESSIONS,
    "player_match_fact": _SESSIONS,
    "player_night_fact": _SESSIONS,
    "player_met_fact": _SESSIONS,
    "player_duel_fact": _SESSIONS,
    "alias_fact": _SESSIONS,
    "round_in_book": _ROUNDS,
    "map_attack": _SESSIONS,
    "book_night": _SESSIONS,
    # Why a record has no round is said with the rounds.
    "timing_record": "record_key in (select key from near)",
    "check_result": "partition_key in (select key from part) and check_name = any(array(select name from checked))",
}
OF_RECORDS: Mapping[str, LiteralString] = {"timing_record": "record_key in (select key from part)"}

IN_PART = frozenset({"timing_record", "check_result"})  # a part has what is near its rounds, and is about them

# Moments of working, and what rounds say of a record. What a check saw may name the last look into a folder.
LEAVE_OUT: Mapping[str, Collection[str]] = {
    "parsed_round": ("parsed_at",),
    "round": ("rules_at",),
    "round_timing": ("timed_at",),
    "session": ("worked_at", "scored_at", "told_of", "awarded_at", "prepared_of"),
    "timing_record": ("stored_at",),
    "check_result": ("checked_at", "metadata"),
}
# What pages were prepared of rounds and sessions goes with them, and is put back as it was: some of it (pictures) was
# made when it was told, the rest the sensor makes anew where it has become another.
GOES_WITH: Mapping[str, LiteralString] = {
    "site_receipt": _ROUNDS,
    "site_card": _SESSIONS,
    "site_picture": _SESSIONS,
    "site_news": _SESSIONS,
}
# These tell of a way that a round took, not of what it is: of a transfer, of messages, of the server's own log.
_OF_THE_WAY = frozenset(
    {
        CheckName.TRANSFER,
        CheckName.DUPLICATES,
        CheckName.TIMING_CHAIN,
        CheckName.TIMING_TOLD,
        CheckName.TOLD_ONCE,
        CheckName.PICTURES,
    }
)
_SHOWN = 3  # keys of rows that differ, of a table and a part


@dataclass(frozen=True)
class Compared:
    """A table before and after. ``keys``: of some rows that differ."""

    before: Digest
    after: Digest
    keys: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        return self.before == self.after


def keep(conn: Connection[DictRow], keys: Sequence[str], tables: Mapping[str, LiteralString]) -> None:
    """Puts aside what tables hold of a part, which is named by the keys of its rounds, or of its records."""
    conn.execute("create temporary table part on commit drop as select unnest(%s::text[]) as key", [list(keys)])
    conn.execute(
        """create temporary table near on commit drop as
           select record_key as key from timing_record w
           where exists (select from part join parsed_round p on p.round_key = part.key
                         where p.server = w.server and w.ended_at between p.stamp - %(window)s and p.stamp + %(window)s)
              or exists (select from part join round_timing t on t.round_key = part.key
                         where w.record_key in (t.record_key, t.candidate_key))""",
        {"window": CANDIDATE_WINDOW},
    )
    names = [name for name in CheckName if name not in _OF_THE_WAY]
    conn.execute("create temporary table checked on commit drop as select unnest(%s::text[]) as name", [names])
    _copy(conn, "before", {**tables, **(GOES_WITH if tables is OF_ROUNDS else {})})


def _copy(conn: Connection[DictRow], when: LiteralString, tables: Mapping[str, LiteralString]) -> None:
    for table, condition in tables.items():
        conn.execute(
            sql.SQL("create temporary table {copy} on commit drop as select * from public.{table} where {rows}").format(
                copy=sql.Identifier(f"{when}_{table}"), table=sql.Identifier(table), rows=sql.SQL(condition)
            )
        )


def take_away(conn: Connection[DictRow]) -> None:
    """Takes away what is derived of the rounds that were put aside, after ``keep``.

    What a round was read from may be gone: where its file has other bytes by now, which could not be read, it keeps
    what was read of the earlier ones.
    """
    conn.execute(f"delete from session where {_SESSIONS}")
    conn.execute(f"delete from round where {_ROUNDS}")
    conn.execute(
        f"""delete from parsed_round p using file f
            where {_ROUNDS} and f.server = p.server and f.name = p.name and f.sha256 = p.sha256
              and f.status = 'ingested'"""
    )
    conn.execute(
        """update timing_record set unlinked_class = null, unlinked_reason = null
           where record_key in (select key from near)"""
    )
    conn.execute(
        f"""delete from check_result c where {OF_ROUNDS["check_result"]}
            and not exists (select from parsed_round p where p.round_key = c.partition_key)"""
    )


def put_back_earlier_endstats(conn: Connection[DictRow]) -> None:
    """Puts back which version of an endstats file was read, where the file has other bytes by now, which could not be:
    to be done before the endstats of the rounds are made anew."""
    conn.execute(
        """create temporary table earlier on commit drop as
           select b.* from before_endstats_file b
           where exists (select from round r where r.round_key = b.round_key)
             and not exists (select from file f where f.kind = 'endstats' and f.partition_key = b.file_key
                             and f.sha256 = b.sha256 and f.status = 'ingested')"""
    )
    conn.execute(
        """insert into round_endstats select b.* from before_round_endstats b
           where round_key in (select round_key from earlier)"""
    )
    conn.execute("insert into endstats_file select * from earlier")


def put_back_pages(conn: Connection[DictRow]) -> None:
    """Puts back what pages were prepared of rounds and sessions, as far as these are there again."""
    conn.execute(
        """insert into site_receipt select b.* from before_site_receipt b
           where round_key in (select round_key from round)"""
    )
    for table in ("site_card", "site_picture", "site_news"):
        conn.execute(
            sql.SQL(
                "insert into {table} select b.* from {before} b where session_key in (select session_key from session)"
            ).format(table=sql.Identifier(table), before=sql.Identifier(f"before_{table}"))
        )


def compare(conn: Connection[DictRow], tables: Mapping[str, LiteralString]) -> dict[str, Compared]:
    """What tables hold of the part now against what they held when it was put aside."""
    _copy(conn, "after", tables)
    own = conn.execute("select nspname from pg_namespace where oid = pg_my_temp_schema()").fetchone()
    assert own is not None
    copies = {f"{when}_{table}": LEAVE_OUT.get(table, ()) for when in ("before", "after") for table in tables}
    found = digests(conn, copies, copies, schema=own["nspname"])
    compared = {table: Compared(found[f"before_{table}"], found[f"after_{table}"]) for table in tables}
    return {
        table: pair if pair.equal else Compared(pair.before, pair.after, _differing(conn, table))
        for table, pair in compared.items()
    }


def _differing(conn: Connection[DictRow], table: str) -> tuple[str, ...]:
    """Some rows that only one of the copies has, each by the columns that tell it from others."""
    columns = [
        row["attname"]
        for row in conn.execute(
            """select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped
               order by attnum""",
            [f"before_{table}"],
        )
        if row["attname"] not in LEAVE_OUT.get(table, ())
    ]
    telling = [name for name in columns if name.endswith("_key") or name in _TELLING][:3]
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    rows = conn.execute(
        sql.SQL(
            """select distinct concat_ws(' ', {telling}) as key from (
                   (select {listed} from {before} except all select {listed} from {after}) union all
                   (select {listed} from {after} except all select {listed} from {before})) d
               order by 1 limit %s"""
        ).format(
            telling=sql.SQL(", ").join(map(sql.Identifier, telling)),
            listed=listed,
            before=sql.Identifier(f"before_{table}"),
            after=sql.Identifier(f"after_{table}"),
        ),
        [_SHOWN],
    ).fetchall()
    return tuple(row["key"] for row in rows)


_TELLING = frozenset({"guid", "scope", "check_name", "weapon", "map", "position"})


def rows_of_all(conn: Connection[DictRow]) -> dict[str, int]:
    """How many rows the tables hold that are derived."""
    return {
        table: row["n"]
        for table in OF_ROUNDS
        if (row := conn.execute(sql.SQL("select count(*) as n from {}").format(sql.Identifier(table))).fetchone())
    }


def in_all(parts: Sequence[Mapping[str, Compared]]) -> dict[str, Compared]:
    """What was compared over all parts, by the same names."""
    found: dict[str, list[Compared]] = {}
    for part in parts:
        for name, compared in part.items():
            found.setdefault(name, []).append(compared)
    return {
        name: Compared(
            together(one.before for one in compared),
            together(one.after for one in compared),
            tuple(key for one in compared for key in one.keys),
        )
        for name, compared in sorted(found.items())
    }
