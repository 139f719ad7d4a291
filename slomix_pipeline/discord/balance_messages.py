"""What is said of suggested teams.

Belongs here: their order and emphasis. Does not belong here: the words that the terminal and pages share
(``reports.balance_words``), the teams (``warehouse.lobbies``).
"""

from collections.abc import Iterator
from datetime import datetime

from slomix_pipeline.discord.board_messages import as_of_text
from slomix_pipeline.discord.embeds import Embed, Message, block
from slomix_pipeline.discord.wording import NEUTRAL, player_text
from slomix_pipeline.reports import balance_words as words
from slomix_pipeline.warehouse.lobbies import LobbyPlayer, Suggestions, Team, TeamsSuggested


def balance_message(found: Suggestions, as_of: datetime) -> Message:
    """The most even teams of a lobby, the best first."""
    new = [player_text(player.name) for player in found.newcomers]
    said = [words.basis_text(found), as_of_text(as_of), *([f"-# {words.NEW}: {', '.join(new)}"] if new else [])]
    embed = Embed(
        title=f"Even teams of {len(found.players)} players",
        description="\n".join(said),
        color=NEUTRAL,
        fields=tuple(
            field for number, way in enumerate(found.ways, 1) for field in block(f"{number}.", list(_way(way)))
        ),
    )
    return Message(embeds=(embed,))


def _way(way: TeamsSuggested) -> Iterator[str]:
    for team in (way.first, way.second):
        yield ", ".join(f"**{_named(player)}**" for player in team.players)
        if together := _together(team):
            yield f"-# {together}"
    for text in (words.odds_text(way), words.damage_text(way), words.men_text(way)):
        if text:
            yield f"-# {text}"


def _named(player: LobbyPlayer) -> str:
    return player_text(player.name) + ("\u00a0(new)" if player.is_new else "")


def _together(team: Team) -> str | None:
    text = words.together_text(team)
    return text if text is None or team.last_together is None else f"{text} <t:{int(team.last_together.timestamp())}:d>"
