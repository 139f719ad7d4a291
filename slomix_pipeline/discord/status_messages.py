"""What is said of the chain from the game server to the players.

Does not belong here: the sentences themselves (``rules.stages``), what whoever runs the server is told
(``alarm_messages``).
"""

from datetime import datetime

from slomix_pipeline.discord.board_messages import as_of_text
from slomix_pipeline.discord.embeds import Embed, Message, escape
from slomix_pipeline.rules.stages import HEADINGS, StageSeen, StageState, worst

_COLOURS = {
    StageState.OK: 0x2ECC71,
    StageState.IDLE: 0x2ECC71,
    StageState.UNKNOWN: 0x95A5A6,
    StageState.WARN: 0xF1C40F,
    StageState.DOWN: 0xE74C3C,
}


def status_message(found: tuple[StageSeen, ...], as_of: datetime) -> Message:
    """How each stage stands, below how the worst of them does."""
    state = worst(found)
    lines = [_line(stage) for stage in found]
    return Message(embeds=(Embed(HEADINGS[state], "\n".join([*lines, as_of_text(as_of)]), _COLOURS[state]),))


def _line(stage: StageSeen) -> str:
    when = "" if stage.at is None else f" <t:{int(stage.at.timestamp())}:R>"
    return f"`{stage.state.value:<7}` **{escape(stage.name)}** · {escape(stage.text)}{when}"
