"""What the dev channel is told of a round whose stopwatch did not show what was played.

Belongs here: wording, colours. Facts come as ``warehouse.timing_comparison`` gives them.
Does not belong here: what players read (``messages``), and whether something is said at all.
"""

from slomix_pipeline.discord.embeds import Embed, Message, clip, escape, fields_of_lines
from slomix_pipeline.discord.wording import NEUTRAL, clock, map_text, player_text, raw_time_text, whole
from slomix_pipeline.rules.timing import SOURCE_WORDS, TimingStatus, pauses_text
from slomix_pipeline.rules.values import SIDE_NAMES
from slomix_pipeline.warehouse.timing_comparison import TimingSeen

_COLOURS = {
    TimingStatus.ALIGNED: 0x2ECC71,
    TimingStatus.MINOR_DIFF: 0xE67E22,
    TimingStatus.DISCREPANCY: 0xE74C3C,
    TimingStatus.NO_LUA_DATA: NEUTRAL,
}


def timing_message(timing: TimingSeen) -> Message:
    """The comparison of one round; once its record is there the same message tells how it came out."""
    facts = timing.facts
    embed = Embed(
        title=f"{map_text(facts.map)} · round {facts.number} · {facts.timing_status}",
        description="\n".join(line for line in (_clocks(timing), _counted(timing), _story(timing)) if line),
        color=_COLOURS[facts.timing_status],
        fields=fields_of_lines("Damage per minute, by the stopwatch → while there", _players(timing), room=3000)
        if timing.players
        else (),
        footer=" · ".join([timing.seen.key, *([f"script {v}"] if (v := facts.script_version) else [])]),
        timestamp=timing.seen.ended_at,
    )
    return Message(embeds=(embed,))


def _clocks(timing: TimingSeen) -> str:
    facts = timing.facts
    showed = f"The stopwatch showed **{raw_time_text(facts.stopwatch) or 'nothing'}**"
    if facts.record_key is None:
        known = f" ({escape(clip(timing.what_is_known, 300))})" if timing.what_is_known else ""
        return f"{showed}. No timing record: **{escape(timing.broken_link or 'not looked for')}**{known}"
    if facts.record_seconds is None:
        return f"{showed}. The timing record does not say how long the round was."
    apart = facts.difference_seconds
    off = "" if apart is None else f", {apart:.0f} s apart"
    return f"{showed}, the timing record says **{clock(facts.record_seconds)}**{off}."


def _counted(timing: TimingSeen) -> str:
    facts = timing.facts
    if facts.duration_seconds is None or facts.duration_source is None:
        return "How long was played is unknown."
    return f"Counted: **{clock(facts.duration_seconds)}**, from {SOURCE_WORDS[facts.duration_source]}."


def _story(timing: TimingSeen) -> str:
    facts = timing.facts
    gave_up = SIDE_NAMES.get(facts.surrender_side or 0)
    pauses = pauses_text(facts.pause_count, facts.pause_seconds)
    return " ".join([*([f"{gave_up} gave up."] if gave_up else []), *([f"Not in it: {pauses}."] if pauses else [])])


def _players(timing: TimingSeen) -> list[str]:
    return [
        f"**{player_text(row.name)}** · {whole(row.stopwatch_dpm)} → {whole(row.dpm)}"
        f" · {clock(row.seconds_played)} there"
        for row in timing.players
    ]
