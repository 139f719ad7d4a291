"""What several commands print: what came of files that were taken in, and gaming sessions.

Does not belong here: the commands (``main``, ``maintenance``).
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from slomix_pipeline.cli.terminal import database_of, err, out, print_json
from slomix_pipeline.settings import Settings

if TYPE_CHECKING:
    from slomix_pipeline.actions.importing import Summary


def print_summary(settings: Settings, where: str, summary: "Summary") -> None:
    """What came of files that were taken in. ``where``: they lay, as it follows their number."""
    out.print(f"Found {summary.found} game files {where}", soft_wrap=True)
    out.print(
        f"  ingested {summary.ingested}, already known {summary.known}, quarantined {len(summary.quarantined)}, "
        f"waiting for their round {summary.waiting}, linked to timing {summary.linked}"
    )
    if summary.resumed:
        out.print(f"  of these, left unfinished by an earlier import or run: {summary.resumed}")
    if summary.renewed:
        out.print(f"  rounds known before that were worked out again: {summary.renewed}")
    if summary.unannounced:
        out.print(
            f"  not announced, as an interrupted import with --publish would have done: {summary.unannounced} rounds; "
            "give --publish again to announce them",
            soft_wrap=True,
        )
    if off := summary.zone_off_by:
        hours, where = abs(off).total_seconds() / 3600, "after" if off > timedelta() else "before"
        out.print(
            f"  the stamps lie {hours:g} h {where} their timing records, so none was linked: is the time zone of the "
            "stamps another? Import again with the right --timezone",
            style="yellow",
            soft_wrap=True,
        )
    for name, reason in summary.quarantined:
        out.print(Text("  quarantined", "red"), f"{name}: {reason}", soft_wrap=True)
    for name, reason in summary.skipped:
        out.print(Text("  skipped", "yellow"), f"{name}: {reason}", soft_wrap=True)
    if summary.left_aside:
        few = ", ".join(summary.left_aside[:3]) + (" …" if len(summary.left_aside) > 3 else "")
        out.print(f"  left aside, not files of a kind that is read: {len(summary.left_aside)} ({few})", soft_wrap=True)
    out.print(f"  sessions touched: {len(summary.sessions)}")
    if summary.sessions:
        print_sessions(settings, only=set(summary.sessions))


def print_sessions(settings: Settings, *, as_json: bool = False, only: set[str] | None = None) -> None:
    """The gaming sessions, all or some, with the messages that somebody has to look at."""
    from slomix_pipeline.reports.export import sessions_as_json, troubles_of_no_session

    with database_of(settings).snapshot() as conn:
        found = [session for session in sessions_as_json(conn, settings) if only is None or session["key"] in only]
        others = troubles_of_no_session(conn) if only is None else []
    if as_json:
        print_json(found)
        for trouble in others:  # they are in no session's object
            err.print(f"message {trouble['thing']} is {trouble['trouble']}: {trouble['detail']}", soft_wrap=True)
        return
    table = Table(box=None)
    for column in ("session", "ended (UTC)", "rounds", "matches", "A", "B", "draws", "not counted", "teams"):
        table.add_column(column, no_wrap=True)
    for session in found:
        score = session["score"]
        decided = f" ({session['decisions']} decided by people)" if session["decisions"] else ""
        teams = f"{session['teams']['A']} – {session['teams']['B']}{decided}"
        counts = (session["rounds"], session["matches"], score["A"], score["B"], score["draws"], score["not_counted"])
        table.add_row(session["key"], session["ended_at"].replace("T", " ").rstrip("Z"), *map(str, counts), teams)
    out.print(table)
    troubles = [trouble for session in found for trouble in session["message_troubles"]] + others
    for trouble in troubles:
        line = f"message {trouble['thing']} is {trouble['trouble']}: {trouble['detail']}"
        out.print(line, soft_wrap=True)
    if troubles:
        out.print("To resolve one: slomix post --retry THING (send it again) or --told THING (it is there).")
