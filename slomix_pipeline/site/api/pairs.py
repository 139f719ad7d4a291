"""With whom a player was in one team, beside what was to be expected of both.

Does not belong here: what else he is (``players``), the records (``warehouse.pair_records``).
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from slomix_pipeline.site.answers import Asked
from slomix_pipeline.site.api.kit import ROUTER, USUAL, After, Limit, Linked, Listed, answer, listed, player_links
from slomix_pipeline.site.api.players import guids_of_player
from slomix_pipeline.warehouse.pair_records import PairRecord, pairs_of
from slomix_pipeline.warehouse.site_store import Moment


@dataclass(frozen=True)
class PairOfPlayer(PairRecord, Linked):
    """Somebody with whom he played many decided matches in one team. ``expected``: of ``won``, by how strong the teams
    are, null: unknown; ``low``, ``high``: the shares of wins, 0 to 1, between which they speak for in 95 of 100 cases;
    ``apart``, ``apart_won``: matches with one of them alone, and those which he won."""


@ROUTER.get("/players/{guid}/pairs", response_model=Listed[PairOfPlayer])
def player_pairs(request: Request, guid: str, after: After = None, limit: Limit = USUAL) -> Response:
    """With whom he played many decided matches in one team, the most first, beside how many were to be won."""

    def make(moment: Moment, asked: Asked) -> Listed[PairOfPlayer]:
        rows = pairs_of(moment.conn, guid) if guids_of_player(moment.conn, guid, "pairs") else []
        part, more = listed(asked, rows, lambda row: row.guid, limit, after)
        return Listed(tuple(PairOfPlayer(**vars(row), **player_links(row.guid)) for row in part), more)

    return answer(request, make)
