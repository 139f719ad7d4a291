"""Stage 8: what players read about a match: a short message after round 1, the result after round 2."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from slomix_pipeline.assets.common import round_asset
from slomix_pipeline.checks.layers import Outcome, report
from slomix_pipeline.rules.values import Status
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import reading, results
from slomix_pipeline.warehouse.database import Database

# A run's wish to publish, as a tag: LIVE (a sensor asked) announces fresh rounds, ASKED (a person did) all.
PUBLISH_TAG = "slomix/publish"
LIVE, ASKED = "live", "asked"


@round_asset(
    "match_post",
    stage="Discord post",
    kinds={"discord", "postgres"},
    deps=["match_score"],
    description="The messages of a match. A fresh round that a sensor asked for is announced; backfills, reruns and "
    "imports only correct what was said before. The ledger sees to it that nothing is said twice.",
)
def match_post(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database], discord: dg.ResourceParam[Any]
) -> dg.MaterializeResult:
    may_announce = announcer(context.run.tags.get(PUBLISH_TAG), load_settings().publish_max_age, datetime.now(UTC))
    own = set(context.partition_keys)
    told: dict[str, list[str]] = {}
    outcomes: dict[str, Outcome] = {}
    with database.connect() as conn:
        matches = reading.matches(conn, results.sessions_of(conn, own))
    for match in matches if discord is not None else []:
        touched = [seen for seen in (match.first, match.second) if seen and seen.key in own]
        announce = any(may_announce(seen) for seen in touched)
        for thing, outcome, detail in _tell_match(database, discord, match, announce):
            told.setdefault(outcome, []).append(thing)
            for seen in touched:
                trouble = outcome in ("failed", "in_doubt")
                facts = {"message": thing, "outcome": outcome} | ({"detail": detail} if detail else {})
                outcomes[seen.key] = Outcome(not trouble, facts)
    with database.connect() as conn:
        check = report(context, conn, "told_once", outcomes)
    metadata: dict[str, Any] = {
        "announced": len(told.get("sent", [])),
        "corrected": len(told.get("edited", [])),
        "channel": discord.describe() if discord else "none: SLOMIX_DISCORD_WEBHOOK is not set",
        "messages": dg.MetadataValue.json({k: v for k, v in told.items() if k not in ("silent", "unchanged")}),
    }
    return dg.MaterializeResult(metadata=metadata, check_results=[check])


def announcer(wish: str | None, max_age: timedelta, now: datetime) -> Callable[[reading.RoundSeen], bool]:
    """Whether a round may be announced by a run with this wish: asked for, or fresh and wanted by a sensor."""
    return lambda seen: wish == ASKED or (wish == LIVE and seen.by_sensor and now - seen.ended_at < max_age)


def _tell_match(
    database: Database, discord: Any, match: reading.MatchSeen, announce: bool
) -> list[tuple[str, str, str]]:
    """Tells what there is to tell of a match. Returns (thing, outcome, detail) per message."""
    # Loaded here: the messages need requests, which loading the definitions doesn't.
    from slomix_pipeline.discord import messages
    from slomix_pipeline.warehouse.posts import Thing, tell, was_told

    said: list[tuple[str, str, str]] = []

    def say(part: str, partition_key: str, message: Any, announce: bool) -> None:
        thing = Thing(f"match:{match.key}:{part}", partition_key)
        told = tell(database, discord, thing, message, announce=announce)
        said.append((thing.name, told.outcome, told.detail))

    if match.first is None:
        return said  # a round 2 without its round 1 has no result
    result = Thing(f"match:{match.key}:result", match.second.key if match.second else "")
    if match.status == Status.COMPLETE and match.second is not None:
        say("result", match.second.key, messages.result_message(match), announce)
        say("r1", match.first.key, messages.round_one_pointer(match), False)
    elif not was_told(database, result):
        alive = match.status in (Status.R1_ONLY, Status.COMPLETE)
        say("r1", match.first.key, messages.round_one_message(match), announce and alive)
    return said
