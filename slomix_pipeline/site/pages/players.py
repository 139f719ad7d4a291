"""The list of players: who was there last first, a page at a time.

Does not belong here: one player (``player``), finding one (``search``).
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from slomix_pipeline.site.answers import Asked, NotUnderstood
from slomix_pipeline.warehouse import players
from slomix_pipeline.warehouse.players import PlayerListed
from slomix_pipeline.warehouse.site_store import Moment

_A_PAGE = 50


@dataclass(frozen=True)
class PlayersPage:
    """``more``: the address of the next page."""

    players: tuple[PlayerListed, ...]
    more: str | None
    count: int


def players_page(moment: Moment, asked: Asked) -> PlayersPage:
    """``?after=``: those after this player."""
    everybody = players.everybody(moment.conn)
    rest = everybody
    if after := asked.query.get("after"):
        at = next((at for at, own in enumerate(everybody) if own.guid == after), None)
        if at is None:
            raise NotUnderstood("after", f"there is no player {after}")
        rest = everybody[at + 1 :]
    page = rest[:_A_PAGE]
    more = f"/players?{urlencode({'after': page[-1].guid})}" if len(rest) > _A_PAGE else None
    return PlayersPage(tuple(page), more, len(everybody))
