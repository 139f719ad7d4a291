"""The players of both teams as blocks of lines: numbers that stand one below the other, each with its whole name.

Does not belong here: which players there are, and the messages these stand in (``messages``, ``session_messages``).
"""

from collections.abc import Iterable, Mapping, Sequence

from slomix_pipeline.discord.embeds import Embed, with_blocks
from slomix_pipeline.discord.wording import hundredth, player_text, team_text, whole
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.warehouse.reading import PlayerTotals

LEGEND = "impact · kills/deaths · damage · dpm · accuracy; an impact of 1.00 is a fair share"


def with_teams(embed: Embed, players: Iterable[PlayerTotals], teams: Mapping[str, TeamName]) -> Embed:
    """The embed with a block per team below its fields, within what is left of Discord's limits."""
    blocks: dict[Team | None, list[PlayerTotals]] = {Team.A: [], Team.B: [], None: []}
    for player in players:
        blocks[player.team].append(player)
    titles = {Team.A: team_text(teams[Team.A]), Team.B: team_text(teams[Team.B]), None: "Team open"}
    return with_blocks(embed, [(titles[team], _lines(blocks[team])) for team in titles if blocks[team]])


def _lines(players: Sequence[PlayerTotals]) -> list[str]:
    """A line for each; the numbers as code, in which every character is as wide, the name behind them."""
    rows = [
        (
            hundredth(player.impact),
            f"{whole(player.kills)}/{whole(player.deaths)}",
            whole(player.damage_given),
            whole(player.dpm),
            f"{whole(player.accuracy)}%",
        )
        for player in players
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = [" ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    return [f"`{numbers}` **{player_text(player.name)}**" for numbers, player in zip(aligned, players, strict=True)]
