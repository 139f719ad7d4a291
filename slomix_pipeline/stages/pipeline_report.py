"""Beside the stages: how the pipeline stands, told in the admin channel, one message a day.

Belongs here: making it due, and telling it as things stand then. Does not belong here: what it says
(``reports.pipeline_report``), when it is made (``schedules``).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from slomix_pipeline.reports.pipeline_report import PipelineReport, gather
from slomix_pipeline.rules.things import Thing, ThingKind
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.warehouse import due

if TYPE_CHECKING:
    from slomix_pipeline.discord.ledger import Told


def make_report(tools: Tools) -> PipelineReport:
    """How everything stands now."""
    with tools.database.snapshot() as conn:
        return gather(conn, tools.settings, datetime.now(UTC))


def ask_for_report(tools: Tools, day: str) -> None:
    """Makes the report of a day due, where there is a channel for it: what can't be told now is told later."""
    if tools.channels.of(ThingKind.REPORT) is not None:
        with tools.database.transaction() as conn:
            due.note(conn, _thing(day), datetime.now(UTC) + tools.settings.publish_max_age)


def tell_report(days: Sequence[str], tools: Tools, report: PipelineReport | None = None) -> "dict[str, Told]":
    """Tells the reports of these days, or brings them up to date, as ``report`` has it, else as things stand now.
    Returns what became of each; nothing without an admin channel."""
    channel = tools.channels.of(ThingKind.REPORT)
    if channel is None:
        return {}
    # Loaded here: telling needs requests, which loading the definitions doesn't.
    from slomix_pipeline.discord.report_messages import report_message
    from slomix_pipeline.discord.telling import Telling

    message = report_message(report or make_report(tools))
    with tools.database.connect() as conn:
        wanted = due.wanted(conn)
    telling = Telling(tools, channel, tools.channels.kinds_in(channel), wanted)
    return {day: telling.tell(_thing(day), message) for day in days}


def _thing(day: str) -> Thing:
    return Thing(ThingKind.REPORT, day)
