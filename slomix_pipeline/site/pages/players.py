"""The list of players: who was there last first, or as is asked for, a page at a time.

Does not belong here: one player (``player``), finding one (``search``).
"""

from dataclasses import dataclass
from operator import attrgetter
from urllib.parse import urlencode

from slomix_pipeline.site.answers import Asked, NotUnderstood
from slomix_pipeline.site.sorting import SORT, Column, Head, heads, in_order, order_asked
from slomix_pipeline.site.templating import name_text
from slomix_pipeline.warehouse import players
from slomix_pipeline.warehouse.players import PlayerListed
from slomix_pipeline.warehouse.site_store import Moment

_A_PAGE = 50

COLUMNS: tuple[Column[PlayerListed], ...] = (
    Column("player", "Player", lambda own: _called(own)[0], rises=True, is_number=False),
    Column("last_seen", "Last seen", attrgetter("last_played_at"), is_number=False),
    Column("rounds", "Rounds", attrgetter("rounds")),
    Column("sessions", "Sessions", attrgetter("nights")),
)


@dataclass(frozen=True)
class PlayersPage:
    """``more``: the address of the next page."""

    players: tuple[PlayerListed, ...]
    heads: tuple[Head, ...]
    is_sorted: bool
    more: str | None
    count: int


def players_page(moment: Moment, asked: Asked) -> PlayersPage:
    """``?sort=``: by this column; ``?after=``: those after this player."""
    order = order_asked(asked, COLUMNS)
    everybody = in_order(players.everybody(moment.conn), COLUMNS, order, _called)
    rest = everybody
    if after := asked.query.get("after"):
        at = next((at for at, own in enumerate(everybody) if own.guid == after), None)
        if at is None:
            raise NotUnderstood("after", f"there is no player {after}")
        rest = everybody[at + 1 :]
    page = rest[:_A_PAGE]
    sorted_by = {SORT: asked.query[SORT]} if order else {}
    more = f"/players?{urlencode({**sorted_by, 'after': page[-1].guid})}" if len(rest) > _A_PAGE else None
    return PlayersPage(page, heads(COLUMNS, order, "/players"), order is not None, more, len(everybody))


def _called(own: PlayerListed) -> tuple[str, str]:
    return name_text(own.name, own.guid).casefold(), own.guid
