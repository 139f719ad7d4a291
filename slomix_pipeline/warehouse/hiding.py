"""Those who wished not to be named, in texts that name nobody by GUID: what people typed, and lines without a GUID.

Belongs here: finding their names and the typed texts that hold one. Does not belong here: what stands instead of a name
(``rules.people``), names that have a GUID (the views ``person_decided`` and ``session_name``).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.people import HIDDEN, is_one_of, without_names


@dataclass(frozen=True)
class Hiding:
    """``names``: all names and GUIDs of those who are hidden; ``typed``: what people typed with one of them, and what
    is shown instead."""

    names: frozenset[str] = frozenset()
    typed: Mapping[str, str] = field(default_factory=dict)

    def text(self, text: str) -> str:
        """A text that may hold what people typed."""
        for typed, shown in self.typed.items():
            text = text.replace(typed, shown)
        return text

    def text_if_any(self, text: str | None) -> str | None:
        return None if text is None else self.text(text)

    def name(self, name: str) -> str:
        """The name of a line without a GUID."""
        return HIDDEN if is_one_of(name, self.names) else name


NOBODY_HIDDEN = Hiding()


def names_of(conn: Connection[DictRow], guids: Collection[str]) -> frozenset[str]:
    """All names that players were ever called by, in the game or by a decision, and their GUIDs."""
    rows = conn.execute(
        """select name from alias where guid = any(%(guids)s)
           union select name from identity_decision where guid = any(%(guids)s) and kind = 'link'""",
        {"guids": list(guids)},
    )
    return frozenset(guids) | {row["name"] for row in rows if row["name"]}


def hiding(conn: Connection[DictRow]) -> Hiding:
    """What is to be hidden now; mostly nothing, which costs next to nothing."""
    guids = [row["guid"] for row in conn.execute("select guid from person_decided where hidden_as is not null")]
    if not guids:
        return NOBODY_HIDDEN
    names = names_of(conn, guids)
    typed = conn.execute(
        """select text from override, lateral unnest(array[reason, made_by, revoked_reason, revoked_by]) text
           where text is not null group by text order by length(text) desc, text"""
    )
    shown = {row["text"]: without_names(row["text"], names) for row in typed}
    return Hiding(names, {text: instead for text, instead in shown.items() if instead != text})
