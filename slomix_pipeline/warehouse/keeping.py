"""Storing many things at once, so that one which the database does not take costs nobody else.

Belongs here: what is refused and why. Does not belong here: what is stored (``parsed``, ``timing_records``).
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg
from psycopg.rows import DictRow

T = TypeVar("T")


class Refused(Exception):
    """The database does not take something; the text says why."""


class ReadOtherwise(Refused):
    """What the database took is not what it was given; the text says what differs."""


def keep_each(
    conn: psycopg.Connection[DictRow], items: Sequence[T], store: Callable[[Sequence[T]], None]
) -> list[tuple[T, Refused | None]]:
    """Stores items in one transaction, or each in one of its own when the database refuses any of them. Returns them
    in order, each with its refusal, if there was one.

    ``conn``: one on which each ``conn.transaction()`` commits by itself.
    """
    if not items:
        return []
    try:
        with conn.transaction():
            store(items)
    except (psycopg.IntegrityError, psycopg.DataError) as error:
        refusal = Refused(f"the database refuses it: {error.diag.message_primary or error}")
    except ReadOtherwise as error:
        refusal = error
    else:
        return [(item, None) for item in items]
    if len(items) == 1:
        return [(items[0], refusal)]
    return [kept for item in items for kept in keep_each(conn, [item], store)]
