"""Suggested teams in words: how even they are, when they played so last, who is new; and how even
teams were that played.

Belongs here: parts of sentences without emphasis, and all of it as lines, in which names stay as they are; names as
people type them together.
Does not belong here: the teams (``rules.balance``, ``warehouse.lobbies``), what stands around the words (``discord``,
``site``, ``cli``).
"""

import re
from collections.abc import Iterator
from datetime import UTC

from slomix_pipeline.reports.career_words import count
from slomix_pipeline.reports.odds_words import about, share_text
from slomix_pipeline.rules.expected import LEAST_ROUNDS
from slomix_pipeline.warehouse.fairness import ExpectedOfTeams
from slomix_pipeline.warehouse.lobbies import Suggestions, Team, TeamsSuggested
from slomix_pipeline.warehouse.reading import SessionScore

_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight")
HOW_EVEN = "As even as we can tell"
NEVER = "never"
NEW = f"New here, with fewer than {LEAST_ROUNDS} rounds to tell by, so they are shared out first"


def names_typed(text: str) -> list[str]:
    """The names in a text: between commas, or where there are none between spaces."""
    return [name for part in (text.split(",") if "," in text else re.split(r"\s+", text)) if (name := part.strip())]


def basis_text(found: Suggestions) -> str:
    """What teams are compared by."""
    odds = found.ways[0].odds
    if odds is None and all(player.is_new for player in found.players):
        return f"{HOW_EVEN}: nothing is known of anybody yet"
    if odds is None:
        return f"{HOW_EVEN}: by the damage expected of everybody"
    return f"{HOW_EVEN}: by the odds that {count(odds.matches, 'match', 'matches')} tell"


def odds_text(way: TeamsSuggested) -> str | None:
    """How likely the first team wins, and how sure that is; None where no odds may be told."""
    if way.odds is None:
        return None
    low, high = (share_text(share, way.odds.matches) for share in (way.odds.low, way.odds.high))
    chance = about(way.odds.chance, way.odds.matches)
    return f"the first team wins {chance} of such matches (in 80 of 100 cases {low} to {high})"


def damage_text(way: TeamsSuggested) -> str | None:
    """What is expected of both teams; None where everybody is new, so that it is known of nobody."""
    new = [player.is_new for team in (way.first, way.second) for player in team.players]
    if all(new):
        return None
    first, second = (f"{team.damage_per_minute:,.0f}" for team in (way.first, way.second))
    apart = "under 1 %" if way.difference < 0.01 else f"{100 * way.difference:.0f} %"
    average = "; newcomers taken as average" if any(new) else ""
    return f"{first} and {second} damage a minute expected, {apart} apart{average}"


def men_text(way: TeamsSuggested) -> str | None:
    """That one team has a man less; None where none has."""
    if len(way.first.players) == len(way.second.players):
        return None
    smaller = "first" if len(way.first.players) < len(way.second.players) else "second"
    return f"the {smaller} team has a man less: what that does is not known"


def together_text(team: Team) -> str | None:
    """When all of a team stood in one last: that they never did, or what the day of it follows; None of one man."""
    men = len(team.players)
    if men == 1:
        return None
    those = f"these {_NUMBERS[men - 2]}"
    return f"{those} {NEVER} seen in one team" if team.last_together is None else f"{those} last in one team on"


def fairness_text(expected: ExpectedOfTeams, score: SessionScore, *, running: bool) -> str:
    """How even the teams of a session were expected to be; and how it ended, where that is known and it is over
    (``running``: it may go on)."""
    share = round(100 * expected.share_of_a)
    of = f"{count(expected.rounds, 'round')}{' so far' if running else ''}"
    said = f"By what was expected of both teams in {of}: {share} : {100 - share} of the damage"
    if running or score.without_points or score.matches == score.not_counted:
        return said
    return f"{said}; it ended {score.points_a} – {score.points_b}"


def lines(found: Suggestions) -> Iterator[str]:
    """All of it, for the terminal and Dagster's log."""
    yield f"{basis_text(found)}."
    if found.newcomers:
        yield f"{NEW}: {', '.join(player.name for player in found.newcomers)}"
    for number, way in enumerate(found.ways, 1):
        yield ""
        yield f"{number}. {_names(way.first)}  –  {_names(way.second)}"
        for text in (odds_text(way), damage_text(way), men_text(way)):
            if text:
                yield f"   {text}"
        for team in (way.first, way.second):
            if text := together_text(team):
                day = "" if team.last_together is None else f" {team.last_together.astimezone(UTC):%Y-%m-%d} (UTC)"
                yield f"   {_names(team)}: {text}{day}"


def _names(team: Team) -> str:
    return ", ".join(player.name + (" (new)" if player.is_new else "") for player in team.players)
