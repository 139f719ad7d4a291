"""A player: how is he doing, against himself and others?

Does not belong here: who there is (``players``), finding one (``search``), the words of a career
(``reports.career_words``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.weapons import weapon_called
from slomix_pipeline.reports import career_words as words
from slomix_pipeline.rules.boards import BOARDS, BoardName, threshold
from slomix_pipeline.site.answers import Asked, Link, Moved, NotHere
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import boards, careers, players
from slomix_pipeline.warehouse.careers import AliasSeen, Career
from slomix_pipeline.warehouse.players import Lately, MapPlayed, PlayerMet
from slomix_pipeline.warehouse.site_store import Moment

# The numbers that head the page: each has a board, and is known of single nights.
_HEADLINE = (
    BoardName.DPM,
    BoardName.KD,
    BoardName.ACCURACY,
    BoardName.HEADSHOT_PERCENT,
    BoardName.EFFICIENCY,
    BoardName.REVIVES_GIVEN,
)
_NUMBERS = {number.attribute: number for number in words.CAREER_NUMBERS}
_MILESTONES_SHOWN = 10


@dataclass(frozen=True)
class Tile:
    """A number of the headline. ``lately``: over the latest nights; ``nights``: in each of them, oldest first."""

    title: str
    career: str
    lately: str
    nights: tuple[float | None, ...]
    place: str


@dataclass(frozen=True)
class NightLine:
    """A night of his form; the numbers as text."""

    url: str
    ended_at: datetime
    rounds: int
    kills: str
    kd: str
    dpm: str


@dataclass(frozen=True)
class WeaponLine:
    """A weapon; the numbers as text."""

    called: str
    kills: str
    accuracy: str
    headshots: str


@dataclass(frozen=True)
class Told:
    """Something that happened once, in the round of ``url``. ``value``: empty where there is none."""

    what: str
    value: str
    map: str | None
    at: datetime
    url: str


@dataclass(frozen=True)
class CareerShown:
    """All that is told of who played in rounds that count. ``since``: what the headline's ``lately`` is over."""

    career: Career
    standing: str
    tiles: tuple[Tile, ...]
    since: str
    numbers: tuple[tuple[str, str], ...]
    usual: str
    form: tuple[NightLine, ...]
    maps: tuple[MapPlayed, ...]
    weapons: tuple[WeaponLine, ...]
    met: tuple[PlayerMet, ...]
    badges: tuple[str, ...]
    ahead: tuple[str, ...]
    reached: tuple[Told, ...]
    bests: tuple[Told, ...]


@dataclass(frozen=True)
class PlayerPage:
    """``shown``: None of who never played in a round that counts; ``more_aliases``: how many are left out."""

    guid: str
    name: str
    shown: CareerShown | None
    aliases: tuple[AliasSeen, ...]
    more_aliases: int


def player_page(moment: Moment, asked: Asked) -> PlayerPage:
    """The player of a GUID. Who wished to be hidden is answered as somebody unknown."""
    conn, guid = moment.conn, asked.given["guid"]
    found = careers.player_of(conn, guid)
    if found is None:
        aliases: Sequence[AliasSeen] = players.aliases_of(conn, guid)
        if not aliases:
            raise NotHere("There is no such player.", [Link("/players", "All players")])
        return _page(guid, aliases[0].name, None, aliases)
    if found.guid != guid:
        raise Moved(url_of("players", found.guid))
    career = careers.career(conn, found)
    return _page(guid, career.name, _shown(conn, career), career.aliases)


def _page(guid: str, name: str, shown: CareerShown | None, aliases: Sequence[AliasSeen]) -> PlayerPage:
    listed = tuple(aliases[: words.ALIASES_SHOWN])
    return PlayerPage(guid, name, shown, listed, len(aliases) - len(listed))


def _shown(conn: Connection[DictRow], career: Career) -> CareerShown:
    guids = careers.guids_of(conn, career.guid)
    lately = players.lately(conn, guids)
    return CareerShown(
        career=career,
        standing=words.standing_text(career.standing),
        tiles=tuple(_tile(conn, name, career, lately) for name in _HEADLINE),
        since="last session" if len(lately.nights) == 1 else f"last {len(lately.nights)} sessions",
        numbers=tuple((number.title, number.text(career)) for number in words.CAREER_NUMBERS),
        usual=words.usual_text(career.form),
        form=_form(career),
        maps=tuple(players.maps_played(conn, guids)),
        weapons=_weapons(career),
        met=tuple(players.most_met(conn, career.guid)),
        badges=tuple(words.badge_text(own) for own in career.progress if own.badge is not None),
        ahead=tuple(
            words.progress_text(own, career.numbers.rounds) for own in career.progress if own.next_step is not None
        ),
        reached=_reached(career),
        bests=_bests(career),
    )


def _tile(conn: Connection[DictRow], name: BoardName, career: Career, lately: Lately) -> Tile:
    number, board = _NUMBERS[name], BOARDS[name]
    needed = threshold(board)
    place = boards.board_place(conn, board, needed, career.guid)
    assert place is not None, "who has a career played"
    return Tile(
        number.title,
        number.text(career),
        words.amount(getattr(lately.together, name), number.decimals, number.unit),
        tuple(getattr(night, name) for night in lately.nights),
        words.place_text(board, needed, place),
    )


def _form(career: Career) -> tuple[NightLine, ...]:
    return tuple(
        NightLine(
            url_of("sessions", night.session_key),
            night.ended_at,
            night.rounds,
            words.amount(night.kills),
            words.amount(night.kd, 2),
            words.amount(night.dpm, 1),
        )
        for night in career.form.nights
    )


def _weapons(career: Career) -> tuple[WeaponLine, ...]:
    return tuple(
        WeaponLine(
            weapon_called(own.weapon),
            words.amount(own.kills),
            words.accuracy_text(own),
            words.amount(own.headshot_percent, 1, " %"),
        )
        for own in career.weapons
    )


def _reached(career: Career) -> tuple[Told, ...]:
    """The latest milestones and all deeds, the latest first."""
    found = [
        Told(words.milestone_text(own), "", at.map, at.stamp, url_of("rounds", at.round_key))
        for own in career.milestones[-_MILESTONES_SHOWN:]
        for at in (own.reached,)
    ]
    found += [
        Told(words.deed_text(own), "", own.map, own.stamp, url_of("rounds", own.round_key)) for own in career.deeds
    ]
    return tuple(sorted(found, key=lambda told: told.at, reverse=True))


def _bests(career: Career) -> tuple[Told, ...]:
    return tuple(
        Told(
            words.record_title(best),
            words.record_value(best),
            best.map,
            best.ended_at,
            url_of("rounds", best.round_key),
        )
        for best in career.bests
    )
