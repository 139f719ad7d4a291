"""Stage 8: what players read about a match: a short message after round 1, the result after round 2."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import dagster as dg

from slomix_pipeline.assets.common import by_server, round_asset
from slomix_pipeline.checks.layers import report
from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.jobs import ASKED, LIVE, PUBLISH_TAG
from slomix_pipeline.rules.things import RESULTS, Thing, ThingKind, ToldAs
from slomix_pipeline.rules.values import Status
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import corrections, due, reading, results, unfinished
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.database import Database, StillHeld

if TYPE_CHECKING:
    from slomix_pipeline.discord.client import Discord
    from slomix_pipeline.discord.telling import Telling

PATIENCE = 60.0  # seconds to wait for another run that tells: two waiting runs are all that Dagster runs at once


@round_asset(
    "match_post",
    stage="Discord post",
    kinds={"discord", "postgres"},
    deps=["match_score"],
    description="The messages of a match. What is due (a fresh round that a sensor asked for) is announced; backfills, "
    "reruns and imports only correct what was said before. The ledger sees to it that nothing is said twice.",
)
def match_post(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database], discord: dg.ResourceParam[Channels]
) -> dg.MaterializeResult:
    wish = context.run.tags.get(PUBLISH_TAG)
    own = set(context.partition_keys)
    told: dict[ToldAs, list[str]] = {}
    outcomes: dict[str, Outcome] = {}
    with database.connect() as conn:
        begun = unfinished.begun(conn, own, unfinished.Stage.MATCH_POST)
    if discord.results is not None:
        told, outcomes = _tell(context, database, discord.results, own, wish)
    with database.connect() as conn:
        check = report(context, conn, CheckName.TOLD_ONCE, outcomes)
        unfinished.note_done(conn, begun)
    metadata: dict[str, Any] = {
        "announced": len(told.get(ToldAs.SENT, [])),
        "corrected": len(told.get(ToldAs.EDITED, [])),
        "channel": discord.results.describe() if discord.results else "none: SLOMIX_DISCORD_WEBHOOK is not set",
        "messages": dg.MetadataValue.json(
            {k.value: v for k, v in told.items() if k not in (ToldAs.SILENT, ToldAs.UNCHANGED)}
        ),
    }
    return dg.MaterializeResult(metadata=metadata, check_results=[check])


def _tell(
    context: dg.AssetExecutionContext, database: Database, discord: "Discord", own: set[str], wish: str | None
) -> tuple[dict[ToldAs, list[str]], dict[str, Outcome]]:
    """Tells the matches of the sessions that hold the rounds. Returns the names of the things by what became of them,
    and the outcome of each round."""
    from slomix_pipeline.discord.telling import Telling

    if wish == ASKED:
        with database.transaction() as conn:
            due.note_asked(conn, sorted(own), load_settings().publish_max_age)
    told: dict[ToldAs, list[str]] = {}
    outcomes: dict[str, Outcome] = {}
    with ExitStack() as stack:
        try:
            # What is read stays true until it is told: a run of the other round would tell something newer.
            for server, _ in by_server(sorted(own)):
                stack.enter_context(database.hold(f"telling {server}", patience=PATIENCE))
        except StillHeld:
            context.log.warning("another run tells results for long: what there is to tell stays due, for a later run")
            return told, outcomes
        with database.transaction() as conn:
            sessions = results.sessions_of(conn, own)
            made = due.results_made(conn, sessions)
            matches = reading.matches(conn, sessions)
            changed = {match.key: corrections.note_difference(conn, match) for match in matches}
            wanted = due.wanted(conn) if wish in (LIVE, ASKED) else set()
        telling = Telling(database, discord, RESULTS, wanted, context.log)
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
    # Loaded here: the messages need requests, which loading the definitions doesn't.
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
