"""``slomix override``: what a person decides otherwise than the rules, stored and worked out at once.

Belongs here: finding what is meant, refusing what can't be decided, working the rounds out anew.
Does not belong here: what a decision changes (``rules``), keeping it (``warehouse.overrides``).
"""

from collections.abc import Callable
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.actions.reworking import work_out_anew
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.formats.keys import server_of
from slomix_pipeline.reports.receipts import find
from slomix_pipeline.rules.overrides import COUNTS, CUT, OverrideKind
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.validity import can_count
from slomix_pipeline.rules.values import Status
from slomix_pipeline.runtime.home import open_database, working_alone
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.chain import Progress
from slomix_pipeline.warehouse import overrides, reading
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.overrides import DecisionListed, PlaceOfRound
from slomix_pipeline.warehouse.rework import stale_rounds


class CantDecide(SlomixError):
    """There is no such thing, or it can't be decided so; the text says what can."""


@dataclass(frozen=True)
class Decision:
    """What to store: see ``warehouse.overrides.add``."""

    kind: OverrideKind
    round_key: str
    value: str
    guid: str | None = None
    roster: tuple[str, ...] | None = None
    instead_of: tuple[str, ...] = ()


Finder = Callable[[Connection[DictRow]], Decision]


def decide(settings: Settings, finder: Finder, reason: str, made_by: str, progress: Progress) -> int:
    """Stores a decision and works its rounds out anew; messages that are wrong now are corrected. Returns its number.

    Raises:
        CantDecide, NotFound: see ``Finder``; also without a reason or a name.
    """
    _check_words(reason, made_by)
    database = open_database(settings)
    with working_alone(database), database.transaction() as conn:  # a restore takes nothing that is being decided
        decision = finder(conn)
        number = overrides.add(
            conn,
            decision.kind,
            server_of(decision.round_key),
            decision.round_key,
            decision.value,
            instead_of=decision.instead_of,
            guid=decision.guid,
            roster=decision.roster,
            reason=reason,
            made_by=made_by,
        )
        if decision.kind is OverrideKind.SESSION and decision.value == CUT:
            _carry_over(conn, decision.round_key)
    _work_out(settings, database, decision.round_key, progress)
    return number


def take_back(settings: Settings, number: int, reason: str, revoked_by: str, progress: Progress) -> DecisionListed:
    """Takes a decision back and works its rounds out anew. Returns it.

    Raises:
        CantDecide: there is none of that number in force, or no reason or name.
    """
    _check_words(reason, revoked_by)
    database = open_database(settings)
    with working_alone(database), database.transaction() as conn:
        revoked = overrides.revoke(conn, number, reason=reason, revoked_by=revoked_by)
    if revoked is None:
        raise CantDecide(f"there is no decision {number} in force; slomix override list shows them")
    _work_out(settings, database, revoked.round_key, progress)
    return revoked


def _carry_over(conn: Connection[DictRow], round_key: str) -> None:
    """What was decided of players for the whole session goes for both parts of it."""
    place = overrides.place_of_round(conn, round_key)
    assert place is not None and place.session_key is not None
    for row in overrides.about(conn, overrides.rounds_of(conn, place.session_key)):
        if row.kind is OverrideKind.TEAM:
            overrides.add(
                conn,
                OverrideKind.TEAM,
                row.server,
                round_key,
                row.value,
                guid=row.guid,
                roster=row.roster,
                reason=row.reason,
                made_by=row.made_by,
            )


def _check_words(reason: str, name: str) -> None:
    for what, text in (("why", reason), ("by whom", name)):
        if not text.strip():
            raise CantDecide(f"say {what}: it is empty")


def _work_out(settings: Settings, database: Database, round_key: str, progress: Progress) -> None:
    """Works out what a decision about a round makes stale."""
    with database.connect() as conn:
        keys = [stale.round_key for stale in stale_rounds(conn, settings, among=[round_key])]
    work_out_anew(settings, database, keys, progress)


def team_of_player(session: str, player: str, value: str) -> Finder:
    """A player's team in a session; he is named by his GUID or its beginning, or by his name."""

    def finder(conn: Connection[DictRow]) -> Decision:
        key = _session(conn, session)
        people = reading.rosters(conn, key)
        found = [p for p in people if p.guid.startswith(player.upper()) or p.name == player]
        if len(found) != 1:
            known = ", ".join(f"{p.guid} {p.name}" for p in (found or people))
            raise CantDecide(f"{'several players' if found else 'no player'} {player!r} in {key}: {known}")
        rounds = overrides.rounds_of(conn, key)
        roster = _roster(people, value, without=found[0].guid)
        return Decision(OverrideKind.TEAM, rounds[0], value, found[0].guid, roster, tuple(rounds))

    return finder


def winner_of_match(round_name: str, value: str) -> Finder:
    """Who won the match of a round."""

    def finder(conn: Connection[DictRow]) -> Decision:
        key = find(conn, round_name)
        match = overrides.match_of_round(conn, key)
        if match is None:
            raise CantDecide(f"{key} is part of no match")
        roster = _roster(reading.rosters(conn, match.session_key), value)
        rounds = tuple(key for key in (match.r1_key, match.r2_key) if key)
        return Decision(OverrideKind.WINNER, match.match_key, value, roster=roster, instead_of=rounds)

    return finder


def round_counts(round_name: str, value: str) -> Finder:
    """Whether a round counts. What is half a match's numbers at best can be taken out, but not in."""

    def finder(conn: Connection[DictRow]) -> Decision:
        key = find(conn, round_name)
        placed = overrides.place_of_round(conn, key)
        if placed is None:
            raise CantDecide(f"{key} was read but not worked out yet")
        if value == COUNTS and not _has_own_numbers(placed):
            raise CantDecide(
                f"{key} can't be made to count: it is {placed.status} ({placed.reason}), so its own numbers are "
                "not known. Bring the file that is missing, or decide the winner of its match"
            )
        return Decision(OverrideKind.ROUND, key, value)

    return finder


def _has_own_numbers(placed: PlaceOfRound) -> bool:
    """Whether a round's file alone tells its numbers, or those of its match do: a replaced round 1 was played too."""
    return can_count(placed.status) or placed.status is Status.SUPERSEDED


def halves_of_a_match(first_name: str, second_name: str) -> Finder:
    """That two rounds 1 were the halves of one match."""

    def finder(conn: Connection[DictRow]) -> Decision:
        first, second = find(conn, first_name), find(conn, second_name)
        one, other = _half(conn, first), _half(conn, second)
        if one.session_key != other.session_key:
            raise CantDecide(f"{first} and {second} are in two sessions: join these first (slomix override session)")
        if one.map != other.map:
            raise CantDecide(f"{first} is of {one.map}, {second} of {other.map}")
        assert one.position is not None and other.position is not None
        if one.position >= other.position:
            raise CantDecide(f"{first} was not played before {second}")
        return Decision(OverrideKind.PAIR, second, first)

    return finder


def _half(conn: Connection[DictRow], key: str) -> PlaceOfRound:
    """The place of a round that can be half of a match."""
    place = overrides.place_of_round(conn, key)
    if place is None or place.session_key is None:
        raise CantDecide(f"{key} was read but not worked out yet")
    if place.number != 1 or place.partner_key or not _has_own_numbers(place):
        why = f" ({place.reason})" if place.reason else ""
        raise CantDecide(
            "only a round 1 that is in no whole match can be half of one: "
            f"{key} is round {place.number}, {place.status}{why}"
        )
    return place


def session_boundary(round_name: str, value: str) -> Finder:
    """Whether a session begins with a round, or goes on with it."""

    def finder(conn: Connection[DictRow]) -> Decision:
        key = find(conn, round_name)
        place = overrides.place_of_round(conn, key)
        if place is None or place.position is None:
            raise CantDecide(f"{key} is in no session yet")
        if value == CUT and place.position == 1:
            raise CantDecide(f"{key} is the first round of its session already")
        if value == CUT and place.at_start:
            raise CantDecide(f"{key} ended in the second in which its session begins: that can't be two sessions")
        if value == CUT and place.open_match:
            what = "is round 2 of a match" if place.partner_key == place.open_match else "was played within a match"
            raise CantDecide(f"{key} {what}: cut before its round 1, {place.open_match}")
        if value != CUT and place.position > 1:
            raise CantDecide(f"{key} is in one session with the round before it already")
        if value != CUT and not place.has_earlier:
            raise CantDecide(f"{key} is the first round of all: there is no session before it")
        return Decision(OverrideKind.SESSION, key, value)

    return finder


def _session(conn: Connection[DictRow], name: str) -> str:
    key = reading.resolve_session(conn, name)
    if key is None:
        raise CantDecide(f"there is no session {name!r}; slomix sessions lists them, `latest` is the newest")
    return key


def _roster(people: list[reading.RosterEntry], value: str, without: str | None = None) -> tuple[str, ...] | None:
    """The GUIDs of the team that is meant; None for what is no team."""
    if value not in tuple(Team):
        return None
    return tuple(sorted(p.guid for p in people if p.team == value and p.guid != without))
