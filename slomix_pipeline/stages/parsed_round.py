"""Stage 2: the stats file read: header, players and weapons as written, one transaction per round."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg

from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import FileKind, FileName, parse_file_name
from slomix_pipeline.formats.gamestats import StatsFile
from slomix_pipeline.formats.tail import NEWEST_LAYOUT
from slomix_pipeline.rules.identity import has_identity
from slomix_pipeline.rules.plausibility import disagreeing_ratios
from slomix_pipeline.rules.stamps import CLOCK_CHANGE, WITNESS_WITHIN, Moment, stamp_in_utc
from slomix_pipeline.rules.values import FileStatus, map_key
from slomix_pipeline.stages.common import Conn, Done, Tools, round_by_round
from slomix_pipeline.warehouse import files, parsed, timing_records, unfinished
from slomix_pipeline.warehouse.check_results import CheckName, Outcome

CLOCKS_MAY_DIFFER = timedelta(minutes=2)


class _NotWritten(Exception):
    """What the database took is not what was parsed: the round is rolled back."""


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
        todo = {key: row for key, row in rows.items() if row.sha256 and row.status is not FileStatus.KNOWN}
        for key, row in sorted(todo.items()):
            moment = _moment(conn, row, tools.settings.zone)
            stats = _parse(conn, row, moment, outcomes[CheckName.PARSE], key)
            if stats is None:
                continue
            players += len(stats.players)
            try:
                with conn.transaction():
                    outcomes[CheckName.READ_BACK][key] = _store(
                        conn, row, moment, stats, outcomes[CheckName.PARSE][key]
                    )
                    files.finish(conn, row, FileStatus.INGESTED)
                    unfinished.note_begun(conn, [key], unfinished.ROUND_ENDS)
                outcomes[CheckName.CONSTRAINTS][key] = Outcome(True, {"rows refused": 0})
            except _NotWritten as error:
                outcomes[CheckName.READ_BACK][key] = _quarantine(conn, row, str(error))
            except (psycopg.IntegrityError, psycopg.DataError) as error:
                outcomes[CheckName.CONSTRAINTS][key] = _quarantine(
                    conn, row, f"the database refuses it: {error.diag.message_primary or error}"
                )
        for server in {row.server for row in todo.values()}:
            files.reopen_lonely_copies(conn, server)
    ingested = sum(outcome.passed for outcome in outcomes[CheckName.CONSTRAINTS].values())
    totals = {
        "rounds": ingested,
        "players": players,
        "quarantined": len(todo) - ingested,
        "not read": len(rows) - len(todo),
    }
    return Done(outcomes, totals)


def _parse(conn: Conn, row: files.FileRow, moment: Moment, outcomes: dict[str, Outcome], key: str) -> StatsFile | None:
    """The parsed file, or None after it was quarantined; its parse outcome is put into ``outcomes``."""
    data = files.contents(conn, [str(row.sha256)])[str(row.sha256)]
    try:
        stats = parsed.accept_stats(data)
    except FormatError as error:
        outcomes[key] = _quarantine(conn, row, str(error))
        return None
    warnings = list(_oddities(parse_file_name(row.name), moment, stats))
    facts = {
        "players": len(stats.players),
        "generation": stats.generation,
        "kills": sum(player.total("kills") for player in stats.players),
        "lines whose ratio disagrees": len(disagreeing_ratios(stats)),
    }
    outcomes[key] = Outcome(not warnings, facts | ({"warnings": "; ".join(warnings)} if warnings else {}))
    return stats


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


def _store(conn: Conn, row: files.FileRow, moment: Moment, stats: StatsFile, parse: Outcome) -> Outcome:
    """Writes the round and reads it back. Raises ``_NotWritten`` when the two differ."""
    parsed.store_round(conn, row, parse_file_name(row.name), moment, stats)
    expected = {
        "players": len(stats.players),
        "weapon_rows": sum(len(player.weapons) for player in stats.players),
        "kills": parse.facts["kills"],
        "deaths": sum(player.total("deaths") for player in stats.players),
        "headshots": sum(player.total("headshots") for player in stats.players),
        "damage_given": sum(int(player.tail["damage_given"] or 0) for player in stats.players),
    }
    stored = parsed.read_back(conn, str(row.partition_key))
    differing = [
        f"{what} {int(stored[what])} instead of {value}" for what, value in expected.items() if stored[what] != value
    ]
    if differing:
        raise _NotWritten(f"the database holds {', '.join(differing)}")
    return Outcome(True, expected)


def _moment(conn: Conn, row: files.FileRow, server_zone: ZoneInfo) -> Moment:
    """The stamp in UTC; timing records and the file's own time of change settle a repeated hour."""
    name = parse_file_name(row.name)
    assert name.stamp is not None
    zone = ZoneInfo(row.timezone) if row.timezone else server_zone
    moment = stamp_in_utc(name.stamp, zone)
    if not moment.ambiguous:
        return moment
    start, end = moment.at - WITNESS_WITHIN, moment.at + CLOCK_CHANGE + WITNESS_WITHIN
    records = (entry.clocked for entry in timing_records.records_between(conn, row.server, start, end))
    own = map_key(str(name.map_name))
    witnesses = [r.at for r in records if map_key(r.map_name) == own and r.number in (None, name.number)]
    return stamp_in_utc(name.stamp, zone, witnesses or [row.modified_at or datetime.min.replace(tzinfo=UTC)])


def _quarantine(conn: Conn, row: files.FileRow, reason: str) -> Outcome:
    reason = parsed.keeps_earlier(conn, row, reason)
    files.finish(conn, row, FileStatus.QUARANTINED, reason)
    return Outcome(False, {"reason": reason}, error=True)
