"""``slomix identity``: who is who, as a person decides it, stored and told at once.

Belongs here: reading what was typed, refusing what can't be decided, having messages corrected that name somebody
otherwise than he is called now.
Does not belong here: what contradicts what (``rules.people``), keeping decisions (``warehouse.identities``).
"""

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.discord.channels import open_channels
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.rules.people import (
    DISCORD_ID,
    IdentityKind,
    Person,
    chosen_name,
    hidden_name,
    hide_objection,
    link_objection,
    merge_objection,
    reject_objection,
)
from slomix_pipeline.rules.things import ThingKind
from slomix_pipeline.runtime.home import open_database, working_alone
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.asked_posts import take_back as take_back_asked
from slomix_pipeline.stages.asked_posts import tell_asked
from slomix_pipeline.stages.chain import OF_A_SESSION, TELLING_OF_A_ROUND, Progress, run_stages
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.stages.telling import sole_teller, sole_teller_of_asked
from slomix_pipeline.warehouse import due, identities, link_requests
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.due import MessageTrouble
from slomix_pipeline.warehouse.hiding import names_of
from slomix_pipeline.warehouse.identities import Concerned, IdentityDecision
from slomix_pipeline.warehouse.link_requests import LinkRequest


class CantIdentify(SlomixError):
    """There is no such player, or it can't be decided so; the text says what can."""


@dataclass(frozen=True)
class Identified:
    """What to store: see ``warehouse.identities.add``. ``concerned``: GUIDs of who may be called otherwise by it."""

    kind: IdentityKind
    guid: str
    concerned: tuple[str, ...]
    other_guid: str | None = None
    discord_id: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Decided:
    """A decision that was stored. ``stands``: messages that were asked for and name who is hidden by it, as far as is
    known, because they could not be edited so far."""

    made: IdentityDecision
    stands: tuple[MessageTrouble, ...] = ()


Finder = Callable[[Connection[DictRow]], Identified]


def decide(settings: Settings, finder: Finder, reason: str, made_by: str, progress: Progress) -> Decided:
    """Stores a decision, and corrects messages that name somebody otherwise by now. What was asked for and names who is
    hidden by it is taken back: no correction could leave him out.

    Raises:
        CantIdentify: see ``Finder``; also without a reason or a name.
    """
    _check_words(reason, made_by)
    database = open_database(settings)
    tools = Tools(database, settings, NoGameServer(), open_channels(settings))
    with _while_nobody_tells(tools), database.transaction() as conn:
        identities.hold_decisions(conn)
        found = finder(conn)
        number = identities.add(
            conn,
            found.kind,
            found.guid,
            other_guid=found.other_guid,
            discord_id=found.discord_id,
            name=found.name,
            reason=reason,
            made_by=made_by,
        )
        if found.discord_id is not None:
            link_requests.drop(conn, found.discord_id)
        concerned = identities.note_called_otherwise(conn, found.concerned)
        taken_back = take_back_asked(tools, conn, _hidden_by(conn, found))
        made = identities.in_force(conn, number)
    assert made is not None
    _learn_hidden(database)
    stands = _tell_taken_back(tools, taken_back)
    _tell_anew(tools, concerned, progress)
    return Decided(made, stands)


def _hidden_by(conn: Connection[DictRow], found: Identified) -> frozenset[str]:
    """The names of whom a decision hides: on his wish, or as the same person as somebody who wished it."""
    if found.kind not in (IdentityKind.HIDE, IdentityKind.MERGE):
        return frozenset()
    person = identities.person_of(conn, found.guid)
    return names_of(conn, found.concerned) if person is not None and person.hidden else frozenset()


def take_back(settings: Settings, number: int, reason: str, revoked_by: str, progress: Progress) -> IdentityDecision:
    """Takes a decision back, and corrects messages as ``decide`` does. Returns it as it was.

    Raises:
        CantIdentify: there is none of that number in force, or no reason or name.
    """
    _check_words(reason, revoked_by)
    database = open_database(settings)
    tools = Tools(database, settings, NoGameServer(), open_channels(settings))
    with _while_nobody_tells(tools), database.transaction() as conn:
        identities.hold_decisions(conn)
        made = identities.in_force(conn, number)
        if made is None:
            raise CantIdentify(f"there is no decision {number} in force; slomix identity list shows them")
        person = identities.person_of(conn, made.guid)
        identities.revoke(conn, number, reason=reason, revoked_by=revoked_by)
        told = person is not None and made.kind is not IdentityKind.REJECT
        concerned = identities.note_called_otherwise(conn, person.guids if person and told else ())
    _learn_hidden(database)
    _tell_anew(tools, concerned, progress)
    return made


def unlink(settings: Settings, guid: str, reason: str, revoked_by: str, progress: Progress) -> IdentityDecision:
    """Takes back that a player is a Discord user. Returns the decision as it was.

    Raises:
        CantIdentify: there is no such player, or he is linked to nobody; or no reason or name.
    """
    with open_database(settings).connect() as conn:
        number = identities.link_of(conn, _player(conn, guid)[1].guids)
    if number is None:
        raise CantIdentify(f"{guid} is linked to no Discord user")
    return take_back(settings, number, reason, revoked_by, progress)


def requests(settings: Settings) -> list[LinkRequest]:
    """Who asked on Discord to be linked, and is not yet."""
    with open_database(settings).connect() as conn:
        return link_requests.listed(conn)


def drop_request(settings: Settings, discord_id: str) -> None:
    """Forgets that somebody asked to be linked.

    Raises:
        CantIdentify: he did not.
    """
    with open_database(settings).transaction() as conn:
        if not link_requests.drop(conn, discord_id):
            raise CantIdentify(f"{discord_id} has not asked to be linked; slomix identity requests lists who has")


def _learn_hidden(database: Database) -> None:
    with database.connect() as conn:
        identities.learn_hidden(conn)


def _check_words(reason: str, name: str) -> None:
    for what, text in (("why", reason), ("by whom", name)):
        if not text.strip():
            raise CantIdentify(f"say {what}: it is empty")


@contextmanager
def _while_nobody_tells(tools: Tools) -> Iterator[None]:
    """What is being told while somebody decides would be told by the old name, and not be known as told: to be waited
    for, but no decision is refused for that."""
    with tools.database.connect() as conn:
        played = identities.session_of_each_server(conn)
    with sole_teller(tools, played), sole_teller_of_asked(tools):
        yield


def _tell_taken_back(tools: Tools, keys: Sequence[str]) -> tuple[MessageTrouble, ...]:
    """Has what was asked for under these keys edited. Returns the messages that are not."""
    if not keys:
        return ()
    tell_asked(keys, tools)
    with tools.database.connect() as conn:
        troubles = due.troubles(conn)
    return tuple(own for own in troubles if own.kind is ThingKind.ASKED and own.partition_key in keys)


def _tell_anew(tools: Tools, concerned: Concerned, progress: Progress) -> None:
    """Has the messages compared with how players are called now. Nothing new is announced."""
    if not (concerned.rounds or concerned.sessions):
        return
    with working_alone(tools.database):
        for key in sorted(concerned.rounds, reverse=True):  # one by one: a match that ends meanwhile is told in between
            run_stages(TELLING_OF_A_ROUND, [key], tools, progress)
        run_stages(OF_A_SESSION, concerned.sessions, tools, progress)


def discord_user(guid: str, discord_id: str, name: str | None) -> Finder:
    """Which Discord user a GUID is, and the display name he chose, if he did."""

    def finder(conn: Connection[DictRow]) -> Identified:
        if re.fullmatch(DISCORD_ID, discord_id) is None:
            raise CantIdentify(
                f"{discord_id!r} is no id of a Discord user: it has 17 to 20 digits (Copy User ID, in developer mode)"
            )
        own, person = _player(conn, guid)
        _refuse(link_objection(own, person, identities.holder_of(conn, discord_id)))
        try:
            shown = None if name is None else chosen_name(name)
        except ValueError as error:
            raise CantIdentify(str(error)) from None
        return Identified(IdentityKind.LINK, own, person.guids, discord_id=discord_id, name=shown)

    return finder


def same_person(guid: str, into: str) -> Finder:
    """That a GUID is the same person as another one, with which its careers count from now on."""

    def finder(conn: Connection[DictRow]) -> Identified:
        (own, person), (other, whole) = _player(conn, guid), _player(conn, into)
        met_in = identities.met_in(conn, person.guids, whole.guids)
        _refuse(merge_objection(own, person, whole, identities.rejected_pairs(conn), met_in))
        return Identified(IdentityKind.MERGE, own, (*person.guids, *whole.guids), other_guid=other)

    return finder


def two_persons(guid: str, other: str) -> Finder:
    """That two GUIDs are not the same person."""

    def finder(conn: Connection[DictRow]) -> Identified:
        (one, person), (another, second) = _player(conn, guid), _player(conn, other)
        _refuse(reject_objection(person, second))
        first, last = sorted((one, another))
        return Identified(IdentityKind.REJECT, first, (), other_guid=last)

    return finder


def not_named(guid: str) -> Finder:
    """That a player does not want to be named: another name is drawn for him."""

    def finder(conn: Connection[DictRow]) -> Identified:
        own, person = _player(conn, guid)
        _refuse(hide_objection(person))
        taken = identities.names_of_hidden(conn)
        while (name := hidden_name(secrets.randbelow(1 << 16))) in taken:
            pass
        return Identified(IdentityKind.HIDE, own, person.guids, name=name)

    return finder


def _player(conn: Connection[DictRow], typed: str) -> tuple[str, Person]:
    """The GUID as it is stored, and who it is."""
    guid = typed.upper()
    person = identities.person_of(conn, guid)
    if person is None:
        raise CantIdentify(f"nobody played under the GUID {typed!r}: 8 characters, as slomix export shows them")
    return guid, person


def _refuse(objection: str | None) -> None:
    if objection is not None:
        raise CantIdentify(objection)
