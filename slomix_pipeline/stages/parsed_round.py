"""Stage 2: the stats file read: header, players and weapons as written, one transaction per round.

Does not belong here: the format (``formats.gamestats``), what can't be (``rules.plausibility``).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import FileKind, FileName, parse_file_name
from slomix_pipeline.formats.gamestats import StatsFile
from slomix_pipeline.formats.tail import NEWEST_LAYOUT
from slomix_pipeline.rules.identity import has_identity
from slomix_pipeline.rules.plausibility import disagreeing_ratios
from slomix_pipeline.rules.stamps import CLOCK_CHANGE, WITNESS_WITHIN, Moment, stamp_in_utc
from slomix_pipeline.rules.stats_files import accept_stats
from slomix_pipeline.rules.values import FileStatus, map_key
from slomix_pipeline.stages.common import Conn, Done, Tools, in_portions, round_by_round
from slomix_pipeline.warehouse import files, timing_records, unfinished
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.files import FileRow
from slomix_pipeline.warehouse.keeping import ReadOtherwise, keep_each
from slomix_pipeline.warehouse.parsed import FiledStats, keeps_earlier, store_rounds, to_read_back

CLOCKS_MAY_DIFFER = timedelta(minutes=2)


def parsed_round(keys: Sequence[str], tools: Tools) -> Done:
    """Parses and stores the stats files of these rounds. What can't be read whole is quarantined with the reason."""
    outcomes: dict[CheckName, dict[str, Outcome]] = {
        CheckName.PARSE: {},
        CheckName.READ_BACK: {},
        CheckName.CONSTRAINTS: {},
    }
    players = 0
    with round_by_round(tools.database) as conn:
        rows = files.files_of(conn, FileKind.STATS, keys)
        todo = sorted(
            (row for row in rows.values() if row.sha256 and row.status is not FileStatus.KNOWN), key=lambda row: row.key
        )
        for portion in in_portions(todo):
            filed = _parse(conn, portion, tools.settings.zone, outcomes[CheckName.PARSE])
            players += sum(len(entry.stats.players) for entry in filed)
            for entry, refusal in keep_each(conn, filed, lambda entries: _store(conn, entries)):
                refused = refusal and _quarantine(conn, entry.row, str(refusal))
                if not isinstance(refusal, ReadOtherwise):
                    outcomes[CheckName.CONSTRAINTS][entry.row.key] = refused or Outcome(True, {"rows refused": 0})
                if refused is None or isinstance(refusal, ReadOtherwise):
                    outcomes[CheckName.READ_BACK][entry.row.key] = refused or Outcome(True, to_read_back(entry.stats))
        for server in {row.server for row in todo}:
            files.reopen_lonely_copies(conn, server)
    ingested = sum(outcome.passed for outcome in outcomes[CheckName.CONSTRAINTS].values())
    totals = {
        "rounds": ingested,
        "players": players,
        "quarantined": len(todo) - ingested,
        "not read": len(rows) - len(todo),
    }
    return Done(outcomes, totals)


def _parse(
    conn: Conn, rows: Sequence[FileRow], server_zone: ZoneInfo, outcomes: dict[str, Outcome]
) -> list[FiledStats]:
    """Those files that can be parsed; the others are quarantined. What the check says is put into ``outcomes``."""
    data = files.contents(conn, [str(row.sha256) for row in rows])
    filed = []
    for row in rows:
        try:
            stats = accept_stats(data[str(row.sha256)])
        except FormatError as error:
            outcomes[row.key] = _quarantine(conn, row, str(error))
            continue
        name = parse_file_name(row.name)
        moment = _moment(conn, row, name, server_zone)
        outcomes[row.key] = _parse_outcome(name, moment, stats)
        filed.append(FiledStats(row, name, moment, stats))
    return filed


def _parse_outcome(name: FileName, moment: Moment, stats: StatsFile) -> Outcome:
    warnings = list(_oddities(name, moment, stats))
    facts = {
        "players": len(stats.players),
        "generation": stats.generation,
        "kills": sum(player.total("kills") for player in stats.players),
        "lines whose ratio disagrees": len(disagreeing_ratios(stats)),
    }
    return Outcome(not warnings, facts | ({"warnings": "; ".join(warnings)} if warnings else {}))


def _oddities(name: FileName, moment: Moment, stats: StatsFile) -> Iterator[str]:
    """What a person should look at, though the file is whole."""
    if stats.header.number not in (None, name.number):
        yield f"the header says round {stats.header.number}, the name (which wins) {name.number}"
    if moment.ambiguous:
        yield "the stamp lies in the hour that the clock change repeats, and nothing tells which: the earlier is taken"
    if moment.at > datetime.now(UTC) + CLOCKS_MAY_DIFFER:
        yield f"the stamp, {moment.at:%Y-%m-%d %H:%M} UTC, lies in the future: check SLOMIX_TIMEZONE and the clocks"
    if stats.tail_fields > NEWEST_LAYOUT:
        yield f"{stats.tail_fields} tail fields; the first {NEWEST_LAYOUT} are read"
    for line in stats.players:
        if not has_identity(line.guid):
            yield f"{line.clean_name or 'a player without a name'} has no GUID of his own: without identity over rounds"
    for guid in disagreeing_ratios(stats):
        yield f"{guid}: the writer's kill ratio disagrees with the weapons; the weapons are kept"


def _store(conn: Conn, filed: Sequence[FiledStats]) -> None:
    store_rounds(conn, filed)
    for server, entries in groupby(filed, key=lambda entry: entry.row.server):
        files.finish_all(conn, server, [entry.row.name for entry in entries], FileStatus.INGESTED)
    unfinished.note_begun(conn, [entry.row.key for entry in filed], unfinished.ROUND_ENDS)


def _moment(conn: Conn, row: FileRow, name: FileName, server_zone: ZoneInfo) -> Moment:
    """The stamp in UTC; timing records and the file's own time of change settle a repeated hour."""
    assert name.stamp is not None
    zone = ZoneInfo(row.timezone) if row.timezone else server_zone
    moment = stamp_in_utc(name.stamp, zone)
    if not moment.ambiguous:
        return moment
    start, end = moment.at - WITNESS_WITHIN, moment.at + CLOCK_CHANGE + WITNESS_WITHIN
    records = (entry.clocked for entry in timing_records.records_between(conn, row.server, start, end))
    own = map_key(str(name.map_name))
    ends = [r.at for r in records if map_key(r.map_name) == own and r.number in (None, name.number)]
    return stamp_in_utc(name.stamp, zone, ends, row.modified_at)


def _quarantine(conn: Conn, row: FileRow, reason: str) -> Outcome:
    reason = keeps_earlier(conn, row, reason)
    files.finish(conn, row, FileStatus.QUARANTINED, reason)
    return Outcome(False, {"reason": reason}, error=True)
