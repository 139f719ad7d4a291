"""Stage 8: what players read about a match: a short message after round 1, the result after round 2."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import dagster as dg

from slomix_pipeline.assets.common import by_server, round_asset
from slomix_pipeline.checks.layers import report
from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.jobs import ASKED, LIVE, PUBLISH_TAG
from slomix_pipeline.rules.corrections import Published
from slomix_pipeline.rules.values import Status
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import corrections, due, reading, results, unfinished
from slomix_pipeline.warehouse.check_results import Outcome
from slomix_pipeline.warehouse.database import Database

if TYPE_CHECKING:
    from slomix_pipeline.discord.client import Discord
    from slomix_pipeline.discord.ledger import Told


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
    told: dict[str, list[str]] = {}
    outcomes: dict[str, Outcome] = {}
    with ExitStack() as stack:
        # What is read stays true until it is told: a run of the other round would tell something newer.
        for server, _ in by_server(sorted(own)):
            stack.enter_context(database.hold(f"telling {server}"))
        with database.connect() as conn:
            begun = unfinished.begun(conn, own, unfinished.Stage.MATCH_POST)
            made = due.results_made(conn, results.sessions_of(conn, own))
        matches, changed, wanted, goes_on = _what_to_tell(database, discord.results, own, wish)
        for match in matches:
            said = _tell_match(database, discord.results, match, changed[match.key], wanted, goes_on)
            goes_on = goes_on and all(outcome.goes_on for outcome in said.values())
            for thing, outcome in said.items():
                told.setdefault(outcome.outcome, []).append(thing)
            trouble = {thing: f"{o.outcome}: {o.detail}" for thing, o in said.items() if o.is_trouble}
            for thing, what in trouble.items():
                context.log.warning(f"message {thing}: {what}")
            outcomes |= {seen.key: Outcome(not trouble, {"messages": len(said)} | trouble) for seen in match.rounds}
    with database.connect() as conn:
        due.note_compared(conn, made)
        check = report(context, conn, "told_once", outcomes)
        unfinished.note_done(conn, begun)
    metadata: dict[str, Any] = {
        "announced": len(told.get("sent", [])),
        "corrected": len(told.get("edited", [])),
        "channel": discord.results.describe() if discord.results else "none: SLOMIX_DISCORD_WEBHOOK is not set",
        "messages": dg.MetadataValue.json({k: v for k, v in told.items() if k not in ("silent", "unchanged")}),
    }
    return dg.MaterializeResult(metadata=metadata, check_results=[check])


def _what_to_tell(
    database: Database, discord: "Discord | None", own: set[str], wish: str | None
) -> tuple[list[reading.MatchSeen], dict[str, str | None], set[str], bool]:
    """The matches of the sessions that hold the rounds, what changed of each since it was told, the names of the things
    that may be announced, and whether Discord is to be called."""
    if discord is None:
        return [], {}, set(), False
    from slomix_pipeline.discord.ledger import RESULTS, adopt, takes_messages

    with database.transaction() as conn:
        adopt(conn, discord, RESULTS)
        matches = reading.matches(conn, results.sessions_of(conn, own))
        changed = {match.key: corrections.note_difference(conn, match) for match in matches}
        if wish == ASKED:
            due.note_asked(conn, sorted(own), load_settings().publish_max_age)
        wanted = due.wanted(conn) if wish in (LIVE, ASKED) else set()
    return matches, changed, wanted, takes_messages(database, discord, RESULTS)


def _tell_match(
    database: Database,
    discord: Any,
    match: reading.MatchSeen,
    changed: str | None,
    wanted: set[str],
    try_now: bool,
) -> "dict[str, Told]":
    """Tells what there is to tell of a match, with what ``changed`` since it was told first. Returns what became of
    each message, by its name in the ledger. When Discord does not take one, the others wait: so they keep their order,
    and no run waits for each.

    A message belongs to its round, not to the match: when a late file changes which round 1 a round 2 belongs to, the
    result moves along, and what no longer counts says so.
    """
    # Loaded here: the messages need requests, which loading the definitions doesn't.
    from slomix_pipeline.discord import messages
    from slomix_pipeline.discord.ledger import Thing, tell

    said: dict[str, Told] = {}

    def say(thing: Thing, message: Any, *, news: bool = False, result: Published | None = None) -> "Told":
        goes_on = try_now and all(told.goes_on for told in said.values())
        said[thing.name] = tell(
            database, discord, thing, message, announce=news and thing.name in wanted, result=result, try_now=goes_on
        )
        return said[thing.name]

    complete = match.status == Status.COMPLETE
    result_stands = False
    if match.second is not None:
        message = messages.result_message(match) if complete else messages.not_counted_message(match, 2)
        thing, result = Thing("result", match.second.key), corrections.result_of(match)
        result_stands = say(thing, messages.corrected(message, changed), news=complete, result=result).stands
    if match.first is not None:
        thing = Thing("round1", match.first.key)
        if (match.status == Status.R1_ONLY and match.winner is None) or (complete and not result_stands):
            say(thing, messages.round_one_message(match), news=not complete)
        elif complete:
            say(thing, messages.round_one_pointer(match))
        else:
            say(thing, messages.not_counted_message(match, 1))
    return said
