"""The picture of what was asked for, as far as it has one: that of a map, which follows its message by an edit.

Belongs here: what it shows, drawing it. Does not belong here: how it looks (``charts.map_curve``), telling
(``stages.asked_posts``), the pictures of sessions (``stages.session_pictures``).
"""

from typing import TYPE_CHECKING

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.charts.facts import MapFacts
from slomix_pipeline.reports.map_words import card_text
from slomix_pipeline.rules.asked import Asked, MapAsked
from slomix_pipeline.rules.records import RecordKind
from slomix_pipeline.warehouse.maps import MapSeen, map_seen

if TYPE_CHECKING:
    from slomix_pipeline.discord.embeds import Attachment


def pictured(conn: Connection[DictRow], asked: Asked) -> MapFacts | None:
    """What a picture of it shows; None where there is none. ``conn``: the snapshot that its message was made from."""
    return map_facts(map_seen(conn, asked.map)) if isinstance(asked, MapAsked) else None


def map_facts(seen: MapSeen) -> MapFacts | None:
    """A map as its picture shows it; None while there are too few attacks for a curve."""
    curves = seen.curves
    if curves is None:
        return None
    fastest = next((round(own.value) for own in seen.records if own.kind is RecordKind.ATTACK), None)
    apart = (curves.first, curves.second) if curves.first and curves.second else None
    return MapFacts(seen.name, card_text(seen), seen.limit_seconds, curves.both, apart, fastest)


def drawn(facts: MapFacts) -> "Attachment":
    """The picture.

    Raises:
        ValueError: it can't be drawn.
    """
    # Loaded here: Altair and vl-convert are heavy, and most of what is asked for has no picture.
    from slomix_pipeline.charts.map_curve import map_chart
    from slomix_pipeline.charts.render import png, svg
    from slomix_pipeline.discord.embeds import Attachment

    chart = map_chart(facts)
    return Attachment.of(f"{chart.name}.png", chart.alt, png(svg(chart)))
