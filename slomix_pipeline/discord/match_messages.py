"""Which message a match gives to tell, by its rounds.

Belongs here: the choice. Does not belong here: how a message reads (``messages``), whether it may be told
(``telling``).

A message belongs to its round, not to the match: when a late file changes which round 1 a round 2 belongs to, the
result moves along, and what no longer counts says so.
"""

from typing import NamedTuple

from slomix_pipeline.discord import messages
from slomix_pipeline.discord.embeds import Message
from slomix_pipeline.rules.things import Thing, ThingKind
from slomix_pipeline.rules.values import Status
from slomix_pipeline.warehouse.reading import MatchSeen


class ToTell(NamedTuple):
    """A thing with its message as it should read now. ``news``: it may be announced, not only corrected."""

    thing: Thing
    message: Message
    news: bool


def of_second_round(match: MatchSeen, changed: str | None) -> ToTell:
    """The result, or that the round does not count. ``changed``: since the result was told first."""
    assert match.second is not None
    complete = match.status is Status.COMPLETE
    message = messages.result_message(match, changed) if complete else messages.not_counted_message(match, 2, changed)
    return ToTell(Thing(ThingKind.RESULT, match.second.key), message, complete)


def of_first_round(match: MatchSeen, result_stands: bool) -> ToTell:
    """Who has to beat what, until the result is there to be read; then a pointer to it, or that it does not count."""
    assert match.first is not None
    thing = Thing(ThingKind.ROUND1, match.first.key)
    complete = match.status is Status.COMPLETE
    if (match.status is Status.R1_ONLY and match.winner is None) or (complete and not result_stands):
        return ToTell(thing, messages.round_one_message(match), news=not complete)
    if complete:
        return ToTell(thing, messages.round_one_pointer(match), news=False)
    return ToTell(thing, messages.not_counted_message(match, 1), news=False)
