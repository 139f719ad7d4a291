"""Whether two databases hold the same: what tables hold as one number each, worked out by PostgreSQL.

Belongs here: what a digest is, of which tables. Does not belong here: what is compared with what, and what of it may
differ (whoever compares).

A row's text is hashed with its columns in the order of their names, and the hashes are summed: neither the order of
rows nor that of columns matters, and a row that is there twice counts twice. The text is the same on every server:
settings that change it are fixed, and so is the hash (PostgreSQL's own ones may differ between versions).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg.rows import DictRow

# How values are written, whatever the server, the database or the role has set.
_WRITTEN = {
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "xmlbinary": "base64",
}
_TABLES = """
    select c.relname as name from pg_class c
    where c.relkind in ('r', 'p') and c.relnamespace = to_regnamespace(%s) and not c.relispartition
    order by c.relname collate "C" """
_COLUMNS = """
    select c.relname as name,
           array(select a.attname::text from pg_attribute a
                 where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                 order by a.attname::text collate "C") as columns
    from pg_class c where c.relnamespace = to_regnamespace(%s) and c.relname = any(%s)"""
# The first half of the hash, as two numbers whose sums can't overflow.
_DIGEST = sql.SQL("""
    select count(*) as rows,
           coalesce(sum(('x' || substr(hash, 1, 16))::bit(64)::bigint), 0) as one,
           coalesce(sum(('x' || substr(hash, 17, 16))::bit(64)::bigint), 0) as other
    from (select encode(sha256(convert_to(row({columns})::text, 'UTF8')), 'hex') as hash from {table}) hashed""")


@dataclass(frozen=True, slots=True)
class Digest:
    """What a table holds: the number of its rows, and their content."""

    rows: int
    digest: str


def tables_of(conn: Connection[DictRow], schema: str = "public") -> list[str]:
    """All tables of a schema, by name; that of ours is ``public``."""
    return [row["name"] for row in conn.execute(_TABLES, [schema])]


def digests(
    conn: Connection[DictRow],
    tables: Iterable[str],
    leave_out: Mapping[str, Collection[str]] = {},
    *,
    schema: str = "public",
) -> dict[str, Digest]:
    """What tables hold, without the columns of ``leave_out``, by table. How values are written stays fixed to the end
    of the transaction.

    Raises:
        LookupError: there is no such table, or not a column that should be left out.
    """
    with conn.transaction():
        for name, value in _WRITTEN.items():
            conn.execute("select set_config(%s, %s, true)", [name, value])
        wanted = list(tables)
        columns = {row["name"]: row["columns"] for row in conn.execute(_COLUMNS, [schema, wanted])}
        return {
            table: _digest(conn, schema, table, _kept(table, columns, leave_out.get(table, ()))) for table in wanted
        }


def _kept(table: str, columns: Mapping[str, list[str]], left_out: Collection[str]) -> list[str]:
    if table not in columns:
        raise LookupError(f"there is no table {table}")
    if unknown := set(left_out) - set(columns[table]):
        raise LookupError(f"{table} has no column {', '.join(sorted(unknown))}")
    return [column for column in columns[table] if column not in left_out]


def _digest(conn: Connection[DictRow], schema: str, table: str, columns: list[str]) -> Digest:
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    row = conn.execute(_DIGEST.format(columns=listed, table=sql.Identifier(schema, table))).fetchone()
    assert row is not None
    # Sums beyond 64 bits are cut: of hashes nothing is lost by that.
    return Digest(row["rows"], f"{int(row['one']) % 2**64:016x}{int(row['other']) % 2**64:016x}")


def content(conn: Connection[DictRow], schemas: Iterable[str], told: Callable[[int, int], None]) -> dict[str, Digest]:
    """What all tables of some schemas hold, by ``schema.table``. ``told``: hears how many of how many are done."""
    tables = [(schema, table) for schema in schemas for table in tables_of(conn, schema)]
    found = {}
    for number, (schema, table) in enumerate(tables):
        told(number, len(tables))
        found[f"{schema}.{table}"] = digests(conn, [table], schema=schema)[table]
    told(len(tables), len(tables))
    return found


def differences(expected: Mapping[str, Digest], found: Mapping[str, Digest]) -> list[str]:
    """What differs, a line for each table; nothing where all is the same."""
    lines = []
    for table in sorted({*expected, *found}):
        one, other = expected.get(table), found.get(table)
        if one is None or other is None:
            lines.append(f"{table} is {'missing' if other is None else 'one too many'}")
        elif one.rows != other.rows:
            lines.append(f"{table} has {other.rows:,} rows instead of {one.rows:,}")
        elif one.digest != other.digest:
            lines.append(f"{table} has other content in its {one.rows:,} rows")
    return lines
