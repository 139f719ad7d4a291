"""The pictures of a session whose summary was told: they follow it, by an edit of its message.

Belongs here: drawing what the summary says, sending it, keeping it for pages, and when that is tried again.
Does not belong here: what is drawn (``charts``), its numbers (``warehouse.session_facts``), what becomes of a message
(``discord``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slomix_pipeline.formats.names import visible
from slomix_pipeline.rules.things import NOT_THERE, PostState, Thing, ThingKind, ToldAs
from slomix_pipeline.stages.common import Done, Tools
from slomix_pipeline.stages.session_post import session_summary
from slomix_pipeline.stages.telling import sole_teller
from slomix_pipeline.warehouse import session_reports, site_preparing
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.highlights import highlights_of
from slomix_pipeline.warehouse.session_facts import session_facts
from slomix_pipeline.warehouse.site_preparing import DrawnOf, Picture

if TYPE_CHECKING:
    from slomix_pipeline.charts.facts import SessionFacts
    from slomix_pipeline.discord.client import Discord
    from slomix_pipeline.discord.embeds import Attachment
    from slomix_pipeline.discord.ledger import Told
    from slomix_pipeline.discord.telling import Telling


def session_pictures(keys: Sequence[str], tools: Tools) -> Done:
    """Draws the pictures of those of these sessions whose summary was told, and puts them to it."""
    outcomes: dict[str, Outcome] = {}
    told: dict[str, str] = {}
    if (channel := tools.channels.of(ThingKind.SESSION)) is not None:
        told, outcomes = _illustrate(tools, channel, keys)
    return Done({CheckName.PICTURES: outcomes}, {"messages": told})


def _illustrate(tools: Tools, discord: "Discord", keys: Sequence[str]) -> tuple[dict[str, str], dict[str, Outcome]]:
    """Puts the pictures to summaries. Returns what became of each thing, and the outcome of each session."""
    # Loaded here: messages need requests, which loading the definitions doesn't.
    from slomix_pipeline.discord.ledger import state_of
    from slomix_pipeline.discord.telling import Telling

    telling = Telling(tools, discord, tools.channels.kinds_in(discord), ())
    outcomes: dict[str, Outcome] = {}
    for key in keys:
        with tools.database.snapshot() as conn:
            made_from = session_reports.fingerprint_of(conn, key)
            of = site_preparing.drawn_of(conn, key)
            state = state_of(conn, Thing(ThingKind.SESSION, key))
            facts = session_facts(conn, key) if state is PostState.SENT else None
        if facts is not None and telling.is_held:  # drawing takes seconds
            outcomes[key] = Outcome(True, {"pictures": "left to a later run: Discord takes none just now"})
            continue
        if facts is not None:
            outcomes[key] = _illustrate_session(tools, telling, key, facts, of, made_from)
            continue
        outcomes[key] = Outcome(True, {"pictures": "none: there is no message to put them to"})
        if state is not None and state not in NOT_THERE:  # else they follow once it is there
            with tools.database.connect() as conn:
                session_reports.note_told(conn, key, made_from)
    return {thing: said.outcome.value for thing, said in telling.said.items()}, outcomes


def _illustrate_session(
    tools: Tools, telling: "Telling", key: str, facts: "SessionFacts", of: DrawnOf, made_from: str | None
) -> Outcome:
    """Puts its pictures to one summary, and notes that it was compared with the report ``made_from``: else it is asked
    for again."""
    pictures: list[Attachment] = []
    trouble = None
    try:
        made = drawn(facts)
    except Exception as error:  # whatever it is: the text stands, without pictures of another state
        tools.log.exception(f"the pictures of {key} could not be drawn")
        trouble = visible(f"{type(error).__name__}: {error}")[:500]
    else:
        pictures = [picture.attachment for picture in made]
        with tools.database.transaction() as conn:
            site_preparing.store_pictures(conn, key, [picture.of_pages for picture in made], of)
    with tools.database.snapshot() as conn:
        highlights = highlights_of(conn, key)
    with sole_teller(tools, [key]) as alone:  # not while drawing, which takes seconds
        if not alone:
            return Outcome(True, {"pictures": "left to a later run: another one is telling"})
        with tools.database.snapshot() as conn:
            message = session_summary(conn, key, highlights)
            if message is None or session_facts(conn, key) != facts:
                return Outcome(True, {"pictures": "left to a later run: the session changed meanwhile"})
        told = telling.illustrate(Thing(ThingKind.SESSION, key), message, pictures)
        if told.outcome is not ToldAs.FAILED:
            with tools.database.connect() as conn:  # before anybody else may note that it has to be compared again
                session_reports.note_told(conn, key, made_from)
    if trouble is not None:
        return Outcome(False, {"pictures": 0, "why": trouble})
    return Outcome(not told.outcome.is_trouble, _facts(told, pictures))


@dataclass(frozen=True)
class Drawn:
    """A picture, as messages and as pages have it."""

    attachment: "Attachment"
    of_pages: Picture


def drawn(facts: "SessionFacts") -> list[Drawn]:
    """The pictures of a session."""
    # Loaded here: Altair and vl-convert are heavy, and most runs draw nothing.
    from slomix_pipeline.charts.render import png, svg
    from slomix_pipeline.charts.session import session_charts
    from slomix_pipeline.discord.embeds import Attachment

    return [
        Drawn(Attachment.of(f"{chart.name}.png", chart.alt, data), Picture(chart.name, chart.alt, picture, data))
        for chart in session_charts(facts)
        for picture in [svg(chart)]
        for data in [png(picture)]
    ]


def _facts(told: "Told", pictures: "Sequence[Attachment]") -> dict[str, str | int]:
    why = {"why": told.detail} if told.detail else {}
    return {"pictures": told.outcome.value, **why, **{drawn.name: len(drawn.data or b"") for drawn in pictures}}
