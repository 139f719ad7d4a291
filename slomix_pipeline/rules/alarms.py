"""What whoever runs the server is told of, and when: one alarm per cause, from when it comes up until it is over.

Belongs here: the causes, and what is to be done about each as things stand.
Does not belong here: finding what is wrong (``warehouse.alarms``, ``sensors.alarms``), words (``discord``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# What is older is known by now, or nobody will ever mend it.
LATELY = timedelta(days=7)
RUNS_LATELY = timedelta(days=1)  # whatever failed then was tried again many times since
SILENT_FOR = timedelta(minutes=15)  # after a session should have been told

SETTLES = timedelta(minutes=1)  # what mends itself sooner is nobody's business
TELL_EVERY = timedelta(minutes=2)  # an open alarm is edited no more often
REOPENS_WITHIN = timedelta(hours=1)  # what comes back sooner is the same alarm


class AlarmCause(StrEnum):
    """What an alarm is about: everything of a cause stands in one message."""

    QUARANTINED = "quarantined"  # files of the game server that can't be read
    FAILED_CHECKS = "failed_checks"  # with severity ERROR
    WARNING_CHECKS = "warning_checks"
    FAILED_RUNS = "failed_runs"
    REFUSED_WEBHOOKS = "refused_webhooks"  # deleted, wrong, or without rights
    MESSAGES = "messages"  # others that somebody has to look at
    SILENT_SESSIONS = "silent_sessions"  # over, and nobody was told a word of them
    BACKUPS = "backups"  # none is made, or one can't be brought back as it was


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that is wrong. ``count``: how many that are, where several of one kind are one line; ``since``: of the
    latest of them."""

    cause: AlarmCause
    subject: str
    detail: str
    since: datetime
    count: int = 1


@dataclass(frozen=True, slots=True)
class Episode:
    """An alarm from when it came up. ``closed_at``: when it was over; ``told_at``: when its message last said what was
    to be said, None: never; ``said``: its headline then."""

    id: int
    cause: AlarmCause
    opened_at: datetime
    closed_at: datetime | None
    told_at: datetime | None
    said: str | None


class Step(StrEnum):
    """What is to be done about a cause."""

    OPEN = "open"  # a message of its own
    REOPEN = "reopen"  # the message of before goes on
    TELL = "tell"  # the message says how things stand
    CLOSE = "close"  # it says that it is over


def next_step(symptoms: Sequence[Symptom], latest: Episode | None, now: datetime) -> Step | None:
    """What to do about a cause; None: nothing. ``symptoms``: of it; ``latest``: its latest episode."""
    settled = any(now - symptom.since >= SETTLES for symptom in symptoms)
    if latest is None:
        return Step.OPEN if settled else None
    if latest.closed_at is None:
        if not symptoms:
            return Step.CLOSE
        return Step.TELL if latest.told_at is None or now - latest.told_at >= TELL_EVERY else None
    if settled:
        return Step.REOPEN if now - latest.closed_at <= REOPENS_WITHIN else Step.OPEN
    # That it is over did not get through; of what was never told nobody needs to hear that.
    return Step.TELL if latest.told_at is not None and latest.told_at < latest.closed_at else None
