"""What the metrics are, in words: read from the comments that the database keeps of them.

Belongs here: taking those comments apart. Does not belong here: the comments (``sql/views``), how they are shown
(docs/metrics.md, the page of metrics).
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.tail import LAYOUTS, NEWEST_LAYOUT


@dataclass(frozen=True)
class MetricText:
    """A ratio or rate: each comment has these lines in this order."""

    name: str
    meaning: str
    formula: str
    unit: str
    source: str


@dataclass(frozen=True)
class Described:
    """Something with its comment."""

    name: str
    comment: str | None


# Of all functions and views in their order of creation, which is that of the text.
_FUNCTIONS = """
    select p.proname as name, obj_description(p.oid, 'pg_proc') as comment
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'public' and p.proname like 'metric\\_%' order by p.oid"""
_VIEWS = """
    select c.relname as name, obj_description(c.oid, 'pg_class') as comment
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('v', 'r') order by c.oid"""
_COUNTS = """
    select a.attname as name, col_description(a.attrelid, a.attnum) as comment
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relname = 'player_sum' and a.attnum > 0 order by a.attnum"""


def comments_of_metrics(conn: Connection[DictRow]) -> list[Described]:
    """The functions of metrics with their whole comments."""
    return [Described(**row) for row in conn.execute(_FUNCTIONS)]


def metric_texts(conn: Connection[DictRow]) -> list[MetricText]:
    """What every ratio and rate means."""
    found = []
    for described in comments_of_metrics(conn):
        meaning, formula, unit, source = (described.comment or "\n\n\n").split("\n")
        found.append(
            MetricText(
                described.name.removeprefix("metric_"),
                meaning,
                formula.removeprefix("Formula: "),
                unit.removeprefix("Unit: "),
                source.removeprefix("Source: "),
            )
        )
    return found


def sums(conn: Connection[DictRow]) -> list[Described]:
    """What is counted, each with what it counts."""
    return [Described(**row) for row in conn.execute(_COUNTS)]


def views(conn: Connection[DictRow]) -> list[Described]:
    """All views and tables with their comments."""
    return [Described(**row) for row in conn.execute(_VIEWS)]


def left_out_of_aimed_accuracy(conn: Connection[DictRow]) -> list[tuple[str, str]]:
    """Weapons that aimed accuracy leaves out, and why."""
    return [(row["weapon"], row["reason"]) for row in conn.execute("select * from aimed_accuracy_exclusion")]


def known_since(conn: Connection[DictRow]) -> dict[str, datetime]:
    """Since when fields of the files are written that older files here lack: by name."""
    first = {
        row["tail_fields"]: row["first"]
        for row in conn.execute("select tail_fields, min(stamp) as first from parsed_round group by tail_fields")
    }
    if not first:
        return {}
    begin = min(first.values())
    found = {}
    for field in LAYOUTS[NEWEST_LAYOUT]:
        known = [at for fields, at in first.items() if field in LAYOUTS.get(fields, ())]
        if known and min(known) > begin:
            found[field] = min(known)
    return found
