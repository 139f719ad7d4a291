"""What is in a database that somebody wants to restore into: what is worth keeping, and what is not of slomix.

Belongs here: reading it. Does not belong here: what is refused or asked then (``actions.restoring``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import Connection, sql
from psycopg.rows import DictRow

from slomix_pipeline.warehouse.migrations import read_migrations

# What can't be worked out again: bytes, what people decided, what was told.
_KEPT = {
    "parsed_round": "rounds",
    "file": "files",
    "file_content": "stored contents of files",
    "override": "overrides",
    "identity_decision": "decisions about who is who",
    "known_team": "known teams",
    "post": "messages told",
}
_OURS = """
    select to_regclass('public.schema_migration') is not null as ours,
           to_regclass('public.schema_views') is not null as views
"""
# Of extensions nothing: it stays. Sequences, too, go with the tables of their columns.
_IN_PUBLIC = """
    select c.relname as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and not exists (select from pg_depend d
                      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i', 'e'))
    order by name
"""
# Whatever `drop … cascade` of ours takes in other schemas: views, keys, triggers, defaults, columns of our types.
_BUILT_ON_OURS = """
    with schemas as (
        select oid from pg_namespace where nspname in ('public', 'site', 'dagster')
    ), ours as (
        select 'pg_class'::regclass as classid, oid from pg_class where relnamespace in (select oid from schemas)
        union all
        select 'pg_type'::regclass, oid from pg_type where typnamespace in (select oid from schemas)
        union all
        select 'pg_proc'::regclass, oid from pg_proc where pronamespace in (select oid from schemas)
    ), dependents as (
        select d.classid, d.objid from ours
        join pg_depend d on d.refclassid = ours.classid and d.refobjid = ours.oid
        where not exists (select from pg_depend e
                          where e.classid = ours.classid and e.objid = ours.oid and e.deptype = 'e')
    ), relations as (
        select ev_class as oid from pg_rewrite join dependents on classid = 'pg_rewrite'::regclass and objid = oid
        union
        select conrelid from pg_constraint join dependents on classid = 'pg_constraint'::regclass and objid = oid
        union
        select tgrelid from pg_trigger join dependents on classid = 'pg_trigger'::regclass and objid = oid
        union
        select adrelid from pg_attrdef join dependents on classid = 'pg_attrdef'::regclass and objid = oid
        union
        select objid from dependents where classid = 'pg_class'::regclass
    )
    select format('%I.%I', n.nspname, c.relname) as name
    from relations join pg_class c using (oid) join pg_namespace n on n.oid = c.relnamespace
    where n.oid not in (select oid from schemas) and n.nspname <> 'pg_toast'
    order by name
"""


@dataclass(frozen=True)
class Occupants:
    """``kept``: how many rows there are of what is worth keeping, by what they are, where there are any; ``foreign``:
    relations in our schema that are not ours; ``built_on_ours``: those of other schemas that would go with ours."""

    is_ours: bool
    kept: dict[str, int]
    foreign: Sequence[str]
    built_on_ours: Sequence[str]

    @property
    def in_words(self) -> str:
        """What is worth keeping; empty: nothing is."""
        return ", ".join(f"{rows:,} {what}" for what, rows in self.kept.items())


def occupants(conn: Connection[DictRow], folder: Path) -> Occupants:
    """What a database holds. ``folder``: ``sql/``, with all that this program makes."""
    row = conn.execute(_OURS).fetchone()
    assert row is not None
    names = [found["name"] for found in conn.execute(_IN_PUBLIC)]
    if not row["ours"]:
        return Occupants(False, {}, names, ())
    ours = _tables_of(folder)
    if row["views"]:
        ours |= {name for made in conn.execute("select names from public.schema_views") for name in made["names"]}
    newest = conn.execute("select max(number) as number from public.schema_migration").fetchone()
    # What a newer program made is not known here, and all of it is in the backup that is made before.
    known = newest is None or (newest["number"] or 0) <= read_migrations(folder)[-1].number
    foreign = [name for name in names if name not in ours] if known else []
    kept = {what: rows for table, what in _KEPT.items() if table in names and (rows := _rows(conn, table))}
    return Occupants(True, kept, foreign, [found["name"] for found in conn.execute(_BUILT_ON_OURS)])


def _tables_of(folder: Path) -> set[str]:
    """The tables that migrations and views make, and those that are there before the first."""
    texts = (path.read_text("utf-8") for path in folder.rglob("*.sql"))
    made = {name for text in texts for name in re.findall(r"(?im)^create (?:unlogged )?table (\w+)", text)}
    return made | {"schema_migration", "schema_views", "restored"}


def _rows(conn: Connection[DictRow], table: str) -> int:
    counted = conn.execute(sql.SQL("select count(*) as rows from public.{}").format(sql.Identifier(table))).fetchone()
    return int(counted["rows"]) if counted else 0
