"""A player: how is he doing, against himself and others?

Does not belong here: who there is (``players``), finding one (``search``), what is learned of him
(``player_insight``), the words of a career (``reports.career_words``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import attrgetter
from urllib.parse import urlencode

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.weapons import OF_BULLETS, weapon_called
from slomix_pipeline.reports import career_words as words
from slomix_pipeline.rules.boards import BOARDS, MIN_ROUNDS, BoardName, threshold
from slomix_pipeline.rules.form import Against, against_usual
from slomix_pipeline.site.answers import Asked, Link, Moved, NotHere
from slomix_pipeline.site.pages.held import PlayerAgainst, player_against
from slomix_pipeline.site.pages.player_insight import PlayerInsight, player_insight
from slomix_pipeline.site.sorting import Column, Head, Order, heads, in_order, order_asked
from slomix_pipeline.site.templating import UNKNOWN, url_of
from slomix_pipeline.warehouse import boards, careers, nights, players, standings
from slomix_pipeline.warehouse.boards import BoardPlace
from slomix_pipeline.warehouse.careers import AliasSeen, Behind, Career, WeaponSeen
from slomix_pipeline.warehouse.expectations import latest_sums, nights_held
from slomix_pipeline.warehouse.form_changes import NIGHTS, changes_of
from slomix_pipeline.warehouse.nights import Lately
from slomix_pipeline.warehouse.players import Duels, MapPlayed, MatchPlayed, PlayerMet, Rivals, Support
from slomix_pipeline.warehouse.site_store import Moment
from slomix_pipeline.warehouse.standings import Standing


@dataclass(frozen=True)
class _Headline:
    """A number that heads the page: known of single nights under ``attribute``. ``board``: on which he has a place by
    it."""

    attribute: str
    title: str
    decimals: int
    unit: str = ""
    board: BoardName | None = None


_HEADLINE = (
    _Headline("dpm", "damage per minute", 1, board=BoardName.DPM),
    _Headline("kd", "K/D", 2, board=BoardName.KD),
    _Headline("aimed_accuracy", "aimed accuracy", 1, " %"),
    _Headline("headshot_percent", "headshots", 1, " %", BoardName.HEADSHOT_PERCENT),
    _Headline("revives_given_per_round", "revives per round", 2),  # the board is of all revives
    _Headline("survival_percent", "time alive", 1, " %"),
)
_DISPUTED = "where it is missing the files' two sources of this number contradict each other"
_LEFT_OUT = "one of his rounds of it counts in no career: what its file says of him is not of that round alone"
_MILESTONES_SHOWN = 10
_MATCHES_SHOWN = 10
_LEAST_MATCHES = 4  # on a map, to say something of him there
_MET_OPENED = 50  # of whom somebody met

MAPS: tuple[Column[MapPlayed], ...] = (
    Column("map", "Map", lambda own: own.map.casefold(), rises=True, is_number=False),
    Column("rounds", "Rounds", attrgetter("rounds")),
    Column("ended", "W–D–L", None),
    Column("kd", "K/D", attrgetter("kd")),
    Column("dpm", "DPM", attrgetter("dpm")),
)
WEAPONS: tuple[Column[WeaponSeen], ...] = (
    Column("weapon", "Weapon", lambda own: weapon_called(own.weapon).casefold(), rises=True, is_number=False),
    Column("kills", "Kills", attrgetter("kills")),
    Column("accuracy", "Accuracy", lambda own: own.accuracy if own.weapon in OF_BULLETS else None),
    Column("headshots", "Headshots", attrgetter("headshot_percent")),
)


@dataclass(frozen=True)
class Tile:
    """A number of the headline. ``known``: of how many rounds it is known, where that is not all of them; ``lately``:
    over the latest nights; ``nights``: in each of them, oldest first, and ``drawn``: what a picture
    of that shows; ``place``: on the board of ``url``, both None of
    what there is no board of; ``why``: a number is not told."""

    title: str
    career: str
    known: str
    lately: str
    nights: tuple[float | None, ...]
    drawn: str
    place: str | None
    url: str | None
    why: str | None


@dataclass(frozen=True)
class NightLine:
    """A night of his form; the numbers as text. ``kd_against`` and ``dpm_against``: how they were against what was
    usual for him before it; ``standing``: how his matches in it ended."""

    url: str
    ended_at: datetime
    rounds: int
    kills: str
    kd: str
    kd_against: Against | None
    dpm: str
    dpm_against: Against | None
    standing: str


@dataclass(frozen=True)
class MatchLine:
    """A match of his. ``why``: no number of it is told."""

    url: str
    map: str
    at: datetime
    result: str
    kills: int | None
    deaths: int | None
    dpm: float | None
    why: str | None


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
    """All that is told of who played in rounds that count. ``since``: what the headline's ``lately`` is over; ``few``:
    he has no place on boards yet; ``sessions``: the address of his sessions; ``more_met``: how many are left out of
    ``met``; ``duels``: with whom there were any; ``least_matches``: decided ones on a map, of fewer its numbers say
    little."""

    career: Career
    standing: str
    tiles: tuple[Tile, ...]
    since: str
    numbers: tuple[tuple[str, str], ...]
    usual: str
    few: bool
    sessions: str
    form: tuple[NightLine, ...]
    against: PlayerAgainst
    matches: tuple[MatchLine, ...]
    maps: tuple[MapPlayed, ...]
    map_heads: tuple[Head, ...]
    least_matches: int
    weapons: tuple[WeaponLine, ...]
    weapon_heads: tuple[Head, ...]
    met: tuple[PlayerMet, ...]
    more_met: int
    duels: Mapping[str, Duels]
    rivals: Rivals
    insight: PlayerInsight
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
    """The player of a GUID. Who wished to be hidden is answered as somebody unknown. ``?sort=``: his maps or his
    weapons by this column."""
    conn, guid, order = moment.conn, asked.given["guid"], order_asked(asked, MAPS, WEAPONS)
    found = careers.player_of(conn, guid)
    if found is None:
        aliases: Sequence[AliasSeen] = players.aliases_of(conn, guid)
        if not aliases:
            raise NotHere("There is no such player.", [Link("/players", "All players")])
        return _page(guid, aliases[0].name, None, aliases)
    if found.guid != guid:
        raise Moved(url_of("players", found.guid))
    known = careers.behind(conn, found)
    career = careers.career(conn, found, known, weapons=None)
    return _page(guid, career.name, _shown(conn, career, known, order), career.aliases)


def _page(guid: str, name: str, shown: CareerShown | None, aliases: Sequence[AliasSeen]) -> PlayerPage:
    listed = tuple(aliases[: words.ALIASES_SHOWN])
    return PlayerPage(guid, name, shown, listed, len(aliases) - len(listed))


def _shown(conn: Connection[DictRow], career: Career, known: Behind, order: Order | None) -> CareerShown:
    url = url_of("players", career.guid)
    guids, lately = known.guids, known.lately
    duelled = players.duels_of(conn, career.guid, guids)
    met = players.most_met(conn, career.guid, None)
    return CareerShown(
        career=career,
        standing=words.standing_text(career.standing),
        tiles=_tiles(conn, career, guids, lately),
        since="last session" if len(lately.latest) == 1 else f"last {len(lately.latest)} sessions",
        numbers=tuple((number.title, number.text(career)) for number in words.CAREER_NUMBERS),
        usual=words.usual_text(career.form),
        few=career.numbers.rounds < MIN_ROUNDS,
        sessions=f"/sessions?{urlencode({'player': career.guid})}",
        form=_form(conn, career.guid, lately),
        against=_against(conn, career.guid, guids),
        matches=_matches(conn, guids),
        maps=in_order(players.maps_played(conn, guids, known.on_maps), MAPS, order, lambda own: (own.map,)),
        map_heads=heads(MAPS, order, url),
        least_matches=_LEAST_MATCHES,
        weapons=_weapons(in_order(career.weapons, WEAPONS, order, lambda own: (weapon_called(own.weapon),))),
        weapon_heads=heads(WEAPONS, order, url),
        met=tuple(met[:_MET_OPENED]),
        more_met=max(len(met) - _MET_OPENED, 0),
        duels={own.guid: own.duels for own in duelled},
        rivals=players.rivals(duelled),
        insight=player_insight(conn, career.guid),
        badges=tuple(words.badge_text(own) for own in career.progress if own.badge is not None),
        ahead=tuple(
            words.progress_text(own, career.numbers.rounds) for own in career.progress if own.next_step is not None
        ),
        reached=_reached(career),
        bests=_bests(career),
    )


def _tiles(conn: Connection[DictRow], career: Career, guids: Sequence[str], lately: Lately) -> tuple[Tile, ...]:
    support = players.support(conn, career.guid, guids)
    needed = {BOARDS[own.board]: threshold(BOARDS[own.board]) for own in _HEADLINE if own.board}
    places = boards.board_places(conn, needed, career.guid)
    return tuple(_tile(own, career, support, lately, places.get(own.board) if own.board else None) for own in _HEADLINE)


def _tile(own: _Headline, career: Career, support: Support, lately: Lately, place: BoardPlace | None) -> Tile:
    of_support = hasattr(support, own.attribute)
    value = getattr(support if of_support else career.numbers, own.attribute)
    recent = getattr(lately.together, own.attribute)
    values = tuple(getattr(night, own.attribute) for night in lately.latest)
    why = None
    if own.attribute == "survival_percent":
        disputed = [night.survival_disputed for night in lately.latest]
        if support.survival_disputed or lately.together.survival_disputed or any(disputed):
            why = _DISPUTED
        value = None if support.survival_disputed else value
        recent = None if lately.together.survival_disputed else recent
        values = tuple(None if of_it else known for of_it, known in zip(disputed, values, strict=True))
    rounds, known = career.numbers.rounds, support.revives_given_rounds
    partly = own.attribute == "revives_given_per_round" and known < rounds
    board = BOARDS[own.board] if own.board else None
    return Tile(
        title=own.title,
        career=words.amount(value, own.decimals, own.unit),
        known=f"known of {known:,} of {rounds:,} rounds" if partly else "",
        lately=words.amount(recent, own.decimals, own.unit),
        nights=values,
        drawn=_drawn_text(own, values),
        place=words.place_text(board, threshold(board), place) if board and place else None,
        url=f"{url_of('boards', board.name)}?{urlencode({'find': career.guid})}#found" if board else None,
        why=why,
    )


def _drawn_text(own: _Headline, nights: Sequence[float | None]) -> str:
    known = [night for night in nights if night is not None]
    if not known:
        return ""
    seen = {"first": known[0], "last": known[-1], "lowest": min(known), "highest": max(known)}
    texts = [f"{which} {words.amount(value, own.decimals, own.unit)}" for which, value in seen.items()]
    return f"{own.title} in each of the last sessions: {', '.join(texts)}"


def _form(conn: Connection[DictRow], person: str, lately: Lately) -> tuple[NightLine, ...]:
    """The latest first."""
    newest = lately.nights[::-1]
    kd = against_usual([night.kd for night in newest], nights.NIGHTS_OF_FORM)
    dpm = against_usual([night.dpm for night in newest], nights.NIGHTS_OF_FORM)
    shown = [(night, night.session_key) for night in newest[: nights.NIGHTS_OF_FORM] if night.session_key]
    ended = standings.in_sessions(conn, person, [key for _, key in shown])
    return tuple(
        NightLine(
            url_of("sessions", key),
            night.ended_at,
            night.rounds,
            words.amount(night.kills),
            words.amount(night.kd, 2),
            kd[at],
            words.amount(night.dpm, 1),
            dpm[at],
            _ends(ended.get(key)),
        )
        for at, (night, key) in enumerate(shown)
    )


def _against(conn: Connection[DictRow], person: str, guids: Sequence[str]) -> PlayerAgainst:
    kept = latest_sums(conn, person, NIGHTS)
    latest = tuple(islice(nights_held(kept), nights.NIGHTS_OF_FORM))
    return player_against(latest, changes_of(conn, guids, kept))


def _ends(standing: Standing | None) -> str:
    return UNKNOWN if standing is None else f"{standing.won}–{standing.drawn}–{standing.lost}"


def _matches(conn: Connection[DictRow], guids: Sequence[str]) -> tuple[MatchLine, ...]:
    return tuple(
        MatchLine(
            url_of("matches", own.match_key),
            own.map,
            own.ended_at,
            match_ended(own),
            own.kills,
            own.deaths,
            own.dpm,
            _LEFT_OUT if own.left_out else None,
        )
        for own in players.recent_matches(conn, guids, _MATCHES_SHOWN)
    )


def match_ended(own: MatchPlayed) -> str:
    """How a match ended for who played it."""
    if own.won is None:
        return "not counted" if not own.counted else "he changed sides" if own.changed_sides else "his team is open"
    return "draw" if own.drawn else "won" if own.won else "lost"


def _weapons(used: Sequence[WeaponSeen]) -> tuple[WeaponLine, ...]:
    return tuple(
        WeaponLine(
            weapon_called(own.weapon),
            words.amount(own.kills),
            words.accuracy_text(own),
            words.amount(own.headshot_percent, 1, " %"),
        )
        for own in used
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
