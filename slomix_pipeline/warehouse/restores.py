"""That a database was restored: what has to be made anew then, and what is not told again.

Belongs here: the note of it, written with what a dump holds in one transaction, and what follows from it whenever that
is interrupted. Does not belong here: restoring (``actions.restoring``), views and rights (``migrations``, which begins
what is done here).
"""

from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.warehouse import catalogue, due

# Made with the tables that know the schema: a dump may be older than any migration that could make it.
TABLE = """
create table if not exists public.restored (
    restored_at timestamptz not null default now(),
    silent boolean not null,       -- what ended before may have been told, and is not announced
    unfinished boolean not null default true
);
"""
# What restoring changes of what the dump holds.
WRITTEN = ("public.schema_views", "public.restored")


def noted(*, silent: bool) -> str:
    """The statements that end the load of a dump: whoever migrates next makes views and rights, and finishes it."""
    return f"""
{TABLE}
update public.schema_views set sha256 = '';
insert into public.restored (silent) values ({silent});
"""


def finish(conn: Connection[DictRow]) -> None:
    """Has Dagster told of everything where its records were not in the dump, and strikes out what was due in it.

    Belongs into the transaction that makes the views anew: with it, a restore is whole.
    """
    row = conn.execute(
        """with finished as (update restored set unfinished = false where unfinished returning silent)
           select coalesce(bool_or(silent), false) as silent, to_regclass('dagster.event_logs') is null as lost
           from finished having count(*) > 0"""
    ).fetchone()
    if row is None:
        return
    if row["lost"]:
        catalogue.note_everything(conn)
    if row["silent"]:
        due.strike_out_untold(conn)


def silent_before(conn: Connection[DictRow]) -> datetime | None:
    """What ended before is not announced; None: the database was never restored."""
    row = conn.execute("select max(restored_at) as at from restored where silent").fetchone()
    return None if row is None else row["at"]
