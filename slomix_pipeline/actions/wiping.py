"""The guard before history is taken away and made anew: the word that somebody has to type, and what would be taken.

Does not belong here: doing it (``rebuilding``).
"""

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import derived
from slomix_pipeline.warehouse.database import Database


class NotConfirmed(SlomixError):
    """Nobody typed the word; the text says what would be done, and which word that is."""


def check_confirmed(settings: Settings, database: Database, typed: str | None) -> None:
    """Lets through who typed the word of this home and database.

    Raises:
        NotConfirmed: he did not.
    """
    with database.snapshot() as conn:
        rows = [count for count in derived.rows_of_all(conn).values() if count]
        # With the folder that the home is in: many homes share their own name, and their database's.
        word = "/".join([*settings.home.resolve().parts[-2:], conn.info.dbname])
    if typed == word:
        return
    wrong = "" if typed is None else f"{typed!r} is not the name of what is here. "
    raise NotConfirmed(
        f"{wrong}{word} has {sum(rows):,} rows in {len(rows)} tables that are derived from stored files. From scratch "
        "they are taken away, made anew and compared with what was there, batch by batch; files, decisions, messages "
        f"and what was learned stay. Nothing was done. To do it, confirm it by the name {word}"
    )
