"""Which sessions, by stamps and decisions, hold rounds that something was learned about.

Belongs here: reading no more of a server's rounds than it takes to know that.
Does not belong here: what makes a session (``rules.sessions``), sessions as they are stored (``results``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.overrides import CUT, OverrideKind, of_kind
from slomix_pipeline.rules.sessions import Stamped, group_into_sessions
from slomix_pipeline.warehouse import overrides
from slomix_pipeline.warehouse.spans import Span, as_arrays, joined

_AN_EVENING = timedelta(hours=12)  # read around a round at first; what goes on at the edge of that is read farther


def touched_sessions(
    conn: Connection[DictRow], server: str, keys: Iterable[str], gap: timedelta, *, placed: bool
) -> list[list[Stamped]]:
    """The sessions, by stamps and decisions, that hold any of these rounds, or rounds they were stored with before; in
    order.

    ``placed``: only of rounds that were placed already; another run may have parsed one and not come further yet.
    """
    decided = of_kind(overrides.in_force(conn, server), OverrideKind.SESSION)
    begins = {key: override.value == CUT for key, override in decided.items()}
    looked_at = _Rounds(server, placed, gap, begins, _bridges(conn, server, begins, placed))
    wanted = _with_stored_together(conn, server, keys)
    found = _sessions_holding(conn, looked_at, wanted)
    held = {entry.key for session in found for entry in session}
    # A session that loses rounds to one of these is another now too.
    left = _with_stored_together(conn, server, held)
    return found if left.keys() <= held else _sessions_holding(conn, looked_at, {**wanted, **left})


@dataclass(frozen=True)
class _Rounds:
    """The rounds that are looked at: of a server, all or the ``placed`` ones, with what makes sessions of them.

    ``bridges``: each from the round before to one of which somebody decided that it goes on: however far that is, who
    reads one of them has to read the other.
    """

    server: str
    placed: bool
    gap: timedelta
    begins: Mapping[str, bool]
    bridges: Sequence[Span]


def _sessions_holding(
    conn: Connection[DictRow], rounds: _Rounds, wanted: Mapping[str, datetime]
) -> list[list[Stamped]]:
    """The sessions that hold any of these rounds, which are given with their stamps."""
    reach = max(_AN_EVENING, 3 * rounds.gap)
    while wanted:
        around = [Span(stamp, stamp) for stamp in set(wanted.values())]
        spans = joined(span.widened(reach) for span in (*around, *rounds.bridges))
        found = [
            (span, session)
            for span, entries in _read(conn, rounds, spans)
            for session in group_into_sessions(entries, rounds.gap, rounds.begins)
            if any(entry.key in wanted for entry in session)
        ]
        if all(_is_whole(session, span, rounds.gap) for span, session in found):
            return [session for _, session in found]
        reach *= 4
    return []


def _is_whole(session: Sequence[Stamped], read: Span, gap: timedelta) -> bool:
    """Whether nothing outside of what was read can belong to a session: it was quiet before and after."""
    return session[0].stamp - read.first > gap and read.last - session[-1].stamp > gap


def _read(conn: Connection[DictRow], rounds: _Rounds, spans: Sequence[Span]) -> Iterator[tuple[Span, list[Stamped]]]:
    """The rounds in each span."""
    rows = conn.execute(
        """select s.number, p.round_key, p.stamp
           from unnest(%(firsts)s::timestamptz[], %(lasts)s::timestamptz[]) with ordinality as s (first, last, number)
           join parsed_round p on p.server = %(server)s and p.stamp between s.first and s.last
           left join round r using (round_key)
           where r.round_key is not null or not %(placed)s""",
        {"server": rounds.server, "placed": rounds.placed, **as_arrays(spans)},
    )
    entries: list[list[Stamped]] = [[] for _ in spans]
    for row in rows:
        entries[row["number"] - 1].append(Stamped(row["round_key"], row["stamp"]))
    yield from zip(spans, entries, strict=True)


def _bridges(conn: Connection[DictRow], server: str, begins: Mapping[str, bool], placed: bool) -> list[Span]:
    """See ``_Rounds``."""
    going_on = [key for key, begins_one in begins.items() if not begins_one]
    if not going_on:
        return []
    rows = conn.execute(
        """select before.stamp as first, p.stamp as last
           from parsed_round p
           cross join lateral (
               select b.stamp from parsed_round b left join round r using (round_key)
               where b.server = p.server and (b.stamp, b.round_key) < (p.stamp, p.round_key)
                 and (r.round_key is not null or not %(placed)s)
               order by b.stamp desc limit 1
           ) before
           where p.server = %(server)s and p.round_key = any(%(keys)s)""",
        {"server": server, "keys": going_on, "placed": placed},
    )
    return [Span(row["first"], row["last"]) for row in rows]


def _with_stored_together(conn: Connection[DictRow], server: str, keys: Iterable[str]) -> dict[str, datetime]:
    """The stamps of these rounds and of all rounds of the stored sessions that hold any of them, by key."""
    rows = conn.execute(
        """with asked as (select unnest(%(keys)s::text[]) as round_key)
           select round_key, stamp from parsed_round
           where server = %(server)s and round_key = any(array(
               select round_key from asked
               union select other.round_key
                     from asked join session_round own using (round_key)
                     join session_round other on other.session_key = own.session_key))""",
        {"server": server, "keys": list(keys)},
    )
    return {row["round_key"]: row["stamp"] for row in rows}
