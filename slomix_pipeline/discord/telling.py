"""A run that tells: message after message, until Discord takes no more.

Belongs here: what is the same for every stage that tells: what may be announced, whether Discord is called, what became
of it all. Does not belong here: one message (``ledger``), what is said (``messages``).
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.embeds import Attachment, Message
from slomix_pipeline.discord.ledger import Told, adopt, illustrate, not_tried, tell, what_holds
from slomix_pipeline.discord.pages import NOTHING_MORE, pages
from slomix_pipeline.rules.corrections import Published
from slomix_pipeline.rules.things import Thing, ThingKind, ToldAs
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.warehouse import due
from slomix_pipeline.warehouse.check_results import Outcome


class Telling:
    """The messages of one run for one channel. When Discord does not take one, the others wait: so they keep their
    order, and no run waits for each.

    Args:
        kinds: of things that the channel is told.
        wanted: names of the things that may be announced; of others only what was said before is corrected.
    """

    def __init__(self, tools: Tools, discord: Discord, kinds: Sequence[ThingKind], wanted: Collection[str]) -> None:
        servers = tools.channels.servers_in(discord)
        with tools.database.transaction() as conn:
            adopt(conn, discord, kinds, servers)
        self._tools = tools
        self._discord = discord
        self._others = [channel for channel in tools.channels.all() if channel is not discord]
        self._wanted = wanted
        self._held = what_holds(tools.database, discord, kinds, servers)
        self.said: dict[str, Told] = {}

    def tell(
        self,
        thing: Thing,
        message: Message,
        *,
        news: bool = True,
        result: Published | None = None,
        keeps_pictures: bool = False,
    ) -> Told:
        """Tells one thing, if it is ``news`` and may be announced; else corrects it. What does not fit into one message
        follows in others, when the first is there and right. Returns what became of the first; see ``ledger.tell``."""
        return self.tell_pages(thing, pages(message), news=news, result=result, keeps_pictures=keeps_pictures)

    def tell_pages(
        self,
        thing: Thing,
        whole: Sequence[Message],
        *,
        news: bool = True,
        result: Published | None = None,
        keeps_pictures: bool = False,
    ) -> Told:
        """``tell`` of what was parted into messages before."""
        first, *more = whole
        parts = [replace(thing, part=number) for number in range(2, 2 + len(more))]
        announce = news and thing.name in self._wanted
        if announce:  # before the first: whatever happens behind it, the others are known to be due
            self._note_parts(parts)
        told = self._tell(
            thing,
            first,
            announce=announce,
            result=result,
            keeps_pictures=keeps_pictures,
        )
        if told.outcome.is_right:
            self._note_parts(parts)
        before = told
        for part, page in zip(parts, more, strict=True):
            if not before.outcome.is_right:
                break
            before = self._tell(part, page, announce=True)
        if told.outcome.is_right:
            self.end_after(thing, len(whole))
        return told

    def end_after(self, thing: Thing, messages: int) -> None:
        """Nobody needs more of a thing than so many messages: what is there of others says so."""
        with self._tools.database.transaction() as conn:
            needless = due.strike_out_parts(conn, thing, after=messages)
        for part in needless:
            self._tell(part, NOTHING_MORE, announce=False)

    def _note_parts(self, parts: Sequence[Thing]) -> None:
        if parts:
            with self._tools.database.transaction() as conn:
                for part in parts:
                    due.note_part(conn, part, datetime.now(UTC) + self._tools.settings.publish_max_age)

    @property
    def is_held(self) -> bool:
        """Whether Discord can't be expected to take a message now."""
        return self._held is not None

    def _tell(
        self,
        thing: Thing,
        page: Message,
        *,
        announce: bool,
        result: Published | None = None,
        keeps_pictures: bool = False,
    ) -> Told:
        told = tell(
            self._tools.database,
            self._discord,
            thing,
            page,
            announce=announce,
            max_age=self._tools.settings.publish_max_age,
            result=result,
            held=self._held,
            keeps_pictures=keeps_pictures,
            others=self._others,
        )
        return self._note(thing, told)

    def illustrate(self, thing: Thing, message: Message, pictures: Sequence[Attachment]) -> Told:
        """Gives one thing that was told its pictures, in its first message. See ``ledger.illustrate``."""
        if self._held is not None:
            return self._note(thing, Told(ToldAs.FAILED, self._held, goes_on=False))
        channels = (self._discord, *self._others)
        return self._note(thing, illustrate(self._tools.database, channels, thing, pages(message)[0], pictures))

    def _note(self, thing: Thing, told: Told) -> Told:
        if not told.goes_on and self._held is None:
            self._held = not_tried(told.detail)
        if told.outcome.is_trouble:
            self._tools.log.warning(f"message {thing.name}: {told.outcome}: {told.detail}")
        self.said[thing.name] = told
        return told

    def outcome(self, things: Collection[str]) -> Outcome:
        """What the check says about some of the things told, with all their messages."""
        said = {name: told for name, told in self.said.items() if replace(Thing.named(name), part=1).name in things}
        trouble = {thing: f"{told.outcome}: {told.detail}" for thing, told in said.items() if told.outcome.is_trouble}
        return Outcome(not trouble, {"messages": len(said)} | trouble)
