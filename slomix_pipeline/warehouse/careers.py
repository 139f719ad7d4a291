"""Players over years: who is meant by a name, his career, two of them side by side, what a session added.

Belongs here: reading what views and rules make of careers. Does not belong here: how it is shown, and what a number is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.rules.form import NIGHTS_SHOWN, usual
from slomix_pipeline.rules.milestones import (
    Milestone,
    Progress,
    milestones,
    progress,
)
from slomix_pipeline.rules.name_search import resembling, search
from slomix_pipeline.warehouse import nights, records, standings
from slomix_pipeline.warehouse.deeds import DeedSeen, deeds, deeds_in
from slomix_pipeline.warehouse.nights import Lately, Night
from slomix_pipeline.warehouse.records import RecordSeen
from slomix_pipeline.warehouse.rows import rows_of
from slomix_pipeline.warehouse.so_far import so_far_of
from slomix_pipeline.warehouse.standings import Standing

WEAPONS_SHOWN = 5
GUID_FROM = 4  # characters of one; fewer are many people's


@dataclass(frozen=True)
class PlayerFound:
    """Somebody whom a name may mean. ``aliases``: all names he used, the most played first."""

    guid: str
    name: str
    aliases: tuple[str, ...]
    last_seen: datetime


class NotOnePlayer(SlomixError):
    """Nobody, or several, are meant by a name; ``found`` lists them."""

    def __init__(self, typed: str, found: Sequence[PlayerFound]) -> None:
        several = f"{len(found)} players are meant by {typed!r}; give a longer part of the name, or the GUID"
        super().__init__(several if found else f"nobody who played in a round that counts is called {typed!r}")
        self.typed, self.found = typed, tuple(found)


@dataclass(frozen=True)
class AliasSeen:
    """A name that somebody used. ``rounds``: in how many, also such as don't count."""

    name: str
    rounds: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True)
class CareerNumbers:
    """A career's sums and ratios over all rounds that count, as ``player_metric`` has them; None: unknown."""

    rounds: int
    first_played_at: datetime
    last_played_at: datetime
    kills: int | None
    deaths: int | None
    kd: float | None
    efficiency: float | None
    damage_given: int | None
    seconds_played: int | None
    dpm: float | None
    kills_per_round: float | None
    accuracy: float | None
    aimed_accuracy: float | None
    headshot_percent: float | None
    gibs: int | None
    revives_given: int | None


@dataclass(frozen=True)
class NightSeen:
    """A player's numbers of one session, as far as they count in careers."""

    session_key: str
    ended_at: datetime
    rounds: int
    kills: int | None
    kd: float | None
    dpm: float | None


@dataclass(frozen=True)
class Form:
    """The latest nights, and what was usual before them; None while too few nights came before."""

    nights: tuple[NightSeen, ...]
    usual_kd: float | None
    usual_dpm: float | None


@dataclass(frozen=True)
class WeaponSeen:
    """What a player did with a weapon over all rounds that count."""

    weapon: str
    kills: int
    hits: int
    shots: int
    accuracy: float | None
    headshot_percent: float | None


@dataclass(frozen=True)
class Career:
    """All that is told of a player."""

    guid: str
    name: str
    numbers: CareerNumbers
    standing: Standing
    form: Form
    weapons: tuple[WeaponSeen, ...]
    aliases: tuple[AliasSeen, ...]
    bests: tuple[RecordSeen, ...]
    milestones: tuple[Milestone, ...]
    deeds: tuple[DeedSeen, ...]
    progress: tuple[Progress, ...]


@dataclass(frozen=True)
class Behind:
    """What a career is made of, and what is told beside it, too; so it is read once. ``on_maps``: how his decided
    matches ended."""

    guids: Sequence[str]
    lately: Lately
    on_maps: Mapping[str, Standing]


@dataclass(frozen=True)
class Unlocked:
    """What a player reached in a session for the first time."""

    player: PlayerFound
    milestones: tuple[Milestone, ...]
    deeds: tuple[DeedSeen, ...]


def players_meant(conn: Connection[DictRow], typed: str) -> list[PlayerFound]:
    """Who may be meant, by name, by a GUID, how one begins (from ``GUID_FROM`` characters), a name that somebody ever
    used, how one begins or a part of one."""
    return _meant(_names(conn), typed)


def _meant(rows: Sequence[DictRow], typed: str) -> list[PlayerFound]:
    known = list(dict.fromkeys((row["guid"], name) for row in rows for name in (row["alias"], row["name"])))
    if len(typed) >= GUID_FROM:
        known += [(row["guid"], row["guid"]) for row in rows if row["guid"].startswith(typed.upper())]
    meant = search(typed, known)
    persons = {row["person"] for row in rows if row["guid"] in meant}
    return [own for own in _found(rows) if own.guid in persons]


def players_resembling(conn: Connection[DictRow], typed: str) -> list[PlayerFound]:
    """The few of whom a name looks most like one that nobody has."""
    found = _found(_names(conn))
    by_name = {name: own.guid for own in found for name in (*own.aliases, own.name)}
    guids = dict.fromkeys(by_name[name] for name in resembling(typed, by_name))
    by_guid = {own.guid: own for own in found}
    return [by_guid[guid] for guid in guids]


def _names(conn: Connection[DictRow]) -> list[DictRow]:
    """All names of everybody who may be named, by person."""
    return conn.execute(
        """select p.person, p.name, a.guid, a.name as alias, a.last_seen
           from (select guid, name, sum(rounds) as rounds, max(last_seen) as last_seen
                 from alias_fact group by guid, name) a
           join board_person p using (guid) order by p.name, p.person, a.rounds desc, a.name"""
    ).fetchall()


def _found(rows: Sequence[DictRow]) -> list[PlayerFound]:
    found = []
    for person, own in groupby(rows, key=lambda row: row["person"]):
        names = list(own)
        aliases = tuple(dict.fromkeys(row["alias"] for row in names))
        found.append(PlayerFound(person, names[0]["name"], aliases, max(row["last_seen"] for row in names)))
    return found


def find_player(conn: Connection[DictRow], typed: str) -> PlayerFound:
    """The one who is meant.

    Raises:
        NotOnePlayer: nobody, or several.
    """
    return find_players(conn, [typed])[typed]


def find_players(conn: Connection[DictRow], typed: Iterable[str]) -> dict[str, PlayerFound]:
    """The one who is meant by each of some names.

    Raises:
        NotOnePlayer: by one of them nobody, or several.
    """
    rows, meant = _names(conn), {}
    for name in typed:
        found = _meant(rows, name)
        if len(found) != 1:
            raise NotOnePlayer(name, found)
        meant[name] = found[0]
    return meant


def player_of(conn: Connection[DictRow], guid: str) -> PlayerFound | None:
    """The person of a GUID, without aliases; None when no round of his counts, or he wished to be unnamed. Of this GUID
    alone none may count, where there are others of his."""
    row = conn.execute(
        """select p.person, p.name, f.last_played_at
           from board_person p
           cross join lateral (
               select last_played_at from player_session_fact where guid = p.guid order by last_played_at desc limit 1
           ) f
           where p.person = any(array(select person_guid from person_decided where guid = %(guid)s) || %(guid)s::text)
           order by f.last_played_at desc limit 1""",
        {"guid": guid},
    ).fetchone()
    return None if row is None else PlayerFound(row["person"], row["name"], (), row["last_played_at"])


def behind(conn: Connection[DictRow], player: PlayerFound) -> Behind:
    """What several parts of a player's career are made of."""
    guids = guids_of(conn, player.guid)
    return Behind(guids, nights.lately(conn, guids), standings.on_maps(conn, player.guid))


def career(
    conn: Connection[DictRow], player: PlayerFound, known: Behind | None = None, weapons: int | None = WEAPONS_SHOWN
) -> Career:
    """All that is told of a player; of so many weapons, or of all. ``known``: where that was read before."""
    known = behind(conn, player) if known is None else known
    so_far = so_far_of(conn, [player.guid])[player.guid]
    reached = milestones(so_far)
    return Career(
        player.guid,
        player.name,
        numbers_of(conn, player.guid),
        standings.in_all(known.on_maps.values()),
        form_of(known.lately.nights),
        weapons_used(conn, known.guids, weapons),
        aliases_used(conn, known.guids),
        tuple(records.bests(conn, known.guids)),
        tuple(reached),
        deeds(conn, known.guids),
        tuple(progress(so_far, reached)),
    )


def unlocked_in(conn: Connection[DictRow], session_key: str) -> list[Unlocked]:
    """What players reached in a session for the first time, by name; who reached nothing is left out."""
    rows = conn.execute(
        """select p.person, n.called as name, max(f.last_played_at) as last_seen
           from player_session_fact f
           join board_person p using (guid)
           join session_name n on n.session_key = f.scope and n.guid = f.guid
           where f.scope = %s group by p.person, n.called order by n.called, p.person""",
        [session_key],
    ).fetchall()
    so_far = so_far_of(conn, [row["person"] for row in rows])
    with_deeds = deeds_in(conn, session_key)
    found = []
    for row in rows:
        player = PlayerFound(row["person"], row["name"], (), row["last_seen"])
        guids = guids_of(conn, player.guid) if with_deeds else []
        deeds_of_his = deeds(conn, guids) if with_deeds.intersection(guids) else ()
        unlocked = Unlocked(
            player,
            tuple(own for own in milestones(so_far[player.guid]) if own.reached.session_key == session_key),
            tuple(own for own in deeds_of_his if own.session_key == session_key),
        )
        if unlocked.milestones or unlocked.deeds:
            found.append(unlocked)
    return found


def guids_of(conn: Connection[DictRow], person: str) -> list[str]:
    """All GUIDs that somebody played under."""
    return [row["guid"] for row in conn.execute("select guid from board_person where person = %s", [person])]


def numbers_of(conn: Connection[DictRow], person: str) -> CareerNumbers:
    """A career's sums and ratios, of who is found."""
    with conn.cursor(row_factory=rows_of(CareerNumbers)) as cursor:
        row = cursor.execute(
            """select rounds, first_played_at, last_played_at, kills, deaths, kd, efficiency, damage_given,
                      seconds_played, dpm, kills_per_round, accuracy, aimed_accuracy, headshot_percent, gibs,
                      revives_given
               from player_metric where level = 'career' and guid = %s""",
            [person],
        ).fetchone()
    assert row is not None, "who is found played in a round that counts"
    return row


def form_of(latest: Sequence[Night]) -> Form:
    """A player's latest nights, and what was usual before them. ``latest``: as ``nights.lately`` has them."""
    newest = latest[::-1]
    before = newest[NIGHTS_SHOWN:]
    shown = tuple(
        NightSeen(night.session_key, night.ended_at, night.rounds, night.kills, night.kd, night.dpm)
        for night in newest[:NIGHTS_SHOWN]
        if night.session_key is not None
    )
    return Form(shown, usual([night.kd for night in before]), usual([night.dpm for night in before]))


def weapons_used(conn: Connection[DictRow], guids: Sequence[str], most: int | None) -> tuple[WeaponSeen, ...]:
    """The weapons with which a player killed anybody, the most used first; so many, or all."""
    with conn.cursor(row_factory=rows_of(WeaponSeen)) as cursor:
        return tuple(
            cursor.execute(
                """select weapon, sum(kills)::bigint as kills, sum(hits)::bigint as hits, sum(shots)::bigint as shots,
                          metric_accuracy(sum(hits)::bigint, sum(shots)::bigint) as accuracy,
                          metric_headshot_percent(sum(headshots)::bigint, sum(hits)::bigint) as headshot_percent
                   from player_weapon_fact where guid = any(%s) group by weapon having sum(kills) > 0
                   order by 2 desc, weapon limit %s""",
                [guids, most],
            )
        )


def aliases_used(conn: Connection[DictRow], guids: Sequence[str]) -> tuple[AliasSeen, ...]:
    """All names that a player used, the most used first."""
    with conn.cursor(row_factory=rows_of(AliasSeen)) as cursor:
        return tuple(
            cursor.execute(
                """select name, sum(rounds)::bigint as rounds, min(first_seen) as first_seen,
                          max(last_seen) as last_seen
                   from alias_fact where guid = any(%s) group by name order by 2 desc, name""",
                [guids],
            )
        )
