"""Draws pictures, without a browser: the same specification always gives the same bytes.

Belongs here: the one use of vl-convert. Does not belong here: what is drawn.
"""

from collections.abc import Callable
from typing import Any

import vl_convert

from slomix_pipeline.charts.look import Chart

VEGA_LITE = "6.4"  # what the pinned Altair writes
SCALE = 2  # for screens of high density


def svg(chart: Chart) -> str:
    """The picture as SVG.

    Raises:
        ValueError: it can't be drawn.
    """
    drawn: str = _drawn(vl_convert.vegalite_to_svg, chart.spec, vl_version=VEGA_LITE, allowed_base_urls=[])
    return drawn


def png(picture: str) -> bytes:
    """A picture that was drawn as SVG as PNG, twice the size of its specification. Made of that, not drawn anew: the
    bytes are the same, and drawing takes half of the time.

    Raises:
        ValueError: it can't be drawn.
    """
    drawn: bytes = _drawn(vl_convert.svg_to_png, picture, scale=SCALE)
    return drawn


def _drawn(draw: Callable[..., Any], what: object, **options: Any) -> Any:
    """What the library makes of a specification or picture, without fetching anything."""
    try:
        return draw(what, **options)
    except (Exception, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # where its Rust code gives up: no Exception, though no reason to end the process
        raise ValueError(f"the library broke: {error}") from error
