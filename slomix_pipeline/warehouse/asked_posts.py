"""What was asked to be posted: kept before it is tried, so that what can't be sent now waits.

Belongs here: the table ``asked_post`` and its row of ``due``. Does not belong here: what can be asked for
(``rules.asked``), content and telling (``stages.asked_posts``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb
from pydantic import TypeAdapter

from slomix_pipeline.rules.asked import Asked, Asking, What
from slomix_pipeline.rules.things import Thing, ThingKind
from slomix_pipeline.warehouse import due

_KINDS: dict[What, TypeAdapter[Asked]] = {kind.what: TypeAdapter(kind) for kind in Asked.__args__}


@dataclass(frozen=True)
class AskedPost:
    """A row of ``asked_post``. ``struck_out``: why nothing is told of it any more."""

    key: str
    asked: Asked
    asked_at: datetime
    struck_out: str | None

    @property
    def thing(self) -> Thing:
        return asked_thing(self.key)


def asked_thing(key: str) -> Thing:
    """The thing that is told of what was asked for under a key."""
    return Thing(ThingKind.ASKED, key)


def note(conn: Connection[DictRow], asking: Asking, until: datetime) -> None:
    """Notes what was asked for, due until then; what was asked for under that key before stays as it is."""
    row = conn.execute(
        "insert into asked_post (key, what, arguments) values (%s, %s, %s) on conflict do nothing returning key",
        [asking.key, asking.asked.what, Jsonb(_KINDS[asking.asked.what].dump_python(asking.asked, mode="json"))],
    ).fetchone()
    if row is not None:
        due.note(conn, asked_thing(asking.key), until)


def read(conn: Connection[DictRow], keys: Sequence[str]) -> list[AskedPost]:
    """What was asked for under these keys, in the order in which it was."""
    rows = conn.execute(
        """select key, what, arguments, asked_at, struck_out from asked_post
           where key = any(%(keys)s) order by asked_at, array_position(%(keys)s::text[], key)""",
        {"keys": list(keys)},
    )
    return [
        AskedPost(
            row["key"], _KINDS[What(row["what"])].validate_python(row["arguments"]), row["asked_at"], row["struck_out"]
        )
        for row in rows
    ]


def struck_out(conn: Connection[DictRow], thing: Thing) -> str | None:
    """Why nothing is told of a thing any more that was asked for; None of any other."""
    return next((post.struck_out for post in read(conn, [thing.partition_key]) if post.thing == thing), None)


def strike_out(conn: Connection[DictRow], key: str, reason: str) -> None:
    """Nothing is told of it any more, and that is why."""
    conn.execute("update asked_post set struck_out = %s where key = %s", [reason, key])
    due.strike_out(conn, asked_thing(key))
