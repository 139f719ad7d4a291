"""One part of what is told of a player, as lines: of what a career holds, and of what only his page has beside it.

Does not belong here: the whole career (``board_messages``), reading it (``warehouse.careers``, ``warehouse.players``).
"""

from collections.abc import Sequence

from slomix_pipeline.discord.board_messages import Block, CareerBlock, career_blocks
from slomix_pipeline.discord.wording import columns, map_text, player_text
from slomix_pipeline.reports.career_words import ALIASES_SHOWN, amount, count, standing_text
from slomix_pipeline.warehouse.careers import Career
from slomix_pipeline.warehouse.players import MapPlayed, PlayerMet

_MAPS_SHOWN = 15

FORM = (CareerBlock.NUMBERS, CareerBlock.NIGHTS, CareerBlock.BESTS)
WEAPONS = (CareerBlock.WEAPONS,)
BADGES = (CareerBlock.BADGES, CareerBlock.REACHED, CareerBlock.FIRSTS, CareerBlock.NEXT)


def blocks_of(career: Career, wanted: Sequence[CareerBlock]) -> list[Block]:
    """These blocks of a career."""
    return [(title, lines) for title, lines in career_blocks(career) if title in wanted]


def alias_blocks(career: Career) -> list[Block]:
    """The names that somebody used, the most played first."""
    shown = career.aliases[:ALIASES_SHOWN]
    more = [f"and {len(career.aliases) - len(shown)} more"] if len(career.aliases) > len(shown) else []
    lines = [
        f"**{player_text(own.name)}** · {count(own.rounds, 'round')} · "
        f"<t:{int(own.first_seen.timestamp())}:d> to <t:{int(own.last_seen.timestamp())}:d>"
        for own in shown
    ]
    return [("Names", [*lines, *more])]


def map_blocks(played: Sequence[MapPlayed]) -> list[Block]:
    """What somebody did on each map, the most played first."""
    shown = played[:_MAPS_SHOWN]
    numbers = columns((amount(own.kd, 2), amount(own.dpm, 1), str(own.rounds)) for own in shown)
    lines = [
        f"{text} **{map_text(own.map)}** · {standing_text(own.standing)}"
        for text, own in zip(numbers, shown, strict=True)
    ]
    more = [f"and {len(played) - len(shown)} more"] if len(played) > len(shown) else []
    return [("Maps", ["-# K/D · damage per minute · rounds", *lines, *more] if lines else [])]


def opponent_blocks(met: Sequence[PlayerMet]) -> list[Block]:
    """Whom somebody met in most decided matches."""
    lines = [
        f"**{player_text(own.name)}** · together {standing_text(own.together)} · against {standing_text(own.against)}"
        for own in met
    ]
    return [("Met most, in matches that were decided", lines)]
