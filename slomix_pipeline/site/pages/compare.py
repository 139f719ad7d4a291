"""Two players: who is better at what, and how it ended when they met.

Does not belong here: one player (``player``), who is meant by a name (``warehouse.careers``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.reports import career_words as words
from slomix_pipeline.reports.pair_words import apart_text, together_text
from slomix_pipeline.rules.boards import MIN_ROUNDS
from slomix_pipeline.site.answers import Asked, Link, Moved, NotHere
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import careers, comparing, players, standings
from slomix_pipeline.warehouse.careers import CareerNumbers, PlayerFound
from slomix_pipeline.warehouse.comparing import MetOnMap
from slomix_pipeline.warehouse.pair_records import pair_of
from slomix_pipeline.warehouse.players import Duels
from slomix_pipeline.warehouse.site_store import Moment
from slomix_pipeline.warehouse.standings import Meetings

_LONGEST = 100  # characters of a name in a field
_SHOWN = 10  # among whom to choose


@dataclass(frozen=True)
class Field:
    """One of the two who are asked for. ``found``: who may be meant, with the address of the page where he is;
    ``more``: how many are left out."""

    name: str
    label: str
    typed: str
    found: tuple[tuple[Link, PlayerFound], ...]
    more: int
    trouble: str


@dataclass(frozen=True)
class ComparePage:
    """Choosing whom to compare."""

    fields: tuple[Field, Field]


@dataclass(frozen=True)
class Row:
    """A number of both. ``shares``: how long their bars are, in percent of the longer; ``better``: whose is better, 0
    or 1; None: nobody's, or there is no better of it."""

    title: str
    values: tuple[str, str]
    shares: tuple[float, float]
    better: int | None


@dataclass(frozen=True)
class Pair:
    """Two players. ``rounds``: of which each one's numbers are; ``common``: rounds that both played; ``verdict``: None
    while they played too few of these (``least``); ``only_both``: only these are shown; ``other_way``: the address of
    the others; ``record``: of their matches in one team and of those with one of them alone, None of too few."""

    one: PlayerFound
    two: PlayerFound
    rounds: tuple[int, int]
    common: int
    least: int
    only_both: bool
    other_way: str
    rows: tuple[Row, ...]
    verdict: tuple[int, int] | None
    met: Meetings
    record: tuple[str, str] | None
    duels: Duels | None
    maps: tuple[MetOnMap, ...]


def compare_page(moment: Moment, asked: Asked) -> ComparePage:
    """``?a=`` and ``?b=``: names or GUIDs; two that mean one player each are where it leads."""
    typed = {name: asked.query.get(name, "").strip()[:_LONGEST] for name in ("a", "b")}
    found = {name: careers.players_meant(moment.conn, text) if text else [] for name, text in typed.items()}
    if all(len(own) == 1 for own in found.values()):
        raise Moved(url_of("compare", found["a"][0].guid, found["b"][0].guid), for_good=False)
    one, two = (_field(name, typed, found[name]) for name in ("a", "b"))
    return ComparePage((one, two))


def _field(name: str, typed: dict[str, str], found: Sequence[PlayerFound]) -> Field:
    """What there is to say of a field."""
    label = "Player" if name == "a" else "Compared with"
    trouble = ""
    if typed[name] and not found:
        trouble = "Nobody who played in a round that counts is called so."
    elif len(found) > 1:
        trouble = "Several players are meant; choose one:"
    shown = found[:_SHOWN] if len(found) > 1 else ()
    links = tuple((Link(f"/compare?{urlencode(typed | {name: own.guid})}", own.name), own) for own in shown)
    return Field(name, label, typed[name], links, len(found) - len(links) if links else 0, trouble)


def pair_page(moment: Moment, asked: Asked) -> Pair:
    """The players of two GUIDs. ``?both=1``: only rounds that both played."""
    conn = moment.conn
    only_both = asked.query.get("both") == "1"
    one, two = (_player(conn, asked.given[name]) for name in ("one", "two"))
    address = url_of("compare", one.guid, two.guid)
    if [one.guid, two.guid] != [asked.given["one"], asked.given["two"]]:
        raise Moved(f"{address}?both=1" if only_both else address)
    if one.guid == two.guid:
        raise NotHere("Both are the same player.", [Link(url_of("players", one.guid), "His page")])
    own, others = (careers.guids_of(conn, player.guid) for player in (one, two))
    together = comparing.numbers_together(conn, own, others)
    common = together.rounds if together else 0
    numbers: tuple[CareerNumbers | None, CareerNumbers | None]
    if only_both:
        numbers = (together, comparing.numbers_together(conn, others, own))
    else:
        numbers = (careers.numbers_of(conn, one.guid), careers.numbers_of(conn, two.guid))
    rows = _rows(numbers) if numbers[0] and numbers[1] else ()
    duels = {found.guid: found.duels for found in players.duels_of(conn, one.guid, own)}
    record = pair_of(conn, one.guid, two.guid)
    return Pair(
        one=one,
        two=two,
        rounds=(numbers[0].rounds if numbers[0] else 0, numbers[1].rounds if numbers[1] else 0),
        common=common,
        least=MIN_ROUNDS,
        only_both=only_both,
        other_way=address if only_both else f"{address}?both=1",
        rows=rows,
        verdict=_verdict(rows) if common >= MIN_ROUNDS else None,
        met=standings.meetings(conn, one.guid, two.guid),
        record=None if record is None else (together_text(record), apart_text(record)),
        duels=duels.get(two.guid),
        maps=tuple(comparing.met_on_maps(conn, one.guid, two.guid)),
    )


def _player(conn: Connection[DictRow], guid: str) -> PlayerFound:
    found = careers.player_of(conn, guid)
    if found is None:
        raise NotHere("There is no such player to compare.", [Link("/compare", "Choose two players")])
    return found


def _rows(numbers: tuple[CareerNumbers | None, CareerNumbers | None]) -> tuple[Row, ...]:
    one, two = numbers
    assert one is not None and two is not None
    return tuple(_row(number, number.of(one), number.of(two)) for number in words.CAREER_NUMBERS[1:])


def _row(number: words.CareerNumber, one: float | None, two: float | None) -> Row:
    longer = max(one or 0, two or 0)
    shown = (words.amount(one, number.decimals, number.unit), words.amount(two, number.decimals, number.unit))
    better = None
    if number.compares and one is not None and two is not None and shown[0] != shown[1]:
        better = int(two > one)
    return Row(
        number.title,
        shown,
        (100 * (one or 0) / longer if longer else 0, 100 * (two or 0) / longer if longer else 0),
        better,
    )


def _verdict(rows: Sequence[Row]) -> tuple[int, int]:
    """In how many numbers each of them is better."""
    found = [row.better for row in rows]
    return found.count(0), found.count(1)
