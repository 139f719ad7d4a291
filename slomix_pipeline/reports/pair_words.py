"""Pairs and nemeses in words: what was counted, beside what was to be expected.

Does not belong here: the numbers (``warehouse.pair_records``).
"""

from slomix_pipeline.reports.career_words import amount, count
from slomix_pipeline.warehouse.pair_records import NemesisSeen, PairRecord


def likely_text(own: PairRecord) -> str:
    """Between which shares of wins a record speaks for: ``38–70 %``."""
    return f"{100 * own.low:.0f}–{100 * own.high:.0f} %"


def together_text(own: PairRecord) -> str:
    """``31 matches, won 17; 15.8 expected (38–70 %)``."""
    expected = "" if own.expected is None else f"; {amount(own.expected, 1)} expected"
    return f"{count(own.matches, 'match', 'matches')}, won {own.won:,}{expected} ({likely_text(own)})"


def apart_text(own: PairRecord) -> str:
    """``40 matches with just one of them in a team, 19 of them won``."""
    return f"{count(own.apart, 'match', 'matches')} with just one of them in a team, {own.apart_won:,} of them won"


def nemesis_text(own: NemesisSeen) -> str:
    """``killed him 28 of 40 times (20 expected), in rounds with a list of who killed whom``."""
    times = f"{own.kills:,} of {own.times:,} times ({own.expected:.0f} expected)"
    return f"killed him {times}, in rounds with a list of who killed whom"
