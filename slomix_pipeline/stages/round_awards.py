"""Beside the stages: the awards of a round and who killed whom, from its endstats file.

Nothing in the sentence needs them, so a round is never held up: a file that can't be had or read now changes no number.

Does not belong here: whose an award is (``rules.endstats``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from slomix_pipeline.formats import endstats
from slomix_pipeline.formats.endstats import EndstatsFile
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.gameserver.source import FileMissing, GameServerError, TooLarge
from slomix_pipeline.rules.linking import WITHIN_WINDOW, LinkClass
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.stages.common import (
    Conn,
    Done,
    Tools,
    by_server,
    in_portions,
    round_by_round,
    sessions_touched,
)
from slomix_pipeline.stages.fetching import Fetching, stored_bytes
from slomix_pipeline.warehouse import endstats as stored
from slomix_pipeline.warehouse import files
from slomix_pipeline.warehouse.awarding import awards_of_sessions
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.files import FileRow


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
    fetching = Fetching(conn, tools.gameserver, tools.settings.gamestats_folder, endstats.MAX_BYTES)
    read = _Read()
    for portion in in_portions(waiting.values()):
        kept = stored_bytes(conn, portion)
        came: dict[FileRow, bytes] = {}
        for row in portion:
            try:
                came[row] = fetching.bytes_of(row, kept)
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
    found = awards_of_sessions(conn, server, sessions, read)
    stored.store_endstats(conn, found.links, found.digests, found.awards, found.duels)
    return {
        key: Outcome(
            link.link_class is not LinkClass.TIE,
            {
                "files": len(link.keys),
                "awards": len(found.awards.get(key, ())),
                "lines of who killed whom": len(found.duels.get(key, ())),
                "awards of nobody known": sum(award.guid is None for award in found.awards.get(key, ())),
                "why": link.reason or WITHIN_WINDOW,
            },
        )
        for key, link in found.links.items()
    }
