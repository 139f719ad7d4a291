"""``slomix audit``: everything stored, as one Markdown report: what is missing, what does not count, what to look at.

Belongs here: wording and Markdown. Does not belong here: the counting (``warehouse.audit``).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.reports.export import utc_text
from slomix_pipeline.reports.markdown import code, escape, table
from slomix_pipeline.reports.wording import facts, span
from slomix_pipeline.rules.timing_records import UnlinkedClass
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse import audit
from slomix_pipeline.warehouse.audit import (
    CheckFailed,
    CountedDifferently,
    LostTiming,
    MissingRound,
    Month,
    NeverFetched,
    NotCounting,
    Quarantined,
    Scope,
    UnusedRecords,
)
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.due import MessageTrouble
from slomix_pipeline.warehouse.rework import rules_in_force

KEYS_SHOWN = 8
ROWS_SHOWN = 30
NEWEST_SHOWN = 5

_STRICT_AND_REAL = """\
*Strict* is what file names alone tell: a round 2 is missing its round 1 when no round-1 file of its map and calendar
date comes before it, a round 1 its round 2 when none comes after. *Real* is what is left after pairing: a round 2
that belongs to no round 1 (`r2_only`), a round 1 that got no round 2 (`r1_only`; in the last {window} it may still
come). They differ because names know neither midnight nor which play of a map a file is of: a match across midnight
and an aborted round look like gaps and are none, while an orphan hides behind another play of its map that day.
(Asking for equal stamps would call every round missing: each file has the stamp of its own end.)"""


class UnknownServer(SlomixError):
    """No file of this server was ever seen; the text names those there are."""


def report(database: Database, settings: Settings, server: str | None, since: str, now: datetime) -> str:
    """The whole report in Markdown. ``server``: None for all; ``since``: first month, ``YYYY-MM`` or "".

    Raises:
        UnknownServer: no file of it was ever seen.
    """
    scope = Scope(server, since, now, settings.pairing_window, rules_in_force(settings))
    with database.snapshot() as conn:
        known = audit.servers(conn)
        if server is not None and server not in known:
            raise UnknownServer(
                f"no file of a server {server!r} was seen; there are {', '.join(known) or 'none so far'}"
            )
        return "\n".join(_lines(conn, scope, known if server is None else [server])) + "\n"


def _lines(conn: Connection[DictRow], scope: Scope, servers: Sequence[str]) -> Iterator[str]:
    *by_month, total = audit.months(conn, scope)
    missing, quarantined = audit.missing(conn, scope), audit.quarantined(conn, scope)
    checks, never_fetched = audit.checks(conn, scope, NEWEST_SHOWN), audit.never_fetched(conn, scope)
    messages = audit.message_troubles(conn, scope)
    scope_text = f"since {scope.since}" if scope.since else "everything stored"
    yield f"# Audit of {', '.join(map(code, servers)) or 'an empty database'}, {scope_text}"
    yield f"\nMade {utc_text(scope.now)}. Months and dates are those of the file stamps.\n"
    yield _verdict(total, quarantined, never_fetched, checks, messages)
    yield from _months(by_month, total, scope, audit.counted_differently(conn, scope))
    yield from _missing(missing, scope)
    yield from _not_counting(audit.not_counting(conn, scope), scope)
    yield from _quarantined(quarantined)
    yield from _never_fetched(never_fetched, scope)
    yield from _messages(messages, scope)
    yield from _checks(checks)
    yield from _timing(by_month, total, audit.records_without_round(conn, scope), audit.broken_links(conn, scope))
    yield from _endstats(by_month, total, audit.rounds_without_endstats(conn, scope))


def _verdict(
    total: Month,
    quarantined: Sequence[Quarantined],
    never_fetched: Sequence[NeverFetched],
    checks: Sequence[CheckFailed],
    messages: Sequence[MessageTrouble],
) -> str:
    """One line: what there is to look at."""
    files = sum(row.files for row in quarantined)
    waiting = sum(row.files for row in never_fetched)
    failed = sum(row.failed for row in checks)
    found = [
        f"{count} {what.format(s='' if count == 1 else 's')}"
        for count, what in (
            (total.missing_r1, "round{s} 2 without round 1"),
            (total.missing_r2, "round{s} 1 without round 2"),
            (files, "quarantined file{s}"),
            (waiting, "file{s} never fetched"),
            (len(messages), "message{s} in doubt or not delivered"),
            (failed, "check result{s} not passed"),
            (total.not_worked_out, "round{s} not worked out yet"),
            (total.outdated, "round{s} worked out by other rules or settings than now (`slomix run` redoes them)"),
        )
        if count
    ]
    stored = f"{total.rounds} rounds stored, {total.valid} count, {total.complete} matches are complete"
    return f"**{stored}; {'to look at: ' + ', '.join(found) if found else 'nothing to look at'}.**"


def _months(
    by_month: Sequence[Month], total: Month, scope: Scope, only_one_sees: Sequence[CountedDifferently]
) -> Iterator[str]:
    yield "\n## Rounds by month\n"
    if not by_month:
        yield "No round is stored."
        return
    yield from table(
        ("month", "rounds", "count", "matches complete", "R1 missing: strict", "real", "R2 missing: strict", "real"),
        (
            (
                _month(row),
                row.rounds,
                row.valid,
                row.complete,
                row.missing_r1_strict,
                row.missing_r1,
                row.missing_r2_strict,
                row.missing_r2,
            )
            for row in [*by_month, total]
        ),
    )
    yield "\n" + _STRICT_AND_REAL.format(window=span(scope.window))
    differing = [
        f"{seen} {code(row.status or 'not worked out')} by the {count} count only"
        for row in only_one_sees
        for count, seen in (("strict", row.strict), ("real", row.real))
        if seen
    ]
    if differing:
        yield f"\nWhere the counts differ: {', '.join(differing)}."


def _month(row: Month) -> str:
    return f"{row.month:%Y-%m}" if row.month else "**all**"


def _missing(rows: Sequence[MissingRound], scope: Scope) -> Iterator[str]:
    table = [
        (
            code(row.round_key),
            f"round {row.lost}",
            span(scope.now - row.stamp),
            escape(row.reason or ""),
            _may_be(row),
        )
        for row in rows
    ]
    columns = ("round", "lacks", "age", "reason", "a file that may be it")
    return _section("Missing rounds", "None is really missing.", columns, table)


def _may_be(row: MissingRound) -> str:
    if row.file_name is None:
        return "none was seen"
    return f"{code(row.file_name)}, {row.file_status}" + (f": {escape(row.file_reason)}" if row.file_reason else "")


def _not_counting(rows: Sequence[NotCounting], scope: Scope) -> Iterator[str]:
    table = [
        (
            code(row.status),
            escape(row.reason),
            row.rounds,
            _day(row.oldest, scope),
            _day(row.newest, scope),
            _few(row.keys),
        )
        for row in rows
    ]
    columns = ("status", "reason", "rounds", "oldest", "newest", "keys")
    return _section("Rounds that do not count", "Every round counts.", columns, table)


def _quarantined(rows: Sequence[Quarantined]) -> Iterator[str]:
    table = [(row.kind, escape(row.reason or ""), row.files, _few(row.names)) for row in rows]
    return _section("Quarantined files", "None.", ("kind", "reason", "files", "names"), table)


def _never_fetched(rows: Sequence[NeverFetched], scope: Scope) -> Iterator[str]:
    table = [
        (
            row.kind,
            row.status,
            escape(row.reason or ""),
            row.files,
            _day(row.oldest, scope),
            _few(row.names),
        )
        for row in rows
    ]
    columns = ("kind", "status", "reason", "files", "first seen", "names")
    return _section("Files seen but never fetched", "None.", columns, table)


def _messages(rows: Sequence[MessageTrouble], scope: Scope) -> Iterator[str]:
    table = [
        (code(row.thing), row.trouble.replace("_", " "), escape(row.detail or ""), _day(row.since, scope))
        for row in rows
    ]
    columns = ("thing", "what became of it", "why", "since")
    yield from _section("Messages in doubt or not delivered", "None.", columns, table)
    if rows:
        yield "\n`slomix post --retry THING` sends one again, `slomix post --told THING` notes that it is there."


def _checks(rows: Sequence[CheckFailed]) -> Iterator[str]:
    yield "\n## Checks not passed"
    if not rows:
        yield "\nEvery check passed for every round it looked at."
    for row in rows:
        errors = f", {row.errors} of them errors" if row.errors else ""
        yield f"\n### {code(row.check_name)}: {row.failed} of {row.looked} not passed{errors}\n"
        for key, seen in zip(row.newest, row.facts, strict=True):
            yield f"- {code(key)}: {escape(facts(seen))}"
        if row.failed > len(row.newest):
            yield f"- and {row.failed - len(row.newest)} more"


_UNLINKED = {
    UnlinkedClass.RESTARTED: "of rounds that were restarted",
    UnlinkedClass.LEFT: "of rounds left before their end",
    UnlinkedClass.COPY: "that say the same as another one",
    UnlinkedClass.CANDIDATE: "that are only candidates",
    UnlinkedClass.TIE: "equally near to a round as another one",
    UnlinkedClass.FARTHER: "whose round has a nearer one",
    UnlinkedClass.NO_ROUND: "without a stats file",
    None: "not looked at yet, or far from every round",
}


def _timing(
    by_month: Sequence[Month], total: Month, without_round: Sequence[UnusedRecords], lost: Sequence[LostTiming]
) -> Iterator[str]:
    yield "\n## Lua timing by month\n"
    if not total.linked and not without_round:
        yield "No timing record is stored: lengths are from the stats files."
        return
    yield from table(
        ("month", "rounds", "linked", "%", "candidate only", "tie", "stopwatch differs"),
        (
            (
                _month(row),
                row.rounds,
                row.linked,
                f"{100 * row.linked / row.rounds:.0f}",
                row.candidates,
                row.ties,
                row.differing,
            )
            for row in [*by_month, total]
            if row.rounds
        ),
    )
    if without_round:
        yield f"\nTiming records no round uses: {sum(row.records for row in without_round)}\n"
    for unused in without_round:
        newest = "; ".join(escape(text) for text in unused.newest)
        yield f"- {unused.records} {_UNLINKED[unused.unlinked_class]}: {newest}"
    if lost:
        yield f"\nRounds without a record: {sum(row.rounds for row in lost)}, by the first broken link\n"
    for row in lost:
        more = ", …" if row.rounds > len(row.newest) else ""
        yield f"- {row.rounds} {row.link}: {', '.join(code(key) for key in row.newest)}{more}"


def _endstats(by_month: Sequence[Month], total: Month, without: Sequence[str]) -> Iterator[str]:
    yield "\n## Endstats by month\n"
    if not total.with_endstats:
        yield "No round has endstats: there are no awards."
        return
    yield from table(
        ("month", "rounds that count", "with endstats", "tie"),
        ((_month(row), row.valid, row.with_endstats, row.endstats_ties) for row in [*by_month, total]),
    )
    if without:
        yield f"\nWithout, in months that have some: {len(without)}: {_few(without)}"


def _section(title: str, nothing: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """A heading and the first of the rows as a table; ``nothing`` is said when there is none."""
    yield f"\n## {title}\n"
    if not rows:
        yield nothing
        return
    yield from table(columns, rows[:ROWS_SHOWN])
    if len(rows) > ROWS_SHOWN:
        yield f"\nand {len(rows) - ROWS_SHOWN} more"


def _few(names: Sequence[str]) -> str:
    more = [f"and {len(names) - KEYS_SHOWN} more"] if len(names) > KEYS_SHOWN else []
    return ", ".join([*map(code, names[:KEYS_SHOWN]), *more])


def _day(moment: datetime, scope: Scope) -> str:
    return f"{moment:%Y-%m-%d} ({span(scope.now - moment)} ago)"
