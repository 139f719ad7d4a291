"""``slomix explain``: what stands behind a round and a player's numbers in it, as JSON of schema ``slomix.receipt/1``;
and behind a session, as Markdown.

Belongs here: stored rows, stored bytes and what the rules make of them now, put side by side.
Does not belong here: reading rows (``warehouse.receipts``), a player's numbers (``player_receipts``), the comparison
with the rules (``rederiving``), how it looks on paper (``receipt_text``).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.formats.gamestats import Header, PlayerLine
from slomix_pipeline.formats.keys import server_of
from slomix_pipeline.formats.names import decode, readable
from slomix_pipeline.reports.evidence import evidence_markdown
from slomix_pipeline.reports.export import utc_text
from slomix_pipeline.reports.player_receipts import Case, how_made, line_in, player_receipt, signs_of_restart
from slomix_pipeline.reports.rederiving import differences, rederive
from slomix_pipeline.reports.wording import SIDES, SURRENDERED
from slomix_pipeline.rules.laws import pair_laws
from slomix_pipeline.rules.pairing import goes_on
from slomix_pipeline.rules.timing import attackers_gave_up, duration_sources
from slomix_pipeline.rules.values import attack_succeeded
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import check_results, files, parsed, receipts, results
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.receipts import FileOfRound, RoundStored
from slomix_pipeline.warehouse.session_evidence import session_evidence

SCHEMA = "slomix.receipt/1"
SHORTEST_GUID_PART = 4
_LISTED_AT_MOST = 12


class NotFound(SlomixError):
    """What was asked for is not here, or could be several; the text lists what there is."""


def explain(database: Database, settings: Settings, wanted: str, guid: str | None, now: datetime) -> dict[str, Any]:
    """The receipt of one round; with ``guid`` (whole, or its first characters) also of that player's numbers.

    Raises:
        NotFound: no such round or player, or more than one.
    """
    with database.snapshot() as conn:
        key = find(conn, wanted)
        row = receipts.round_row(conn, key)
        file = receipts.file_row(conn, key)
        stored = files.contents(conn, [sha for sha in (file.sha256, row and row.sha256) if sha])
        newest = stored[file.sha256] if file.sha256 else None
        receipt: dict[str, Any] = {"schema": SCHEMA, "key": key, "file": _file(file, row, newest)}
        if row is None:
            receipt["checks"] = _checks(conn, key)
            if guid is not None:
                raise NotFound(
                    f"{key} was never read, so nothing is known of its players: {file.reason or file.status}"
                )
            return receipt
        data = stored[row.sha256]
        receipt |= _placing(conn, row, data, now) | {"checks": _checks(conn, key)}
        if row.status is not None:
            _with_players(conn, settings, row, data, guid, receipt)
        elif guid is not None:
            raise NotFound(f"{key} was read but not worked out yet: materialise round_stats")
        return receipt


def explain_session(database: Database, session_key: str) -> str:
    """What a session's result rests on, as Markdown."""
    with database.snapshot() as conn:
        return evidence_markdown(session_evidence(conn, session_key))


def find(conn: Connection[DictRow], wanted: str) -> str:
    """The key of the one round that ``wanted`` means: a key, file name, stem, the beginning of one, or ``latest``.

    Raises:
        NotFound: none, or several.
    """
    found = receipts.candidates(conn, wanted)
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(
            f"there is no stats file {wanted!r}; slomix files lists what there is, `latest` is the newest round"
        )
    raise NotFound(f"{wanted!r} could be {_some(found)}")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED_AT_MOST} more" if len(names) > _LISTED_AT_MOST else ""
    return ", ".join(names[:_LISTED_AT_MOST]) + more


def _file(file: FileOfRound, row: RoundStored | None, data: bytes | None) -> dict[str, Any]:
    """The file as the ledger has it, with its newest bytes; ``read_sha256`` is of those the numbers are from."""
    return {
        "name": file.name,
        "server": file.server,
        "status": file.status,
        "reason": file.reason,
        "size": file.size if data is None else len(data),
        "sha256": file.sha256,
        "read_sha256": row.sha256 if row else None,
        "from": "import" if file.imported else "game server",
        "first_seen_at": utc_text(file.first_seen_at),
        "arrived_at": utc_text(file.arrived_at) if file.arrived_at else None,
        "generation": row.generation if row and row.sha256 == file.sha256 else None,
        "line_ends": None if data is None else "CRLF" if b"\r\n" in data else "LF",
        "lines": None if data is None else data.count(b"\n"),
        "first_line": None if data is None else _first_line(data),
    }


def _first_line(data: bytes) -> str:
    return readable(decode(data[:300].partition(b"\n")[0].removesuffix(b"\r")))


def _placing(conn: Connection[DictRow], row: RoundStored, data: bytes, now: datetime) -> dict[str, Any]:
    """What became of the round, and what each part of that rests on."""
    header = parsed.headers(conn, [row.round_key])[row.round_key]
    played = results.true_headers(conn, results.places(conn, [row.round_key])).get(row.round_key, header)
    return {
        "round": {
            "map": row.map,
            "number": row.number,
            "label": row.label,
            "status": row.status,
            "reason": row.reason,
            "valid": row.valid,
            "invalid_reason": row.invalid_reason,
            "unscored_reason": row.unscored_reason,
            "flags": [*row.flags, *(("stamp_ambiguous",) if row.stamp_ambiguous else ())],
            "ended_at": utc_text(row.stamp),
            "stamp_local": row.stamp_local.isoformat(sep=" "),
            "age_seconds": int((now - row.stamp).total_seconds()),
            "session": row.session_key,
            "position": row.session_position,
        },
        "header": {"line": _first_line(data)} | _header(header),
        "pairing": _pairing(conn, row),
        "duration": _duration(conn, row, played),
        "timing": _timing(row),
        "match": _match(row),
        "endstats": {
            "link_class": row.endstats_class,
            "reason": row.endstats_reason,
            "files": list(row.endstats),
            "awards": row.awards,
            "duels": row.duels,
        },
    }


def _header(header: Header) -> dict[str, Any]:
    succeeded = attack_succeeded(header)
    return {
        "as_written": {
            "server": header.server_name,
            "map": header.map_name,
            "config": header.config,
            "round": header.number,
            "defender": header.defender_side,
            "winner": header.winner_side,
            "limit": header.limit,
            "attack_time": header.attack_time,
            "playtime": header.playtime,
        },
        "as_read": {
            "defender": SIDES.get(header.defender_side or 0),
            "winner": SIDES.get(header.winner_side or 0),
            "attackers_won": succeeded,
            "limit_seconds": header.limit_seconds,
            "attack_seconds": header.attack_seconds,
            "playtime_seconds": header.playtime_seconds,
        },
    }


def _pairing(conn: Connection[DictRow], row: RoundStored) -> dict[str, Any] | None:
    """What speaks for the two rounds of a match belonging together; None for a match of one round."""
    if not row.partner_key:
        return None
    first, second = parsed.load_rounds(conn, [row.round_key, row.partner_key])
    return {
        "partner": row.partner_key,
        "gap_seconds": int((second.stamp - first.stamp).total_seconds()),
        "laws": [finding._asdict() for finding in pair_laws(first.stats, second.stats)],
    }


def _match(row: RoundStored) -> dict[str, Any] | None:
    if row.match_position is None:
        return None
    return {
        "key": row.match_key,
        "position": row.match_position,
        "status": row.match_status,
        "winner": row.match_winner,
        "source": row.match_source,
        "reason": row.match_reason,
        "policy": row.match_policy,
    }


def _duration(conn: Connection[DictRow], row: RoundStored, header: Header) -> dict[str, Any]:
    """The length in force and everything that could have told it, best source first."""
    played = [p.seconds_played for p in receipts.stored_players(conn, row.round_key).values()]
    record = (row.record_seconds, row.pause_seconds) if row.record_key else (None, None)
    sources = duration_sources(header, row.status, played, *record) if row.status else []
    return {
        "seconds": row.duration_seconds,
        "source": row.duration_source,
        "stopwatch": header.attack_time,
        "surrendered": SURRENDERED[row.surrender_side],
        "attackers_gave_up": attackers_gave_up(header, row.surrender_side),
        "sources": [
            {
                "source": s.name,
                "seconds": s.seconds,
                "why": "used" if s.name == row.duration_source else s.why_not or "a better source is there",
            }
            for s in sources
        ],
    }


def _timing(row: RoundStored) -> dict[str, Any]:
    ended_at = row.record_ended_at
    return {
        "status": row.timing_status,
        "link_class": row.link_class,
        "reason": row.link_reason,
        "record": row.record_key,
        "candidate": row.candidate_key,
        "record_sha256": row.record_sha256,
        "record_seconds": row.record_seconds,
        "script_version": row.script_version,
        "end_reason": row.end_reason,
        "exit_print": row.exit_print,
        "pause_count": row.pause_count,
        "pause_seconds": row.pause_seconds,
        "stamp_minus_record_end": (row.stamp - ended_at).total_seconds() if ended_at else None,
    }


def _checks(conn: Connection[DictRow], key: str) -> list[dict[str, Any]]:
    return [
        {
            "name": check.check_name,
            "passed": check.passed,
            "severity": check.severity,
            "facts": check.facts,
            "checked_at": utc_text(check.checked_at),
        }
        for check in check_results.outcomes_of(conn, key)
    ]


def _with_players(
    conn: Connection[DictRow],
    settings: Settings,
    row: RoundStored,
    data: bytes,
    guid: str | None,
    receipt: dict[str, Any],
) -> None:
    """Adds the players, what differs from the rules as they are now, and the one player asked for."""
    key = row.round_key
    now = rederive(conn, settings, server_of(key), key)
    stored = receipts.stored_players(conn, key)
    weapons = receipts.stored_weapons(conn, key)
    own = {player.guid: player for player in now.players}
    lines = {line.guid: line for line in now.rounds[key].stats.players}
    assert row.number is not None
    own_file = not goes_on(row.number, row.flags)
    first = now.rounds.get(row.partner_key) if row.partner_key and not own_file else None
    before = {line.guid: line for line in first.stats.players} if first else {}
    made = {g: how_made(own.get(g), own_file, before.get(g)) for g in lines}
    teams = receipts.teams(conn, row.session_key) if row.session_key else {}
    receipt["differs_from_rules"] = differences(now, row, stored, weapons)
    receipt["players"] = [
        {
            **{name: value for name, value in player.items() if name not in ("round_key", "file_name", "generation")},
            "name": lines[player["guid"]].clean_name,
            "team": teams.get(player["guid"]),
            "line": line_in(data, lines[player["guid"]])[0],
            "made": made[player["guid"]],
            "signs": signs_of_restart(made[player["guid"]], before.get(player["guid"]), lines[player["guid"]]),
        }
        for player in receipts.player_rows(conn, key)
    ]
    if guid is not None:
        chosen = _one_player(guid, lines)
        case = Case(lines[chosen], before.get(chosen), made[chosen], stored.get(chosen), weapons.get(chosen, {}))
        receipt["player"] = player_receipt(case) | {"team": teams.get(chosen)} | _lines_of(conn, row, data, case)


def _one_player(wanted: str, lines: Mapping[str, PlayerLine]) -> str:
    wanted = wanted.upper()
    if wanted in lines:
        return wanted
    found = [guid for guid in lines if len(wanted) >= SHORTEST_GUID_PART and guid.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    here = ", ".join(f"{guid} ({lines[guid].clean_name})" for guid in found or sorted(lines))
    if found:
        raise NotFound(f"{wanted!r} could be {here}")
    raise NotFound(
        f"no GUID in this round's file begins with {wanted!r} (write at least {SHORTEST_GUID_PART} characters); "
        f"there are {here}"
    )


def _lines_of(conn: Connection[DictRow], row: RoundStored, data: bytes, case: Case) -> dict[str, Any]:
    """Where the player stands in the file, and in round 1's."""
    number, text = line_in(data, case.line)
    found: dict[str, Any] = {"line": {"file": row.name, "number": number, "text": text}, "round_1_line": None}
    first = receipts.round_row(conn, row.partner_key) if case.before and row.partner_key else None
    if first and case.before:
        number, text = line_in(files.contents(conn, [first.sha256])[first.sha256], case.before)
        found["round_1_line"] = {"file": first.name, "number": number, "text": text}
    return found
