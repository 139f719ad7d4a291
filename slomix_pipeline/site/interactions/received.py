"""What Discord sends, as typed values: as much of it as we read.

Belongs here: the shape of a call ("Receiving and Responding"), and its texts made safe to look for. Whatever has
another shape is refused. Does not belong here: whether it is Discord's (``signing``), what is answered.
"""

from enum import IntEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from slomix_pipeline.formats.names import plain
from slomix_pipeline.rules.balance import LONGEST_NAMES
from slomix_pipeline.rules.people import DISCORD_ID

_LONGEST = 100  # characters of a name, and of the id of a button

Snowflake = Annotated[str, Field(pattern=DISCORD_ID)]
Typed = Annotated[str, AfterValidator(lambda text: plain(text)[:_LONGEST])]
Given = Annotated[str, AfterValidator(lambda text: plain(text)[:LONGEST_NAMES])]


class CallKind(IntEnum):
    """Why Discord calls."""

    PING = 1
    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class CommandKind(IntEnum):
    """How a command is used: typed, or from the menu of a user."""

    TYPED = 1
    ON_A_USER = 2


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class User(_Part):
    """Somebody on Discord."""

    id: Snowflake
    username: Typed = ""
    global_name: Typed | None = None

    @property
    def called(self) -> str:
        """What he is called there."""
        return self.global_name or self.username or self.id


class _Member(_Part):
    user: User


class Option(_Part):
    """An option that somebody gave. ``focused``: he is typing it just now."""

    name: str
    value: Given = ""
    focused: bool = False


class Data(_Part):
    """Which command, or which button. ``target_id``: on whom it is used."""

    name: str = ""
    options: tuple[Option, ...] = ()
    target_id: Snowflake | None = None
    custom_id: Typed = ""


class Call(_Part):
    """One call. ``token``: by which its answer can be changed later, and nobody else's business."""

    type: CallKind
    application_id: Snowflake
    token: str = Field("", repr=False)
    guild_id: Snowflake | None = None
    member: _Member | None = None
    user: User | None = None
    data: Data = Data()

    @property
    def caller(self) -> User | None:
        """Who used it."""
        return self.member.user if self.member is not None else self.user

    def option(self, name: str) -> str:
        """What was given for an option; empty: nothing."""
        return next((option.value for option in self.data.options if option.name == name), "")
