"""A strength in words: never without how sure it is, and of how many matches.

Does not belong here: the number (``warehouse.strengths``), odds (``odds_words``).
"""

from slomix_pipeline.reports.career_words import count
from slomix_pipeline.warehouse.strengths import TEAM_SIZE, StrengthSeen


def strength_text(own: StrengthSeen) -> str:
    """``+8 points of win chance in a 3v3 in place of an average regular (80 %: +2 to +14), 116 matches``."""
    matches = count(own.matches, "match", "matches")
    if own.points is None or own.low is None or own.high is None:
        return f"new: {matches}"
    whole = round(own.points)
    return (
        f"{_signed(own.points)} point{'' if abs(whole) == 1 else 's'} of win chance in a {TEAM_SIZE}v{TEAM_SIZE} in "
        f"place of an average regular (80 %: {_signed(own.low)} to {_signed(own.high)}), {matches}"
    )


def _signed(points: float) -> str:
    whole = round(points)
    return f"{'−' if whole < 0 else '+' if whole else '±'}{abs(whole)}"
