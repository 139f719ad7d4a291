"""Beside the stages: the awards of a round and who killed whom, from its endstats file.

Nothing in the sentence needs them, so a round is never held up: a file that can't be had or read now changes no number.
"""

import dagster as dg

from slomix_pipeline.assets.common import Conn, bytes_of, for_touched_sessions, round_asset, round_by_round
from slomix_pipeline.checks.layers import report
from slomix_pipeline.formats import endstats
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.gameserver.source import FileMissing, GameServer, GameServerError, TooLarge
from slomix_pipeline.rules.endstats import (
    SPLIT_WITHIN,
    EndstatsLink,
    link_endstats,
    merged,
    resolve_awards,
    resolve_duels,
)
from slomix_pipeline.rules.linking import LINK_WINDOW, LinkClass
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import endstats as stored
from slomix_pipeline.warehouse import files, parsed, results, unfinished
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.database import Database


@round_asset(
    "round_awards",
    stage="awards",
    kinds={"postgres", "file"},
    deps=["round_stats"],
    description="The awards of each round and who killed whom, from the endstats file within 30 s of its stats file. "
    "What the engine counted covers both rounds in a file of round 2, and is marked so.",
    op_tags={"dagster/priority": "-1"},  # after the stages that a message waits for
)
def round_awards(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database], gameserver: dg.ResourceParam[GameServer]
) -> dg.MaterializeResult:
    with round_by_round(database) as conn:
        begun = unfinished.begun(conn, context.partition_keys, unfinished.Stage.ROUND_AWARDS)
        waiting = files.files_of(conn, FileKind.ENDSTATS, stored.waiting_for(conn, context.partition_keys))
        unread = {key: reason for key, row in waiting.items() if (reason := _read(conn, row, gameserver))}
    outcomes: dict[str, Outcome] = {}

    def recompute(conn: Conn, server: str, session: list[Stamped]) -> None:
        for row in (row for key, row in waiting.items() if key not in unread and row.server == server):
            files.finish(conn, row, FileStatus.INGESTED)  # with what is made of it: until then it waits
        rounds = stored.local_rounds(conn, [entry.key for entry in session])
        moments = [entry.at for entry in rounds]
        margin = LINK_WINDOW + SPLIT_WITHIN
        found, digests = stored.files_read(conn, server, min(moments) - margin, max(moments) + margin)
        links = link_endstats(rounds, found)
        for key, facts in _store(conn, links, digests, results.labels(conn, links)).items():
            outcomes[key] = Outcome(links[key].link_class is not LinkClass.TIE, facts)

    for_touched_sessions(database, context.partition_keys, recompute)
    with database.connect() as conn:
        check = report(context, conn, CheckName.ENDSTATS_LINK, outcomes)
        unfinished.note_done(conn, begun)
    own = [outcomes[key].facts for key in context.partition_keys if key in outcomes]
    metadata = {
        "rounds with endstats": sum(facts["files"] > 0 for facts in own),
        "awards": sum(facts["awards"] for facts in own),
        "lines of who killed whom": sum(facts["lines of who killed whom"] for facts in own),
        "files not read": dg.MetadataValue.json(list(unread.values())),
    }
    return dg.MaterializeResult(metadata=metadata, check_results=[check])


def _read(conn: Conn, row: files.FileRow, gameserver: GameServer) -> str | None:
    """Stores and looks through one file. Returns why it was not read; only what may come later leaves it waiting."""
    try:
        data = bytes_of(conn, row, gameserver, load_settings().gamestats_folder, endstats.MAX_BYTES)
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
            "why": link.reason or "within 30 s",
        }
        for key, link in links.items()
    }
