"""The slash commands: what can be typed, and as what they are registered with Discord.

Belongs here: names, descriptions, options and their choices, within Discord's limits ("Application Commands").
Does not belong here: what is answered (``sessions``, ``players``), which choices there are while somebody types
(``choosing``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from slomix_pipeline.rules.boards import BOARDS
from slomix_pipeline.site.interactions.received import CommandKind


class CommandName(StrEnum):
    """Every command there is."""

    SESSION = "session"
    MATCH = "match"
    PLAYER = "player"
    COMPARE = "compare"
    BALANCE = "balance"
    TOP = "top"
    RECORDS = "records"
    MAP = "map"
    STATUS = "status"
    LINK = "link"


class SessionPart(StrEnum):
    """What of a session."""

    RESULT = "result"
    PLAYERS = "players"
    AWARDS = "awards"
    DUELS = "duels"
    WHY = "why"


class MatchPart(StrEnum):
    """What of a match."""

    ALL = "all"
    RESULT = "result"
    PLAYERS = "players"
    WHY = "why"


class PlayerPart(StrEnum):
    """What of a player."""

    CAREER = "career"
    FORM = "form"
    MAPS = "maps"
    WEAPONS = "weapons"
    ALIASES = "aliases"
    BADGES = "badges"
    OPPONENTS = "opponents"


class Period(StrEnum):
    """The sessions that a board is over."""

    ALL = "all"
    DAYS_90 = "90"
    DAYS_30 = "30"
    DAYS_7 = "7"

    @property
    def days(self) -> int | None:
        """How many there are in it; None: no end."""
        return None if self is Period.ALL else int(self)

    @property
    def called(self) -> str:
        return "all time" if self is Period.ALL else f"last {self} days"


class OptionKind(IntEnum):
    """What an option takes."""

    TEXT = 3
    USER = 6


class OptionName(StrEnum):
    """Every option that some command has."""

    WHICH = "which"
    PART = "part"
    WHO = "who"
    USER = "user"
    A = "a"
    B = "b"
    PLAYERS = "players"
    TOGETHER = "together"
    APART = "apart"
    BOARD = "board"
    PERIOD = "period"
    MAP = "map"


@dataclass(frozen=True)
class Option:
    """An option of a command. ``choices``: label by value, where only these can be chosen; ``completes``: we are asked
    for choices while somebody types."""

    name: OptionName
    description: str
    choices: tuple[tuple[str, str], ...] = ()
    completes: bool = False
    required: bool = False
    kind: OptionKind = OptionKind.TEXT

    def registered(self) -> dict[str, Any]:
        """As Discord is told."""
        given = {
            "choices": [{"name": label, "value": value} for value, label in self.choices],
            "autocomplete": self.completes,
            "required": self.required,
        }
        own = {"type": self.kind.value, "name": self.name.value, "description": self.description}
        return own | {name: value for name, value in given.items() if value}


@dataclass(frozen=True)
class Command:
    """A command that is typed. ``on_a_user``: it stands in the menu of users, too."""

    name: CommandName
    description: str
    options: tuple[Option, ...] = ()
    on_a_user: bool = False

    def registered(self) -> list[dict[str, Any]]:
        """As Discord is told."""
        typed = {
            "type": CommandKind.TYPED.value,
            "name": self.name.value,
            "description": self.description,
            "options": [option.registered() for option in self.options],
        }
        menu = {"type": CommandKind.ON_A_USER.value, "name": self.name.value}
        return [typed, menu] if self.on_a_user else [typed]


def _part(parts: Iterable[StrEnum], description: str) -> Option:
    return Option(OptionName.PART, description, tuple((part.value, part.value) for part in parts))


_WHO = "A name, an earlier name, or a GUID"
_ON_MAP = Option(OptionName.MAP, "Only on this map", completes=True)

COMMANDS = (
    Command(
        CommandName.SESSION,
        "A session: who won, by what, and whether that can be believed",
        (
            Option(OptionName.WHICH, "Which one: a day like 2026-02-02, or its key; the latest if not given", (), True),
            _part(SessionPart, "What of it; the result if not given"),
        ),
    ),
    Command(
        CommandName.MATCH,
        "A match: both rounds, who won and by what; of one that goes on, its first round",
        (
            Option(OptionName.WHICH, "Which one, or a round of it, by its key; the last if not given", completes=True),
            _part(MatchPart, "What of it; all of it if not given"),
        ),
    ),
    Command(
        CommandName.PLAYER,
        "A player's career; your own once you are linked (see /link)",
        (
            Option(OptionName.WHO, _WHO, completes=True),
            Option(OptionName.USER, "Or somebody here who is linked", kind=OptionKind.USER),
            _part(PlayerPart, "What of it; the whole career if not given"),
        ),
        on_a_user=True,
    ),
    Command(
        CommandName.COMPARE,
        "Two players side by side, and how often they won with and against each other",
        (
            Option(OptionName.A, _WHO, completes=True, required=True),
            Option(OptionName.B, _WHO, completes=True, required=True),
        ),
    ),
    Command(
        CommandName.BALANCE,
        "Even teams of who is there: the best three ways to divide them",
        (
            Option(OptionName.PLAYERS, "Their names, with commas between them", completes=True, required=True),
            Option(OptionName.TOGETHER, "Who of them stays in one team", completes=True),
            Option(OptionName.APART, "Who of them does not", completes=True),
        ),
    ),
    Command(
        CommandName.TOP,
        "A board: who leads, of those who played enough",
        (
            Option(
                OptionName.BOARD,
                "By what; kills if not given",
                tuple((board.name.value, board.title) for board in BOARDS.values()),
            ),
            Option(
                OptionName.PERIOD,
                "Which sessions; all if not given",
                tuple((period.value, period.called) for period in Period),
            ),
            _ON_MAP,
        ),
    ),
    Command(CommandName.RECORDS, "The best of a round, a match, a session, and the fastest attacks", (_ON_MAP,)),
    Command(
        CommandName.MAP,
        "A map: how fast its attacks are, how often it is held, its records",
        (Option(OptionName.MAP, "Which one", completes=True, required=True),),
    ),
    Command(CommandName.STATUS, "Whether everything runs, from the game server to here"),
    Command(
        CommandName.LINK,
        "Ask to be linked to your player, so that /player without a name is you; an admin confirms it",
        (Option(OptionName.WHO, "Your name in the game, or your GUID", completes=True, required=True),),
    ),
)


def registration() -> list[dict[str, Any]]:
    """The body that tells Discord of all commands."""
    return [body for command in COMMANDS for body in command.registered()]
