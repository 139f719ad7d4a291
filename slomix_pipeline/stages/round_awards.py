"""Beside the stages: the awards of a round and who killed whom, from its endstats file.

Nothing in the sentence needs them, so a round is never held up: a file that can't be had or read now changes no number.
"""

from collections.abc import Sequence

from slomix_pipeline.formats import endstats
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
from slomix_pipeline.rules.linking import LINK_WINDOW, WITHIN_WINDOW, LinkClass
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.stages.common import Conn, Done, Tools, by_server, bytes_of, round_by_round, sessions_touched
from slomix_pipeline.warehouse import endstats as stored
from slomix_pipeline.warehouse import files, parsed, results
from slomix_pipeline.warehouse.check_results import CheckName, Outcome


def round_awards(keys: Sequence[str], tools: Tools) -> Done:
    """Reads the endstats files that wait for these rounds, and links and stores the awards of their sessions."""
    with round_by_round(tools.database) as conn:
        waiting = files.files_of(conn, FileKind.ENDSTATS, stored.waiting_for(conn, keys))
        unread = {key: reason for key, row in waiting.items() if (reason := _read(conn, row, tools))}
    outcomes: dict[str, Outcome] = {}
    margin = LINK_WINDOW + SPLIT_WITHIN
    for server, own in by_server(keys):
        with sessions_touched(tools, server, own) as (conn, sessions):
            if sessions:
                for row in (row for key, row in waiting.items() if key not in unread and row.server == server):
                    files.finish(conn, row, FileStatus.INGESTED)  # with what is made of it: until then it waits
            for session in sessions:
                rounds = stored.local_rounds(conn, [entry.key for entry in session])
                moments = [entry.at for entry in rounds]
                found, digests = stored.files_read(conn, server, min(moments) - margin, max(moments) + margin)
                links = link_endstats(rounds, found)
                for key, facts in _store(conn, links, digests, results.labels(conn, links)).items():
                    outcomes[key] = Outcome(links[key].link_class is not LinkClass.TIE, facts)
    facts_of_own = [outcomes[key].facts for key in keys if key in outcomes]
    totals = {
        "rounds with endstats": sum(facts["files"] > 0 for facts in facts_of_own),
        "awards": sum(facts["awards"] for facts in facts_of_own),
        "lines of who killed whom": sum(facts["lines of who killed whom"] for facts in facts_of_own),
        "files not read": list(unread.values()),
    }
    return Done({CheckName.ENDSTATS_LINK: outcomes}, totals)


def _read(conn: Conn, row: files.FileRow, tools: Tools) -> str | None:
    """Stores and looks through one file. Returns why it was not read; only what may come later leaves it waiting."""
    try:
        data = bytes_of(conn, row, tools.gameserver, tools.settings.gamestats_folder, endstats.MAX_BYTES)
        with conn.transaction():
            files.note_arrived(conn, row, files.store_content(conn, data))
        endstats.parse(data)
    except (FormatError, FileMissing, TooLarge) as error:
        files.finish(conn, row, FileStatus.QUARANTINED, str(error))
        return f"{row.name}: {error}"
    except GameServerError as error:
        return f"{row.name}: {error}; it is asked for again"
    return None


def _store(
    conn: Conn, links: dict[str, EndstatsLink], digests: dict[str, str], labels: dict[str, int]
) -> dict[str, dict[str, int | str]]:
    """Writes the endstats of a session's rounds. Returns what there is of each, as facts of its check."""
    stats = {
        entry.key: entry.stats for entry in parsed.load_rounds(conn, [k for k, link in links.items() if link.keys])
    }
    data = files.contents(conn, digests.values())
    awards, duels = {}, {}
    for key, players in stats.items():
        whole = merged(endstats.parse(data[digests[file_key]]) for file_key in links[key].keys)
        awards[key] = resolve_awards(whole, players, labels[key])
        duels[key] = resolve_duels(whole, players)
    stored.store_endstats(conn, links, digests, awards, duels)
    return {
        key: {
            "files": len(link.keys),
            "awards": len(awards.get(key, ())),
            "lines of who killed whom": len(duels.get(key, ())),
            "awards of nobody known": sum(award.guid is None for award in awards.get(key, ())),
            "why": link.reason or WITHIN_WINDOW,
        }
        for key, link in links.items()
    }
