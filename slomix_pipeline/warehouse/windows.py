"""The windows and smallest samples of the rules as functions of the database: a view asks for ``link_window()``, and
the number is written once, in ``rules``.

Belongs here: which of them SQL knows. Made anew with the views (``migrations``), so they follow the rules.
Does not belong here: the windows themselves, and those that settings give: a query gets them as parameters.
"""

from slomix_pipeline.rules.linking import LINK_WINDOW
from slomix_pipeline.rules.records import ATTACKS_BEFORE_A_RECORD, LEAST_MULTIKILLS, LEAST_SECONDS, LEAST_SHOTS
from slomix_pipeline.rules.sessions import DEFAULT_GAP
from slomix_pipeline.rules.stamps import CLOCK_CHANGE

WINDOWS = {
    "link_window": LINK_WINDOW,
    "clock_change": CLOCK_CHANGE,
    "usual_session_gap": DEFAULT_GAP,
}


LEAST = {
    "least_record_seconds": LEAST_SECONDS,
    "least_record_shots": LEAST_SHOTS,
    "least_record_multikills": LEAST_MULTIKILLS,
    "attacks_before_a_record": ATTACKS_BEFORE_A_RECORD,
}


def as_functions() -> str:
    """SQL that makes a function without arguments of each: a window returns an interval, a sample an integer."""
    windows = {name: ("interval", f"interval '{span.total_seconds():.0f} seconds'") for name, span in WINDOWS.items()}
    samples = {name: ("integer", str(number)) for name, number in LEAST.items()}
    return "\n".join(
        f"create or replace function {name}() returns {kind} language sql immutable as $$ select {value} $$;"
        for name, (kind, value) in (windows | samples).items()
    )
