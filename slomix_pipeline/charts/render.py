"""Draws pictures, without a browser: the same specification always gives the same bytes.

Belongs here: the one use of vl-convert. Does not belong here: what is drawn.
"""

import vl_convert

from slomix_pipeline.charts.look import Chart

VEGA_LITE = "6.4"  # what the pinned Altair writes
SCALE = 2  # for screens of high density


def png(chart: Chart) -> bytes:
    """The picture as PNG, twice the size of its specification.

    Raises:
        ValueError: it can't be drawn.
    """
    drawn: bytes = vl_convert.vegalite_to_png(chart.spec, vl_version=VEGA_LITE, scale=SCALE, allowed_base_urls=[])
    return drawn


def svg(chart: Chart) -> str:
    """The picture as SVG.

    Raises:
        ValueError: it can't be drawn.
    """
    drawn: str = vl_convert.vegalite_to_svg(chart.spec, vl_version=VEGA_LITE, allowed_base_urls=[])
    return drawn
