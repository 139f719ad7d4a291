"""What is said about a whole session: its report in the UI, its summary on Discord. They read, they never decide."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dagster as dg

from slomix_pipeline import partitions
from slomix_pipeline.assets.common import OWNER
from slomix_pipeline.checks.layers import check_specs, report
from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.jobs import ASKED, LIVE, PUBLISH_TAG
from slomix_pipeline.reports.evidence import evidence_markdown
from slomix_pipeline.reports.markdown import escape
from slomix_pipeline.rules.team_names import UNNAMED
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.things import RESULTS, Thing, ThingKind
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse import due, reading, session_reports
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.session_evidence import SessionEvidence, session_evidence

if TYPE_CHECKING:
    from slomix_pipeline.discord.client import Discord
    from slomix_pipeline.discord.telling import Telling


@dg.asset(
    partitions_def=partitions.sessions,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="sessions",
    owners=[OWNER],
    kinds={"postgres", "pandas"},
    tags={"stage": "session-report"},
    deps=[dg.AssetDep("match_score", partition_mapping=dg.AllPartitionMapping())],
    description="A session at a glance: score, maps and every player's totals as a table. Made when no round of it "
    "has arrived for a while, and again whenever something in it changes.",
)
def session_report(context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]) -> dg.MaterializeResult:
    last: dict[str, Any] = {}
    for key in context.partition_keys:
        with database.transaction() as conn:
            if not reading.session_rows(conn, key):
                context.add_asset_metadata(
                    {"replaced by": reading.resolve_session(conn, key) or "nothing"}, partition_key=key
                )
                continue
            players = reading.session_players(conn, key)
            matches = reading.matches(conn, [key])
            evidence = session_evidence(conn, key)
            session_reports.remember(conn, key, session_reports.fingerprint(evidence, players))
        last = _metadata(evidence.session, matches, players) | {
            "trust grade": evidence.grade.letter,
            "why this grade": "; ".join(evidence.grade.reasons) or "nothing is wrong",
            "evidence": dg.MetadataValue.md(evidence_markdown(evidence)),
        }
        context.add_asset_metadata(last, partition_key=key)
    return dg.MaterializeResult()


def _metadata(
    session: reading.SessionScore, matches: list[reading.MatchSeen], players: list[reading.PlayerTotals]
) -> dict[str, Any]:
    import pandas as pd  # loaded where tables are made

    teams = matches[0].teams if matches else UNNAMED
    shown = {team: escape(name.shown) for team, name in teams.items()}
    table = pd.DataFrame(
        [asdict(p) | {"team": p.team and shown[p.team], "name": escape(p.name)} for p in players],
        columns=[
            "team",
            "name",
            "kills",
            "deaths",
            "kd",
            "dpm",
            "damage_given",
            "damage_received",
            "accuracy",
            "headshot_percent",
        ],
    ).round(2)
    return {
        "teams": f"{teams[Team.A].shown} – {teams[Team.B].shown}",
        "points of A": session.points_a,
        "points of B": session.points_b,
        "policy": session.policy or "none",
        "maps won by A": session.won_a,
        "maps won by B": session.won_b,
        "matches": session.matches,
        "rounds": session.rounds,
        "players": len(players),
        "Lua timing": reading.timing_coverage([seen for match in matches for seen in match.rounds]),
        "table of players": dg.MetadataValue.md(table.to_markdown(index=False)),
    }


@dg.asset(
    partitions_def=partitions.sessions,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="sessions",
    owners=[OWNER],
    kinds={"discord", "postgres"},
    tags={"stage": "session-post"},
    deps=[session_report],
    description="The summary of a session that is over, as one message; corrected when the session changes later. "
    "Announced only when it is due: for a fresh session that a sensor asked for.",
    check_specs=check_specs("session_post"),
)
def session_post(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database], discord: dg.ResourceParam[Channels]
) -> dg.MaterializeResult:
    outcomes: dict[str, Outcome] = {}
    told: dict[str, str] = {}
    if discord.results is not None:
        told, outcomes = _tell(context, database, discord.results)
    with database.connect() as conn:
        check = report(context, conn, CheckName.SUMMARY_TOLD_ONCE, outcomes)
    return dg.MaterializeResult(metadata={"messages": dg.MetadataValue.json(told)}, check_results=[check])


def _tell(
    context: dg.AssetExecutionContext, database: Database, discord: "Discord"
) -> tuple[dict[str, str], dict[str, Outcome]]:
    """Tells the summaries of the run's sessions. Returns what became of each thing, and the outcome of each session."""
    # Loaded here: the messages need requests, which loading the definitions doesn't.
    from slomix_pipeline.discord.telling import Telling

    wish = context.run.tags.get(PUBLISH_TAG)
    with database.transaction() as conn:
        if wish == ASKED:
            due.note_asked(conn, context.partition_keys, load_settings().publish_max_age)
        wanted = due.wanted(conn) if wish in (LIVE, ASKED) else set()
    telling = Telling(database, discord, RESULTS, wanted, context.log)
    outcomes: dict[str, Outcome] = {}
    for key in context.partition_keys:
        with database.connect() as conn:
            made_from = session_reports.fingerprint_of(conn, key)
            rows = reading.session_rows(conn, key)
            if not rows:  # another session swallowed it
                due.strike_out(conn, Thing(ThingKind.SESSION, key))
                continue
            matches = reading.matches(conn, [key])
            players = reading.session_players(conn, key)
            evidence = session_evidence(conn, key)
        outcomes[key] = telling.outcome(_tell_session(database, telling, evidence, matches, players))
        with database.connect() as conn:
            session_reports.note_told(conn, key, made_from)
    return {thing: said.outcome.value for thing, said in telling.said.items()}, outcomes


def _tell_session(
    database: Database,
    telling: "Telling",
    evidence: SessionEvidence,
    matches: list[reading.MatchSeen],
    players: list[reading.PlayerTotals],
) -> list[str]:
    """Tells the summary; what was said of sessions this one swallowed shrinks to a pointer. Returns the names of the
    things in the ledger."""
    from slomix_pipeline.discord.messages import session_message, session_pointer

    key = evidence.session.session_key
    thing = Thing(ThingKind.SESSION, key)
    telling.tell(thing, session_message(evidence.session, matches, players, evidence.grade, evidence.decisions))
    said = [thing.name]
    with database.connect() as conn:
        swallowed = reading.swallowed_sessions(conn, key)
    for old in swallowed:
        thing = Thing(ThingKind.SESSION, old)
        telling.tell(thing, session_pointer(old, key), news=False)
        said.append(thing.name)
    return said
