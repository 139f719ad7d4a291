"""What the admin channel is told: one message per cause, which says how things stand and, at the end, that it is over.

Belongs here: wording, colours. Does not belong here: what is wrong (``warehouse.alarms``), when it is told
(``rules.alarms``).
"""

from collections.abc import Sequence
from datetime import datetime

from slomix_pipeline.discord.embeds import Embed, Message, clip, escape, length
from slomix_pipeline.rules.alarms import AlarmCause, Episode, Symptom

MOST_LINES = 10
SUBJECT_WIDTH, DETAIL_WIDTH = 60, 100  # visible characters
ROOM = 3500  # of a description, for lines
_MARKS = 3  # characters read for a visible one: it may hold any number of marks

_BAD, _ODD, _OVER = 0xE74C3C, 0xE67E22, 0x2ECC71
_COLOURS = {AlarmCause.WARNING_CHECKS: _ODD}

# Of one, and of several.
_HEADLINES = {
    AlarmCause.QUARANTINED: ("1 file can't be read", "{n} files can't be read"),
    AlarmCause.FAILED_CHECKS: ("1 check failed", "{n} checks failed"),
    AlarmCause.WARNING_CHECKS: ("1 check warns", "{n} checks warn"),
    AlarmCause.FAILED_RUNS: ("1 run failed", "{n} runs failed"),
    AlarmCause.REFUSED_WEBHOOKS: ("1 message was refused by its webhook", "{n} messages were refused by their webhook"),
    AlarmCause.MESSAGES: ("1 message to look at", "{n} messages to look at"),
    AlarmCause.SILENT_SESSIONS: ("1 session without a word", "{n} sessions without a word"),
    AlarmCause.BACKUPS: ("1 thing wrong with the backups", "{n} things wrong with the backups"),
}
# Each command leads a line, so that no end of a line parts it.
_CHECKS = ("`slomix audit` lists them,", "`slomix explain` tells what each saw.")
_ADVICE = {
    AlarmCause.QUARANTINED: (
        "Put whole files in their place. All reasons:",
        "`slomix files --status quarantined`",
    ),
    AlarmCause.FAILED_CHECKS: _CHECKS,
    AlarmCause.WARNING_CHECKS: _CHECKS,
    AlarmCause.FAILED_RUNS: ("Look at the run in the UI. Rounds are tried again by themselves.",),
    AlarmCause.REFUSED_WEBHOOKS: (
        "`slomix doctor` says which setting to mend; fresh messages follow after a restart.",
    ),
    AlarmCause.MESSAGES: (
        "Settle each: send it again, or note that it is there.",
        "`slomix post --retry THING`",
        "`slomix post --told THING`",
    ),
    AlarmCause.SILENT_SESSIONS: ("What is known of one:", "`slomix explain --session KEY`"),
    AlarmCause.BACKUPS: (
        "The last run of the nightly backup, in the UI, says why. What is there, and one by hand:",
        "`slomix backup list`",
        "`slomix backup --check`",
    ),
}


def headline(cause: AlarmCause, symptoms: Sequence[Symptom]) -> str:
    """What is wrong, in a few words."""
    number = sum(symptom.count for symptom in symptoms)
    one, several = _HEADLINES[cause]
    return one if number == 1 else several.format(n=number)


def alarm_message(episode: Episode, symptoms: Sequence[Symptom]) -> Message:
    """How things stand. ``symptoms``: of the alarm's cause, the newest first."""
    lines = [_line(symptom) for symptom in symptoms[:MOST_LINES]]
    while sum(map(length, lines)) > ROOM:
        lines.pop()
    if more := len(symptoms) - len(lines):
        lines.append(f"… and {more} more")
    lines += [f"-# {line}" for line in _ADVICE[episode.cause]]
    return _message(headline(episode.cause, symptoms), lines, _COLOURS.get(episode.cause, _BAD), episode)


def over_message(episode: Episode) -> Message:
    """That nothing of it is left."""
    assert episode.closed_at is not None
    lines = [f"Nothing of this is left since {_time(episode.closed_at)}. It was: {episode.said or 'not told'}."]
    return _message("Resolved", lines, _OVER, episode)


def _message(title: str, lines: Sequence[str], colour: int, episode: Episode) -> Message:
    footer = f"{episode.cause} · alarm {episode.id}"
    return Message(embeds=(Embed(title, "\n".join(lines), colour, (), footer, episode.opened_at),))


def _line(symptom: Symptom) -> str:
    many = f" ({symptom.count})" if symptom.count > 1 else ""
    detail = escape(clip(symptom.detail[: _MARKS * DETAIL_WIDTH], DETAIL_WIDTH))
    subject = escape(clip(symptom.subject[: _MARKS * SUBJECT_WIDTH], SUBJECT_WIDTH)) or "?"
    return f"**{subject}**{many}\n{_time(symptom.since)}" + (f" · {detail}" if detail else "")


def _time(moment: datetime) -> str:
    return f"<t:{int(moment.timestamp())}:f>"
