"""What was expected of players, in words: a number beside what was expected, how usual that is, a change of form.

Belongs here: whole parts of sentences, without emphasis. Does not belong here: the numbers (``rules.expected``,
``rules.change``), what stands around them (``discord``, ``site``).
"""

from slomix_pipeline.rules.change import LATEST_NIGHTS, LEAST_JUMP, RETRACTED_BELOW, SURE
from slomix_pipeline.rules.expected import LEAST_ROUNDS, LEAST_SECONDS, POOLED_SD, Metric
from slomix_pipeline.rules.form import Against
from slomix_pipeline.warehouse.expectations import Held
from slomix_pipeline.warehouse.form_changes import FormChange
from slomix_pipeline.warehouse.surprises import Surprise

_DAMAGE_TO = 10  # nearer than to so much nobody's damage is expected
_SUREST = 99  # percent: nothing is surer

_SHORT = {Against.EVEN: "usual", Against.ABOVE: "above", Against.BELOW: "below"}


def expected_text(metric: Metric, expected: float) -> str:
    """How much was expected: ``5,690``."""
    step = _DAMAGE_TO if metric is Metric.DAMAGE else 1
    return f"{round(expected / step) * step:,}"


def off_text(ratio: float) -> str:
    """By how much something is off what was expected: ``+8 %``."""
    return f"{_percent(ratio - 1)} %"


def range_text(low: float, high: float) -> str:
    """The same from one to another: ``−10 to +12 %``."""
    return f"{_percent(low - 1)} to {_percent(high - 1)} %"


def judged_text(judged: Against, what: str) -> str:
    """How usual a session or match (``what``) was: ``a usual match``."""
    return f"a usual {what}" if judged is Against.EVEN else f"{judged.value} a usual {what}"


def short_text(judged: Against, *, alone: bool) -> str:
    """The same in one word. ``alone``: see ``held_text``."""
    return _SHORT[judged] if alone or judged is not Against.BELOW else ""


def held_text(metric: Metric, held: Held, what: str, *, alone: bool) -> str:
    """All of it: ``6,140 damage, 5,690 expected (+8 %), a usual session: 80 of 100 are within −10 to +12 %``.
    ``alone``: on his own page; beside others nobody is called below anything, the numbers stand there."""
    number = f"{held.actual:,} {metric}, {expected_text(metric, held.expected)} expected ({off_text(held.ratio)})"
    judged = f", {judged_text(held.judged, what)}" if alone or held.judged is not Against.BELOW else ""
    return f"{number}{judged}: 80 of 100 are within {range_text(held.usual_low, held.usual_high)}"


def surprise_text(own: Surprise) -> str:
    """What stands behind the name of who surprised: ``6,140 damage, 5,200 expected (+18 %; usual: −10 to +12 %)``."""
    off, usual = off_text(own.actual / own.expected), range_text(own.usual_low, own.usual_high)
    return f"{own.actual:,} {own.metric}, {expected_text(own.metric, own.expected)} expected ({off}; usual: {usual})"


def change_text(change: FormChange) -> str:
    """What changed: ``Damage up 17 %``; since when stands behind it."""
    return f"{change.what.capitalize()} {'up' if change.by > 0 else 'down'} {abs(change.by):.0%}".replace("%", " %")


def sure_text(change: FormChange) -> str:
    """How sure that is: ``97 % sure, +10 to +24 %``."""
    sure = min(int(100 * change.probability), _SUREST)
    return f"{sure} % sure, {range_text(1 + change.low, 1 + change.high)}"


def counted_texts() -> list[str]:
    """How all of it is counted."""
    scatter = " and ".join(f"{sd:.0%} of {metric}".replace("%", " %") for metric, sd in POOLED_SD.items())
    return [
        "The damage and kills that are expected of a player in a round are a rate for each minute that he was there. "
        "It is fitted to all rounds that count: what he usually does, what the map, attack or defence and more or "
        "fewer opponents than mates change, and what each opponent lets others do. What was seen little is held near "
        "no effect. A match or a session is the sum of its rounds.",
        "Nothing is judged by itself: what is expected in a session is what all sessions before it say.",
        f"Nothing is told of who has fewer than {LEAST_ROUNDS} earlier rounds of at least {LEAST_SECONDS // 60} "
        "minutes each.",
        "Usual is where 80 of 100 end, by how far his own sessions were off before; of who has few, by how far those "
        f"of all are: in an hour {scatter}. What is shorter scatters more, so a match is unusual only far off.",
        f"A change of form is told when it is {SURE:.0%} sure and at least {LEAST_JUMP:.0%}, and stands until it is "
        f"less than {RETRACTED_BELOW:.0%} sure, or no longer sure which way it went. It is looked for in his latest "
        f"{LATEST_NIGHTS} sessions, in damage and kills against what was expected and in aimed accuracy, and in "
        "nothing else.".replace("%", " %"),
        "Deaths are expected of nobody: how often one dies is the map's and the respawn's matter.",
    ]


def _percent(part: float) -> str:
    """A part as whole percent with its sign."""
    percent = round(100 * part)
    return f"{percent:+d}".replace("-", "−") if percent else "±0"
