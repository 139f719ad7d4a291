"""The windows of the rules as functions of the database: a view asks for ``link_window()``, and the number is written
once, in ``rules``.

Belongs here: which of them SQL knows. Made anew with the views (``migrations``), so they follow the rules.
Does not belong here: the windows themselves, and those that settings give: a query gets them as parameters.
"""

from slomix_pipeline.rules.linking import LINK_WINDOW
from slomix_pipeline.rules.sessions import DEFAULT_GAP
from slomix_pipeline.rules.stamps import CLOCK_CHANGE

WINDOWS = {
    "link_window": LINK_WINDOW,
    "clock_change": CLOCK_CHANGE,
    "usual_session_gap": DEFAULT_GAP,
}


def as_functions() -> str:
    """SQL that makes a function without arguments of each, which returns an interval."""
    return "\n".join(
        f"create or replace function {name}() returns interval language sql immutable "
        f"as $$ select interval '{span.total_seconds():.0f} seconds' $$;"
        for name, span in WINDOWS.items()
    )
