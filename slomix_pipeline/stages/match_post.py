"""Stage 8: what players read about a match: a short message after round 1, the result after round 2."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from slomix_pipeline.rules.things import RESULTS, Thing, ThingKind, ToldAs
from slomix_pipeline.rules.values import Status
from slomix_pipeline.stages.common import Done, Tools, Wish, by_server
from slomix_pipeline.warehouse import corrections, due, reading, results
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.database import StillHeld

if TYPE_CHECKING:
    from slomix_pipeline.discord.telling import Telling

PATIENCE = 60.0  # seconds to wait for another run that tells: two waiting runs are all that Dagster runs at once


def match_post(keys: Sequence[str], tools: Tools) -> Done:
    """Announces what is due of the matches of these rounds' sessions, and corrects what was said before."""
    told: dict[ToldAs, list[str]] = {}
    outcomes: dict[str, Outcome] = {}
    channel = tools.channels.results
    if tools.tells_results:
        told, outcomes = _tell(tools, set(keys))
    totals = {
        "announced": len(told.get(ToldAs.SENT, [])),
        "corrected": len(told.get(ToldAs.EDITED, [])),
        "channel": channel.describe() if channel else "none: SLOMIX_DISCORD_WEBHOOK is not set",
        "messages": {k.value: v for k, v in told.items() if k not in (ToldAs.SILENT, ToldAs.UNCHANGED)},
    }
    return Done({CheckName.TOLD_ONCE: outcomes}, totals)


def _tell(tools: Tools, own: set[str]) -> tuple[dict[ToldAs, list[str]], dict[str, Outcome]]:
    """Tells the matches of the sessions that hold the rounds. Returns the names of the things by what became of them,
    and the outcome of each round."""
    database = tools.database
    if tools.wish is Wish.ASKED:
        with database.transaction() as conn:
            due.note_asked(conn, sorted(own), tools.settings.publish_max_age)
    told: dict[ToldAs, list[str]] = {}
    outcomes: dict[str, Outcome] = {}
    with ExitStack() as stack:
        try:
            # What is read stays true until it is told: a run of the other round would tell something newer.
            for server, _ in by_server(sorted(own)):
                stack.enter_context(database.hold(f"telling {server}", patience=PATIENCE))
        except StillHeld:
            tools.log.warning("another run tells results for long: what there is to tell stays due, for a later run")
            return told, outcomes
        with database.transaction() as conn:
            sessions = results.sessions_of(conn, own)
            made = due.results_made(conn, sessions)
            quiet = due.quiet_matches(conn, sessions)
            for rounds in (rounds for matches in quiet.values() for rounds in matches):
                outcomes |= dict.fromkeys(rounds, Outcome(True, {"messages": len(rounds)}))
            matches = reading.matches(conn, [key for key in sessions if key not in quiet])
            changed = {match.key: corrections.note_difference(conn, match) for match in matches}
            wanted = due.wanted(conn) if tools.wish else set()
        if matches:
            # Loaded here: the messages need requests, which loading the definitions doesn't.
            from slomix_pipeline.discord.telling import Telling

            assert tools.channels.results is not None, "there is something to tell"
            telling = Telling(tools, tools.channels.results, RESULTS, wanted)
            for match in matches:
                said = _tell_match(telling, match, changed[match.key])
                for thing in said:
                    told.setdefault(telling.said[thing].outcome, []).append(thing)
                outcomes |= {seen.key: telling.outcome(said) for seen in match.rounds}
        with database.connect() as conn:
            due.note_compared(conn, made)
    return told, outcomes


def _tell_match(telling: "Telling", match: reading.MatchSeen, changed: str | None) -> list[str]:
    """Tells what there is to tell of a match, with what ``changed`` since it was told first. Returns the names of the
    things in the ledger.

    A message belongs to its round, not to the match: when a late file changes which round 1 a round 2 belongs to, the
    result moves along, and what no longer counts says so.
    """
    from slomix_pipeline.discord import messages

    said = []
    complete = match.status == Status.COMPLETE
    result_stands = False
    if match.second is not None:
        message = messages.result_message(match) if complete else messages.not_counted_message(match, 2)
        thing, result = Thing(ThingKind.RESULT, match.second.key), corrections.result_of(match)
        told = telling.tell(thing, messages.corrected(message, changed), news=complete, result=result)
        result_stands = told.outcome.stands
        said.append(thing.name)
    if match.first is not None:
        thing = Thing(ThingKind.ROUND1, match.first.key)
        if (match.status == Status.R1_ONLY and match.winner is None) or (complete and not result_stands):
            telling.tell(thing, messages.round_one_message(match), news=not complete)
        elif complete:
            telling.tell(thing, messages.round_one_pointer(match), news=False)
        else:
            telling.tell(thing, messages.not_counted_message(match, 1), news=False)
        said.append(thing.name)
    return said
