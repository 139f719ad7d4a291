"""A round and its receipt: where does this number come from?

Does not belong here: the receipt itself. It was made when the round was worked out (``stages.site_preparing``); what it
says of a player is worded as by ``slomix explain`` (``reports.prepared_receipts``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.reports.prepared_receipts import player_part
from slomix_pipeline.reports.wording import facts
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.values import SIDE_NAMES, FileStatus, Status
from slomix_pipeline.site.answers import Asked, Link, NotHere
from slomix_pipeline.site.meant import nothing_near
from slomix_pipeline.site.pages.shared import attack_text
from slomix_pipeline.site.templating import clock_text, url_of
from slomix_pipeline.warehouse import reading, receipts, site_reading
from slomix_pipeline.warehouse.reading import RoundSeen
from slomix_pipeline.warehouse.session_rounds import PlayerOfRound, RoundOfSession, session_rounds
from slomix_pipeline.warehouse.site_store import Moment

# Label, what it is, attribute, decimals: as the export has them.
COLUMNS: tuple[tuple[str, str, str, int], ...] = (
    ("K", "kills", "kills", 0),
    ("D", "deaths", "deaths", 0),
    ("DPM", "damage per minute he was there", "dpm", 1),
    ("Dmg", "damage given", "damage_given", 0),
    ("Rcvd", "damage received", "damage_received", 0),
    ("Acc", "accuracy in percent, all weapons", "accuracy", 2),
    ("Head", "hits on heads", "headshots", 0),
    ("Hits", "hits", "hits", 0),
    ("Shots", "shots", "shots", 0),
    ("Gibs", "gibs", "gibs", 0),
    ("Self", "own kills", "self_kills", 0),
    ("Rev", "revives given", "revives_given", 0),
    ("XP", "experience", "xp", 0),
    ("s", "seconds played", "seconds_played", 0),
)


@dataclass(frozen=True)
class PlayerLine:
    """A player's numbers of the round; ``url``: of what they are made of."""

    url: str
    numbers: PlayerOfRound
    name: str
    team: Team | None


@dataclass(frozen=True)
class SideTable:
    """The players of a side."""

    side: str
    players: tuple[PlayerLine, ...]


@dataclass(frozen=True)
class Check:
    """What a check found. ``facts``: on one line."""

    name: str
    passed: bool
    facts: str


@dataclass(frozen=True)
class RoundPage:
    """``receipt``: None until it was made of what the session is now; ``player``: the part of the player that was
    asked for, as ``slomix explain`` has it; ``why_not``: why its numbers count nowhere; None: they do. Without
    ``sides`` the file was never read."""

    key: str
    title: str
    ended_at: datetime | None
    status: str
    reason: str | None
    why_not: str | None
    flags: tuple[str, ...]
    course: tuple[tuple[str, str], ...]
    duration_seconds: float | None
    duration_source: str | None
    timing_status: str | None
    sides: tuple[SideTable, ...]
    columns: tuple[tuple[str, str, str, int], ...]
    links: tuple[Link, ...]
    receipt: Mapping[str, Any] | None
    checks: tuple[Check, ...]
    player: Mapping[str, Any] | None
    player_line: int | None
    player_name: str | None


def round_page(moment: Moment, asked: Asked) -> RoundPage:
    """The round of a key; ``?player=``: with what each of his numbers is made of."""
    conn, key = moment.conn, asked.given["key"]
    session_key = site_reading.session_of_round(conn, key)
    if session_key is None:
        return _unread(moment, key)
    round_ = next(one for one in session_rounds(conn, session_key) if one.round_key == key)
    seen = reading.rounds_seen(conn, [key])
    receipt = site_reading.receipt(conn, key)
    names = {entry.guid: entry.shown for entry in reading.rosters(conn, session_key)}
    wanted = asked.query.get("player")
    part, line = _part(conn, key, wanted, receipt) if wanted else (None, None)
    return RoundPage(
        key=key,
        title=f"{round_.map}, round {round_.number}",
        ended_at=round_.stamp,
        status=round_.status.replace("_", " "),
        reason=round_.reason,
        why_not=None if round_.valid else round_.invalid_reason,
        flags=round_.flags,
        course=_course(seen[key], round_) if key in seen else (),
        duration_seconds=round_.duration_seconds,
        duration_source=round_.duration_source,
        timing_status=round_.timing_status,
        sides=_sides(key, round_.players, names),
        columns=COLUMNS,
        links=_links(conn, key, session_key),
        receipt=receipt,
        checks=_checks(receipt),
        player=part,
        player_line=line,
        player_name=next((names.get(p.guid, p.name) for p in round_.players if p.guid == wanted), None),
    )


def _course(seen: RoundSeen, round_: RoundOfSession) -> tuple[tuple[str, str], ...]:
    """How a round went: who defended and won, what the stopwatch shows, who gave up. Of one that was broken off the
    file holds what was set before it."""
    header, aborted = seen.header, round_.status is Status.ABORTED
    stopwatch = f"{clock_text(round_.stopwatch_seconds)} of {clock_text(header.limit_seconds or None)}"
    said = (
        ("Defended by", SIDE_NAMES.get(header.defender_side or 0)),
        ("Won by", None if aborted else SIDE_NAMES.get(header.winner_side or 0)),
        ("Attack", None if aborted else attack_text(seen)),
        ("Stopwatch", None if aborted else stopwatch),
        ("Gave up", SIDE_NAMES.get(seen.surrender_side or 0)),
    )
    return tuple((what, text) for what, text in said if text)


def _links(conn: Connection[DictRow], key: str, session_key: str) -> tuple[Link, ...]:
    found = site_reading.match_of(conn, key)
    links = [Link(url_of("sessions", session_key), "the session")]
    if found is None:
        return tuple(links)
    matches = reading.matches(conn, [session_key], records=False, players_of=())
    match = next(match for match in matches if match.key == found[1])
    others = [
        Link(url_of("rounds", seen.key), f"round {number}")
        for number, seen in ((1, match.first), (2, match.second))
        if seen and seen.key != key
    ]
    return (*links, Link(url_of("matches", match.key), "the match"), *others)


def _sides(key: str, players: Sequence[PlayerOfRound], names: Mapping[str, str]) -> tuple[SideTable, ...]:
    found = []
    for side in sorted({player.side for player in players}, key=lambda side: side or 9):
        rows = tuple(
            PlayerLine(
                f"{url_of('rounds', key)}?player={player.guid}#player",
                player,
                names.get(player.guid, player.name),
                player.team,
            )
            for player in players
            if player.side == side
        )
        found.append(SideTable(SIDE_NAMES.get(side or 0, "no side"), rows))
    return tuple(found)


def _checks(receipt: Mapping[str, Any] | None) -> tuple[Check, ...]:
    if receipt is None:
        return ()
    return tuple(Check(check["name"], check["passed"], facts(check["facts"])) for check in receipt["checks"])


def _part(
    conn: Connection[DictRow], key: str, guid: str, receipt: Mapping[str, Any] | None
) -> tuple[Mapping[str, Any], int | None]:
    """What a player's numbers are made of, and the line of the file that he has."""
    found = None if receipt is None else player_part(conn, key, guid, receipt)
    if found is None:
        why = "The receipt of this round is being made." if receipt is None else f"No {guid} played in it."
        raise NotHere(why, [Link(url_of("rounds", key), "the round")])
    return found


def _unread(moment: Moment, key: str) -> RoundPage:
    """A round whose file can't be read, and why."""
    try:
        file = receipts.file_row(moment.conn, key)
    except KeyError:
        raise nothing_near(moment, "round", key) from None
    if file.status is not FileStatus.QUARANTINED:  # what else becomes of a file makes no new version
        raise nothing_near(moment, "round", key)
    return RoundPage(
        key=key,
        title=file.name,
        ended_at=None,
        status=file.status,
        reason=file.reason,
        why_not=file.reason or "its file can't be read",
        flags=(),
        course=(),
        duration_seconds=None,
        duration_source=None,
        timing_status=None,
        sides=(),
        columns=COLUMNS,
        links=(),
        receipt=None,
        checks=(),
        player=None,
        player_line=None,
        player_name=None,
    )
