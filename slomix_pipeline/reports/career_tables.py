"""Careers, boards, records and maps as the terminal shows them.

Belongs here: lines and tables. Does not belong here: their words (``career_words``), reading them (``warehouse``).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.table import Table

from slomix_pipeline.cli.terminal import Terminal
from slomix_pipeline.formats.weapons import weapon_called
from slomix_pipeline.reports.career_words import (
    ALIASES_SHOWN,
    CAREER_NUMBERS,
    accuracy_text,
    amount,
    badge_text,
    board_heading,
    board_value,
    deed_text,
    equalled_text,
    milestone_text,
    progress_text,
    record_title,
    record_value,
    rounds_text,
    samples_text,
    standing_text,
    usual_text,
)
from slomix_pipeline.reports.map_words import (
    advantage_text,
    attacks_text,
    card_text,
    curves_text,
    finish_text,
    quartiles_text,
)
from slomix_pipeline.rules.boards import Board, Threshold
from slomix_pipeline.warehouse.boards import BoardRow
from slomix_pipeline.warehouse.careers import Career
from slomix_pipeline.warehouse.maps import MapSeen
from slomix_pipeline.warehouse.records import RecordSeen
from slomix_pipeline.warehouse.standings import Meetings

MILESTONES_SHOWN = 10


def print_board(
    out: Terminal,
    board: Board,
    needed: Threshold,
    rows: Sequence[BoardRow],
    map_name: str | None,
    since: datetime | None,
) -> None:
    """A board with what it ranks and whom."""
    where = f" on {map_name}" if map_name else ""
    out.print(f"{board.title}{where}: {board_heading(board, needed, since)}", soft_wrap=True)
    if not rows:
        out.print("Nobody has played enough for it.")
        return
    table = _table(("#", "right"), ("player", "left"), ("GUID", "left"), ("value", "right"), ("over", "right"))
    for row in rows:
        table.add_row(str(row.rank), row.name, row.guid, board_value(board, row), rounds_text(row))
    out.print(table)


def print_career(out: Terminal, career: Career) -> None:
    """All that is told of a player."""
    numbers = career.numbers
    out.print(f"{career.name} ({career.guid})", style="bold", soft_wrap=True)
    played = f"{numbers.rounds:,} rounds, {_day(numbers.first_played_at)} to {_day(numbers.last_played_at)}"
    out.print(f"{played}; matches: {standing_text(career.standing)}", soft_wrap=True)
    names = [f"{alias.name} ({alias.rounds})" for alias in career.aliases[:ALIASES_SHOWN]]
    more = len(career.aliases) - len(names)
    out.print(f"Names: {', '.join(names)}{f' and {more} more' if more else ''}", soft_wrap=True)
    table = _table(("", "left"), ("", "right"))
    table.show_header = False
    for number in CAREER_NUMBERS:
        table.add_row(number.title, number.text(career))
    out.print(table)
    _print_form(out, career)
    _print_weapons(out, career)
    _print_milestones(out, career)
    if career.bests:
        out.print()
        out.print("Best rounds")
        out.print(_records_table(career.bests, with_holders=False))


def _print_form(out: Terminal, career: Career) -> None:
    form = career.form
    out.print()
    out.print(f"Latest nights; {usual_text(form)}", soft_wrap=True)
    table = _table(
        ("session", "left"), ("rounds", "right"), ("kills", "right"), ("K/D", "right"), ("damage per minute", "right")
    )
    for night in form.nights:
        values = (amount(night.kills), amount(night.kd, 2), amount(night.dpm, 1))
        table.add_row(night.session_key, str(night.rounds), *values)
    out.print(table)


def _print_weapons(out: Terminal, career: Career) -> None:
    if not career.weapons:
        return
    out.print()
    table = _table(("weapon", "left"), ("kills", "right"), ("accuracy", "right"), ("headshots", "right"))
    for own in career.weapons:
        table.add_row(
            weapon_called(own.weapon), amount(own.kills), accuracy_text(own), amount(own.headshot_percent, 1, " %")
        )
    out.print(table)


def _print_milestones(out: Terminal, career: Career) -> None:
    out.print()
    badges = [badge_text(own) for own in career.progress if own.badge is not None]
    out.print(f"Badges: {', '.join(badges) or 'none yet'}", soft_wrap=True)
    for milestone in career.milestones[: -MILESTONES_SHOWN - 1 : -1]:
        reached = milestone.reached
        out.print(f"  {_day(reached.stamp)}  {milestone_text(milestone)}  ({reached.round_key})", soft_wrap=True)
    for own in career.deeds:
        out.print(f"  {_day(own.stamp)}  {deed_text(own)}  ({own.match_key or own.session_key})", soft_wrap=True)
    ahead = [progress_text(own, career.numbers.rounds) for own in career.progress if own.next_step is not None]
    out.print(f"Next: {'; '.join(ahead) or 'nothing: all are reached'}", soft_wrap=True)


def print_compare(out: Terminal, one: Career, other: Career, met: Meetings) -> None:
    """Two players side by side; of a ratio the higher is marked."""
    table = _table(("", "left"), (one.name, "right"), (other.name, "right"))
    for number in CAREER_NUMBERS:
        marked = [number.text(career) for career in (one, other)]
        values = [number.of(career.numbers) for career in (one, other)]
        if number.compares and values[0] is not None and values[1] is not None and values[0] != values[1]:
            marked[values[1] > values[0]] += " *"
        table.add_row(number.title, *marked)
    table.add_row("matches", standing_text(one.standing), standing_text(other.standing))
    out.print(table)
    out.print(f"Together: {standing_text(met.together)}", soft_wrap=True)
    out.print(f"Against each other, {one.name}: {standing_text(met.against)}", soft_wrap=True)


def print_records(out: Terminal, records: Sequence[RecordSeen], map_name: str | None) -> None:
    """Records with the rounds and files they are from."""
    where = f" on {map_name}" if map_name else ""
    if not records:
        out.print(f"No record{where} yet.", soft_wrap=True)
        return
    out.print(f"Records{where}. {samples_text()}", soft_wrap=True)
    out.print(_records_table(records, with_holders=True))
    out.print("slomix explain ROUND has what stands behind one; --json the whole sha256.", soft_wrap=True)


def print_map(out: Terminal, seen: MapSeen) -> None:
    """All that is told of a map."""
    out.print(seen.name, style="bold", soft_wrap=True)
    out.print(f"{seen.matches} decided matches, last played {_day(seen.last_played_at)}", soft_wrap=True)
    out.print(card_text(seen), soft_wrap=True)
    if more := curves_text(seen.curves):
        out.print(f"  {more}", soft_wrap=True)
    out.print(f"Attacks: {attacks_text(seen)}", soft_wrap=True)
    if seen.other_limits:
        out.print(f"  left out, as their limit was another: {seen.other_limits}")
    if fallen := quartiles_text(seen):
        out.print(f"Defences fallen: {fallen}", soft_wrap=True)
    out.print(f"Won by who attacked first: {advantage_text(seen)}")
    for finish in seen.finishes:
        out.print(f"Close finish: {finish.team.shown} {finish_text(finish)} ({finish.match_key})", soft_wrap=True)
    if seen.records:
        out.print()
        print_records(out, seen.records, seen.name)


def _records_table(records: Sequence[RecordSeen], *, with_holders: bool) -> Table:
    columns = [("record", "left"), ("value", "right"), ("holder", "left"), ("map", "left"), ("ended (UTC)", "left")]
    if not with_holders:
        del columns[2]
    table = _table(*columns, ("round", "left"), ("sha256", "left"), ("timing", "left"))
    for record in records:
        again = equalled_text(record)
        holders = [" ".join(filter(None, (", ".join(record.holders), again and f"({again})")))] if with_holders else []
        table.add_row(
            record_title(record),
            record_value(record),
            *holders,
            record.map or "",
            f"{record.ended_at.astimezone(UTC):%Y-%m-%d %H:%M}",
            record.round_key,
            record.sha256[:12],
            record.timing_status or "",
        )
    return table


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name, justify in columns:
        table.add_column(name, justify="right" if justify == "right" else "left", overflow="fold")
    return table


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"
