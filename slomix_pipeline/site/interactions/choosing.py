"""Choices while somebody types an option: of players, maps, sessions, matches.

Belongs here: which there are and how each reads, as plain text. Does not belong here: what becomes of the one he takes
(``sessions``, ``players``), who may type anything else all the same.
"""

from collections.abc import Callable, Iterator

from slomix_pipeline.formats.names import clip, plain
from slomix_pipeline.reports.career_words import count
from slomix_pipeline.rules.name_search import search
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.site.interactions.commands import CommandName, OptionName
from slomix_pipeline.site.interactions.replies import Asked
from slomix_pipeline.warehouse.careers import players_meant
from slomix_pipeline.warehouse.choosing import newest_matches, newest_scores
from slomix_pipeline.warehouse.maps import map_names
from slomix_pipeline.warehouse.players import everybody

MOST = 25  # that Discord takes
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
        case OptionName.MAP:
            return _maps(asked, option.value)
        case OptionName.WHICH:
            lists: dict[str, Callable[[Asked], Iterator[Choice]]] = {
                CommandName.SESSION: _sessions,
                CommandName.MATCH: _matches,
            }
            found = lists[data.name](asked) if data.name in lists else iter(())
            typed = option.value.casefold()
            return [own for own in found if typed in own[0].casefold() or typed in own[1].casefold()][:MOST]
    return []


def _players(asked: Asked, typed: str) -> list[Choice]:
    """Who was there last, or who is meant by what is typed; with their rounds and the beginning of their GUID."""
    listed = everybody(asked.conn)
    if typed:
        meant = {found.guid for found in players_meant(asked.conn, typed)}
        listed = [own for own in listed if own.guid in meant]
    return [
        (f"{clip(own.name, _NAME_WIDTH) or '?'} · {count(own.rounds, 'round')} · {own.guid[:4]}", own.guid)
        for own in listed[:MOST]
    ]


def _maps(asked: Asked, typed: str) -> list[Choice]:
    names = map_names(asked.conn)
    found = search(typed, [(name, name) for name in names]) if typed else names
    return [(plain(name), name) for name in found[:MOST]]


def _sessions(asked: Asked) -> Iterator[Choice]:
    for score, names in newest_scores(asked.conn, _SEARCHED):
        a, b = (clip(names[team].shown, _TEAM_WIDTH) for team in Team)
        began = score.started_at.astimezone(asked.zone)
        yield f"{began:%Y-%m-%d %H:%M} · {a} {score.points_a} – {score.points_b} {b}", score.session_key


def _matches(asked: Asked) -> Iterator[Choice]:
    for own in newest_matches(asked.conn, _SEARCHED):
        result = {None: "not counted", Winner.DRAW: "draw"}.get(own.winner, f"{own.winner} won")
        played = own.played_at.astimezone(asked.zone)
        yield f"{played:%Y-%m-%d %H:%M} · {clip(own.map, _NAME_WIDTH)} · {result}", own.match_key
