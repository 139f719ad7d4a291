"""The job that suggests teams, from Dagster's launchpad.

Belongs here: its configuration. Does not belong here: the teams (``warehouse.lobbies``), their words
(``reports.balance_words``). It posts nothing: a suggestion is good until somebody comes or goes, so who wants it in the
chat asks there, by ``/balance``.
"""

import dagster as dg
from pydantic import Field

from slomix_pipeline.formats.names import visible
from slomix_pipeline.post_jobs import clear_failures
from slomix_pipeline.reports import balance_words
from slomix_pipeline.reports.career_words import as_json
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.lobbies import suggest

_DESCRIPTION = (
    "Suggests even teams of the players given, as slomix balance does: the best three ways to divide them, in the log "
    "and as metadata. Posts nothing."
)
_WHO = "by a GUID, a name he ever used, or a part of one; when several are meant the run fails and lists them"


class LobbyConfig(dg.Config):
    """What ``slomix balance`` takes."""

    players: list[str] = Field(description=f"who is there, each {_WHO}")
    together: list[list[str]] = Field(default=[], description="groups of these players who stay in one team")
    apart: list[list[str]] = Field(default=[], description="groups of these players of whom no two are in one team")


@dg.op(description=_DESCRIPTION)
def even_teams(context: dg.OpExecutionContext, config: LobbyConfig, database: dg.ResourceParam[Database]) -> None:
    with clear_failures(), database.snapshot() as conn:
        found = suggest(conn, config.players, config.together, config.apart)
    text = "\n".join(visible(line) for line in balance_words.lines(found))
    context.log.info(text)
    context.add_output_metadata(
        {"teams": dg.MetadataValue.text(text), "numbers": dg.MetadataValue.json(as_json(found))}
    )


suggest_teams = dg.GraphDefinition(name="suggest_teams", node_defs=[even_teams], description=_DESCRIPTION).to_job()
