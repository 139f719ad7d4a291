"""The maps: how fast an attack on one usually is, whether it pays to attack first, its records.

Does not belong here: what par is (``rules.par``), the numbers (``warehouse.maps``), the words
(``reports.career_words``).
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from slomix_pipeline.formats.times import format_time
from slomix_pipeline.reports.career_words import par_text, record_value, samples_text
from slomix_pipeline.rules.boards import BoardName
from slomix_pipeline.rules.par import LEAST_ATTACKS
from slomix_pipeline.site.answers import Asked, Link, NotHere
from slomix_pipeline.site.pages import records
from slomix_pipeline.site.pages.records import RecordShown
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse.maps import MapNumbers, is_played, map_names, map_numbers, map_seen
from slomix_pipeline.warehouse.records import fastest_attacks
from slomix_pipeline.warehouse.site_store import Moment


@dataclass(frozen=True)
class MapLine:
    """A map in the list. ``par``: None where it can't be said, ``why`` says so; ``fastest``: None without a completed
    attack that counts; ``completed`` of ``attacks`` with the usual limit."""

    link: Link
    matches: int
    par: str | None
    why: str
    fastest: str | None
    completed: int
    attacks: int
    last_played_at: datetime


@dataclass(frozen=True)
class MapsPage:
    """All maps, those first of which most matches are decided."""

    maps: tuple[MapLine, ...]


@dataclass(frozen=True)
class MapPage:
    """A map. ``boards``: where its boards are; ``decided_by_order``: matches won by who attacked first, or second."""

    numbers: MapNumbers
    par: str
    decided_by_order: int
    needs: str
    boards: str
    players: tuple[RecordShown, ...]
    attacks: tuple[RecordShown, ...]


def maps_page(moment: Moment, asked: Asked) -> MapsPage:
    """All maps of which a round counts."""
    fastest = {record.map: record_value(record) for record in fastest_attacks(moment.conn)}
    found = sorted(map_numbers(moment.conn), key=lambda own: (-own.matches, own.name))
    return MapsPage(tuple(_line(own, fastest.get(own.name)) for own in found))


def _line(own: MapNumbers, fastest: str | None) -> MapLine:
    return MapLine(
        link=Link(url_of("maps", own.name), own.name),
        matches=own.matches,
        par=None if own.par.par is None else format_time(own.par.par),
        why="more than half of the defences hold to the end"
        if own.par.enough
        else f"a par is told from {LEAST_ATTACKS} attacks on",
        fastest=fastest,
        completed=own.par.completed,
        attacks=own.par.attacks,
        last_played_at=own.last_played_at,
    )


def map_page(moment: Moment, asked: Asked) -> MapPage:
    """One map, by its whole name."""
    name = asked.given["map"]
    if not is_played(moment.conn, name):
        links = [Link(url_of("maps", other), other) for other in map_names(moment.conn)]
        raise NotHere(f"No round that counts was played on a map called {name}.", links)
    seen = map_seen(moment.conn, name)
    return MapPage(
        numbers=seen,
        par=par_text(seen),
        decided_by_order=seen.first_won + seen.second_won,
        needs=samples_text(),
        boards=f"{url_of('boards', BoardName.DPM)}?{urlencode({'map': name})}",
        players=records.numbers(seen.records),
        attacks=records.attacks(seen.records),
    )
