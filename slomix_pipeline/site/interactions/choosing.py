"""Choices while somebody types an option: of players, maps, sessions, matches.

Belongs here: which there are and how each reads, as plain text. Does not belong here: what becomes of the one he takes
(``sessions``, ``players``), who may type anything else all the same.
"""

from collections.abc import Callable, Iterator, Mapping

from slomix_pipeline.formats.names import clip, plain
from slomix_pipeline.reports.career_words import count
from slomix_pipeline.rules.name_search import search
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.values import Status
from slomix_pipeline.site.interactions.commands import CommandName, OptionName
from slomix_pipeline.site.interactions.replies import MOST_CHOICES, Asked
from slomix_pipeline.warehouse.careers import players_meant
from slomix_pipeline.warehouse.choosing import MatchListed, newest_matches, newest_scores
from slomix_pipeline.warehouse.maps import map_names
from slomix_pipeline.warehouse.teams import team_names

_SEARCHED = 100  # newest sessions or matches
_NAME_WIDTH, _TEAM_WIDTH = 36, 24

Choice = tuple[str, str]  # label and value


def choices_for(asked: Asked) -> list[Choice]:
    """The choices for the option that somebody is typing."""
    data = asked.call.data
    option = next((own for own in data.options if own.focused), None)
    if option is None:
        return []
    match option.name:
        case OptionName.WHO | OptionName.A | OptionName.B:
            return _players(asked, option.value)
        case OptionName.PLAYERS | OptionName.TOGETHER | OptionName.APART:
            return _one_more(asked, option.value)
        case OptionName.MAP:
            return _maps(asked, option.value)
        case OptionName.WHICH:
            lists: dict[str, Callable[[Asked], Iterator[Choice]]] = {
                CommandName.SESSION: _sessions,
                CommandName.MATCH: _matches,
            }
            found = lists[data.name](asked) if data.name in lists else iter(())
            typed = option.value.casefold()
            return [own for own in found if typed in own[0].casefold() or typed in own[1].casefold()][:MOST_CHOICES]
    return []


def _players(asked: Asked, typed: str) -> list[Choice]:
    """Who was there last, or who is meant by what is typed; with their rounds and the beginning of their GUID."""
    listed = asked.everybody.at(asked.moment)
    if typed:
        meant = {found.guid for found in players_meant(asked.conn, typed)}
        listed = [own for own in listed if own.guid in meant]
    return [
        (f"{clip(own.name, _NAME_WIDTH) or '?'} · {count(own.rounds, 'round')} · {own.guid[:4]}", own.guid)
        for own in listed[:MOST_CHOICES]
    ]


def _one_more(asked: Asked, typed: str) -> list[Choice]:
    """What is typed with one player more, the one whose name is being typed, of those who are not in it."""
    before, comma, last = typed.rpartition(",")
    taken = {name.strip() for name in before.split(",")}
    return [
        (f"{before}{comma} {label}".strip(), f"{before}{comma}{guid}")
        for label, guid in _players(asked, last.strip())
        if guid not in taken
    ]


def _maps(asked: Asked, typed: str) -> list[Choice]:
    names = map_names(asked.conn)
    found = search(typed, [(name, name) for name in names]) if typed else names
    return [(plain(name), name) for name in found[:MOST_CHOICES]]


def _sessions(asked: Asked) -> Iterator[Choice]:
    for score, names in newest_scores(asked.conn, _SEARCHED):
        a, b = (clip(names[team].shown, _TEAM_WIDTH) for team in Team)
        began = score.started_at.astimezone(asked.zone_of(score.session_key))
        yield f"{began:%Y-%m-%d %H:%M} · {a} {score.points_a} – {score.points_b} {b}", score.session_key


def _matches(asked: Asked) -> Iterator[Choice]:
    found = newest_matches(asked.conn, _SEARCHED)
    names = team_names(asked.conn, {own.session_key for own in found})
    for own in found:
        played = own.played_at.astimezone(asked.zone_of(own.match_key))
        result = _result(own, names[own.session_key])
        yield f"{played:%Y-%m-%d %H:%M} · {clip(own.map, _NAME_WIDTH)} · {result}", own.match_key


def _result(match: MatchListed, teams: Mapping[str, TeamName]) -> str:
    if match.winner is None:
        return "round 1" if match.status is Status.R1_ONLY else "not counted"
    return "draw" if match.winner is Winner.DRAW else f"{clip(teams[match.winner].shown, _TEAM_WIDTH)} won"
