"""What can be told, what becomes of telling it, and what of it somebody has to look at: the words.

Belongs here: a thing and its name; the states and outcomes. Does not belong here: telling (``discord``), keeping
(``warehouse.due``, ``discord.ledger``).
"""

from dataclasses import dataclass
from enum import StrEnum


class ThingKind(StrEnum):
    """What a message is about."""

    ROUND1 = "round1"  # the first round of a match
    RESULT = "result"  # of a match, by its second round
    SESSION = "session"  # the summary of one
    TIMING = "timing"  # of a round whose stopwatch did not show what was played
    ALARM = "alarm"  # what whoever runs the server has to look at, from when it comes up until it is over
    ASKED = "asked"  # a board, a player … that somebody or a schedule asked for
    REPORT = "report"  # how the pipeline stands, on a day


RESULTS = (ThingKind.ROUND1, ThingKind.RESULT, ThingKind.SESSION)  # what the channel of results is told
TIMINGS = (ThingKind.TIMING,)  # the dev channel
ALARMS = (ThingKind.ALARM,)  # and the admin channel
ASKED = (ThingKind.ASKED,)  # the channel of boards, if there is one, else that of results
REPORTS = (ThingKind.REPORT,)  # the admin channel, too
UNCHECKED = (*ALARMS, *ASKED, *REPORTS)  # of no partition, so no check is about them


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that is told at most once. ``partition_key``: of the round or session that it is about; of an alarm its
    cause and number, of what was asked for the key of the asking, of a report its day. ``part``: of what does not fit
    into one message, the second and so on."""

    kind: ThingKind
    partition_key: str
    part: int = 1

    @property
    def name(self) -> str:
        """Its name in the ledger."""
        return f"{self.kind}:{self.partition_key}" + (f"#{self.part}" if self.part > 1 else "")

    @classmethod
    def named(cls, name: str) -> "Thing":
        """The thing of a name.

        Raises:
            ValueError: it is no thing's name.
        """
        kind, _, rest = name.partition(":")
        key, _, part = rest.partition("#")
        return cls(ThingKind(kind), key, int(part or 1))


class PostState(StrEnum):
    """What is known of a message in the ledger."""

    CLAIMED = "claimed"  # somebody is sending it, or ended while he did
    SENT = "sent"
    FAILED = "failed"  # it surely did not arrive
    REFUSED = "refused"  # the webhook or this content: it surely did not arrive
    IN_DOUBT = "in_doubt"  # it may be there: it is never sent again
    TOLD = "told"  # a person saw it in the channel, and nobody knows its id


THERE = (PostState.SENT, PostState.TOLD)  # it is there to be read
NOT_THERE = (PostState.FAILED, PostState.REFUSED)  # it surely is not


class ToldAs(StrEnum):
    """What became of telling."""

    SILENT = "silent"  # nothing was to be said
    SENT = "sent"
    EDITED = "edited"
    UNCHANGED = "unchanged"  # it says so already
    FAILED = "failed"  # tried again
    REFUSED = "refused"  # the webhook or this content; tried again with others
    UNCORRECTED = "uncorrected"  # an edit failed; tried again
    STANDS = "stands"  # it is wrong and can't be edited any more
    MISSED = "missed"  # too old to be told by now
    IN_DOUBT = "in_doubt"

    @property
    def is_trouble(self) -> bool:
        return self in (
            ToldAs.FAILED,
            ToldAs.REFUSED,
            ToldAs.UNCORRECTED,
            ToldAs.STANDS,
            ToldAs.MISSED,
            ToldAs.IN_DOUBT,
        )

    @property
    def is_right(self) -> bool:
        """Whether the message is there to be read and says what it should."""
        return self in (ToldAs.SENT, ToldAs.EDITED, ToldAs.UNCHANGED)

    @property
    def stands(self) -> bool:
        """Whether the message is there to be read, as far as is known."""
        return self in (
            ToldAs.SENT,
            ToldAs.EDITED,
            ToldAs.UNCHANGED,
            ToldAs.UNCORRECTED,
            ToldAs.STANDS,
            ToldAs.IN_DOUBT,
        )


class Trouble(StrEnum):
    """Why somebody has to look at a message; see the view ``message_trouble``."""

    IN_DOUBT = "in_doubt"  # it may be there
    STANDS = "stands"  # it is wrong and can't be edited any more
    UNCORRECTED = "uncorrected"  # an edit failed; tried again
    MISSED = "missed"  # never told, and too old now
    FAILED = "failed"  # surely not there; tried again
    REFUSED = "refused"  # likewise
    WAITS = "waits"  # its run keeps ending early, or Discord takes nothing
    UNCOMPARED = "uncompared"  # told, and its results were made anew
