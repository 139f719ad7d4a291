"""What was asked to be posted: kept before it is tried, so that what can't be sent now waits; and what is said of it.

Belongs here: the table ``asked_post`` and its rows of ``due``. Does not belong here: what can be asked for
(``rules.asked``), content and telling (``stages.asked_posts``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb
from pydantic import TypeAdapter

from slomix_pipeline.rules.asked import Asked, Asking, What
from slomix_pipeline.rules.things import NOT_THERE, PostState, Thing, ThingKind
from slomix_pipeline.warehouse import due

Payload = Mapping[str, Any]

_KINDS: dict[What, TypeAdapter[Asked]] = {kind.what: TypeAdapter(kind) for kind in Asked.__args__}


@dataclass(frozen=True)
class AskedPost:
    """A row of ``asked_post``. ``struck_out``: why nothing is told of it any more; ``said``: Discord's bodies of its
    messages as they were tried last, None before."""

    key: str
    asked: Asked
    asked_at: datetime
    struck_out: str | None
    said: tuple[Payload, ...] | None

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
        "select key, what, arguments, asked_at, struck_out, said from asked_post where key = any(%s) order by id",
        [list(keys)],
    )
    return [
        AskedPost(
            row["key"],
            _KINDS[What(row["what"])].validate_python(row["arguments"]),
            row["asked_at"],
            row["struck_out"],
            None if row["said"] is None else tuple(row["said"]),
        )
        for row in rows
    ]


def is_final(conn: Connection[DictRow], key: str) -> bool:
    """Whether what is said of it stays as it is: some of it may be there to be read, or Discord refused just that."""
    row = conn.execute(
        """select exists (select from post
                          where kind = %(kind)s and partition_key = %(key)s
                            and (state <> all(%(not_there)s) or payload_sha256 is not null)) as found""",
        {"kind": ThingKind.ASKED, "key": key, "not_there": list(NOT_THERE)},
    ).fetchone()
    return row is not None and bool(row["found"])


def keep_said(conn: Connection[DictRow], key: str, said: Sequence[Payload]) -> None:
    """What is said of it from now on."""
    conn.execute("update asked_post set said = %s where key = %s", [Jsonb(list(said)), key])


def all_said(conn: Connection[DictRow]) -> dict[str, Sequence[Payload]]:
    """What is said of all that was asked for, by key."""
    rows = conn.execute("select key, said from asked_post where said is not null order by id")
    return {row["key"]: row["said"] for row in rows}


def take_back(conn: Connection[DictRow], keys: Collection[str], instead: Payload, until: datetime) -> list[str]:
    """This is said instead, in one message, of what may be there to be read; what is not is made anew when it is told.
    What can be edited is due, as a correction, until then. Returns the keys of what may be there."""
    values = {"kind": ThingKind.ASKED, "keys": list(keys), "not_there": list(NOT_THERE), "sent": PostState.SENT}
    rows = conn.execute(
        """update asked_post a
           set said = case when exists (select from post where kind = %(kind)s and partition_key = a.key
                                                           and state <> all(%(not_there)s))
                           then %(said)s end
           where key = any(%(keys)s)
           returning key, said is not null as may_be_there""",
        values | {"said": Jsonb([instead])},
    ).fetchall()
    otherwise = conn.execute(
        """update post set payload_sha256 = null
           where kind = %(kind)s and partition_key = any(%(keys)s)
             and (state = %(sent)s or state = any(%(not_there)s))
           returning thing, state""",
        values,
    ).fetchall()
    for row in otherwise:
        if row["state"] == PostState.SENT:
            due.note(conn, Thing.named(row["thing"]), until)
    return [row["key"] for row in rows if row["may_be_there"]]


def struck_out(conn: Connection[DictRow], thing: Thing) -> str | None:
    """Why nothing is told of a thing any more that was asked for; None of any other."""
    found = read(conn, [thing.partition_key]) if thing.kind is ThingKind.ASKED else []
    return next((post.struck_out for post in found), None)


def strike_out(conn: Connection[DictRow], key: str, reason: str) -> None:
    """Nothing is told of it any more, and that is why."""
    conn.execute("update asked_post set struck_out = %s where key = %s", [reason, key])
    due.strike_out(conn, asked_thing(key))
