"""The job that makes the nightly report: its numbers as metadata, which Dagster plots from day to day, and its message.

Belongs here: its configuration. Does not belong here: when it runs (``schedules``), what it says
(``reports.pipeline_report``), telling it (``stages.pipeline_report``).
"""

from datetime import time

import dagster as dg

from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.discord.patience import OF_A_RUN, Patience
from slomix_pipeline.formats.names import visible
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.post_jobs import DayConfig, clear_failures
from slomix_pipeline.reports.markdown import escape
from slomix_pipeline.reports.pipeline_report import headline, numbers, sections
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.stages.pipeline_report import ask_for_report, make_report, tell_report
from slomix_pipeline.warehouse.database import Database

NIGHTLY = "nightly_report"  # the schedule, and its op
_DESCRIPTION = (
    "Says how the pipeline stands, as slomix report does: files by what became of them, what is missing, what nobody "
    "looked at; as metadata and, where SLOMIX_DISCORD_ADMIN_WEBHOOK is set, in the admin channel, one message a day."
)


@dg.op(name=NIGHTLY, description=_DESCRIPTION)
def nightly_report(
    context: dg.OpExecutionContext,
    config: DayConfig,
    settings: dg.ResourceParam[Settings],
    database: dg.ResourceParam[Database],
    discord: dg.ResourceParam[Channels],
) -> None:
    tools = Tools(database, settings, NoGameServer(), discord, log=context.log, patience=Patience(OF_A_RUN))
    with clear_failures():
        at = time.fromisoformat(settings.nightly_report_at) if settings.nightly_report_at else time()
        day = f"{config.or_latest(at, settings):%Y-%m-%d}"
        report = make_report(tools)
        text = [f"**{escape(headline(report))}**"]
        for section in sections(report):
            text += ["", f"### {section.title}", "", *(f"- {escape(line)}" for line in section.lines)]
        context.log.info(visible(headline(report)))
        context.add_output_metadata({"report": dg.MetadataValue.md("\n".join(text)), **numbers(report)})
        ask_for_report(tools, day)
        for own, told in tell_report([day], tools, report).items():
            context.log.info(f"the report of {own} is {told.outcome}")


pipeline_report = dg.GraphDefinition(
    name="pipeline_report", node_defs=[nightly_report], description=_DESCRIPTION
).to_job()
