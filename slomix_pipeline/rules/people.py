"""Who is who: the kinds of decisions about players' identities, and what can't be decided.

Belongs here: what a decision contradicts, what a chosen name may be. A merge says that two GUIDs are one person: their
careers count together, rounds keep their GUIDs.
Does not belong here: keeping decisions and following chains of them (``warehouse.identities``, the view
``person_decided``); telling the lines of a file apart (``identity``).
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from slomix_pipeline.formats.names import clean_name, is_unseen

HIDDEN = "a hidden player"
DISCORD_ID = r"^[0-9]{17,20}$"  # of a user, an application, a server of Discord's
NAME_LENGTH = range(2, 33)  # in characters, of chosen names


class IdentityKind(StrEnum):
    """What a decision says of a GUID."""

    LINK = "link"  # which Discord user it is, and what he wants to be called
    MERGE = "merge"  # that it is the same person as another one, with which its careers count
    REJECT = "reject"  # that it is not the same person as another one
    HIDE = "hide"  # that the player does not want to be named


@dataclass(frozen=True, slots=True)
class Person:
    """Who a GUID is so far. ``guid``: that his careers go by; ``guids``: all of his, in order; ``linked_guid``: the one
    of them that is linked to a Discord user; ``hidden``: he wished not to be named."""

    guid: str
    guids: tuple[str, ...]
    linked_guid: str | None = None
    hidden: bool = False


def chosen_name(typed: str) -> str:
    """A display name as it is kept: cleaned as names of players are.

    Raises:
        ValueError: it is too short or too long, or has characters that nobody sees.
    """
    name = clean_name(typed)
    if len(name) not in NAME_LENGTH:
        raise ValueError(f"{typed!r}: a display name has {NAME_LENGTH.start} to {NAME_LENGTH.stop - 1} characters")
    if any(map(is_unseen, name)):
        raise ValueError(f"{typed!r} has characters that can't be seen")
    return name


def hidden_name(number: int) -> str:
    """What is shown instead of the name of somebody who wished it. ``number``: below 65536, drawn by lot: nothing of
    his can be read from it."""
    return f"Player {number:04X}"


def without_names(text: str, names: Collection[str]) -> str:
    """A text that a person typed, with another word for each of some names; in any case, but not within words."""
    if not names:
        return text
    # A colour code may stand before a name.
    return re.sub(rf"(?:(?<!\w)|(?<=\^\w)){_any_of(names)}(?!\w)", HIDDEN, text, flags=re.IGNORECASE)


def holds_one_of(text: str, names: Collection[str]) -> bool:
    """Whether a text of ours has one of some names as it is written, not within words."""
    return bool(names) and re.search(rf"(?<!\w){_any_of(names)}(?!\w)", text) is not None


def _any_of(names: Collection[str]) -> str:
    """A pattern of some names, the longest first."""
    return f"(?:{'|'.join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))})"


def is_one_of(name: str, names: Collection[str]) -> bool:
    """Whether a name is one of some names, in any case."""
    return name.casefold() in {other.casefold() for other in names}


def link_objection(guid: str, person: Person, holder: str | None) -> str | None:
    """Why a GUID can't be linked to a Discord user; None: it can. ``holder``: the GUID that the user is linked to."""
    if holder not in (None, guid):
        return f"this Discord user is linked to {holder}: take that link back first"
    if person.linked_guid not in (None, guid):
        return f"{person.linked_guid}, the same person, is linked to another Discord user: take that link back first"
    return None


def merge_objection(
    guid: str, person: Person, into: Person, rejected: Iterable[tuple[str, str]], met_in: str | None
) -> str | None:
    """Why a GUID's careers can't count with those of a person; None: they can.

    ``person``: who the GUID is so far; ``rejected``: pairs of GUIDs that are not the same person; ``met_in``: a round
    in which GUIDs of both played.
    """
    if person.guid == into.guid:
        return "they count as one person already"
    if guid != person.guid:
        return f"{guid} counts with {person.guid} already: take that back first, or merge {person.guid}"
    for one, other in rejected:
        if (one in person.guids and other in into.guids) or (other in person.guids and one in into.guids):
            return f"somebody decided that {one} and {other} are two persons: take that back first"
    if met_in is not None:
        return f"both played in {met_in}: they are two persons"
    if person.linked_guid and into.linked_guid:
        return "they are linked to two Discord users: take one of the links back first"
    return None


def reject_objection(one: Person, other: Person) -> str | None:
    """Why it can't be noted that two are not the same person; None: it can."""
    return "they count as one person: take that back first" if one.guid == other.guid else None


def hide_objection(person: Person) -> str | None:
    """Why somebody can't be hidden; None: he can."""
    return "he is hidden already" if person.hidden else None
