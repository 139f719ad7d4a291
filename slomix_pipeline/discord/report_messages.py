"""How the pipeline stands, as the admin channel is told.

Belongs here: its shape as a message. Does not belong here: its words (``reports.pipeline_report``).
"""

from slomix_pipeline.discord.embeds import Embed, Message, block, clip, escape
from slomix_pipeline.discord.wording import NEUTRAL
from slomix_pipeline.reports.pipeline_report import PipelineReport, headline, sections

LINE_WIDTH = 300  # visible characters: names of files are text of others
_ODD = 0xE67E22


def report_message(report: PipelineReport) -> Message:
    """The whole report."""
    fields = tuple(
        field
        for section in sections(report)
        for field in block(section.title, [escape(clip(line, LINE_WIDTH)) for line in section.lines])
    )
    colour = _ODD if any(section.title == "To look at" for section in sections(report)) else NEUTRAL
    return Message(embeds=(Embed(headline(report), "", colour, fields, "slomix report", report.made_at),))
