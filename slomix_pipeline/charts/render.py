"""Draws pictures, without a browser: the same specification always gives the same bytes.

Belongs here: the one use of vl-convert. Does not belong here: what is drawn.
"""

from collections.abc import Callable
from typing import Any

import vl_convert

from slomix_pipeline.charts.look import Chart

VEGA_LITE = "6.4"  # what the pinned Altair writes
SCALE = 2  # for screens of high density


def png(chart: Chart) -> bytes:
    """The picture as PNG, twice the size of its specification.

    Raises:
        ValueError: it can't be drawn.
    """
    drawn: bytes = _drawn(vl_convert.vegalite_to_png, chart, scale=SCALE)
    return drawn


def svg(chart: Chart) -> str:
    """The picture as SVG.

    Raises:
        ValueError: it can't be drawn.
    """
    drawn: str = _drawn(vl_convert.vegalite_to_svg, chart)
    return drawn


def _drawn(draw: Callable[..., Any], chart: Chart, **options: Any) -> Any:
    """What the library makes of a chart, without fetching anything."""
    try:
        return draw(chart.spec, vl_version=VEGA_LITE, allowed_base_urls=[], **options)
    except (Exception, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # where its Rust code gives up: no Exception, though no reason to end the process
        raise ValueError(f"the library broke: {error}") from error
