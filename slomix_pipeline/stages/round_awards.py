"""Beside the stages: the awards of a round and who killed whom, from its endstats file.

Nothing in the sentence needs them, so a round is never held up: a file that can't be had or read now changes no number.

Does not belong here: whose an award is (``rules.endstats``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from slomix_pipeline.formats import endstats
from slomix_pipeline.formats.endstats import EndstatsFile
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.gameserver.source import FileMissing, GameServerError, TooLarge
from slomix_pipeline.rules.endstats import (
    SPLIT_WITHIN,
    EndstatsLink,
    link_endstats,
    merged,
    resolve_awards,
    resolve_duels,
)
from slomix_pipeline.rules.linking import LINK_WINDOW, WITHIN_WINDOW, Clocked, LinkClass
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.stages.common import (
    Conn,
    Done,
    Tools,
    by_server,
    bytes_of,
    imported_bytes,
    in_portions,
    round_by_round,
    sessions_touched,
)
from slomix_pipeline.warehouse import endstats as stored
from slomix_pipeline.warehouse import files, parsed
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.files import FileRow

_MARGIN = LINK_WINDOW + SPLIT_WITHIN


def round_awards(keys: Sequence[str], tools: Tools) -> Done:
    """Reads the endstats files that wait for these rounds, and links and stores the awards of their sessions."""
    with round_by_round(tools.database) as conn:
        waiting = files.files_of(conn, FileKind.ENDSTATS, stored.waiting_for(conn, keys))
        read = _read_all(conn, waiting, tools)
    outcomes: dict[str, Outcome] = {}
    for server, own in by_server(keys):
        with sessions_touched(tools, server, own) as (conn, sessions):
            if sessions:
                # With what is made of them: until then they wait.
                names = [row.name for key, row in waiting.items() if key not in read.unread and row.server == server]
                files.finish_all(conn, server, names, FileStatus.INGESTED)
                outcomes |= _store_sessions(conn, server, sessions, read.files)
    facts_of_own = [outcomes[key].facts for key in keys if key in outcomes]
    totals = {
        "rounds with endstats": sum(facts["files"] > 0 for facts in facts_of_own),
        "awards": sum(facts["awards"] for facts in facts_of_own),
        "lines of who killed whom": sum(facts["lines of who killed whom"] for facts in facts_of_own),
        "files not read": list(read.unread.values()),
    }
    return Done({CheckName.ENDSTATS_LINK: outcomes}, totals)


@dataclass(frozen=True)
class _Read:
    """``files``: what was read, by sha256; ``unread``: why a file was not, by its key."""

    files: dict[str, EndstatsFile] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


def _read_all(conn: Conn, waiting: Mapping[str, FileRow], tools: Tools) -> _Read:
    """Stores and looks through files. Only what may come later leaves one waiting."""
    folder = tools.settings.gamestats_folder
    read = _Read()
    for portion in in_portions(waiting.values()):
        imported = imported_bytes(conn, portion)
        came: dict[FileRow, bytes] = {}
        for row in portion:
            try:
                came[row] = bytes_of(conn, row, imported, tools.gameserver, folder, endstats.MAX_BYTES)
            except (FileMissing, TooLarge) as error:
                read.unread[row.key] = _quarantine(conn, row, str(error))
            except GameServerError as error:
                read.unread[row.key] = f"{row.name}: {error}; it is asked for again"
        digests = {row: files.sha256_of(data) for row, data in came.items()}
        files.keep_bytes(conn, {row: data for row, data in came.items() if row.sha256 != digests[row]})
        for row, data in came.items():
            try:
                read.files[digests[row]] = endstats.parse(data)
            except FormatError as error:
                read.unread[row.key] = _quarantine(conn, row, str(error))
    return read


def _quarantine(conn: Conn, row: FileRow, reason: str) -> str:
    """Returns why the file was not read, for people."""
    files.finish(conn, row, FileStatus.QUARANTINED, reason)
    return f"{row.name}: {reason}"


def _store_sessions(
    conn: Conn, server: str, sessions: Sequence[Sequence[Stamped]], read: Mapping[str, EndstatsFile]
) -> dict[str, Outcome]:
    """Links and writes the endstats of sessions. Returns what the check finds, by round. ``read``: files, by sha256."""
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
    stored.store_endstats(conn, links, digests, awards, duels)
    return {
        key: Outcome(
            link.link_class is not LinkClass.TIE,
            {
                "files": len(link.keys),
                "awards": len(awards.get(key, ())),
                "lines of who killed whom": len(duels.get(key, ())),
                "awards of nobody known": sum(award.guid is None for award in awards.get(key, ())),
                "why": link.reason or WITHIN_WINDOW,
            },
        )
        for key, link in links.items()
    }


def _span(session: Sequence[Clocked]) -> tuple[datetime, datetime]:
    """Between which moments the endstats files of a session are named."""
    moments = [entry.at for entry in session]
    return min(moments) - _MARGIN, max(moments) + _MARGIN


def _with_earlier(conn: Conn, read: Mapping[str, EndstatsFile], digests: Collection[str]) -> dict[str, EndstatsFile]:
    """All these files by their sha256: those read just now, and those read before."""
    earlier = files.contents(conn, [digest for digest in digests if digest not in read])
    return {**read, **{digest: endstats.parse(data) for digest, data in earlier.items()}}
