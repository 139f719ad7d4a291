"""The players of both teams as blocks of lines: numbers that stand one below the other, each with its whole name.

Does not belong here: which players there are, and the messages these stand in (``messages``, ``session_messages``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from slomix_pipeline.discord.embeds import Field, block
from slomix_pipeline.discord.wording import columns, hundredth, player_text, team_text, unbroken, whole
from slomix_pipeline.rules.best import best_of, next_best
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.warehouse.reading import PlayerTotals

LEGEND = "impact · kills/deaths · damage · dpm · accuracy; an impact of 1.00 is a fair share"
MVP_LEGEND = (
    "MVP is who had most impact, the mean of his shares of his team's kills and damage, and played at least half the "
    f"time. {LEGEND}"
)


def team_blocks(players: Iterable[PlayerTotals], teams: Mapping[str, TeamName]) -> Iterator[Field]:
    """A block of lines per team, and of those whose team is open."""
    members: dict[Team | None, list[PlayerTotals]] = {Team.A: [], Team.B: [], None: []}
    for player in players:
        members[player.team].append(player)
    titles = {Team.A: team_text(teams[Team.A]), Team.B: team_text(teams[Team.B]), None: "Team open"}
    for team, own in members.items():
        yield from block(titles[team], _lines(own))


def best_text(players: Sequence[PlayerTotals]) -> str:
    """Who was best of a team, each with his impact, and who comes next; empty where that can't be said."""
    best, following = ", ".join(map(_with_impact, best_of(players))), next_best(players)
    return best if following is None else f"{best} (next {_with_impact(following)})"


def _with_impact(player: PlayerTotals) -> str:
    return unbroken(f"**{player_text(player.name)}** {hundredth(player.impact)}")


def _lines(players: Sequence[PlayerTotals]) -> list[str]:
    """A line for each: the numbers, the name behind them."""
    numbers = columns(
        (
            hundredth(player.impact),
            f"{whole(player.kills)}/{whole(player.deaths)}",
            whole(player.damage_given),
            whole(player.dpm),
            f"{whole(player.accuracy)}%",
        )
        for player in players
    )
    return [f"{shown} **{player_text(player.name)}**" for shown, player in zip(numbers, players, strict=True)]
