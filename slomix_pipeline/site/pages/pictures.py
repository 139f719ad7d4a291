"""The pictures of sessions: the result card for links that are pasted elsewhere, and the charts of the session's page.

Does not belong here: drawing them (``stages.session_pictures``, where messages get theirs).
"""

from slomix_pipeline.site.answers import Asked, NotHere
from slomix_pipeline.warehouse import site_reading
from slomix_pipeline.warehouse.site_store import Moment

_NONE = "There is no such picture: they are drawn when the summary of a session is told."


def card(moment: Moment, asked: Asked) -> bytes:
    """The result of a session as PNG."""
    found = site_reading.picture(moment.conn, asked.given["key"], None, "png")
    if not isinstance(found, bytes):
        raise NotHere(_NONE)
    return found


def chart(moment: Moment, asked: Asked) -> bytes:
    """A picture of a session as SVG."""
    found = site_reading.picture(moment.conn, asked.given["key"], asked.given["name"], "svg")
    if not isinstance(found, str):
        raise NotHere(_NONE)
    return found.encode()
