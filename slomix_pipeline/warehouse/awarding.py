"""The awards of sessions, and who killed whom, by the rules, from the endstats files that are here: the one way for the
stage that stores them and for who holds what is stored against it.

Belongs here: reading what the rules take. Does not belong here: the rules (``rules.endstats``), writing (``endstats``).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats import endstats
from slomix_pipeline.formats.endstats import EndstatsFile
from slomix_pipeline.rules.endstats import (
    SPLIT_WITHIN,
    EndstatsLink,
    ResolvedAward,
    ResolvedVersus,
    link_endstats,
    merged,
    resolve_awards,
    resolve_duels,
)
from slomix_pipeline.rules.linking import LINK_WINDOW, Clocked
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.warehouse import endstats as stored
from slomix_pipeline.warehouse import files, parsed

_MARGIN = LINK_WINDOW + SPLIT_WITHIN


class Awarded(NamedTuple):
    """What is known of the endstats of rounds, by round key. ``digests``: the sha256 of files, by file key."""

    links: Mapping[str, EndstatsLink]
    digests: Mapping[str, str]
    awards: Mapping[str, Sequence[ResolvedAward]]
    duels: Mapping[str, Sequence[ResolvedVersus]]


def awards_of_sessions(
    conn: Connection[DictRow],
    server: str,
    sessions: Sequence[Sequence[Stamped]],
    read: Mapping[str, EndstatsFile] = {},
) -> Awarded:
    """Links endstats files to the rounds of sessions, and says what they hold. ``read``: files that were read already,
    by sha256."""
    rounds = stored.local_rounds(conn, [entry.key for session in sessions for entry in session])
    by_session = [[rounds[entry.key] for entry in session] for session in sessions]
    found, digests = stored.files_read(conn, server, [_span(session) for session in by_session])
    links: dict[str, EndstatsLink] = {}
    for session, near in zip(by_session, found, strict=True):
        links |= link_endstats(session, near)
    linked = {key: [digests[file_key] for file_key in link.keys] for key, link in links.items() if link.keys}
    parts = _with_earlier(conn, read, {digest for own in linked.values() for digest in own})
    awards, duels = {}, {}
    for entry in parsed.load_rounds(conn, linked):
        whole = merged(parts[digest] for digest in linked[entry.key])
        awards[entry.key] = resolve_awards(whole, entry.stats, entry.number)
        duels[entry.key] = resolve_duels(whole, entry.stats)
    return Awarded(links, digests, awards, duels)


def _span(session: Sequence[Clocked]) -> tuple[datetime, datetime]:
    """Between which moments the endstats files of a session are named."""
    moments = [entry.at for entry in session]
    return min(moments) - _MARGIN, max(moments) + _MARGIN


def _with_earlier(
    conn: Connection[DictRow], read: Mapping[str, EndstatsFile], digests: Collection[str]
) -> dict[str, EndstatsFile]:
    """All these files by their sha256: those read just now, and those read before."""
    earlier = files.contents(conn, [digest for digest in digests if digest not in read])
    return {**read, **{digest: endstats.parse(data) for digest, data in earlier.items()}}
